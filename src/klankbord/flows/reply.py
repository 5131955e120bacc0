"""An agent's words: replies, notes, drafts and what can still be done about a reply that has left.

agent → access and the channel's limits → message and outbox row in one transaction → `delivery` takes it from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.contract import Visibility
from klankbord.desk import access
from klankbord.desk.conversations import services
from klankbord.desk.conversations.case import Case
from klankbord.desk.conversations.cases import lock_cases, record, store_cases, tell
from klankbord.desk.conversations.index import forget_search_documents, index_again
from klankbord.desk.conversations.models import (
    Attachment,
    Draft,
    DraftKind,
    Message,
    MessageKind,
    MessageState,
    Outbox,
    OutboxState,
    Status,
    Thread,
)
from klankbord.desk.errors import Invalid, Merged, NeedsApproval, NotFound, TooLate
from klankbord.desk.notices.services import reopen_mentions, settle_mentions
from klankbord.desk.organisations.models import Membership
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import clean, one_line

from . import casework, mentions, scheduling, sendable
from .sending import Words, change_of, queue_reply
from .sharing import tell_of_drafts
from .turns import change_cases


def send_reply(
    *,
    conversation: UUID,
    thread: UUID,
    text: str,
    by: Membership,
    now: datetime,
    client_key: str,
    visibility: str | None = None,
    keep_open: bool = False,
    then: str = "",
    snooze_until: datetime | None = None,
    leave_at: datetime | None = None,
    answers: UUID | None = None,
    attachments: Sequence[UUID] = (),
    seen_message: UUID | None = None,
    confirmed: bool = False,
    began_in_private: bool = False,
    public_confirmed: bool = False,
    approved_by: Membership | None = None,
    proposed: str = "",
) -> Message:
    """Queue a reply in a thread. The same client_key twice is one reply.

    visibility: "private" for an answer in private to a public message, where the channel can.
    then: "resolve" to resolve once queued.   snooze_until: put the case aside until then.
    leave_at: when it leaves; None: after the undo time.   answers: the one message of the contact to point at.
    seen_message: the newest message on the agent's screen.   began_in_private: where the words were begun.
    approved_by: who let a trainee's reply go.   proposed: what the trainee had written, when that was changed.
    Raises CannotReply, NeedsApproval, SomebodyAnswered (unless confirmed), BecomesPublic (unless confirmed), Invalid.
    """
    access.require(by, "answer")
    if by.needs_approval and approved_by is None:
        raise NeedsApproval
    found = access.thread_for(by, conversation, thread)
    # Two agents, or two clicks, in the same second: one after the other.
    case = lock_cases([found.conversation_id])[found.conversation_id]
    again = _sent_before(client_key, by)
    if again is not None:
        return again
    if not confirmed:
        sendable.refuse_if_answered(found, by, seen_message)
    if visibility and visibility != found.visibility:
        found = sendable.private_thread(found, visibility, now)
    if not public_confirmed:
        sendable.refuse_unless_meant(found, began_in_private=began_in_private)
    answered = sendable.answered_message(found, answers)
    files = sendable.own_uploads(attachments, found, by)
    sendable.check(found, text, files, by)
    facts: dict[str, Any] = {}
    if answered is not None:
        facts["answers"] = {"id": str(answered.id), "text": one_line(answered.text, limit=140)}
    if approved_by is not None:
        facts["approved_by"] = {"id": str(approved_by.id), "name": approved_by.name}
    if proposed:
        facts["proposed"] = proposed
    words = Words(text, in_reply_to=answered.external_id or "" if answered else "", attachments=files, facts=facts)
    if leave_at is not None:
        message = scheduling.keep_for_later(
            case=case, thread=found, words=words, by=by, now=now, client_key=client_key, keeps_open=keep_open,
            leave_at=leave_at,
        )  # fmt: skip
    else:
        message = queue_reply(
            case=case, thread=found, words=words, by=by, now=now, client_key=client_key, keeps_open=keep_open
        )
    _drop_draft(conversation, DraftKind.REPLY, by)
    settle_mentions(conversation=conversation, member=None if then == "resolve" else by.id, now=now)
    if then == "resolve" and leave_at is None:
        services.resolve_conversation(conversation=conversation, by=by, now=now)
    elif snooze_until is not None and leave_at is None:
        casework.snooze(conversation=conversation, until=snooze_until, by=by, now=now)
    return message


def take_back(*, message: UUID, by: Membership, now: datetime) -> str:
    """Undo a reply that has not left: its words return as a draft, the case to where it was. Raises TooLate."""
    access.require(by, "answer")
    found = access.message_for(by, message)
    was_planned = scheduling.stop(found)
    gone = Outbox.objects.filter(id=message, organisation_id=current_organisation_id(), state=OutboxState.QUEUED)
    if not was_planned and (found.state != MessageState.QUEUED or gone.delete()[0] != 1):
        raise TooLate
    case = lock_cases([found.conversation_id])[found.conversation_id]
    if was_planned:  # the case does not know of it yet
        scheduling.wake(case, found)
        is_nobodys_again = False
    else:
        if case.status in (Status.PENDING, Status.RESOLVED, Status.OPEN, Status.SNOOZED):
            _restore_turn(case, found.facts.get("before", {}))
        is_nobodys_again = _restore_owner(case, found)
        case.message_count -= 1
        _restore_preview(case, found)
    store_cases([case])
    Message.objects.filter(id=message).update(state=MessageState.TAKEN_BACK, state_at=now)
    forget_search_documents([message])
    Attachment.objects.filter(message_id=message).update(message=None, uploaded_by=by)
    save_draft(
        conversation=found.conversation_id,
        kind=DraftKind.REPLY,
        text=found.text,
        thread=found.thread_id,
        by=by,
        now=now,
    )
    reopen_mentions(conversation=found.conversation_id, done_at=found.at)
    _record("reply taken back", found, by, now)
    if is_nobodys_again:
        _record("conversation assigned", found, by, now, facts={"owner": None})
    return str(found.text)


def write_note(*, conversation: UUID, text: str, by: Membership, now: datetime, client_key: str) -> Message:
    """A note for colleagues; customers never see it."""
    access.require(by, "answer")
    found = access.conversation_for(by, conversation)
    text = clean(text).strip()
    if not text:
        raise Invalid(_("Write something first."))
    if lock_cases([found.id])[found.id].merged_into_id:
        raise Merged
    again = _sent_before(client_key, by)
    if again is not None:
        return again
    named = mentions.people_named(text, conversation=found, by=by)
    thread = Thread.objects.filter(conversation_id=found.id).order_by("-last_inbound_at", "-id").first()
    assert thread is not None  # a conversation begins in a thread
    note: Message = Message.objects.create(
        id=uuid7(), conversation_id=found.id, thread=thread, inbox_id=found.inbox_id, kind=MessageKind.NOTE,
        visibility=Visibility.PRIVATE, author_kind="agent", author=by, author_name=by.name, text=text, at=now,
        received_at=now, client_key=client_key or None, facts={"names": [each.name for each in named]} if named else {},
    )  # fmt: skip
    index_again([note.id])
    _drop_draft(found.id, DraftKind.NOTE, by)
    mentions.keep_mentions(named, note, by=by, now=now)
    settle_mentions(conversation=found.id, member=by.id, now=now)
    _record("note written", note, by, now, what="message")
    return note


def save_draft(
    *, conversation: UUID, kind: str, text: str, thread: UUID | None, by: Membership, now: datetime
) -> Draft | None:
    """Keep unsent words; empty words remove the draft."""
    found = access.conversation_for(by, conversation)
    text = clean(text)[:100_000]
    if not text.strip():
        discard_draft(conversation=conversation, kind=kind, by=by)
        return None
    draft: Draft
    draft, is_new = Draft.objects.update_or_create(
        conversation_id=found.id, member=by, kind=DraftKind(kind),
        defaults={"text": text, "thread_id": thread, "saved_at": now},
    )  # fmt: skip
    if is_new and kind == DraftKind.REPLY:
        tell_of_drafts(found, now=now)
    return draft


def is_sent(*, client_key: str, by: Membership) -> bool:
    """Whether this person's words under this key are a message by now."""
    return bool(client_key) and Message.objects.filter(client_key=client_key, author=by).exists()


