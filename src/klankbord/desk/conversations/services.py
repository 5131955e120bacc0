"""What an agent does to one conversation: lock it, change it, record the event, tell open screens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ..errors import NotFound, NotWaiting, SnoozeInPast
from ..organisations.models import Membership
from . import links
from .case import Case
from .cases import lock_cases, record, store_cases, tell
from .models import Conversation, ConversationLabel, Label, Status


def resolve_conversation(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    """Done: it leaves the queue; a new message within the inbox's window opens it again."""
    case = _lock(conversation)
    if case.status == Status.RESOLVED:
        return _read(conversation)
    case.status, case.resolved_at, case.snoozed_until, case.waiting_since = Status.RESOLVED, now, None, None
    return _store(case, "conversation resolved", by=by, now=now)


def reopen_conversation(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    case = _lock(conversation)
    if case.status == Status.OPEN:
        return _read(conversation)
    case.status, case.resolved_at, case.snoozed_until = Status.OPEN, None, None
    return _store(case, "conversation opened again", by=by, now=now)


def wait_for_contact(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    """The turn is the contact's: nobody waits for us."""
    case = _lock(conversation)
    case.status, case.waiting_since, case.snoozed_until, case.resolved_at = Status.PENDING, None, None, None
    return _store(case, "conversation set to pending", by=by, now=now)


def snooze_conversation(*, conversation: UUID, until: datetime, by: Membership, now: datetime) -> Conversation:
    """Put a conversation aside until a moment (or the next message).

    until: aware, later than now.   Raises SnoozeInPast.
    """
    if until <= now:
        raise SnoozeInPast
    case = _lock(conversation)
    case.status, case.snoozed_until, case.resolved_at = Status.SNOOZED, until, None
    return _store(case, "conversation snoozed", by=by, now=now, facts={"until": until.isoformat()})


def wake_conversation(*, conversation: UUID, now: datetime) -> bool:
    """A snooze that has run out; False when it was moved or ended in the meantime."""
    case = lock_cases([conversation]).get(conversation)
    if case is None or case.status != Status.SNOOZED or (case.snoozed_until and case.snoozed_until > now):
        return False
    case.status, case.snoozed_until = Status.OPEN, None
    _store(case, "conversation woken", by=None, now=now)
    return True


def mark_spam(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    case = _lock(conversation)
    case.status, case.snoozed_until, case.waiting_since, case.resolved_at = Status.SPAM, None, None, None
    return _store(case, "conversation marked as spam", by=by, now=now)


def clear_spam(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    """It was not spam: back to open, waiting since its last message."""
    case = _lock(conversation)
    if case.status != Status.SPAM:
        return _read(conversation)
    case.status, case.waiting_since = Status.OPEN, case.last_inbound_at
    return _store(case, "conversation cleared of spam", by=by, now=now)


def claim_conversation(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    """Take what is nobody's, or one's own already. Raises NotWaiting when a colleague was first."""
    case = _lock(conversation)
    if case.owner_id not in (None, by.id):
        raise NotWaiting
    return assign_conversation(conversation=conversation, owner=by.id, team=case.team_id, by=by, now=now)


def assign_conversation(
    *, conversation: UUID, owner: UUID | None, team: UUID | None, by: Membership, now: datetime
) -> Conversation:
    case = _lock(conversation)
    if (case.owner_id, case.team_id) == (owner, team):
        return _read(conversation)
    facts = {"owner": owner and str(owner), "team": team and str(team)}
    case.owner_id, case.team_id = owner, team
    return _store(case, "conversation assigned", by=by, now=now, facts=facts)


def add_label(*, conversation: UUID, name: str, by: Membership, now: datetime) -> Label:
    """Attach a label by name; a new name makes a new label."""
    label, _ = Label.objects.get_or_create(name=name, defaults={"colour": sum(name.encode()) % 7 + 1})
    _, is_new = ConversationLabel.objects.get_or_create(conversation_id=conversation, label=label)
    if is_new:
        _store(_lock(conversation), "label added", by=by, now=now, facts={"label": name})
    return label


def remove_label(*, conversation: UUID, label: UUID, by: Membership, now: datetime) -> None:
    gone, _ = ConversationLabel.objects.filter(conversation_id=conversation, label_id=label).delete()
    if gone:
        _store(_lock(conversation), "label removed", by=by, now=now, facts={"label_id": str(label)})


def set_priority(*, conversation: UUID, priority: int, by: Membership, now: datetime) -> Conversation:
    case = _lock(conversation)
    if case.priority == priority:
        return _read(conversation)
    case.priority = priority
    return _store(case, "priority set", by=by, now=now, facts={"priority": priority})


def link_conversations(*, conversation: Conversation, other: Conversation, by: Membership, now: datetime) -> None:
    """Both tell of the other. Nothing happens when they were linked already."""
    if links.link(conversation.id, other.id, by=by, now=now):
        for each, twin in ((conversation, other), (other, conversation)):
            _store(_lock(each.id), "conversation linked", by=by, now=now, facts={"number": twin.number})


def unlink_conversations(*, conversation: Conversation, other: Conversation, by: Membership, now: datetime) -> None:
    if links.unlink(conversation.id, other.id):
        for each, twin in ((conversation, other), (other, conversation)):
            _store(_lock(each.id), "conversation unlinked", by=by, now=now, facts={"number": twin.number})


def _lock(conversation: UUID) -> Case:
    found = lock_cases([conversation]).get(conversation)
    if found is None:
        raise NotFound
    return found


def _store(
    case: Case, kind: str, *, by: Membership | None, now: datetime, facts: Mapping[str, Any] | None = None
) -> Conversation:
    store_cases([case])
    record(
        [
            {
                "kind": kind,
                "conversation_id": case.id,
                "message_id": None,
                "by_id": by.id if by else None,
                "by_kind": "agent" if by else "system",
                "at": now,
                "facts": dict(facts or {}),
            }
        ]
    )
    tell([{"conversation": case.id, "inbox": case.inbox_id, "thread": None, "what": "state"}], now=now)
    return _read(case.id)


def _read(conversation: UUID) -> Conversation:
    found: Conversation = Conversation.objects.get(id=conversation)
    return found
