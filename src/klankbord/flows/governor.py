"""The send governor: an inbox that suddenly sends far more than it is used to stops until a person has looked.

A loop between two machines, a wrong rule or an import that answers everybody looks like this, and nothing else stops
it. Counted when a message is claimed for sending, so that what is over the limit never leaves; it waits, in order.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
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

FEW_AUTOMATIC, FEW = 30, 200  # an hour: never a storm
TIMES_AUTOMATIC, TIMES = 5, 10  # so many times its busiest hour is one
_MEMORY = timedelta(days=14)


@dataclass(slots=True)
class Habit:
    """An inbox's hours. in_all counts replies by hand too; confirmed: what a person let through this hour."""

    automatic: int = 0
    in_all: int = 0
    busiest_automatic: int = 0
    busiest: int = 0
    added: Counter[bool] = field(default_factory=Counter)  # is_automatic → how many now

    def allows(self, *, is_automatic: bool) -> bool:
        if is_automatic and self.automatic >= max(FEW_AUTOMATIC, TIMES_AUTOMATIC * self.busiest_automatic):
            return False
        return self.in_all < max(FEW, TIMES * self.busiest)

    def add(self, *, is_automatic: bool) -> None:
        self.automatic += is_automatic
        self.in_all += 1
        self.added[is_automatic] += 1


def admit(messages: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Of these messages, whose outbox rows and gates the caller has locked, those that may leave.

    Pauses the inbox of the first that may not. Another try of the same message is not counted again.
    """
    rows = run(
        "SELECT id, inbox_id, is_automatic, attempts FROM conversations_outbox"
        " WHERE organisation_id = %s AND id = ANY(%s) ORDER BY due_at, id",
        [current_organisation_id(), sorted(messages)],
    )
    habits = _habits(sorted({inbox for _, inbox, _, _ in rows}), now)
    admitted: list[UUID] = []
    stopped: dict[UUID, bool] = {}
    for message, inbox, is_automatic, attempts in rows:
        if inbox in stopped:
            continue
        if attempts == 0:
            if not habits[inbox].allows(is_automatic=is_automatic):
                stopped[inbox] = is_automatic
                continue
            habits[inbox].add(is_automatic=is_automatic)
        admitted.append(message)
    _remember(habits, now)
    for inbox, is_automatic in sorted(stopped.items()):
        _stop(inbox, habits[inbox], is_automatic, now)
    return admitted


def confirm(inbox: UUID, *, now: datetime) -> None:
    """A person has looked and says go on: what went out this hour is usual from now on."""
    hour = _hour(now)
    for each in SendHabit.objects.filter(inbox_id=inbox, hour=hour):
        each.confirmed = each.count
        each.save(update_fields=["confirmed"])


def _habits(inboxes: Sequence[UUID], now: datetime) -> dict[UUID, Habit]:
    hour = _hour(now)
    habits = {inbox: Habit() for inbox in inboxes}
    hours: Counter[tuple[UUID, datetime]] = Counter()
    kept = SendHabit.objects.filter(inbox_id__in=inboxes, hour__gt=now - _MEMORY, hour__lte=hour)
    for each in kept:
        habit = habits[each.inbox_id]
        usual = each.count
        if each.hour == hour:
            habit.in_all += each.count
            habit.automatic += each.count if each.is_automatic else 0
            usual = each.confirmed
        hours[each.inbox_id, each.hour] += usual
        if each.is_automatic:
            habit.busiest_automatic = max(habit.busiest_automatic, usual)
    for (inbox, _each_hour), count in hours.items():
        habits[inbox].busiest = max(habits[inbox].busiest, count)
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
                "is_automatic": is_automatic,
                "count": count,
                "confirmed": 0,
            }
            for inbox, habit in sorted(habits.items())
            for is_automatic, count in sorted(habit.added.items())
        ],
        on_conflict="(organisation_id, inbox_id, hour, is_automatic)"
        " DO UPDATE SET count = inboxes_sendhabit.count + EXCLUDED.count",
    )


def _stop(inbox_id: UUID, habit: Habit, is_automatic: bool, now: datetime) -> None:
    """Pause the inbox and raise the alarm: its state, a mail, a line in the audit, one in the log."""
    count, busiest = (habit.automatic, habit.busiest_automatic) if is_automatic else (habit.in_all, habit.busiest)
    reason = _(
        "Sending stopped by itself: %(count)d messages within an hour, where %(busiest)d was the most before."
        " The rest waits in order. Look what causes them, then go on sending."
    ) % {"count": count, "busiest": busiest}
    inbox = Inbox.objects.filter(id=inbox_id, state=InboxState.CONNECTED).first()
    if inbox is None:
        return
    sendgate.pause(inbox, reason=reason, now=now)
    AuditLine.objects.create(
        at=now, by=None, deed="sending stopped by itself", subject="inbox", subject_id=inbox_id,
        facts={"name": inbox.name, "count": count, "busiest": busiest, "is_automatic": is_automatic},
    )  # fmt: skip
    alarms.sound(inbox_id, now=now)
    log.error("send governor stopped an inbox", extra={"inbox": str(inbox_id), "count": count})


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
