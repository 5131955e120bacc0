"""What the open conversation reads: few statements, whatever the number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from .. import rows
from ..contacts.models import Contact, Handle
from ..inboxes.models import Inbox
from ..organisations.models import Membership, Team, User
from ..wall import current_organisation_id
from .listing import PAGE
from .models import (
    Attachment,
    Conversation,
    Event,
    Label,
    Message,
    MessageState,
    MessageVersion,
    Thread,
)

_LONGEST_SCREEN = 1000  # messages that a screen keeps up to date

_LABELS = rows.Instances(l=Label)
_THREADS = rows.Instances(
    t=Thread, h=Handle, i=Inbox, c=Conversation, p=Contact, g=Team, o=Membership, u=User, leave_out={"u.password"}
)
_MESSAGES = rows.Instances(m=Message, h=Handle, a=Membership, u=User, leave_out={"u.password"})
_ATTACHMENTS = rows.Instances(a=Attachment)
_EVENTS = rows.Instances(e=Event, b=Membership, u=User, leave_out={"u.password"})

Position = tuple[datetime, UUID]  # of a message in its conversation
Part = TypeVar("Part", Attachment, MessageVersion)


def labels_of(conversation: UUID) -> list[Label]:
    found = rows.run(
        f"""SELECT {_LABELS.columns} FROM conversations_conversationlabel cl
              JOIN conversations_label l ON l.organisation_id = cl.organisation_id AND l.id = cl.label_id
             WHERE cl.organisation_id = %s AND cl.conversation_id = %s ORDER BY l.name""",
        [current_organisation_id(), conversation],
    )
    return [_LABELS.of(each)[0] for each in found]


def all_labels() -> list[Label]:
    return list(Label.objects.order_by("name"))


def label(label_id: UUID) -> Label | None:
    found: Label | None = Label.objects.filter(id=label_id).first()
    return found


# ------------------------------------------------------------------------------------------- one conversation


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a conversation's timeline, oldest first. before: where an older part ends, None at the beginning."""

    messages: list[Message]
    events: list[Event]
    attachments: dict[UUID, list[Attachment]]
    versions: dict[UUID, list[MessageVersion]]
    before: Position | None


def threads_of(conversation: UUID, *, reader: UUID | None = None) -> list[Thread]:
    """The threads with their handles, and (in the same statement) the conversation with its people.

    reader: who asks; `read_at` of each thread is then when they last had the conversation on screen.
    """
    found = rows.run(
        f"""SELECT v.seen_at, {_THREADS.columns} FROM conversations_thread t
              JOIN contacts_handle h ON h.organisation_id = t.organisation_id AND h.id = t.handle_id
              JOIN inboxes_inbox i ON i.organisation_id = t.organisation_id AND i.id = t.inbox_id
              JOIN conversations_conversation c ON c.organisation_id = t.organisation_id AND c.id = t.conversation_id
              JOIN contacts_contact p ON p.organisation_id = c.organisation_id AND p.id = c.contact_id
              LEFT JOIN organisations_team g ON g.organisation_id = c.organisation_id AND g.id = c.team_id
              LEFT JOIN organisations_membership o ON o.id = c.owner_id
              LEFT JOIN organisations_user u ON u.id = o.user_id
              LEFT JOIN conversations_viewing v ON v.organisation_id = t.organisation_id
               AND v.conversation_id = t.conversation_id AND v.member_id = %s
             WHERE t.organisation_id = %s AND t.conversation_id = %s ORDER BY t.created_at, t.id""",
        [reader, current_organisation_id(), conversation],
    )
    threads = []
    for read_at, *each in found:
        thread = _thread(*_THREADS.of(each))
        thread.read_at = read_at  # type: ignore[attr-defined]
        threads.append(thread)
    return threads


def _thread(thread: Any, handle: Any, inbox: Any, case: Any, contact: Any, team: Any, owner: Any, user: Any) -> Thread:
    thread.handle, thread.inbox, thread.conversation = handle, inbox, case
    case.contact, case.team, case.owner = contact, team, owner
    if owner is not None:
        owner.user = user
    found: Thread = thread
    return found


