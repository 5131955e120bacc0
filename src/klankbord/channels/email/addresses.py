"""Mail addresses: from the header's grammar (RFC 5322 §3.4, with its obsolete corners) to one normal form.

Everything here takes time in proportion to the length of the header.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

import idna

MOST_ADDRESSES = 500
LONGEST_ADDRESS = 254  # RFC 5321 §4.5.3.1.3

_TOKEN = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*+)"?|(?P<mark>[(<>,;:])|(?P<text>[^"(<>,;:]++)', re.DOTALL)
_COMMENT_MARK = re.compile(r"\\.|[()]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LOCAL = re.compile(r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f]{1,64}")
_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62}\.)?[a-z0-9_.-]*")


@dataclass(slots=True)
class Mailbox:
    """One entry of a From, To or Cc. name: still encoded. address: normal form, "" when it is none."""

    name: str
    address: str


def read_list(header: str, *, most: int = MOST_ADDRESSES) -> list[Mailbox]:
    """The mailboxes in a header, of which groups ("Team: a@x, b@y;") are part; at most `most`."""
    found: list[Mailbox] = []
    for mailbox in _entries(header):
        if len(found) >= most:
            break
        found.append(mailbox)
    return found


def normalise(address: str) -> str:
    """Lower case, domain in its ASCII form, Unicode composed. "" for what is no address."""
    address = unicodedata.normalize("NFC", address.strip().strip("<>").strip())
    if len(address) > LONGEST_ADDRESS:
        return ""
    local, at, domain = address.rpartition("@")
    if local.startswith('"') and local.endswith('"') and len(local) > 2:
        local = _ESCAPED.sub(r"\1", local[1:-1])
    local, domain = local.lower(), _ascii_domain(domain.strip().rstrip("."))
    if not at or not domain or not _LOCAL.fullmatch(local) or _has_invisible(local):
        return ""
    return f"{local}@{domain}"


def shown(address: str) -> str:
    """The address with its domain as people read it."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{idna.decode(domain)}" if "xn--" in domain else address
    except UnicodeError:
        return address


def plus_part(address: str) -> str:
    """What stands between the plus and the @, "" when there is no plus."""
    return address.rpartition("@")[0].partition("+")[2]


def without_plus(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


@dataclass(slots=True)
class _Entry:
    """One entry while it is read."""

    phrase: list[str] = field(default_factory=list)
    spec: list[str] = field(default_factory=list)  # the same, with quotes kept: an address without <>
    comments: list[str] = field(default_factory=list)
    angle: list[str] | None = None
    is_closed: bool = False

    def mailbox(self) -> Mailbox | None:
        if self.angle is not None:
            name = " ".join("".join(self.phrase).split()) or self._comment_name()
            return Mailbox(name, normalise("".join(self.angle)))
        bare = "".join(self.spec).strip()
        if not bare:
            return None
        address = normalise(bare)
        return Mailbox(self._comment_name() if address else bare, address)

    def _comment_name(self) -> str:
        """The old way to give a name. One that looks like an address would only mislead."""
        return " ".join(each for each in self.comments if "@" not in each)


def _entries(header: str) -> Iterator[Mailbox]:
    entry, position = _Entry(), 0
    while match := _TOKEN.match(header, position):
        position = match.end()
        if match["mark"] == "(":
            comment, position = _comment(header, position)
            entry.comments.append(comment)
        elif match["mark"] in (",", ";"):
            if mailbox := entry.mailbox():
                yield mailbox
            entry = _Entry()
        else:
            _take(entry, match)
    if mailbox := entry.mailbox():
        yield mailbox


def _take(entry: _Entry, match: re.Match[str]) -> None:
    if entry.angle is not None and not entry.is_closed:
        if match["mark"] == ">":
            entry.is_closed = True
        elif match["mark"] == ":":
            entry.angle = []  # what went before was an obsolete route
        else:
            entry.angle.append(match.group())
    elif match["mark"] == "<":
        if entry.angle is None:
            entry.angle = []
    elif match["mark"] == ":":
        entry.phrase, entry.spec = [], []  # it was the name of a group
    elif match["quoted"] is not None:
        entry.phrase.append(_ESCAPED.sub(r"\1", match["quoted"]))
        entry.spec.append(match.group())
    elif match["text"]:
        entry.phrase.append(match["text"])
        entry.spec.append(match["text"])


def _comment(header: str, start: int) -> tuple[str, int]:
    """The text of a comment that began before `start`, and where it ends."""
    depth = 1
    for match in _COMMENT_MARK.finditer(header, start):
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if depth == 0:
            return header[start : match.start()], match.end()
    return header[start:], len(header)


def _ascii_domain(domain: str) -> str:
    domain = domain.lower()
    if not domain.isascii():
        try:
            domain = idna.encode(domain[:253], uts46=True).decode("ascii")
        except UnicodeError:
            return ""
    return domain if len(domain) <= 253 and _DOMAIN.fullmatch(domain) and ".." not in domain else ""


def _has_invisible(local: str) -> bool:
    return not local.isascii() and any(unicodedata.category(each)[0] in "CZ" for each in local)
