"""Reply tags: how the answer to a message finds its thread again, safe against guessing.

A tag is a thread's random token plus an HMAC under a key of the organisation, so that a guessed or sprayed tag names
nothing. Letters and digits only, in lower case: local parts of mail addresses are folded on their way.
"""

from __future__ import annotations

import hashlib
import hmac

_DIGEST_LENGTH = 16  # 80 bits in base 32


def sign_tag(token: str, *, key: bytes) -> str:
    """The tag of a thread's token."""
    return token + _digest(token, key)


def read_tag(tag: str, *, key: bytes) -> str:
    """The token in a tag, or "" when the signature is not ours."""
    tag = tag.strip().lower()
    token, digest = tag[:-_DIGEST_LENGTH], tag[-_DIGEST_LENGTH:]
    if not token or not key or not hmac.compare_digest(digest.encode(), _digest(token, key).encode()):
        return ""
    return token


def _digest(token: str, key: bytes) -> str:
    number = int.from_bytes(hmac.new(key, token.encode(), hashlib.sha256).digest()[:10], "big")
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "".join(alphabet[number >> (5 * place) & 31] for place in range(_DIGEST_LENGTH))
