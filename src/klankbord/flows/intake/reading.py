"""Translate claimed deliveries by their channels; hostile input in a limited child process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from klankbord.channels import sandboxed
from klankbord.contract import Arrived, Delivery, Item, Malformed, Unknown
from klankbord.desk.inboxes.deliveries import Claimed
from klankbord.kernel.text import clean
from klankbord.plumbing.sandbox import Sandbox, SandboxFailure

from ..accounts import Connected

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
    hostile = [each for each in claimed if inboxes[each.inbox_id].channel.capabilities.has_hostile_input]
    for each in claimed:
        connected = inboxes[each.inbox_id]
        if not connected.channel.capabilities.has_hostile_input:
            entries.extend(_entries(each, connected, _parse_here(each, connected)))
    for each, found in zip(hostile, _parse_apart(hostile, inboxes), strict=True):
        if isinstance(found, SandboxFailure):
            overran.append(Overran(each, found.reason))
        else:
            entries.extend(_entries(each, inboxes[each.inbox_id], found))
    entries.sort(key=lambda entry: (entry.at, entry.claimed.id, entry.position))
    return entries, overran


def parse(delivery: Delivery, connected: Connected) -> list[Item]:
    """Translate one delivery once more; [] when the limited parser gives up on it."""
    if not connected.channel.capabilities.has_hostile_input:
        return connected.channel.parse(delivery, connected.account)
    [answer] = _sandbox().call_each([sandboxed.pack(connected.inbox.kind, delivery, connected.account)])
    return [] if isinstance(answer, SandboxFailure) else _unpack(answer)


def _parse_here(claimed: Claimed, connected: Connected) -> list[Item]:
    try:
        return connected.channel.parse(claimed.delivery, connected.account)
    except Exception as error:
        return [Malformed(f"{type(error).__name__}: {error}"[:300])]


def _parse_apart(claimed: Sequence[Claimed], inboxes: Mapping[UUID, Connected]) -> list[list[Item] | SandboxFailure]:
    if not claimed:
        return []
    requests = [
        sandboxed.pack(inboxes[each.inbox_id].inbox.kind, each.delivery, inboxes[each.inbox_id].account)
        for each in claimed
    ]
    answers = _sandbox().call_each(requests)
    return [each if isinstance(each, SandboxFailure) else _unpack(each) for each in answers]


def _unpack(answer: bytes) -> list[Item]:
    try:
        return sandboxed.unpack(answer)
    except ValueError as error:
        return [Malformed(f"ValueError: {error}"[:300])]


@cache
def _sandbox() -> Sandbox:
    return Sandbox(sandboxed.TARGET, cpu_seconds=2, memory_bytes=700_000_000, wall_seconds=5.0)


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
        return item if at is item.at else replace(item, at=at)  # type: ignore[union-attr, arg-type]
    changed: dict[str, Any] = {"at": received}
    if isinstance(item, Arrived):
        changed["remarks"] = (*item.remarks, "odd-time")
    return replace(item, **changed)


def as_arrival(item: Unknown) -> Arrived | None:
    """Something unknown in a place we know of is shown as "not supported yet"; elsewhere it is only counted."""
    if item.place is None or item.person is None:
        return None
    return Arrived(
        external_id=item.external_id,
        place=item.place,
        person=item.person,
        text="",
        at=item.at,
        remarks=("unsupported",),
        facts={"unsupported": {"kind": item.kind[:80], "raw": clean(item.raw)[:20_000]}},
    )