def discard_draft(*, conversation: UUID, kind: str, by: Membership) -> None:
    found = access.conversation_for(by, conversation)
    _drop_draft(found.id, DraftKind(kind), by)


def _drop_draft(conversation: UUID, kind: DraftKind, by: Membership) -> None:
    run(
        "DELETE FROM conversations_draft"
        " WHERE organisation_id = %s AND conversation_id = %s AND member_id = %s AND kind = %s",
        [current_organisation_id(), conversation, by.id, kind],
    )


def try_again(*, message: UUID, by: Membership, now: datetime) -> Message:
    """Send a failed reply once more."""
    access.require(by, "answer")
    found = access.message_for(by, message)
    if found.kind != MessageKind.OUTBOUND or found.state != MessageState.FAILED:
        raise NotFound
    Message.objects.filter(id=message).update(state=MessageState.QUEUED, state_reason="", state_at=now)
    Outbox.objects.get_or_create(
        id=found.id,
        defaults={
            "organisation_id": current_organisation_id(), "inbox_id": found.inbox_id, "thread_id": found.thread_id,
            "due_at": now, "queued_at": now, "is_automatic": found.is_automatic,
        },
    )  # fmt: skip
    change_cases([message], arrived=[message])
    _record("reply tried again", found, by, now)
    found.refresh_from_db()
    return found


