"""What can be read. Every object goes through `desk.access`: what a person of this role would not see is not there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Schema
from pydantic import AwareDatetime, Field

from klankbord.desk import access
from klankbord.desk.conversations import queries
from klankbord.desk.integrations import reading
from klankbord.desk.integrations.reading import Document, Wanted
from klankbord.desk.library import queries as library
from klankbord.desk.organisations import queries as organisations
from klankbord.flows import ledger as ledgers

from . import cursors
from . import documents as shapes
from .api import document, operation
from .door import caller_of
from .problems import invalid, not_found

Number: Any = Path(  # type: ignore[type-arg]
    ..., ge=1, le=2**63 - 1, description="The conversation's number, as people see it"
)


class Paged(Schema):
    cursor: str | None = Field(None, max_length=500, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=100)

    def question(self) -> dict[str, Any]:
        return self.model_dump(exclude={"cursor", "limit"})


class ConversationsAsked(Paged):
    status: shapes.Status | None = None
    inbox: UUID | None = None
    team: UUID | None = None
    owner: UUID | Literal["nobody"] | None = None
    label: UUID | None = None
    contact: UUID | None = None
    visibility: shapes.Visibility | None = None
    since: AwareDatetime | None = Field(None, description="Begun at this moment or later")
    order: Literal["newest", "queue"] = Field(
        "newest", description="queue: as the desk's lists, the longest waiting first; needs a status"
    )


class ContactsAsked(Paged):
    email: str | None = Field(None, max_length=254)


@operation("GET", "/me", scope="", response=shapes.Self, tag="Token")
def me(request: HttpRequest) -> HttpResponse:
    """Who this token is."""
    caller = caller_of(request)
    return document(
        {
            "member_id": caller.member.id,
            "name": caller.member.name,
            "role": caller.member.role,
            "organisation": caller.member.organisation.name,
            "is_integration": caller.is_integration,
            "scopes": sorted(caller.scopes),
        }
    )


@operation("GET", "/conversations", scope="conversations:read", response=shapes.ConversationPage, tag="Conversations")
def list_conversations(request: HttpRequest, asked: Query[ConversationsAsked]) -> HttpResponse:
    """Conversations, newest first or in the order of the queue."""
    caller = caller_of(request)
    is_queue = asked.order == "queue"
    if is_queue and asked.status is None:
        raise invalid("The order of the queue needs a status.", "query", "status")
    kinds = (cursors.yes_or_no, cursors.moment, cursors.identifier) if is_queue else (cursors.identifier,)
    after = cursors.read(asked.cursor, asked.question(), *kinds)
    found, rest = reading.conversations(
        Wanted(
            status=asked.status, inbox=asked.inbox, team=asked.team,
            owner=asked.owner if isinstance(asked.owner, UUID) else None, is_unassigned=asked.owner == "nobody",
            label=asked.label, contact=asked.contact, visibility=asked.visibility, since=asked.since, is_queue=is_queue,
        ),
        inboxes=access.visible_inboxes(caller.member), after=after, limit=asked.limit,
    )  # fmt: skip
    if "messages:read" not in caller.scopes:
        for each in found:
            each["preview"] = None
    return _page(found, rest, asked)


@operation(
    "GET", "/conversations/{number}", scope="conversations:read", response=shapes.OneConversation, tag="Conversations"
)
def get_conversation(request: HttpRequest, number: int = Number) -> HttpResponse:
    """One conversation with its threads and newest messages; its ETag changes with all that happens in it."""
    found, version = one(request, number)
    etag = f'"{version}"'
    if etag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
        return HttpResponse(status=304, headers={"ETag": etag})
    found |= {"threads": [], "messages": []}
    if "messages:read" in caller_of(request).scopes:
        messages, _ = reading.messages(found["id"], before=None, limit=50)
        found |= {"threads": reading.threads(found["id"]), "messages": messages}
    return document(found, headers={"ETag": etag})


@operation(
    "GET", "/conversations/{number}/messages", scope="messages:read", response=shapes.MessagePage, tag="Conversations"
)
def list_messages(request: HttpRequest, asked: Query[Paged], number: int = Number) -> HttpResponse:
    """The messages of a conversation, newest first."""
    found, _ = one(request, number)
    before = cursors.read(asked.cursor, {"number": number}, cursors.moment, cursors.identifier)
    messages, rest = reading.messages(found["id"], before=before, limit=asked.limit)
    return document({"items": messages, "next": cursors.written(rest, {"number": number}) if rest else None})


@operation("GET", "/contacts", scope="contacts:read", response=shapes.ContactPage, tag="Contacts")
def list_contacts(request: HttpRequest, asked: Query[ContactsAsked]) -> HttpResponse:
    """People who wrote to an inbox that this token may see, newest first."""
    after = cursors.read(asked.cursor, asked.question(), cursors.identifier)
    found, rest = reading.contacts(
        inboxes=_own_inboxes(request), email=asked.email, after=after[0] if after else None, limit=asked.limit
    )
    return _page(found, [rest] if rest else None, asked)


@operation("GET", "/contacts/{contact}", scope="contacts:read", response=shapes.Contact, tag="Contacts")
def get_contact(request: HttpRequest, contact: UUID) -> HttpResponse:
    """One contact with their handles."""
    found, _ = reading.contacts(inboxes=_own_inboxes(request), email=None, after=None, limit=1, only=contact)
    if not found:
        raise not_found()
    return document(found[0])


@operation("GET", "/inboxes", scope="inboxes:read", response=shapes.Inboxes, tag="Desk")
def list_inboxes(request: HttpRequest) -> HttpResponse:
    """The inboxes that this token may see."""
    found = access.inboxes_of(caller_of(request).member).values()
    names = ("id", "name", "kind", "address", "state")
    return document({"items": [{name: getattr(each, name) for name in names} for each in found]})


@operation("GET", "/labels", scope="labels:read", response=shapes.Labels, tag="Desk")
def list_labels(request: HttpRequest) -> HttpResponse:
    """All labels, by name."""
    access.require(caller_of(request).member, "read")
    found = queries.all_labels()
    return document({"items": [{"id": each.id, "name": each.name, "colour": each.colour} for each in found]})


@operation("GET", "/teams", scope="people:read", response=shapes.Teams, tag="Desk")
def list_teams(request: HttpRequest) -> HttpResponse:
    """All teams with their members."""
    access.require(caller_of(request).member, "read")
    members = organisations.members_of_teams()
    found = organisations.teams()
    return document(
        {"items": [{"id": each.id, "name": each.name, "member_ids": members.get(each.id, [])} for each in found]}
    )


@operation("GET", "/people", scope="people:read", response=shapes.People, tag="Desk")
def list_people(request: HttpRequest) -> HttpResponse:
    """The people who work here."""
    access.require(caller_of(request).member, "read")
    found = organisations.colleagues()
    names = ("id", "name", "initials", "role")
    return document({"items": [{name: getattr(each, name) for name in names} for each in found]})


@operation("GET", "/saved-replies", scope="replies:read", response=shapes.SavedReplies, tag="Desk")
def list_saved_replies(request: HttpRequest) -> HttpResponse:
    """Saved replies: everybody's, those of one's teams and one's own, the ones used most first."""
    member = caller_of(request).member
    access.require(member, "read")
    names = ("id", "name", "text_nl", "text_en", "team_id")
    found = library.replies_for(member)
    return document(
        {
            "items": [
                {name: getattr(each, name) for name in names} | {"is_own": each.owner_id is not None} for each in found
            ]
        }
    )


