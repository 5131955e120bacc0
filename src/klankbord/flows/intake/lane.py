"""One turn of an intake worker: claim a lane's batch, settle it per organisation, commit. Or: find the culprit."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from klankbord.desk.contacts.arrivals import HandleRaced
from klankbord.desk.conversations.arrivals import Raced
from klankbord.desk.inboxes import deliveries, ledger
from klankbord.desk.inboxes.deliveries import Claimed
from klankbord.desk.inboxes.models import Inbox, InboxState, Outcome
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.wall import organisation
from klankbord.kernel.text import clean

from ..accounts import Connected, open_inboxes
from ..reactions import react
from .reading import Entry, Overran, read
from .settling import settle

log = logging.getLogger(__name__)

BATCH = 500
_SLOW_LANE = 9_999  # deliveries on which the parser overran wait here, so that their neighbours need not
_PARSER_TRIES = 3
_RACES = 5
_TRIES = 3  # of a batch on which the database gives up, before the item is looked for
_PAUSE = timedelta(seconds=2)
# Troubles of the server or of the way to it, by the start of their SQLSTATE: connection, conflict with another
# transaction, resources, shutdown, system. They pass, and say nothing of the data.
_PASSING = ("08", "40", "53", "57P01", "57P02", "57P03", "58")


@dataclass(frozen=True, slots=True)
class Result:
    deliveries: int = 0
    messages: int = 0


def take_in_lane(lane: int, *, now: datetime, limit: int = BATCH) -> Result:
    """Settle the oldest deliveries of a lane, in one transaction. When the batch fails, again with halving."""
    for _ in range(_RACES):
        try:
            with transaction.atomic():
                return take_in(deliveries.claim(lane, limit=limit, now=now), now=now, is_careful=False)
        except (Raced, HandleRaced):
            continue
        except Exception as error:
            if _passes(error):
                raise  # the database is away or asked us to try again: nothing is settled, the caller comes back
            if isinstance(error, OperationalError) and (waiting := _put_off(lane, limit=limit, now=now)):
                log.warning("intake put off", extra={"lane": lane, "deliveries": waiting, "error": _name(error)})
                return Result()
            log.warning(
                "intake batch failed, looking for the item", extra={"lane": lane, "error": type(error).__name__}
            )
            break
    with transaction.atomic():
        return take_in(deliveries.claim(lane, limit=limit, now=now), now=now, is_careful=True)


def _put_off(lane: int, *, limit: int, now: datetime) -> int:
    """Let a batch on which the database gave up wait for a moment: too slow may be a neighbour's doing. Gives how many
    deliveries wait; 0 when these were tried often enough."""
    with transaction.atomic():
        claimed = deliveries.claim(lane, limit=limit, now=now)
        if any(each.attempts + 1 >= _TRIES for each in claimed):
            return 0
        deliveries.put_off(claimed, until=now + _PAUSE)
        return len(claimed)


def _passes(error: BaseException) -> bool:
    """Whether to come back for the very same, as often as it takes. What comes without a code never reached the server.

    Not so: limits that the data exceeds (54xxx) and statements that take too long (57014), also errors of operation.
    """
    if isinstance(error, OperationalError):
        code = getattr(error.__cause__, "sqlstate", None)
        return code is None or code.startswith(_PASSING)
    return isinstance(error, InterfaceError)


def take_in(claimed: Sequence[Claimed], *, now: datetime, is_careful: bool) -> Result:
    """Settle claimed deliveries, one organisation at a time within the running transaction."""
    per_organisation: dict[UUID, list[Claimed]] = {}
    for each in claimed:
        per_organisation.setdefault(each.organisation_id, []).append(each)
    messages = 0
    for organisation_id in sorted(per_organisation):
        messages += _take_in_organisation(organisation_id, per_organisation[organisation_id], now, is_careful)
    return Result(len(claimed), messages)


def _take_in_organisation(organisation_id: UUID, claimed: list[Claimed], now: datetime, is_careful: bool) -> int:
    ours = Organisation.objects.get(id=organisation_id)
    with organisation(organisation_id):
        inboxes, shut = open_inboxes({each.inbox_id for each in claimed}, ours)
        usable = [each for each in claimed if _is_connected(inboxes.get(each.inbox_id))]
        entries, overran = read(usable, inboxes)
        siblings = _siblings(inboxes.values())
        if is_careful:
            _settle_carefully(entries, siblings, now)
        else:
            _settle_at_once(entries, siblings, now)
        _close(entries, claimed, overran, inboxes, shut, now)
    return sum(entry.outcome == Outcome.MESSAGE for entry in entries)


def resettle(claimed: Claimed, connected: Connected, *, position: int, now: datetime) -> list[tuple[int, str, str]]:
    """Settle one item (or, with position -1, all) of a delivery once more: (position, outcome, reason) of each.

    Runs inside `with organisation(id):`; the caller keeps the ledger.
    """
    entries, overran = read([claimed], {claimed.inbox_id: connected})
    if overran:
        return [(position, Outcome.DEAD, f"parser stopped: {overran[0].reason}")]
    wanted = [entry for entry in entries if position in (-1, entry.position)]
    _settle_carefully(wanted, _siblings([connected]), now)
    found = sorted(wanted, key=lambda entry: entry.position)
    return [(entry.position, entry.outcome, clean(entry.reason)[:500]) for entry in found]


def _is_connected(connected: Connected | None) -> bool:
    return connected is not None and connected.inbox.state != InboxState.DISCONNECTED


def _siblings(connected: Collection[Connected]) -> dict[UUID, list[UUID]]:
    """For channels whose ids are the same everywhere: all inboxes of that kind, so that a mail is stored once."""
    kinds = {each.inbox.kind for each in connected if each.channel.capabilities.ids_are_global}
    if not kinds:
        return {}
    siblings: dict[str, list[UUID]] = {}
    for inbox_id, kind in Inbox.objects.filter(kind__in=kinds).order_by("id").values_list("id", "kind"):
        siblings.setdefault(kind, []).append(inbox_id)
    return {each.inbox.id: siblings[each.inbox.kind] for each in connected if each.inbox.kind in kinds}


def _settle_at_once(entries: list[Entry], siblings: dict[UUID, list[UUID]], now: datetime) -> None:
    batch = settle(entries, siblings=siblings, now=now)
    react(batch.events, now=now)


def _settle_carefully(entries: list[Entry], siblings: dict[UUID, list[UUID]], now: datetime) -> None:
    """Halve until the item that cannot be settled stands alone; its neighbours are stored."""
    if not entries:
        return
    try:
        with transaction.atomic():
            _settle_at_once(entries, siblings, now)
    except Exception as error:
        if _passes(error):
            raise
        for entry in entries:
            entry.outcome = entry.reason = ""
        if len(entries) == 1:
            entries[0].outcome, entries[0].reason = Outcome.DEAD, _name(error)
            return
        middle = len(entries) // 2
        _settle_carefully(entries[:middle], siblings, now)
        _settle_carefully(entries[middle:], siblings, now)


def _name(error: Exception) -> str:
    """What went wrong, without the message's own words: database errors quote the row they refuse."""
    if isinstance(error, DatabaseError):
        return f"{type(error).__name__}: the database refused it"
    return f"{type(error).__name__}: {error}"[:300]


