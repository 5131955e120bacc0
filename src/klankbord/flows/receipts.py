"""What became of a reply that was handed over: each outcome one transaction, and nothing in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from klankbord.contract import Receipt
from klankbord.desk.conversations.arrivals import add_parts, take_early_changes
from klankbord.desk.conversations.cases import record, tell
from klankbord.desk.conversations.models import Message, MessageState, Outbox, OutboxState, Thread
from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.organisations.models import AuditLine
from klankbord.desk.wall import organisation
from klankbord.kernel.text import clean

from . import alarms, sendgate
from .intake.changes import Changes
from .notices import replies_failed
from .sending import change_of
from .turns import change_cases


def arrived(message_id: UUID, organisation_id: UUID, receipt: Receipt, *, now: datetime) -> None:
    """The platform took it."""
    with organisation(organisation_id):
        message = _lock(message_id)
        if message is None:
            return
        first, *others = receipt.external_ids or (None,)
        taken = Message.objects.filter(inbox_id=message.inbox_id, external_id=first).exclude(id=message_id)
        if first is not None and not taken.exists():
            message.external_id = first
        message.state, message.state_reason, message.state_at = str(receipt.state), "", receipt.at
        message.facts = {
            **message.facts,
            **({"url": receipt.url} if receipt.url else {}),
            "receipt": dict(receipt.facts),
        }
        message.save(update_fields=["external_id", "state", "state_reason", "state_at", "facts"])
        add_parts(message.id, message.inbox_id, [each for each in others if each])
        _follow(message, receipt)
        Outbox.objects.filter(id=message_id).delete()
        sendgate.note_success(message.inbox_id)
        _apply_early_changes(message, receipt)
        _note("reply sent", message, now)


def _apply_early_changes(message: Message, receipt: Receipt) -> None:
    """Webhooks may be faster than the answer to our call: "read" can be here before we knew the message's id."""
    changes = Changes()
    keys = [(message.inbox_id, each) for each in receipt.external_ids if each]
    for _, _, change, at in take_early_changes(keys):
        changes.add(message.id, change, at)
    changes.apply(arrived=[message.id])


def _follow(message: Message, receipt: Receipt) -> None:
    """The platform moved the place while we sent (a group got another id): the thread goes along."""
    place_key = str(receipt.facts.get("place_key", ""))
    if not place_key:
        return
    is_taken = Thread.objects.filter(inbox_id=message.inbox_id, place_key=place_key, is_live=True).exists()
    if not is_taken:
        target = str(receipt.facts.get("target", ""))
        Thread.objects.filter(id=message.thread_id).update(place_key=place_key, target=target)


def failed(message_id: UUID, organisation_id: UUID, sentence: str, *, now: datetime, is_gone: bool = False) -> None:
    """It will not arrive without a person: the case is open again and shows why."""
    with organisation(organisation_id):
        message = _lock(message_id)
        if message is None:
            return
        _mark(message, MessageState.FAILED, sentence, now)
        Outbox.objects.filter(id=message_id).delete()
        if is_gone:
            thread = Thread.objects.get(id=message.thread_id)
            thread.facts = {**thread.facts, "is_gone": True}
            thread.save(update_fields=["facts"])
        change_cases([message.id], failed=[message.id])
        replies_failed([message.id], now=now)
        _note("reply failed", message, now)


def later(
    message_id: UUID,
    organisation_id: UUID,
    sentence: str,
    *,
    seconds: float,
    is_inbox_wide: bool,
    was_asked: bool,
    parts_done: Sequence[str],
    now: datetime,
) -> None:
    """Back in the queue; what arrived of it in parts is remembered and not sent again.

    was_asked: the platform named these seconds itself.
    """
    with organisation(organisation_id):
        message = _lock(message_id)
        if message is None:
            return
        _mark(message, MessageState.QUEUED, sentence, now)
        add_parts(message.id, message.inbox_id, parts_done)
        pause = timedelta(seconds=seconds)
        Outbox.objects.filter(id=message_id).update(state=OutboxState.QUEUED, due_at=now + pause, lease_until=None)
        sendgate.note_failure(
            message.inbox_id,
            pause=pause if is_inbox_wide and seconds > 0 else None,
            was_asked=was_asked and is_inbox_wide,
            now=now,
        )
        tell([change_of(message, "receipt")], now=now)


def uncertain(
    message_id: UUID, organisation_id: UUID, sentence: str, *, now: datetime, parts_done: Sequence[str] = ()
) -> None:
    """Nobody knows whether it arrived: its lane stops until a look-up or a person decides."""
    with organisation(organisation_id):
        message = _lock(message_id)
        if message is None:
            return
        _mark(message, MessageState.UNCERTAIN, sentence, now)
        add_parts(message.id, message.inbox_id, parts_done)
        Outbox.objects.filter(id=message_id).update(state=OutboxState.UNCERTAIN, lease_until=None)
        change_cases([message.id], failed=[message.id])
        replies_failed([message.id], now=now)
        _note("reply uncertain", message, now)


def credentials_rejected(message_id: UUID, organisation_id: UUID, sentence: str, *, now: datetime) -> None:
    """Our access was revoked: the inbox stops, its replies wait in order, an administrator is told by its state."""
    with organisation(organisation_id):
        message = _lock(message_id)
        if message is None:
            return
        _mark(message, MessageState.QUEUED, sentence, now)
        Outbox.objects.filter(id=message_id).update(state=OutboxState.QUEUED, due_at=now, lease_until=None)
        break_inbox(message.inbox_id, sentence, now=now)
        tell([change_of(message, "receipt")], now=now)


def break_inbox(inbox_id: UUID, sentence: str, *, now: datetime) -> None:
    """The platform no longer accepts us. Runs inside `with organisation(id):`."""
    broke = Inbox.objects.filter(id=inbox_id, state__in=(InboxState.CONNECTED, InboxState.PAUSED)).update(
        state=InboxState.BROKEN, state_reason=clean(sentence)[:500], state_since=now
    )
    sendgate.shut(inbox_id)
    if broke:
        name = Inbox.objects.values_list("name", flat=True).get(id=inbox_id)
        AuditLine.objects.create(
            at=now, by=None, deed="inbox broke", subject="inbox", subject_id=inbox_id, facts={"name": name}
        )
        alarms.sound(inbox_id, now=now)
    tell([{"conversation": None, "inbox": inbox_id, "thread": None, "what": "inbox"}], now=now)


def _lock(message_id: UUID) -> Message | None:
    """The message, unless something else settled it meanwhile (an echo, a person): then there is nothing to do."""
    row = Outbox.objects.select_for_update().filter(id=message_id).first()
    if row is None or row.state == OutboxState.QUEUED:
        return None
    found: Message = Message.objects.select_for_update().get(id=message_id)
    return found


def _mark(message: Message, state: MessageState, sentence: str, now: datetime) -> None:
    message.state, message.state_reason, message.state_at = state, clean(sentence)[:500], now
    message.save(update_fields=["state", "state_reason", "state_at"])


def _note(kind: str, message: Message, now: datetime) -> None:
    record(
        [
            {
                "kind": kind,
                "conversation_id": message.conversation_id,
                "message_id": message.id,
                "by_id": message.author_id,
                "by_kind": message.author_kind,
                "at": now,
                "facts": {},
            }
        ]
    )
    tell([change_of(message, "receipt")], now=now)