class LedgerAsked(Schema):
    inbox: UUID | None = None
    days: int = Field(7, ge=1, le=90, description="So many days back, today included")


@operation("GET", "/ledger", scope="ledger:read", response=shapes.Ledger, tag="Desk")
def get_ledger(request: HttpRequest, asked: Query[LedgerAsked]) -> HttpResponse:
    """What arrived and what became of it, by inbox and day (UTC), newest day first."""
    since = request.now.date() - timedelta(days=asked.days - 1)  # type: ignore[attr-defined]
    found = ledgers.days(inbox=asked.inbox, since=since, by=caller_of(request).member)
    names = ("day", "accepted", "message", "change", "duplicate", "ignored", "dead", "waiting", "adds_up")
    return document(
        {"items": [{"inbox_id": each.inbox.id} | {name: getattr(each, name) for name in names} for each in found]}
    )


def one(request: HttpRequest, number: int) -> tuple[Document, str]:
    """A conversation and its version. Raises Problem when this token may not see it."""
    caller = caller_of(request)
    found = reading.conversation(number, inboxes=access.visible_inboxes(caller.member))
    if found is None:
        raise not_found()
    if "messages:read" not in caller.scopes:
        found[0]["preview"] = None
    return found


def _own_inboxes(request: HttpRequest) -> frozenset[UUID] | None:
    """None: all, without looking at each contact's conversations."""
    member = caller_of(request).member
    return None if member.role in access.SEES_EVERY_INBOX else access.visible_inboxes(member)


def _page(found: list[Document], rest: list[Any] | None, asked: Paged) -> HttpResponse:
    return document({"items": found, "next": cursors.written(rest, asked.question()) if rest else None})
