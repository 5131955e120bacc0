"""Reading: filters, pages, and nothing that the person behind the token would not see."""

from __future__ import annotations

from typing import Any

import pytest
from api_callers import Caller, caller_of, integration_of
from django.urls import URLPattern, URLResolver, get_resolver

from desk_builder import Desk
from klankbord.desk.conversations.models import Conversation, Message
from klankbord.desk.inboxes.models import Inbox, InboxMember
from klankbord.desk.integrations.scopes import READ
from klankbord.desk.organisations.models import Membership, Role
from klankbord.doors.api import documents
from klankbord.doors.api.schema import schema
from klankbord.flows import casework

pytestmark = pytest.mark.django_db

CANARY = "kanarie-in-de-kolenmijn"
SHAPES = {
    "/conversations": documents.ConversationPage,
    "/conversations/1": documents.OneConversation,
    "/conversations/1/messages": documents.MessagePage,
    "/contacts": documents.ContactPage,
    "/inboxes": documents.Inboxes,
    "/labels": documents.Labels,
    "/teams": documents.Teams,
    "/people": documents.People,
    "/saved-replies": documents.SavedReplies,
    "/ledger": documents.Ledger,
    "/me": documents.Self,
}


@pytest.fixture
def full(desk: Desk, boss: Membership) -> Desk:
    """Seven conversations, one with a label, one resolved."""
    inbox = desk.inbox()
    for number in range(7):
        name = f"Klant {number}"
        desk.receive(inbox, desk.event(place=name, person={"id": name, "name": name, "email": f"k{number}@x.example"}))
        desk.later(minutes=1)
    desk.team("Geld")
    with desk.open():
        first, second = Conversation.objects.order_by("number")[:2]
        casework.add_label(conversation=first.id, name="klacht", by=boss, now=desk.now)
        casework.resolve(conversation=second.id, by=boss, now=desk.now)
    return desk


@pytest.mark.parametrize("path", sorted(SHAPES))
def test_what_goes_out_is_what_the_schema_says(full: Desk, api: Caller, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 200
    found, names = answer.json(), set(SHAPES[path].model_fields)
    assert set(found) == names
    SHAPES[path].model_validate(found)
    assert path == "/saved-replies" or found.get("items", True)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [7, 6, 5, 4, 3, 2, 1]),
        ({"status": "resolved"}, [2]),
        ({"status": "open", "order": "queue"}, [1, 3, 4, 5, 6, 7]),
        ({"owner": "nobody", "status": "open"}, [7, 6, 5, 4, 3, 1]),
        ({"visibility": "public"}, []),
        ({"since": "2030-01-01T00:00:00Z"}, []),
    ],
)
def test_conversations_are_filtered_and_in_order(
    full: Desk, api: Caller, query: dict[str, str], numbers: list[int]
) -> None:
    assert [each["number"] for each in api.get("/conversations", **query).json()["items"]] == numbers


def test_conversations_of_a_label_a_contact_and_an_inbox(full: Desk, api: Caller) -> None:
    label = api.get("/labels").json()["items"][0]["id"]
    assert [each["number"] for each in api.get("/conversations", label=label).json()["items"]] == [1]
    contact = api.get("/contacts", email="K3@x.example").json()["items"][0]
    assert contact["name"] == "Klant 3"
    assert [each["number"] for each in api.get("/conversations", contact=contact["id"]).json()["items"]] == [4]
    assert api.get(f"/contacts/{contact['id']}").json() == contact
    inbox = api.get("/inboxes").json()["items"][0]["id"]
    assert len(api.get("/conversations", inbox=inbox).json()["items"]) == 7


@pytest.mark.parametrize("path", ["/conversations", "/contacts"])
@pytest.mark.parametrize("order", ["newest", "queue"])
def test_pages_follow_each_other_without_gap_or_double(full: Desk, api: Caller, path: str, order: str) -> None:
    query = {"order": "queue", "status": "open"} if order == "queue" and path == "/conversations" else {}
    whole = [each["id"] for each in api.get(path, **query).json()["items"]]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(path, **query, limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
    assert seen == whole


def test_messages_come_newest_first_a_page_at_a_time(desk: Desk, api: Caller) -> None:
    inbox = desk.inbox()
    for _ in range(5):
        desk.receive(inbox, desk.event())
        desk.later(minutes=1)
    first = api.get("/conversations/1/messages", limit=3).json()
    rest = api.get("/conversations/1/messages", limit=3, cursor=first["next"]).json()
    texts = [each["text"] for each in first["items"] + rest["items"]]
    assert texts == [f"Bericht {number}" for number in (5, 4, 3, 2, 1)]
    assert rest["next"] is None


@pytest.mark.parametrize("cursor", ["x", "eyJ9", "W10", "bnVsbA", "WzFd", "!!", "A" * 500])
def test_a_cursor_that_was_not_given_here_is_refused(full: Desk, api: Caller, cursor: str) -> None:
    answer = api.get("/conversations", cursor=cursor)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:klankbord:problem:cursor")


def test_a_cursor_of_another_question_is_refused(full: Desk, api: Caller) -> None:
    cursor = api.get("/conversations", limit=2).json()["next"]
    assert api.get("/conversations", status="open", cursor=cursor).status_code == 400


def test_without_the_right_to_read_messages_there_are_no_words(full: Desk, boss: Membership) -> None:
    caller = caller_of(full, boss, ["conversations:read"])
    found = caller.get("/conversations/1").json()
    assert (found["preview"], found["messages"], found["threads"]) == (None, [], [])
    assert all(each["preview"] is None for each in caller.get("/conversations").json()["items"])
    assert caller.get("/conversations/1/messages").status_code == 403


def test_a10_a_deleted_message_has_no_words(full: Desk, api: Caller) -> None:
    with full.open():
        Message.objects.update(deleted_at=full.now)
    assert "Bericht 1" not in str(api.get("/conversations/1").json()["messages"])


# ------------------------------------------------------------------------------------- every route, every caller


def api_routes() -> list[str]:
    def walk(found: Any, before: str = "") -> Any:
        for each in found:
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns, before + str(each.pattern))
            elif isinstance(each, URLPattern):
                yield before + str(each.pattern)

    return [path for path in walk(get_resolver().url_patterns) if path.startswith("api/")]


