"""The send governor: automatic messages of an inbox that suddenly sends far more of them than it is used to stop until
a person has looked.

A loop between two machines, a wrong rule or an import that answers everybody looks like this, and nothing else stops
it. Counted when a message is claimed for sending, so that what is over the limit never leaves; it waits, in order.
Replies by hand are neither counted nor stopped: nobody types a flood, and customers wait for them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk.inboxes.models import Inbox, InboxState, SendHabit
from klankbord.desk.organisations.models import AuditLine
from klankbord.desk.rows import insert, run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7

from . import alarms, sendgate

log = logging.getLogger(__name__)

FEW = 30  # an hour: never a storm
TIMES = 5  # so many times its busiest hour is one
_MEMORY = timedelta(days=14)


@dataclass(slots=True)
class Habit:
    """An inbox's automatic messages of this hour, and the most of them in any hour. A person may let some through."""

    count: int = 0
    busiest: int = 0
    added: int = 0

    @property
    def has_room(self) -> bool:
        return self.count + self.added < max(FEW, TIMES * self.busiest)


def admit(messages: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Of these messages, whose outbox rows and gates the caller has locked, those that may leave.

    Stops the automatic messages of the inbox of the first that may not. Another try of the same message is not counted
    again.
    """
    rows = run(
        "SELECT id, inbox_id, attempts FROM conversations_outbox"
        " WHERE organisation_id = %s AND id = ANY(%s) AND is_automatic ORDER BY due_at, id",
        [current_organisation_id(), sorted(messages)],
    )
    habits = _habits(sorted({inbox for _, inbox, _ in rows}), now)
    stopped: set[UUID] = set()
    held: set[UUID] = set()
    for message, inbox, attempts in rows:
        if attempts == 0 and not habits[inbox].has_room:
            stopped.add(inbox)
        if inbox in stopped:
            held.add(message)
        elif attempts == 0:
            habits[inbox].added += 1
    _remember(habits, now)
    for inbox in sorted(stopped):
        _stop(inbox, habits[inbox], now)
    return [message for message in messages if message not in held]


def confirm(inbox: UUID, *, now: datetime) -> None:
    """A person has looked and says go on: what went out this hour is usual from now on."""
    hour = _hour(now)
    for each in SendHabit.objects.filter(inbox_id=inbox, hour=hour):
        each.confirmed = each.count
        each.save(update_fields=["confirmed"])


def _habits(inboxes: Sequence[UUID], now: datetime) -> dict[UUID, Habit]:
    habits = {inbox: Habit() for inbox in inboxes}
    if not inboxes:
        return habits
    hour = _hour(now)
    kept = SendHabit.objects.filter(inbox_id__in=inboxes, is_automatic=True, hour__gt=now - _MEMORY, hour__lte=hour)
    for each in kept:
        habit, is_now = habits[each.inbox_id], each.hour == hour
        habit.count += each.count if is_now else 0
        habit.busiest = max(habit.busiest, each.confirmed if is_now else each.count)
    return habits


def _remember(habits: dict[UUID, Habit], now: datetime) -> None:
    insert(
        SendHabit,
        [
            {
                "id": uuid7(),
                "organisation_id": current_organisation_id(),
                "inbox_id": inbox,
                "hour": _hour(now),
                "is_automatic": True,
                "count": habit.added,
                "confirmed": 0,
            }
            for inbox, habit in sorted(habits.items())
            if habit.added
        ],
        on_conflict="(organisation_id, inbox_id, hour, is_automatic)"
        " DO UPDATE SET count = inboxes_sendhabit.count + EXCLUDED.count",
    )


def _stop(inbox_id: UUID, habit: Habit, now: datetime) -> None:
    """Hold what is automatic and raise the alarm: the inbox's state, a line in the audit, mail, one in the log."""
    count, busiest = habit.count + habit.added, habit.busiest
    reason = _(
        "Automatic messages were stopped: %(count)d within an hour, where %(busiest)d was the most before. The others"
        " wait in order. Replies that people type still go out. Look what causes this, then let it go on."
    ) % {"count": count, "busiest": busiest}
    inbox = Inbox.objects.filter(id=inbox_id, state=InboxState.CONNECTED).first()
    if inbox is None:
        return
    sendgate.pause(inbox, reason=reason, now=now, sends_by_hand=True)
    alarms.sound(inbox_id, now=now)
    AuditLine.objects.create(
        at=now, by=None, deed="sending stopped by itself", subject="inbox", subject_id=inbox_id,
        facts={"name": inbox.name, "count": count, "busiest": busiest, "is_automatic": True},
    )  # fmt: skip
    log.error("send governor stopped an inbox", extra={"inbox": str(inbox_id), "count": count})


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
