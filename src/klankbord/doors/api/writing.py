"""What can be changed: each view is one of the deeds of the screens, through the same flow.

`If-Match` with a conversation's ETag changes it only when nothing happened in it since (412). `Idempotency-Key` makes a
request that comes twice happen once; see `door`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from klankbord.desk.conversations.models import Conversation, Message
from klankbord.desk.integrations import reading
from klankbord.flows import casework, reply, versions
from klankbord.kernel.ids import random_token

from . import documents as shapes
from .api import document, operation
from .door import caller_of, key_of
from .problems import invalid
from .reading import Number, one

_HEADERS: dict[str, Any] = {
    "parameters": [
        {
            "in": "header", "name": "Idempotency-Key", "required": False,
            "schema": {"type": "string", "maxLength": 255},
            "description": "Your own name for this request: sent again within a day, it is answered and not done again",
        },
        {
            "in": "header", "name": "If-Match", "required": False, "schema": {"type": "string", "maxLength": 500},
            "description": "The conversation's ETag as you know it",
        },
    ]
}  # fmt: skip


def changing(
    method: str,
    path: str,
    *,
    response: Any = shapes.Conversation,
    scope: str = "conversations:write",
    status: int = 200,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return operation(
        method,
        f"/conversations/{{number}}{path}",
        scope=scope,
        response=response,
        tag="Changing",
        status=status,
        **_HEADERS,
    )


@changing("POST", "/replies", response=shapes.Message, scope="messages:write", status=201)
def send_reply(request: HttpRequest, given: shapes.GivenReply, number: int = Number) -> HttpResponse:
    """Answer the contact. It leaves after the organisation's undo time."""
    held = _held(request, number)
    sent = reply.send_reply(
        conversation=held.id,
        thread=given.thread_id or _newest_thread(held.id),
        text=given.text,
        by=caller_of(request).member,
        now=_now(request),
        client_key=_client_key(request),
        visibility=given.visibility,
        keep_open=given.keep_open,
        then="resolve" if given.resolve else "",
        seen_message=given.seen_message_id,
        confirmed=given.seen_message_id is None,
    )
    return _message(sent)


@changing("POST", "/notes", response=shapes.Message, scope="messages:write", status=201)
def write_note(request: HttpRequest, given: shapes.GivenNote, number: int = Number) -> HttpResponse:
    """Write a note for colleagues; customers never see it."""
    held = _held(request, number)
    by, key = caller_of(request).member, _client_key(request)
    return _message(reply.write_note(conversation=held.id, text=given.text, by=by, now=_now(request), client_key=key))


@changing("PUT", "/assignment")
def assign(request: HttpRequest, given: shapes.GivenOwner, number: int = Number) -> HttpResponse:
    """Give it to a person, a team, both or nobody (null)."""
    caller, held = caller_of(request), _held(request, number)
    if caller.is_integration and given.owner_id == caller.member.id:
        raise invalid("An integration cannot own a conversation.", "body", "owner_id")
    casework.assign(conversation=held.id, owner=given.owner_id, team=given.team_id, by=caller.member, now=_now(request))
    return _conversation(request, number)


@changing("POST", "/resolve")
def resolve(request: HttpRequest, number: int = Number) -> HttpResponse:
    """Done: it leaves the queue until the contact writes again."""
    return _do(request, number, casework.resolve)


@changing("POST", "/reopen")
def reopen(request: HttpRequest, number: int = Number) -> HttpResponse:
    """Back in the queue."""
    return _do(request, number, casework.reopen)


@changing("POST", "/snooze")
def snooze(request: HttpRequest, given: shapes.GivenSnooze, number: int = Number) -> HttpResponse:
    """Put it aside until a moment, or until the contact's next message."""
    return _do(request, number, casework.snooze, until=given.until)


@changing("POST", "/labels")
def add_label(request: HttpRequest, given: shapes.GivenLabel, number: int = Number) -> HttpResponse:
    """Put a label on it. A name that is new becomes a new label."""
    return _do(request, number, casework.add_label, name=given.name)


@changing("DELETE", "/labels/{label}")
def remove_label(request: HttpRequest, label: UUID, number: int = Number) -> HttpResponse:
    """Take a label off."""
    return _do(request, number, casework.remove_label, label=label)


def _do(request: HttpRequest, number: int, deed: Callable[..., Conversation], **given: Any) -> HttpResponse:
    held = _held(request, number)
    deed(conversation=held.id, by=caller_of(request).member, now=_now(request), **given)
    return _conversation(request, number)


def _held(request: HttpRequest, number: int) -> Conversation:
    wanted = request.headers.get("If-Match", "").strip()
    seen = None if wanted in {"", "*"} else [each.strip().strip('"') for each in wanted.split(",")]
    return versions.hold(number=number, versions=seen, by=caller_of(request).member)


def _conversation(request: HttpRequest, number: int) -> HttpResponse:
    found, version = one(request, number)
    return document(found, headers={"ETag": f'"{version}"'})


def _message(message: Message) -> HttpResponse:
    return document(reading.message(message.id), status=201)


def _newest_thread(conversation: UUID) -> UUID:
    """Where the contact spoke last."""
    found = reading.threads(conversation)
    newest = max(found, key=lambda each: (each["last_inbound_at"] or each["created_at"], each["id"]))
    return UUID(str(newest["id"]))


def _client_key(request: HttpRequest) -> str:
    """The desk's own guard against doubles, which outlives the stored answers."""
    key = key_of(request)
    return sha256(f"{caller_of(request).token_id} {key}".encode()).hexdigest() if key else random_token()


def _now(request: HttpRequest) -> datetime:
    now: datetime = request.now  # type: ignore[attr-defined]
    return now
