"""Message-IDs and bounce addresses: one normal form, and how to know which are ours.

Ours look like `tag.kbKEYDIGEST@our-domain`: the thread's reply tag, our message's key, and a signature over both. A
guessed id, or one pieced together from two real ones, is therefore not ours. The normal form, used for external ids
everywhere, has no angle brackets and a domain in lower case.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from klankbord.kernel import tags

from . import headers

LONGEST_ID = 250
MOST_REFERENCES = 50
NO_ID_DOMAIN = "no-message-id.invalid"

_ID = re.compile(r"<([^<>]*+)>")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_OURS = re.compile(r"(?P<tag>[a-z0-9]*)\.kb(?P<key>[a-z2-7]+)(?P<digest>[a-z2-9]{16})")
_BOUNCE = re.compile(r"b-(?P<key>[a-z2-7]+)(?P<digest>[a-z2-9]{16})")


def normalise(raw: str) -> str:
    """A Message-ID as we keep it; "" for none. One beyond LONGEST_ID keeps its start and a digest of the whole."""
    raw = headers.decode_words(raw)
    found = _ID.search(raw)
    identifier = _SPACE.sub("", found[1] if found else raw.strip().strip("<>"))
    identifier = identifier.encode("utf-8", "replace").decode("utf-8")
    local, at, domain = identifier.rpartition("@")
    identifier = f"{local}@{domain.lower()}" if at else identifier
    if len(identifier) > LONGEST_ID:
        identifier = f"{identifier[: LONGEST_ID - 33]}-{hashlib.sha256(identifier.encode()).hexdigest()[:32]}"
    return identifier


def read_all(raw: str) -> tuple[str, ...]:
    """The ids in a References or In-Reply-To, in their order, each once; the first and the last ones when too many."""
    raw = headers.decode_words(raw)  # some programs, Python's library among them, encode ids that exceed a line
    listed = _ID.findall(raw) or raw.split()
    if len(listed) > MOST_REFERENCES:
        listed = [listed[0], *listed[-MOST_REFERENCES + 1 :]]
    return tuple(dict.fromkeys(each for each in map(normalise, listed) if each))


def artificial(*facts: bytes) -> str:
    """The id of a mail that has none: the same mail always gets the same."""
    digest = hashlib.sha256(b"\x00".join(hashlib.sha256(each).digest() for each in facts))
    return f"{digest.hexdigest()[:40]}@{NO_ID_DOMAIN}"


def make(*, reply_tag: str, key: str, reply_key: bytes, domain: str) -> str:
    """The id of a message of ours: the same for the same message, however often it is tried."""
    tag = re.sub(r"[^a-z0-9]", "", reply_tag.lower())
    packed = _pack(key)
    return f"{tag}.kb{packed}{_digest(f'id.{tag}.{packed}', reply_key)}@{domain}"


def looks_ours(identifier: str, *, domains: Iterable[str]) -> bool:
    """Has it the shape of our ids? Says nothing about who made it: see `is_ours`."""
    local, _, domain = identifier.rpartition("@")
    return domain in domains and _OURS.fullmatch(local) is not None


def is_ours(identifier: str, *, reply_key: bytes) -> bool:
    """Did we make this id? Nobody else can, though everybody we wrote to can repeat one."""
    return bool(key_of(identifier, reply_key=reply_key))


@lru_cache(maxsize=4096)
def key_of(identifier: str, *, reply_key: bytes) -> str:
    """The key of our message with this id, "" when the id is not ours."""
    match = _OURS.fullmatch(identifier.rpartition("@")[0])
    if match is None or not _is_signed(f"id.{match['tag']}.{match['key']}", match["digest"], reply_key):
        return ""
    return _unpack(match["key"])


def tag_of(identifier: str, *, reply_key: bytes) -> str:
    """The reply tag in one of our ids, "" when the id or the tag is not ours."""
    if not is_ours(identifier, reply_key=reply_key):
        return ""
    tag = identifier.partition(".")[0]
    return tag if tags.read_tag(tag, key=reply_key) else ""


def bounce_part(key: str, *, reply_key: bytes) -> str:
    """What goes after the plus of the envelope sender, so that a bounce without any headers finds its message."""
    packed = _pack(key)
    return f"b-{packed}{_digest(f'bounce.{packed}', reply_key)}"


def bounced_key(plus_part: str, *, reply_key: bytes) -> str:
    """The key in what stands after the plus of an address, "" when it is not one of ours."""
    match = _BOUNCE.fullmatch(plus_part.lower())
    if match is None or not _is_signed(f"bounce.{match['key']}", match["digest"], reply_key):
        return ""
    return _unpack(match["key"])


def _digest(text: str, reply_key: bytes) -> str:
    return tags.sign_tag(text, key=reply_key)[len(text) :]


def _is_signed(text: str, digest: str, reply_key: bytes) -> bool:
    return tags.read_tag(text + digest, key=reply_key) == text


def _pack(key: str) -> str:
    """A key in letters and digits that survive case-folding; short for a UUID, so that it fits a local part."""
    try:
        identifier = UUID(key)
        raw, mark = (identifier.bytes, "u") if str(identifier) == key else (key.encode(), "k")
    except ValueError:
        raw, mark = key.encode(), "k"
    return mark + base64.b32encode(raw).decode().rstrip("=").lower()


def _unpack(packed: str) -> str:
    mark, body = packed[:1], packed[1:].upper()
    try:
        raw = base64.b32decode(body + "=" * (-len(body) % 8))
        return str(UUID(bytes=raw)) if mark == "u" else raw.decode()
    except ValueError:
        return ""