def test_a1_every_route_is_in_the_schema_and_the_other_way_round() -> None:
    import re

    routed = {"/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path) for path in api_routes()}
    assert routed - set(schema()["paths"]) == {"/api/v1/", "/api/v1/openapi.json"}
    assert set(schema()["paths"]) <= routed


OPERATIONS = [
    (method, path.removeprefix("/api/v1"), found["x-scope"])
    for path, methods in schema()["paths"].items()
    for method, found in methods.items()
]
BODIES = {
    "/replies": {"text": CANARY}, "/notes": {"text": CANARY}, "/assignment": {"owner_id": None, "team_id": None},
    "/snooze": {"until": "2030-01-01T00:00:00Z"}, "/labels": {"name": CANARY},
}  # fmt: skip


def ask(caller: Caller, method: str, path: str, conversation: Conversation) -> Any:
    body = BODIES.get("/" + path.rpartition("/")[2]) if method in ("post", "put") else None
    path = path.replace("{number}", str(conversation.number)).replace("{contact}", str(conversation.contact_id))
    path = path.replace("{label}", str(conversation.id))
    return caller.get(path) if method == "get" else caller.send(method, path, body)


@pytest.fixture
def closed(desk: Desk) -> Conversation:
    """In an inbox that is open to its members only; its words are canaries."""
    inbox = desk.inbox("Geheim")
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(is_open_to_all=False)
    [conversation] = desk.receive(inbox, desk.event(text=CANARY, person={"id": "anouk", "name": CANARY}))
    return conversation


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_a1_a5_a6_a_role_that_may_not_see_an_inbox_learns_nothing_of_it(
    desk: Desk, closed: Conversation, method: str, path: str, scope: str
) -> None:
    stranger = Desk("vreemd")
    callers = [
        caller_of(stranger, stranger.person("Vreemde", Role.ADMINISTRATOR)),
        caller_of(desk, desk.person("Buiten")),
        integration_of(desk)[1],
    ]
    for caller in callers:
        answer = ask(caller, method, path, closed)
        assert answer.status_code in ((404,) if "{" in path else (200, 403)), answer.content
        assert CANARY not in answer.content.decode()
    assert len(desk.messages()) == 1


@pytest.mark.parametrize(("method", "path", "scope"), [each for each in OPERATIONS if each[2]])
def test_a1_a8_every_operation_needs_its_scope(
    desk: Desk, boss: Membership, closed: Conversation, method: str, path: str, scope: str
) -> None:
    others = [each for each in (*READ, "conversations:write", "messages:write") if each != scope]
    answer = ask(caller_of(desk, boss, others), method, path, closed)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:klankbord:problem:scope")


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_a1_without_a_token_nothing_is_answered(
    desk: Desk, closed: Conversation, method: str, path: str, scope: str
) -> None:
    answer = ask(Caller(""), method, path, closed)
    assert answer.status_code == 401
    assert CANARY not in answer.content.decode()


def test_a14_a_member_of_a_closed_inbox_sees_it_as_long_as_they_are_one(desk: Desk, closed: Conversation) -> None:
    noor = desk.person("Noor")
    caller = caller_of(desk, noor)
    with desk.open():
        place = InboxMember.objects.create(inbox_id=closed.inbox_id, member=noor)
    assert caller.get(f"/conversations/{closed.number}").status_code == 200
    with desk.open():
        place.delete()
    assert caller.get(f"/conversations/{closed.number}").status_code == 404
    assert caller.get("/contacts").json()["items"] == []


def test_a9_no_document_holds_a_secret(full: Desk, api: Caller) -> None:
    fields = {name for found in schema()["components"]["schemas"].values() for name in found.get("properties", {})}
    assert not fields & {"credentials", "secret", "secrets", "token", "token_hash", "password", "email_password"}
