"""The documents of the API, in and out. What comes in may hold nothing else; what goes out is what `reading` gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field

Status = Literal["open", "pending", "snoozed", "resolved", "spam"]
Visibility = Literal["public", "private"]
Moment = Annotated[datetime, Field(description="ISO 8601, with a time zone")]


class Given(Schema):
    """A document that somebody sends us: a field that we do not know is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Named(Schema):
    id: UUID
    name: str


class Conversation(Schema):
    id: UUID
    number: int
    status: Status
    visibility: Visibility
    title: str
    preview: str | None = Field(description="The newest message on one line; null without messages:read")
    preview_by: str
    language: str
    priority: int
    inbox_id: UUID
    team_id: UUID | None
    owner_id: UUID | None
    message_count: int
    has_trouble: bool = Field(description="A reply failed or may not have arrived: a person must look")
    waiting_since: Moment | None = Field(description="The first customer message without an answer")
    snoozed_until: Moment | None
    resolved_at: Moment | None
    last_message_at: Moment
    last_inbound_at: Moment | None
    created_at: Moment
    previous_id: UUID | None
    contact: Named
    labels: list[Named]


class ConversationPage(Schema):
    items: list[Conversation]
    next: str | None = Field(description="The cursor of the next page; null at the end")


class Handle(Schema):
    id: UUID
    kind: str
    realm: str
    external_id: str
    name: str
    username: str
    email: str
    phone: str
    profile_url: str
    is_reachable: bool


class Thread(Schema):
    id: UUID
    inbox_id: UUID
    visibility: Visibility
    title: str
    url: str
    is_live: bool
    last_inbound_at: Moment | None
    created_at: Moment
    handle: Handle


class Attachment(Schema):
    id: UUID
    name: str
    content_type: str
    size: int | None
    state: str


class Message(Schema):
    id: UUID
    thread_id: UUID
    kind: Literal["inbound", "outbound", "note", "context"]
    visibility: Visibility
    author_kind: str
    author_id: UUID | None
    author_name: str
    text: str = Field(description="Empty for a message that was deleted")
    at: Moment
    received_at: Moment
    external_id: str | None
    state: str
    state_reason: str
    language: str
    is_automatic: bool
    is_history: bool
    edited_at: Moment | None
    deleted_at: Moment | None
    attachments: list[Attachment]


class MessagePage(Schema):
    items: list[Message]
    next: str | None


class OneConversation(Conversation):
    threads: list[Thread] = Field(description="Empty without messages:read")
    messages: list[Message] = Field(description="The newest fifty, newest first; empty without messages:read")


class Contact(Schema):
    id: UUID
    name: str
    language: str
    created_at: Moment
    handles: list[Handle]


class ContactPage(Schema):
    items: list[Contact]
    next: str | None


class Inbox(Schema):
    id: UUID
    name: str
    kind: str
    address: str
    state: str


class Inboxes(Schema):
    items: list[Inbox]


class Label(Schema):
    id: UUID
    name: str
    colour: int


class Labels(Schema):
    items: list[Label]


class Team(Schema):
    id: UUID
    name: str
    member_ids: list[UUID]


class Teams(Schema):
    items: list[Team]


class Person(Schema):
    id: UUID
    name: str
    initials: str
    role: str


class People(Schema):
    items: list[Person]


class LedgerDay(Schema):
    inbox_id: UUID
    day: date
    accepted: int
    message: int
    change: int
    duplicate: int
    ignored: int
    dead: int
    waiting: int
    adds_up: bool


class Ledger(Schema):
    items: list[LedgerDay]


class SavedReply(Schema):
    id: UUID
    name: str
    text_nl: str
    text_en: str
    team_id: UUID | None
    is_own: bool = Field(description="Only this token's person sees it")


class SavedReplies(Schema):
    items: list[SavedReply]


class Self(Schema):
    """Who this token is."""

    member_id: UUID
    name: str
    role: str
    organisation: str
    is_integration: bool
    scopes: list[str]


class GivenReply(Given):
    text: str = Field(min_length=1, max_length=100_000)
    thread_id: UUID | None = Field(None, description="The newest thread of the contact, when left out")
    visibility: Literal["private"] | None = Field(None, description="To answer a public message in private")
    keep_open: bool = False
    resolve: bool = False
    seen_message_id: UUID | None = Field(
        None, description="The newest message that you know of: 409 when a colleague answered since"
    )


class GivenNote(Given):
    text: str = Field(min_length=1, max_length=100_000)


class GivenOwner(Given):
    owner_id: UUID | None
    team_id: UUID | None


class GivenLabel(Given):
    name: str = Field(min_length=1, max_length=60)


class GivenSnooze(Given):
    until: AwareDatetime


class ProblemError(Schema):
    where: str
    why: str


class ProblemDocument(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[ProblemError] | None = None
