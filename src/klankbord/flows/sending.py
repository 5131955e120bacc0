"""Put a reply in the queue: the message, its outbox row and the case's new state in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from klankbord.contract import AuthorKind
from klankbord.desk.conversations.case import Case, note_automatic, speak
from klankbord.desk.conversations.cases import lock_cases, record, store_cases, tell
from klankbord.desk.conversations.index import add_search_documents
from klankbord.desk.conversations.models import Attachment, Message, MessageKind, MessageState, Outbox, Thread
from klankbord.desk.errors import NeedsApproval
from klankbord.desk.inboxes.deliveries import WORK
from klankbord.desk.organisations.models import Membership
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import clean, one_line


@dataclass(frozen=True, slots=True)
class Words:
    """What a person wrote. in_reply_to: the platform's id of the one message it answers; "" for the newest."""

    text: str
    in_reply_to: str = ""
    attachments: Sequence[Attachment] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def queue_reply(
    *,
    case: Case,
    thread: Thread,
    words: Words,
    by: Membership,
    now: datetime,
    client_key: str,
    keeps_open: bool = False,
) -> Message:
    """A person's reply: leaves after the organisation's undo time. case: the thread's, as `lock_cases` gave it."""
    undo = timedelta(seconds=by.organisation.undo_seconds)
    before = {"before": {**turn_of(case), **take(case, by)}}
    message = store_reply(thread, words, before, by=by, now=now, client_key=client_key, keeps_open=keeps_open)
    hand_over([message], due_at=now + undo, now=now)
    speak(
        case,
        at=now,
        text=preview_of(message, words.attachments),
        visibility=thread.visibility,
        by="agent",
        keeps_open=keeps_open,
    )
    store_cases([case])
    tell_of([message], "reply queued", by, now)
    return message


def store_reply(
    thread: Thread,
    words: Words,
    more: Mapping[str, Any],
    *,
    by: Membership,
    now: datetime,
    client_key: str,
    keeps_open: bool,
) -> Message:
    """A person's reply with its files. more: further facts of the message."""
    facts = {**words.facts, **more}
    message = new_message(thread, words.text, AuthorKind.AGENT, now, by=by, client_key=client_key, facts=facts)
    message.in_reply_to = words.in_reply_to or message.in_reply_to
    message.keeps_open = keeps_open
    message.save(force_insert=True)
    if words.attachments:
        Attachment.objects.filter(id__in=[each.id for each in words.attachments]).update(message=message)
    return message


def queue_automatic(*, thread_id: UUID, text: str, author_kind: AuthorKind, now: datetime) -> Message:
    """A reply by the desk itself: leaves at once, and leaves the human clock alone."""
    [message] = queue_automatic_all({thread_id: text}, author_kind=author_kind, now=now)
    return message


def queue_automatic_all(texts: Mapping[UUID, str], *, author_kind: AuthorKind, now: datetime) -> list[Message]:
    """Replies by the desk itself in several threads (thread → text), as sets: intake acknowledges whole batches."""
    threads = Thread.objects.in_bulk(sorted(texts))
    messages = [new_message(thread, texts[key], author_kind, now, by=None, client_key=None)
                for key, thread in sorted(threads.items())]  # fmt: skip
    for message in messages:
        message.is_automatic = True
    Message.objects.bulk_create(messages)
    hand_over(messages, due_at=now, now=now)
    cases = lock_cases(message.conversation_id for message in messages)
    for message in messages:
        case = cases[message.conversation_id]
        note_automatic(case, at=now)
    store_cases([cases[key] for key in sorted(cases)])
    tell_of(messages, "automatic reply queued", None, now)
    return messages


def turn_of(case: Case) -> dict[str, str]:
    """Whose turn it is, as a message remembers it, to be put back when the message is taken back."""
    moments = {name: getattr(case, name) for name in ("waiting_since", "snoozed_until", "resolved_at")}
    return {"status": str(case.status), **{name: at.isoformat() for name, at in moments.items() if at is not None}}


def take(case: Case, by: Membership) -> dict[str, bool]:
    """Whoever answers nobody's conversation becomes its owner, where the organisation wants that. Gives what the
    message remembers of it."""
    if case.owner_id is not None or not by.organisation.answering_takes:
        return {}
    case.owner_id = by.id
    return {"took": True}


def new_message(
    thread: Thread,
    text: str,
    author_kind: AuthorKind,
    now: datetime,
    *,
    by: Membership | None,
    client_key: str | None,
    facts: Mapping[str, Any] | None = None,
) -> Message:
    """by: None for what the desk says by itself. Raises NeedsApproval: whatever people send is made here."""
    if by is not None and by.needs_approval and "approved_by" not in (facts or {}):
        raise NeedsApproval
    return Message(
        id=uuid7(),
        conversation_id=thread.conversation_id,
        thread_id=thread.id,
        inbox_id=thread.inbox_id,
        kind=MessageKind.OUTBOUND,
        visibility=thread.visibility,
        author_kind=str(author_kind),
        author=by,
        author_name=by.name if by else "",
        text=clean(text).strip(),
        at=now,
        received_at=now,
        in_reply_to=thread.last_inbound_id,
        state=MessageState.QUEUED,
        state_at=now,
        client_key=client_key or None,
        facts=dict(facts or {}),
    )


def hand_over(messages: Sequence[Message], *, due_at: datetime, now: datetime) -> None:
    Outbox.objects.bulk_create(
        Outbox(
            id=message.id,
            organisation_id=current_organisation_id(),
            inbox_id=message.inbox_id,
            thread_id=message.thread_id,
            due_at=due_at,
            queued_at=now,
            is_automatic=message.is_automatic,
        )
        for message in messages
    )
    if due_at <= now:
        wake_workers()
    add_search_documents(
        [
            {
                "message_id": message.id,
                "conversation_id": message.conversation_id,
                "inbox_id": message.inbox_id,
                "at": message.at,
                "language": "",
                "words": f"{message.author_name} {message.text}",
                "sender": message.author_name,
            }
            for message in messages
        ]
    )


def wake_workers() -> None:
    """A hint, sent at commit, that something is due now."""
    run("SELECT pg_notify(%s, 'outbox')", [WORK])


def tell_of(messages: Sequence[Message], kind: str, by: Membership | None, now: datetime) -> None:
    told: list[tuple[Message, str, dict[str, Any]]] = [(message, kind, {}) for message in messages]
    taken = (message for message in messages if message.facts.get("before", {}).get("took"))
    told += [(message, "conversation assigned", {"owner": str(message.author_id)}) for message in taken]
    record(
        [
            {
                "kind": what,
                "conversation_id": message.conversation_id,
                "message_id": message.id,
                "by_id": by.id if by else None,
                "by_kind": message.author_kind,
                "at": now,
                "facts": facts,
            }
            for message, what, facts in told
        ]
    )
    tell([change_of(message, "message") for message in messages], now=now)


def change_of(message: Message, what: str) -> dict[str, Any]:
    return {
        "conversation": message.conversation_id,
        "inbox": message.inbox_id,
        "thread": message.thread_id,
        "what": what,
    }


def preview_of(message: Message, attachments: Sequence[Attachment]) -> str:
    return one_line(message.text) or " ".join(f"[{each.kind}]" for each in attachments[:3])
