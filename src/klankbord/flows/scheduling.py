"""Replies that leave at a moment somebody chose.

Until then only the message and a timer exist: nothing stands in the thread's lane, nobody's clock stops, and an open
case is snoozed until that moment. The timer hands it over as if it had been written then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations import services
from klankbord.desk.conversations.case import Case, speak
from klankbord.desk.conversations.cases import lock_cases, store_cases, tell
from klankbord.desk.conversations.models import (
    Attachment,
    Message,
    MessageState,
    Outbox,
    OutboxState,
    Status,
    Thread,
    Timer,
)
from klankbord.desk.errors import Invalid, TooLate
from klankbord.desk.organisations.models import Membership
from klankbord.desk.wall import current_organisation_id

from .sending import Words, change_of, hand_over, preview_of, store_reply, take, tell_of, turn_of
from .turns import change_cases

TIMER = "reply"
_LONGEST = timedelta(days=366)


def keep_for_later(
    *,
    case: Case,
    thread: Thread,
    words: Words,
    by: Membership,
    now: datetime,
    client_key: str,
    keeps_open: bool,
    leave_at: datetime,
) -> Message:
    """Store a reply that leaves later. case: locked. Raises Invalid for a moment that has passed or is too far away."""
    _check(leave_at, now)
    is_snoozed = case.status == Status.OPEN
    more = {"leaves_at": leave_at.isoformat(), "snoozed": is_snoozed}
    message = store_reply(thread, words, more, by=by, now=now, client_key=client_key, keeps_open=keeps_open)
    Timer.objects.create(organisation_id=current_organisation_id(), kind=TIMER, subject_id=message.id, due_at=leave_at)
    if is_snoozed:
        services.snooze_conversation(conversation=case.id, until=leave_at, by=by, now=now)
    tell([change_of(message, "message")], now=now)
    return message


def move(*, message: UUID, leave_at: datetime, by: Membership, now: datetime) -> Message:
    """Another moment for a reply that still waits. Raises TooLate, Invalid."""
    access.require(by, "answer")
    found = access.message_for(by, message)
    _check(leave_at, now)
    timer = _timer(found)
    if not is_planned(found) or timer.update(due_at=leave_at) != 1:
        raise TooLate
    case = lock_cases([found.conversation_id])[found.conversation_id]
    if case.status == Status.SNOOZED and case.snoozed_until == _leaves_at(found):
        services.snooze_conversation(conversation=case.id, until=leave_at, by=by, now=now)
    found.facts = {**found.facts, "leaves_at": leave_at.isoformat()}
    Message.objects.filter(id=found.id).update(facts=found.facts)
    tell([change_of(found, "message")], now=now)
    return found


def is_planned(message: Message) -> bool:
    return message.state == MessageState.QUEUED and "leaves_at" in message.facts


def stop(message: Message) -> bool:
    """Take a planned reply's timer away. False when it was not planned, or has just left."""
    return is_planned(message) and _timer(message).delete()[0] == 1


def wake(case: Case, message: Message) -> None:
    """The case was put aside for this reply, which is not going to leave."""
    if message.facts.get("snoozed") and case.status == Status.SNOOZED and case.snoozed_until == _leaves_at(message):
        case.status, case.snoozed_until = Status.OPEN, None


def leave(*, message: UUID, now: datetime) -> bool:
    """The moment has come; False when it was taken back. Runs inside `with organisation(id):`, by the timer."""
    found = (
        Message.objects.select_related("organisation", "author__organisation", "author__user")
        .filter(id=message, state=MessageState.QUEUED)
        .first()
    )
    if found is None or not is_planned(found) or found.author is None:
        return False
    case = lock_cases([found.conversation_id])[found.conversation_id]
    wake(case, found)
    facts = {name: value for name, value in found.facts.items() if name not in ("leaves_at", "snoozed")}
    found.at, found.state_at = now, now
    found.facts = {**facts, "planned": True, "before": {**turn_of(case), **take(case, found.author)}}
    found.save(update_fields=["at", "state_at", "facts"])
    hand_over([found], due_at=now, now=now)
    preview = preview_of(found, list(Attachment.objects.filter(message_id=found.id)))
    speak(case, at=now, text=preview, visibility=found.visibility, by="agent", keeps_open=found.keeps_open)
    store_cases([case])
    tell_of([found], "reply queued", found.author, now)
    if found.organisation.sends_are_held:
        _hold(found)
    return True


def _hold(message: Message) -> None:
    """After a restored backup it may have left before: a person decides, as about all else that was on its way."""
    Outbox.objects.filter(id=message.id).update(state=OutboxState.UNCERTAIN)
    Message.objects.filter(id=message.id).update(state=MessageState.UNCERTAIN)
    change_cases([message.id], failed=[message.id])


def _timer(message: Message) -> QuerySet[Timer]:
    return Timer.objects.filter(organisation_id=current_organisation_id(), kind=TIMER, subject_id=message.id)


def _leaves_at(message: Message) -> datetime:
    return datetime.fromisoformat(message.facts["leaves_at"])


def _check(leave_at: datetime, now: datetime) -> None:
    if leave_at <= now:
        raise Invalid(_("Choose a moment later than now."))
    if leave_at > now + _LONGEST:
        raise Invalid(_("Choose a moment within a year."))
