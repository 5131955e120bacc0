"""A parser as mail might one day make ours: harmless but for the mails that say what they do to it."""

from __future__ import annotations

import ctypes

from klankbord.channels import sandboxed


def parse(payload: bytes) -> bytes:
    """In the limited child: the product's own parser, unless the mail is one of those."""
    if b"X-Poison: crash" in payload:
        ctypes.string_at(0)
    if b"X-Poison: burn" in payload:
        while True:
            sum(range(100_000))
    if b"X-Poison: grow" in payload:
        return bytes(4_000_000_000)
    return sandboxed.parse(payload)
