"""The ledger for people: what arrived, what became of it, and the dead letters they can try again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from klankbord import channels
from klankbord.desk import access
from klankbord.desk.errors import NotFound
from klankbord.desk.inboxes import ledger
from klankbord.desk.inboxes.deliveries import Claimed
from klankbord.desk.inboxes.models import DeadLetter, Inbox, LedgerLine, Outcome
from klankbord.desk.organisations.models import Membership, Organisation
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id

from .accounts import open_account
from .intake import letter_of, resettle


@dataclass(slots=True)
class LedgerRow:
    """One inbox on one day (UTC). accepted includes what still waits; adds_up: nothing is missing."""

    inbox: Inbox
    day: date
    accepted: int = 0
    message: int = 0
    change: int = 0
    duplicate: int = 0
    ignored: int = 0
    dead: int = 0
    waiting: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        return self.accepted == self.message + self.change + self.duplicate + self.ignored + self.dead + self.waiting


def days(*, inbox: UUID | None, since: date, by: Membership) -> list[LedgerRow]:
    """The rows of all visible inboxes since a day, newest day first."""
    access.require(by, "see ledger")
    return rows(inboxes=access.visible_inboxes(by) if inbox is None else {access.inbox_for(by, inbox).id}, since=since)


def rows(*, inboxes: Any, since: date) -> list[LedgerRow]:
    names = {inbox.id: inbox for inbox in Inbox.objects.filter(id__in=sorted(inboxes))}
    found: dict[tuple[UUID, date], LedgerRow] = {}

    def row(inbox_id: UUID, day: date) -> LedgerRow:
        return found.setdefault((inbox_id, day), LedgerRow(names[inbox_id], day))

    for line in LedgerLine.objects.filter(inbox_id__in=sorted(names), day__gte=since):
        each = row(line.inbox_id, line.day)
        setattr(each, line.outcome, getattr(each, line.outcome) + line.count)
        if line.reason and line.count:
            each.reasons[line.reason] = each.reasons.get(line.reason, 0) + line.count
    waiting = run(
        "SELECT inbox_id, (received_at AT TIME ZONE 'UTC')::date, count(*) FROM inboxes_delivery"
        " WHERE organisation_id = %s AND inbox_id = ANY(%s) AND is_waiting GROUP BY 1, 2",
        [current_organisation_id(), sorted(names)],
    )
    for inbox_id, day, count in waiting:
        if day >= since:
            each = row(inbox_id, day)
            each.waiting, each.accepted = count, each.accepted + count
    return sorted(found.values(), key=lambda each: (-each.day.toordinal(), each.inbox.name))


def dead_letters(
    *, inbox: UUID | None, by: Membership, limit: int = 50, before: datetime | None = None
) -> list[DeadLetter]:
    """Those that nobody settled yet, newest first."""
    access.require(by, "see ledger")
    inboxes = access.visible_inboxes(by) if inbox is None else {access.inbox_for(by, inbox).id}
    found = DeadLetter.objects.select_related("inbox").filter(inbox_id__in=sorted(inboxes), settled_at=None)
    if before is not None:
        found = found.filter(failed_at__lt=before)
    return list(found.defer("body").order_by("-failed_at", "-id")[:limit])


def retry(*, dead_letter: UUID, by: Membership, now: datetime) -> str:
    """Process a dead letter again, after a fix. Gives its new outcome; "dead" when it failed once more."""
    access.require(by, "retry dead letters")
    letter = _open_letter(dead_letter, by)
    before = ledger.Settled(
        letter.inbox_id, letter.delivery_id, letter.position, letter.received_at, Outcome.DEAD, letter.reason
    )
    claimed = _claimed(letter)
    settled = [
        ledger.Settled(letter.inbox_id, letter.delivery_id, position, letter.received_at, Outcome(outcome), reason)
        for position, outcome, reason in _settle_again(letter, claimed, now)
    ]
    ledger.take_back(before)
    ledger.note(settled)
    letter.settled_at, letter.settled_as = now, "retried"
    letter.save(update_fields=["settled_at", "settled_as"])
    # What failed once more, this letter or single items of its delivery, goes back to the dead letters.
    ledger.bury([letter_of(claimed, each) for each in settled if each.outcome == Outcome.DEAD], now=now)
    return str(settled[0].outcome)


def _settle_again(letter: DeadLetter, claimed: Claimed, now: datetime) -> list[tuple[int, str, str]]:
    """(position, outcome, reason) of each item; at least one."""
    try:
        connected = open_account(letter.inbox, Organisation.objects.get(id=current_organisation_id()))
    except channels.UnknownChannel:
        return [(letter.position, Outcome.DEAD, letter.reason)]
    outcomes = resettle(claimed, connected, position=letter.position, now=now)
    return outcomes or [(letter.position, Outcome.IGNORED, "empty")]


def dismiss(*, dead_letter: UUID, by: Membership, now: datetime) -> None:
    """A person decided that nothing is to be done: it is ignored, and the ledger says by whom."""
    access.require(by, "retry dead letters")
    letter = _open_letter(dead_letter, by)
    gone = ledger.Settled(
        letter.inbox_id, letter.delivery_id, letter.position, letter.received_at, Outcome.DEAD, letter.reason
    )
    ledger.take_back(gone)
    ledger.note(
        [
            ledger.Settled(
                letter.inbox_id, letter.delivery_id, letter.position, letter.received_at, Outcome.IGNORED, "dismissed"
            )
        ]
    )
    letter.settled_at, letter.settled_as = now, "dismissed"
    letter.save(update_fields=["settled_at", "settled_as"])


def _open_letter(dead_letter: UUID, by: Membership) -> DeadLetter:
    letter: DeadLetter | None = (
        DeadLetter.objects.select_for_update(of=("self",))
        .select_related("inbox")
        .filter(id=dead_letter, settled_at=None)
        .first()
    )
    if letter is None or letter.inbox_id not in access.visible_inboxes(by):
        raise NotFound
    return letter


def _claimed(letter: DeadLetter) -> Claimed:
    body = letter.body
    if not body:
        siblings = DeadLetter.objects.filter(delivery_id=letter.delivery_id).order_by("position")
        body = next((bytes(each.body) for each in siblings if each.body), b"")
    return Claimed(
        id=letter.delivery_id,
        organisation_id=current_organisation_id(),
        inbox_id=letter.inbox_id,
        received_at=letter.received_at.astimezone(UTC),
        body=bytes(body),
        headers=letter.headers,
        query=letter.query,
        is_history=letter.is_history,
        attempts=0,
    )


def totals(found: Sequence[LedgerRow]) -> dict[str, int]:
    """The sums over rows, for the command."""
    names = ("accepted", "message", "change", "duplicate", "ignored", "dead", "waiting")
    return {name: sum(getattr(row, name) for row in found) for name in names}
