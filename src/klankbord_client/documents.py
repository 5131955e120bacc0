"""Documents of Klankbord's API, written by scripts/make_client.py: change nothing here."""

from __future__ import annotations

from typing import Literal, TypedDict


class Attachment(TypedDict):
    id: str
    name: str
    content_type: str
    size: int | None
    state: str


class Handle(TypedDict):
    id: str
    kind: str
    realm: str
    external_id: str
    name: str
    username: str
    email: str
    phone: str
    profile_url: str
    is_reachable: bool


class Contact(TypedDict):
    id: str
    name: str
    language: str
    created_at: str
    handles: list[Handle]


class ContactPage(TypedDict):
    items: list[Contact]
    next: str | None


class ContactsAsked(TypedDict):
    cursor: str | None
    limit: int
    email: str | None


class Named(TypedDict):
    id: str
    name: str


class Conversation(TypedDict):
    id: str
    number: int
    status: Literal["open", "pending", "snoozed", "resolved", "spam"]
    visibility: Literal["public", "private"]
    title: str
    preview: str | None
    preview_by: str
    language: str
    priority: int
    inbox_id: str
    team_id: str | None
    owner_id: str | None
    message_count: int
    has_trouble: bool
    waiting_since: str | None
    snoozed_until: str | None
    resolved_at: str | None
    last_message_at: str
    last_inbound_at: str | None
    created_at: str
    previous_id: str | None
    contact: Named
    labels: list[Named]


class ConversationPage(TypedDict):
    items: list[Conversation]
    next: str | None


class ConversationsAsked(TypedDict):
    cursor: str | None
    limit: int
    status: Literal["open", "pending", "snoozed", "resolved", "spam"] | None
    inbox: str | None
    team: str | None
    owner: str | Literal["nobody"] | None
    label: str | None
    contact: str | None
    visibility: Literal["public", "private"] | None
    since: str | None
    order: Literal["newest", "queue"]


class Inbox(TypedDict):
    id: str
    name: str
    kind: str
    address: str
    state: str


class Inboxes(TypedDict):
    items: list[Inbox]


class Label(TypedDict):
    id: str
    name: str
    colour: int


class Labels(TypedDict):
    items: list[Label]


class LedgerDay(TypedDict):
    inbox_id: str
    day: str
    accepted: int
    message: int
    change: int
    duplicate: int
    ignored: int
    dead: int
    waiting: int
    adds_up: bool


class Ledger(TypedDict):
    items: list[LedgerDay]


class LedgerAsked(TypedDict):
    inbox: str | None
    days: int


class Message(TypedDict):
    id: str
    thread_id: str
    kind: Literal["inbound", "outbound", "note", "context"]
    visibility: Literal["public", "private"]
    author_kind: str
    author_id: str | None
    author_name: str
    text: str
    at: str
    received_at: str
    external_id: str | None
    state: str
    state_reason: str
    language: str
    is_automatic: bool
    is_history: bool
    edited_at: str | None
    deleted_at: str | None
    attachments: list[Attachment]


class MessagePage(TypedDict):
    items: list[Message]
    next: str | None


class Thread(TypedDict):
    id: str
    inbox_id: str
    visibility: Literal["public", "private"]
    title: str
    url: str
    is_live: bool
    last_inbound_at: str | None
    created_at: str
    handle: Handle


class OneConversation(TypedDict):
    id: str
    number: int
    status: Literal["open", "pending", "snoozed", "resolved", "spam"]
    visibility: Literal["public", "private"]
    title: str
    preview: str | None
    preview_by: str
    language: str
    priority: int
    inbox_id: str
    team_id: str | None
    owner_id: str | None
    message_count: int
    has_trouble: bool
    waiting_since: str | None
    snoozed_until: str | None
    resolved_at: str | None
    last_message_at: str
    last_inbound_at: str | None
    created_at: str
    previous_id: str | None
    contact: Named
    labels: list[Named]
    threads: list[Thread]
    messages: list[Message]


class Paged(TypedDict):
    cursor: str | None
    limit: int


class Person(TypedDict):
    id: str
    name: str
    initials: str
    role: str


class People(TypedDict):
    items: list[Person]


class SavedReply(TypedDict):
    id: str
    name: str
    text_nl: str
    text_en: str
    team_id: str | None
    is_own: bool


class SavedReplies(TypedDict):
    items: list[SavedReply]


class Self(TypedDict):
    """Who this token is."""

    member_id: str
    name: str
    role: str
    organisation: str
    is_integration: bool
    scopes: list[str]


class Team(TypedDict):
    id: str
    name: str
    member_ids: list[str]


class Teams(TypedDict):
    items: list[Team]
