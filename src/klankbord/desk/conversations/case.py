"""A conversation's state and how it changes: pure functions, used by the message path for batches and by services for
one. Who else may set a status is named in `tests/house/test_writers.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from .models import NOBODY, Status

CounterKey = tuple[UUID, UUID, UUID, str]  # inbox, team, owner, status


@dataclass(slots=True)
class Case:
    """The changeable columns of a conversation; `before` remembers where it stood in the counters."""

    id: UUID
    contact_id: UUID
    inbox_id: UUID
    visibility: str
    last_message_at: datetime
    status: str = Status.OPEN
    team_id: UUID | None = None
    owner_id: UUID | None = None
    title: str = ""
    preview: str = ""
    preview_by: str = ""
    language: str = ""
    waiting_since: datetime | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    last_inbound_at: datetime | None = None
    message_count: int = 0
    has_trouble: bool = False
    priority: int = 0
    merged_into_id: UUID | None = None
    rearranged_at: datetime | None = None
    before: CounterKey | None = field(default=None, compare=False)

    @property
    def counter_key(self) -> CounterKey:
        return (self.inbox_id, self.team_id or NOBODY, self.owner_id or NOBODY, str(self.status))

    def row(self) -> dict[str, Any]:
        """The columns as stored, with the two maintained ones the lists sort by."""
        is_idle = not (self.status == Status.OPEN and self.waiting_since is not None)
        sort_at = self.waiting_since if not is_idle else None
        if self.status == Status.SNOOZED:
            sort_at = self.snoozed_until
        # Not dataclasses.asdict: its deep copies were a quarter of the time of a batch of messages.
        columns = {name: getattr(self, name) for name in _STORED}
        return {**columns, "status": str(self.status), "is_idle": is_idle, "sort_at": sort_at or self.last_message_at}


_STORED = tuple(each.name for each in fields(Case) if each.name != "before")


def hear(
    case: Case,
    *,
    at: datetime,
    text: str,
    visibility: str,
    is_automatic: bool,
    is_history: bool,
    is_blocked: bool = False,
) -> str:
    """A customer's message came in. Gives what it did to the status where people should hear of it: "", "reopened" or
    "woken".

    Automatic messages (vacation notes) and imported history are kept but wake nobody. Spam stays spam, and what
    somebody writes who is blocked makes it spam.
    """
    _note_message(case, at=at, text=text, by="contact", visibility=visibility)
    case.last_inbound_at = max(case.last_inbound_at or at, at)
    if is_blocked:
        put_aside(case)
    if is_automatic or is_history or case.status == Status.SPAM:
        return ""
    case.waiting_since = min(case.waiting_since or at, at)  # an earlier message may come later
    return _open(case)


def put_aside(case: Case) -> None:
    """Spam: nobody acts on it."""
    case.status, case.snoozed_until, case.waiting_since, case.resolved_at = Status.SPAM, None, None, None


def let_back(case: Case, *, at: datetime) -> None:
    """No longer spam, and done: a next message opens it again."""
    case.status, case.resolved_at = Status.RESOLVED, at


def _open(case: Case) -> str:
    was = case.status
    case.status, case.snoozed_until, case.resolved_at = Status.OPEN, None, None
    return {Status.RESOLVED: "reopened", Status.SNOOZED: "woken"}.get(Status(was), "")


def speak(case: Case, *, at: datetime, text: str, visibility: str, by: str, keeps_open: bool = False) -> None:
    """We answered: the turn is the contact's, unless the author keeps it open. Automatic replies (`by` bot or system)
    never stop the human clock."""
    _note_message(case, at=at, text=text, by=by, visibility=visibility)
    if by == "agent":
        hand_turn_over(case, keeps_open=keeps_open)


def spoke_before(case: Case, *, at: datetime, text: str, visibility: str) -> None:
    """A reply of ours that is only heard of now, from before the customer's newest words: they still wait."""
    _note_message(case, at=at, text=text, by="agent", visibility=visibility)


def note_automatic(case: Case, *, at: datetime) -> None:
    """The desk said something by itself: the list goes on showing what people said, and no clock stops."""
    case.message_count += 1
    case.last_message_at = max(case.last_message_at, at)


def hand_turn_over(case: Case, *, keeps_open: bool = False) -> None:
    """The customer has an answer."""
    case.waiting_since = None
    if keeps_open and case.status != Status.SPAM:
        _open(case)
    elif case.status in (Status.OPEN, Status.SNOOZED):
        case.status, case.snoozed_until = Status.PENDING, None


def stumble(case: Case, *, waiting_since: datetime | None) -> None:
    """A reply failed or is uncertain: the case is ours again, and the customer waits as before that reply."""
    case.has_trouble = True
    if case.status in (Status.PENDING, Status.RESOLVED):
        case.status, case.resolved_at = Status.OPEN, None
    if case.status in (Status.OPEN, Status.SNOOZED):
        case.waiting_since = case.waiting_since or waiting_since


def recover(case: Case, *, answered_at: datetime | None, keeps_open: bool, has_other_trouble: bool) -> None:
    """The reply of that moment is on its way, or did arrive. answered_at: None for one that answers nobody."""
    case.has_trouble = has_other_trouble
    is_newest = answered_at is not None and (case.last_inbound_at is None or case.last_inbound_at <= answered_at)
    if is_newest and not has_other_trouble and case.status == Status.OPEN:
        hand_turn_over(case, keeps_open=keeps_open)


def _note_message(case: Case, *, at: datetime, text: str, by: str, visibility: str) -> None:
    case.message_count += 1
    if at >= case.last_message_at or not case.preview:
        case.last_message_at = max(at, case.last_message_at)
        case.preview, case.preview_by, case.visibility = text, by, visibility


def is_closed_to_reopening(case: Case, *, reopen_days: int, at: datetime) -> bool:
    return (
        case.status == Status.RESOLVED
        and case.resolved_at is not None
        and at > case.resolved_at + timedelta(days=reopen_days)
    )


def counter_changes(cases: Iterable[Case]) -> dict[CounterKey, int]:
    """What must be added to which counter because these cases moved."""
    changes: Counter[CounterKey] = Counter()
    for case in cases:
        if case.before != case.counter_key:
            if case.before is not None:
                changes[case.before] -= 1
            changes[case.counter_key] += 1
    return {key: change for key, change in sorted(changes.items(), key=str) if change}