def settle(*, message: UUID, arrived: bool, by: Membership, now: datetime) -> Message:
    """A person decides about an uncertain reply: it arrived, or it did not and is sent again."""
    access.require(by, "answer")
    found = access.message_for(by, message)
    if found.state != MessageState.UNCERTAIN:
        raise NotFound
    row = Outbox.objects.filter(id=message, organisation_id=current_organisation_id())
    if arrived:
        row.delete()
        Message.objects.filter(id=message).update(state=MessageState.SENT, state_reason="", state_at=now)
    else:
        row.update(state=OutboxState.QUEUED, due_at=now, lease_until=None)
        Message.objects.filter(id=message).update(state=MessageState.QUEUED, state_reason="", state_at=now)
    change_cases([message], arrived=[message])
    _record("reply settled as arrived" if arrived else "reply sent again", found, by, now)
    found.refresh_from_db()
    return found


def _sent_before(client_key: str, by: Membership) -> Message | None:
    """What this person sent under this key already."""
    if not client_key:
        return None
    found = run(
        "SELECT id FROM conversations_message WHERE organisation_id = %s AND client_key = %s AND author_id = %s",
        [current_organisation_id(), client_key, by.id],
    )
    return Message.objects.get(id=found[0][0]) if found else None


def _restore_turn(case: Case, before: Mapping[str, Any]) -> None:
    """As it stood when the reply was queued; what a customer said since then keeps the case open."""
    if case.status != Status.OPEN:
        case.status = Status(before.get("status", Status.OPEN))
        case.resolved_at = _moment(before.get("resolved_at")) if case.status == Status.RESOLVED else None
        case.snoozed_until = _moment(before.get("snoozed_until")) if case.status == Status.SNOOZED else None
        if case.status == Status.SNOOZED and case.snoozed_until is None:
            case.status = Status.OPEN
    if case.status in (Status.OPEN, Status.SNOOZED):
        case.waiting_since = _moment(before.get("waiting_since")) or case.waiting_since


def _restore_owner(case: Case, message: Message) -> bool:
    """Nobody's again, when this reply took it and nobody gave it to somebody since."""
    if not message.facts.get("before", {}).get("took") or case.owner_id != message.author_id:
        return False
    case.owner_id = None
    return True


def _restore_preview(case: Case, taken_back: Message) -> None:
    newest = (
        Message.objects.filter(conversation_id=case.id)
        .exclude(id=taken_back.id)
        .exclude(state=MessageState.TAKEN_BACK)
        .exclude(kind=MessageKind.NOTE)
        .order_by("-at", "-id")
        .first()
    )
    if newest is not None:
        case.preview = " ".join(newest.text.split())[:200]
        case.preview_by, case.visibility, case.last_message_at = newest.author_kind, newest.visibility, newest.at


def _record(
    kind: str,
    message: Message,
    by: Membership,
    now: datetime,
    what: str = "state",
    facts: Mapping[str, Any] | None = None,
) -> None:
    record(
        [
            {
                "kind": kind, "conversation_id": message.conversation_id, "message_id": message.id, "by_id": by.id,
                "by_kind": "agent", "at": now, "facts": dict(facts or {}),
            }
        ]
    )  # fmt: skip
    tell([change_of(message, what)], now=now)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
