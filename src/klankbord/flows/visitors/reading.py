"""What a visitor may read: their own words and our sent answers in their own place. No notes, no other threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.db.models import Q

from klankbord.channels.webchat.events import client_id_of, write_read
from klankbord.contract import Delivery
from klankbord.desk.contacts.models import Handle
from klankbord.desk.conversations.models import (
    Attachment,
    AttachmentState,
    Message,
    MessageKind,
    MessageState,
    Thread,
    Viewing,
)
from klankbord.desk.inboxes.deliveries import put
from klankbord.desk.inboxes.models import Visitor
from klankbord.desk.wall import organisation

from .entering import KIND, Visit

_MOST_LINES = 100
_TYPING_FOR = timedelta(seconds=8)
_ARRIVED = (MessageState.SENT, MessageState.DELIVERED, MessageState.READ)
VISIBLE = Q(kind=MessageKind.INBOUND) | Q(kind=MessageKind.OUTBOUND, state__in=_ARRIVED)


@dataclass(frozen=True, slots=True)
class LineFile:
    """A file of a message; size in bytes."""

    id: UUID
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Line:
    """One message as the visitor sees it.

    client_id: what their page called it, "" for ours. author: the agent's first name, "" for a machine and for theirs.
    """

    id: UUID
    is_ours: bool
    client_id: str
    author: str
    author_kind: str
    text: str
    at: datetime
    is_withdrawn: bool
    files: tuple[LineFile, ...]


@dataclass(frozen=True, slots=True)
class History:
    """lines: oldest first. is_agent_typing: somebody at the desk writes in this conversation now."""

    lines: tuple[Line, ...]
    has_earlier: bool
    is_agent_typing: bool
    has_address: bool


def history(*, visit: Visit, before: UUID | None = None, now: datetime) -> History:
    """The newest lines of the visitor's own place, or those before one of them."""
    with organisation(visit.widget.organisation_id):
        known = Visitor.objects.filter(inbox_id=visit.widget.inbox_id, external_id=visit.visitor).first()
        if known is not None:
            Visitor.objects.filter(id=known.id).update(seen_at=now)
        threads = threads_of(visit)
        places = [each.id for each in threads]
        messages = Message.objects.filter(VISIBLE, thread_id__in=places)
        border = Message.objects.filter(id=before, thread_id__in=places).first() if before else None
        if border is not None:
            messages = messages.filter(Q(at__lt=border.at) | Q(at=border.at, id__lt=border.id))
        newest = list(messages.order_by("-at", "-id")[: _MOST_LINES + 1])
        shown = newest[:_MOST_LINES][::-1]
        return History(
            lines=_lines(shown, visit),
            has_earlier=len(newest) > _MOST_LINES,
            is_agent_typing=_is_agent_typing(threads, shown, now),
            has_address=bool(known and known.email),
        )


def mark_read(*, visit: Visit, up_to: UUID, now: datetime) -> None:
    """The visitor has seen everything of ours until this message: agents hear of it through the intake."""
    with organisation(visit.widget.organisation_id):
        threads = [each.id for each in threads_of(visit)]
        last = Message.objects.filter(VISIBLE, id=up_to, thread_id__in=threads, kind=MessageKind.OUTBOUND).first()
        if last is None:
            return
        known = Visitor.objects.filter(inbox_id=visit.widget.inbox_id, external_id=visit.visitor).select_for_update()
        [visitor] = known[:1] or [None]
        if visitor is None or (visitor.read_up_to and visitor.read_up_to >= last.at):
            return
        known.update(read_up_to=last.at, seen_at=now)
        body = write_read(visitor=visit.visitor, up_to=last.at, at=now)
        put([(visit.widget.inbox_id, visit.widget.lane, Delivery(body, now))])


def threads_of(visit: Visit) -> list[Thread]:
    """All threads of the visitor's place, also those of conversations that are closed by now."""
    handle = Handle.objects.filter(kind=KIND, realm=str(visit.widget.inbox_id), external_id=visit.visitor).first()
    if handle is None:
        return []
    found = Thread.objects.filter(handle_id=handle.id, inbox_id=visit.widget.inbox_id, place_key=visit.visitor)
    return list(found.order_by("id"))


def _lines(messages: Sequence[Message], visit: Visit) -> tuple[Line, ...]:
    files: dict[UUID, list[LineFile]] = {}
    ids = [each.id for each in messages if each.deleted_at is None]
    for each in Attachment.objects.filter(message_id__in=ids, state=AttachmentState.READY).order_by("id"):
        shown = LineFile(each.id, each.name, each.content_type, each.size or 0)
        files.setdefault(cast(UUID, each.message_id), []).append(shown)
    return tuple(_line(each, tuple(files.get(each.id, ())), visit) for each in messages)


def _line(message: Message, files: tuple[LineFile, ...], visit: Visit) -> Line:
    is_ours = message.kind == MessageKind.OUTBOUND
    by_person = is_ours and message.author_kind == "agent"
    return Line(
        id=message.id,
        is_ours=is_ours,
        client_id="" if is_ours else client_id_of(message.external_id or "", visit.visitor),
        author=message.author_name.split(" ")[0] if by_person else "",
        author_kind=message.author_kind,
        text=message.text,
        at=message.at,
        is_withdrawn=message.deleted_at is not None,
        files=files,
    )


def _is_agent_typing(threads: Sequence[Thread], shown: Sequence[Message], now: datetime) -> bool:
    """Typing ends with the answer: what was typed before our last message is that message."""
    live = [each.conversation_id for each in threads if each.is_live]
    since = max([now - _TYPING_FOR, *(each.at for each in shown if each.kind == MessageKind.OUTBOUND)])
    return bool(live) and Viewing.objects.filter(conversation_id__in=live, typed_at__gt=since).exists()
