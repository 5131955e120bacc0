"""The rows of one message: pure translation from a channel's words to columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.contract import Arrived, AuthorKind, Media
from klankbord.desk.contacts.arrivals import KnownHandle
from klankbord.desk.conversations.arrivals import KnownThread
from klankbord.desk.conversations.models import AttachmentState, MessageKind, MessageState
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import clean, one_line

from ..safety import safe_html
from .reading import Entry

_LONGEST_TEXT = 200_000


def digest_of(item: Arrived) -> str:
    """What tells two messages under one id apart, where a channel gives it."""
    return str(item.facts.get("digest", ""))


def id_of_another(item: Arrived) -> str:
    """The id of a message that came under an id that was taken by other words (a reused Message-ID); "" for none."""
    digest = digest_of(item)
    return f"{item.external_id}#{digest}" if item.external_id and digest else ""


def thread(opened: KnownThread, item: Arrived, *, now: datetime) -> dict[str, Any]:
    place = item.place
    context = place.context
    return {
        "id": opened.id,
        "organisation_id": current_organisation_id(),
        "conversation_id": opened.conversation_id,
        "inbox_id": opened.inbox_id,
        "handle_id": opened.handle_id,
        "place_key": place.key,
        "post": place.post[:600],
        "visibility": opened.visibility,
        "target": place.target,
        "title": one_line(place.title, limit=300),
        "url": place.url[:2000],
        "context": context
        and {
            "text": clean(context.text)[:5000],
            "author": one_line(context.author),
            "url": context.url,
            "posted_at": context.posted_at,
            "audience": context.audience,
            "image_url": context.image_url,
        },
        "facts": plain(place.facts),
        "token": opened.token,
        "is_live": True,
        "last_inbound_at": None,
        "last_inbound_id": "",
        "created_at": now,
    }


def message(
    entry: Entry,
    item: Arrived,
    placed: KnownThread,
    handle: KnownHandle,
    *,
    is_stranger: bool,
    now: datetime,
) -> dict[str, Any]:
    kind = MessageKind.CONTEXT if item.is_context else MessageKind.OUTBOUND if item.is_own else MessageKind.INBOUND
    by = AuthorKind.AGENT if item.is_own and item.author_kind == AuthorKind.CONTACT else item.author_kind
    return {
        "id": uuid7(),
        "organisation_id": current_organisation_id(),
        "conversation_id": placed.conversation_id,
        "thread_id": placed.id,
        "inbox_id": entry.inbox_id,
        "kind": str(kind),
        "visibility": placed.visibility,
        "author_kind": str(by),
        "author_name": one_line(_author(entry, item, handle)),
        "handle_id": None if item.is_own else handle.id,
        "text": clean(item.text)[:_LONGEST_TEXT],
        "html": safe_html(item.html),
        "quoted": clean(item.quoted)[:_LONGEST_TEXT],
        "at": item.at,
        "received_at": entry.claimed.received_at,
        "external_id": item.external_id or None,
        "in_reply_to": item.in_reply_to,
        "state": str(MessageState.SENT if item.is_own else MessageState.RECEIVED),
        "state_reason": "",
        "state_at": item.at if item.is_own else None,
        "delivery_id": entry.claimed.id,
        "language": item.language[:8],
        "is_automatic": item.is_automatic,
        "is_history": entry.is_history,
        "keeps_open": False,
        "remarks": [*item.remarks, *(["new-participant"] if is_stranger else [])],
        "also_to": [one_line(each) for each in item.also_to[:50]],
        "facts": plain(item.facts),
    }


def _author(entry: Entry, item: Arrived, handle: KnownHandle) -> str:
    """Who wrote it: for one of ours the person is the one it was for, so a nameless colleague goes by the inbox."""
    if item.is_own or item.is_context:
        return item.author_name or entry.connected.inbox.name
    return item.author_name or item.person.name or item.person.username or handle.name


def attachments(stored: Mapping[str, Any], item: Arrived, *, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": uuid7(),
            "organisation_id": stored["organisation_id"],
            "message_id": stored["id"],
            "conversation_id": stored["conversation_id"],
            "kind": str(media.kind),
            "name": one_line(media.name, limit=250) or str(media.kind),
            "content_type": media.content_type[:120],
            "size": media.size if media.size is not None else len(media.data) if media.data is not None else None,
            "key": media.stored_key,
            "state": str(_attachment_state(media)),
            "reason": media.refused,
            "source": _source(media, place),
            "content_id": media.content_id[:300],
            "description": one_line(media.description, limit=1000),
            "created_at": now,
        }
        for place, media in enumerate(item.media)
    ]


def _attachment_state(media: Media) -> AttachmentState:
    if media.refused:
        return AttachmentState.REFUSED
    return AttachmentState.READY if media.stored_key else AttachmentState.WAITING


def _source(media: Media, place: int) -> dict[str, Any]:
    """Where the fetching job finds it: at the platform, or (data came along) in the raw delivery, by its place."""
    if media.data is not None:
        return {"place": place}
    return {"url": media.url, "fetch": media.fetch}


def document(stored: Mapping[str, Any], item: Arrived) -> dict[str, Any]:
    words = " ".join((item.place.title, item.person.name, item.person.username, stored["text"]))
    return {
        "message_id": stored["id"],
        "conversation_id": stored["conversation_id"],
        "inbox_id": stored["inbox_id"],
        "at": stored["at"],
        "language": stored["language"],
        "words": words,
        "sender": " ".join(
            (stored["author_name"], *(() if item.is_own else (item.person.username, item.person.email)))
        ),
    }


def preview(item: Arrived) -> str:
    """The message on one line of the list; a message of files only says what they are by its kinds, in brackets."""
    return one_line(item.text, limit=200) or " ".join(f"[{media.kind}]" for media in item.media[:3])


def event(
    kind: str, conversation_id: UUID, entry: Entry, item: Arrived, message_id: UUID | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "by_id": None,
        "by_kind": "agent" if item.is_own else "contact",
        "at": item.at,
        "facts": {
            **({"is_history": True} if entry.is_history else {}),
            **({"files": len(item.media)} if item.media else {}),
        },
    }


def change(stored: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {
        "conversation": stored["conversation_id"],
        "inbox": stored["inbox_id"],
        "thread": stored["thread_id"],
        "what": what,
    }


def note_also_to(message_id: UUID, where: str) -> None:
    """The same mail reached another inbox of ours: rare, so one statement each."""
    run(
        "UPDATE conversations_message SET also_to = also_to || to_jsonb(%s::text)"
        " WHERE organisation_id = %s AND id = %s AND NOT also_to ? %s",
        [where, current_organisation_id(), message_id, where],
    )


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Platform facts as JSON that a database takes: cleaned texts, moments in ISO form."""
    return {str(key): _plain(value) for key, value in facts.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    return clean(str(value))