def stretch(
    conversation: UUID, *, before: Position | None = None, since: Position | None = None, limit: int = PAGE
) -> Stretch:
    """The newest part of a conversation, the part that ends before a message, or all since one (to a limit)."""
    limit = limit if since is None else _LONGEST_SCREEN
    messages = _messages(conversation, before, since, limit + 1)
    has_older, messages = len(messages) > limit, messages[:limit][::-1]
    oldest = messages[0].at if messages and (has_older or since is not None) else None
    ids = [message.id for message in messages]
    return Stretch(
        messages=messages,
        events=_events(conversation, oldest, before[0] if before else None, limit * 4)[::-1],
        attachments=_by_message(_attachments(ids)),
        versions=_versions(messages),
        before=(messages[0].at, messages[0].id) if has_older else None,
    )


def _messages(conversation: UUID, before: Position | None, since: Position | None, limit: int) -> list[Message]:
    """Newest first, each with its handle, and its author when that is a colleague."""
    where = ""
    values: list[Any] = []
    if before is not None:
        where, values = where + " AND (m.at, m.id) < (%s, %s)", [*values, *before]
    if since is not None:
        where, values = where + " AND (m.at, m.id) >= (%s, %s)", [*values, *since]
    found = rows.run(
        f"""SELECT {_MESSAGES.columns} FROM conversations_message m
              LEFT JOIN contacts_handle h ON h.organisation_id = m.organisation_id AND h.id = m.handle_id
              LEFT JOIN organisations_membership a ON a.id = m.author_id
              LEFT JOIN organisations_user u ON u.id = a.user_id
             WHERE m.organisation_id = %s AND m.conversation_id = %s AND m.state <> %s {where}
             ORDER BY m.at DESC, m.id DESC LIMIT %s""",
        [current_organisation_id(), conversation, MessageState.TAKEN_BACK, *values, limit],
    )
    return [_message(*_MESSAGES.of(each)) for each in found]


def _message(message: Any, handle: Any, author: Any, user: Any) -> Message:
    message.handle, message.author = handle, author
    if author is not None:
        author.user = user
    found: Message = message
    return found


def _events(conversation: UUID, since: datetime | None, before: datetime | None, limit: int) -> list[Event]:
    """Newest first."""
    where = ""
    values: list[Any] = []
    if since is not None:
        where, values = where + " AND e.at >= %s", [*values, since]
    if before is not None:
        where, values = where + " AND e.at < %s", [*values, before]
    found = rows.run(
        f"""SELECT {_EVENTS.columns} FROM conversations_event e
              LEFT JOIN organisations_membership b ON b.id = e.by_id
              LEFT JOIN organisations_user u ON u.id = b.user_id
             WHERE e.organisation_id = %s AND e.conversation_id = %s {where} ORDER BY e.at DESC, e.id DESC LIMIT %s""",
        [current_organisation_id(), conversation, *values, limit],
    )
    return [_event(*_EVENTS.of(each)) for each in found]


def _event(event: Any, by: Any, user: Any) -> Event:
    event.by = by
    if by is not None:
        by.user = user
    found: Event = event
    return found


def history_of(contact: UUID, *, besides: UUID, inboxes: Collection[UUID], limit: int = 8) -> list[Conversation]:
    """A contact's other conversations that this person may see, newest first."""
    found = Conversation.objects.filter(contact_id=contact, inbox_id__in=inboxes).exclude(id=besides)
    return list(found.order_by("-last_message_at")[:limit])


def _attachments(messages: list[UUID]) -> list[Attachment]:
    found = rows.run(
        f"""SELECT {_ATTACHMENTS.columns} FROM conversations_attachment a
             WHERE a.organisation_id = %s AND a.message_id = ANY(%s) ORDER BY a.id""",
        [current_organisation_id(), messages],
    )
    return [_ATTACHMENTS.of(each)[0] for each in found]


def _versions(messages: Sequence[Message]) -> dict[UUID, list[MessageVersion]]:
    """What changed messages said before; no statement when none was changed."""
    changed = [message.id for message in messages if message.edited_at]
    return _by_message(MessageVersion.objects.filter(message_id__in=changed).order_by("replaced_at")) if changed else {}


def _by_message(parts: Iterable[Part]) -> dict[UUID, list[Part]]:
    found: dict[UUID, list[Part]] = defaultdict(list)
    for part in parts:
        if part.message_id is not None:
            found[part.message_id].append(part)
    return found
