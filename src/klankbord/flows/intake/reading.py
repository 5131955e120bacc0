"""Translate claimed deliveries by their channels; hostile input in a limited child process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from klankbord.contract import Arrived, Item, Unknown
from klankbord.desk.inboxes.deliveries import Claimed
from klankbord.kernel.text import clean
from klankbord.plumbing.sandbox import SandboxFailure

from ..accounts import Connected
from ..parsing import parse_all

_OLDEST_SANE = timedelta(days=20 * 365)
_CLOCK_SKEW = timedelta(minutes=2)


@dataclass(slots=True)
class Entry:
    """One item on its way through the batch. outcome and reason are set once it is settled."""

    claimed: Claimed
    position: int
    item: Item
    connected: Connected
    outcome: str = ""
    reason: str = ""

    @property
    def inbox_id(self) -> UUID:
        return self.claimed.inbox_id

    @property
    def is_history(self) -> bool:
        return self.claimed.is_history or getattr(self.item, "is_history", False)

    @property
    def at(self) -> datetime:
        return getattr(self.item, "at", self.claimed.received_at)


@dataclass(frozen=True, slots=True)
class Overran:
    """The parser was killed on this delivery: try it alone and later, at last a dead letter."""

    claimed: Claimed
    reason: str


def read(claimed: Sequence[Claimed], inboxes: Mapping[UUID, Connected]) -> tuple[list[Entry], list[Overran]]:
    """Entries in the order of platform time, and the deliveries on which the limited parser gave up."""
    entries: list[Entry] = []
    overran: list[Overran] = []
    found = parse_all([(each.delivery, inboxes[each.inbox_id]) for each in claimed])
    for each, items in zip(claimed, found, strict=True):
        if isinstance(items, SandboxFailure):
            overran.append(Overran(each, items.reason))
        else:
            entries.extend(_entries(each, inboxes[each.inbox_id], items))
    entries.sort(key=lambda entry: (entry.at, entry.claimed.id, entry.position))
    return entries, overran


def _entries(claimed: Claimed, connected: Connected, items: Sequence[Item]) -> list[Entry]:
    return [Entry(claimed, place, _sane(item, claimed), connected) for place, item in enumerate(items)]


def _sane(item: Item, claimed: Claimed) -> Item:
    """Moments that cannot be true give way to the moment of arrival, and the message says so."""
    at = getattr(item, "at", None)
    if at is None:
        return item
    received = claimed.received_at
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if received - _OLDEST_SANE < at <= received + _CLOCK_SKEW:
        return item if at is item.at else replace(item, at=at)  # type: ignore[union-attr]
    changed: dict[str, Any] = {"at": received}
    if isinstance(item, Arrived):
        changed["remarks"] = (*item.remarks, "odd-time")
    return replace(item, **changed)


def as_arrival(item: Unknown) -> Arrived | None:
    """Something unknown in a place we know of is shown as "not supported yet"; elsewhere it is only counted."""
    if item.place is None or item.person is None:
        return None
    return Arrived(
        external_id=item.external_id or _derived_id(item),
        place=item.place,
        person=item.person,
        text="",
        at=item.at,
        remarks=("unsupported",),
        facts={"unsupported": {"kind": item.kind[:80], "raw": clean(item.raw)[:20_000]}},
    )


def _derived_id(item: Unknown) -> str:
    """Where the platform gave none: the same content again has the same id, other content another."""
    content = f"{item.kind} {item.at.isoformat()} {item.raw}".encode("utf-8", "replace")
    return f"unknown:{hashlib.sha256(content).hexdigest()[:40]}"
