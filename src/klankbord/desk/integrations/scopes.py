"""What a token may ask: for each kind of thing, reading or writing. A scope gives no more than the role behind it."""

from __future__ import annotations

from collections.abc import Iterable

READ = (
    "conversations:read", "messages:read", "contacts:read", "inboxes:read", "labels:read", "people:read", "ledger:read",
    "replies:read",
)  # fmt: skip
WRITE = ("conversations:write", "messages:write")
SCOPES = (*READ, *WRITE)


def known(scopes: Iterable[str]) -> list[str]:
    """Those that exist, in the order in which they are shown."""
    asked = set(scopes)
    return [scope for scope in SCOPES if scope in asked]