def _close(
    entries: Sequence[Entry],
    claimed: Sequence[Claimed],
    overran: Sequence[Overran],
    inboxes: Mapping[UUID, Connected],
    shut: Mapping[UUID, str],
    now: datetime,
) -> None:
    """Write the outcomes into the ledger, bury the dead, finish the deliveries."""
    items: dict[UUID, list[tuple[int, str, str]]] = {each.id: [] for each in claimed}
    waits = _put_off_or_bury(overran, items, now)
    for entry in entries:
        items[entry.claimed.id].append((entry.position, entry.outcome, clean(entry.reason)[:500]))
    by_id = {each.id: each for each in claimed}
    for key, found in items.items():
        if not found and key not in waits:
            found.append((-1, *_without_items(by_id[key], inboxes, shut)))
    settled = [
        ledger.Settled(by_id[key].inbox_id, key, position, by_id[key].received_at, Outcome(outcome), reason)
        for key, found in items.items()
        for position, outcome, reason in found
    ]
    ledger.note(settled)
    ledger.bury([letter_of(by_id[each.delivery_id], each) for each in settled if each.outcome == Outcome.DEAD], now=now)
    deliveries.finish(
        {
            key: [(outcome, reason) for _, outcome, reason in sorted(found)]
            for key, found in items.items()
            if key not in waits
        },
        {each.id: each.received_at for each in claimed},
    )


def _without_items(
    claimed: Claimed, inboxes: Mapping[UUID, Connected], shut: Mapping[UUID, str]
) -> tuple[Outcome, str]:
    """What became of a delivery of which nothing was read."""
    if claimed.inbox_id in shut:
        return Outcome.DEAD, shut[claimed.inbox_id]
    return Outcome.IGNORED, "empty" if _is_connected(inboxes.get(claimed.inbox_id)) else "inbox disconnected"


def _put_off_or_bury(
    overran: Sequence[Overran], items: dict[UUID, list[tuple[int, str, str]]], now: datetime
) -> set[UUID]:
    waits = [each.claimed for each in overran if each.claimed.attempts + 1 < _PARSER_TRIES]
    deliveries.put_off(waits, until=now + timedelta(seconds=1), lane=_SLOW_LANE)
    for each in overran:
        if each.claimed not in waits:
            items[each.claimed.id].append((-1, Outcome.DEAD, f"parser stopped: {each.reason}"))
    return {each.id for each in waits}


def letter_of(claimed: Claimed, settled: ledger.Settled) -> dict[str, object]:
    """The dead letter of an item: the delivery it came in, and why it failed."""
    return {
        "inbox_id": claimed.inbox_id,
        "delivery_id": claimed.id,
        "position": settled.position,
        "received_at": claimed.received_at,
        "reason": settled.reason,
        "body": bytes(claimed.body),
        "headers": claimed.headers,
        "query": claimed.query,
        "is_history": claimed.is_history,
    }
