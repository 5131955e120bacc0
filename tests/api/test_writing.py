"""Changing conversations: the same deeds as on the screens, once each, on what the caller saw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_callers import Caller, caller_of, integration_of

from desk_builder import Desk
from klankbord.desk.conversations.models import Conversation, Event, Message
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.integrations.models import StoredAnswer
from klankbord.desk.organisations.models import Membership, Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(desk: Desk) -> Conversation:
    [conversation] = desk.receive(desk.inbox(), desk.event(text="Waar blijft mijn pakket?"))
    return conversation


def now_of(desk: Desk, case: Conversation) -> Conversation:
    with desk.open():
        return Conversation.objects.get(id=case.id)


def test_a_reply_goes_where_the_contact_spoke_last(desk: Desk, api: Caller, case: Conversation) -> None:
    answer = api.post("/conversations/1/replies", {"text": "Morgen is het er."})
    assert answer.status_code == 201
    assert (answer.json()["kind"], answer.json()["state"], answer.json()["text"]) == (
        "outbound", "queued", "Morgen is het er.",
    )  # fmt: skip
    assert now_of(desk, case).status == "pending"


def test_a_reply_can_resolve(desk: Desk, api: Caller, case: Conversation) -> None:
    api.post("/conversations/1/replies", {"text": "Klaar.", "resolve": True})
    assert now_of(desk, case).status == "resolved"


def test_an_integration_writes_notes_under_its_own_name(desk: Desk, case: Conversation) -> None:
    _, shop = integration_of(desk, name="Webwinkel")
    answer = shop.post("/conversations/1/notes", {"text": "Bestelling 12 is verzonden."})
    assert answer.status_code == 201
    assert (answer.json()["kind"], answer.json()["author_name"]) == ("note", "Webwinkel")


def test_assign_label_snooze_resolve_and_reopen(desk: Desk, api: Caller, case: Conversation) -> None:
    noor, team = desk.person("Noor"), desk.team("Geld")
    given = api.send("put", "/conversations/1/assignment", {"owner_id": str(noor.id), "team_id": str(team.id)}).json()
    assert (given["owner_id"], given["team_id"]) == (str(noor.id), str(team.id))
    [label] = api.post("/conversations/1/labels", {"name": "klacht"}).json()["labels"]
    assert label["name"] == "klacht"
    assert api.send("delete", f"/conversations/1/labels/{label['id']}").json()["labels"] == []
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert api.post("/conversations/1/snooze", {"until": until}).json()["status"] == "snoozed"
    assert api.post("/conversations/1/resolve").json()["status"] == "resolved"
    assert api.post("/conversations/1/reopen").json()["status"] == "open"


def test_what_cannot_be_assigned_is_refused(desk: Desk, boss: Membership, api: Caller, case: Conversation) -> None:
    analyst = desk.person("Ana", Role.ANALYST)
    answer = api.send("put", "/conversations/1/assignment", {"owner_id": str(analyst.id), "team_id": None})
    assert answer.status_code == 422
    member, shop = integration_of(desk)
    answer = shop.send("put", "/conversations/1/assignment", {"owner_id": str(member), "team_id": None})
    assert (answer.status_code, now_of(desk, case).owner_id) == (422, None)


def test_a_past_snooze_is_refused_in_the_callers_language(api: Caller, case: Conversation) -> None:
    answer = api.post("/conversations/1/snooze", {"until": "2020-01-01T00:00:00Z"}, {"accept-language": "nl-NL"})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "Kies een moment later dan nu."


def test_a13_two_changes_of_the_same_version_one_of_them_fails(desk: Desk, api: Caller, case: Conversation) -> None:
    etag = api.get("/conversations/1")["etag"]
    first = api.post("/conversations/1/resolve", headers={"if-match": etag})
    second = api.post("/conversations/1/reopen", headers={"if-match": etag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["type"] == "urn:klankbord:problem:changed"
    assert now_of(desk, case).status == "resolved"
    third = api.post("/conversations/1/reopen", headers={"if-match": first["etag"]})
    assert third.status_code == 200


def test_a_note_of_somebody_else_changes_the_version_too(desk: Desk, api: Caller, case: Conversation) -> None:
    etag = api.get("/conversations/1")["etag"]
    api.post("/conversations/1/notes", {"text": "Let op."})
    assert api.post("/conversations/1/resolve", headers={"if-match": etag}).status_code == 412


def test_an_unchanged_conversation_is_not_sent_again(api: Caller, case: Conversation) -> None:
    etag = api.get("/conversations/1")["etag"]
    assert api.get("/conversations/1", headers={"if-none-match": etag}).status_code == 304


def test_a13_the_same_key_is_done_once_and_answered_twice(desk: Desk, api: Caller, case: Conversation) -> None:
    key = {"idempotency-key": "verzonden-12"}
    first = api.post("/conversations/1/notes", {"text": "Verzonden."}, key)
    second = api.post("/conversations/1/notes", {"text": "Verzonden."}, key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["idempotency-replayed"] == "true"
    assert sorted(each.kind for each in desk.messages()) == ["inbound", "note"]


def test_a13_the_same_key_with_another_body_is_refused(desk: Desk, api: Caller, case: Conversation) -> None:
    key = {"idempotency-key": "verzonden-12"}
    api.post("/conversations/1/notes", {"text": "Verzonden."}, key)
    answer = api.post("/conversations/1/notes", {"text": "Iets anders."}, key)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:klankbord:problem:idempotency-key")
    assert len(desk.messages()) == 2


def test_a_refused_request_leaves_its_key_free(desk: Desk, api: Caller, case: Conversation) -> None:
    key = {"idempotency-key": "k"}
    assert api.post("/conversations/99/notes", {"text": "x"}, key).status_code == 404
    with desk.open():
        assert StoredAnswer.objects.count() == 0


def test_two_callers_may_use_the_same_key(desk: Desk, api: Caller, case: Conversation) -> None:
    other = caller_of(desk, desk.person("Noor"))
    for each in (api, other):
        assert each.post("/conversations/1/notes", {"text": "x"}, {"idempotency-key": "1"}).status_code == 201
    assert len(desk.messages()) == 3


def test_after_a_day_a_key_is_new_again(desk: Desk, api: Caller, case: Conversation) -> None:
    key = {"idempotency-key": "k"}
    first = api.post("/conversations/1/resolve", None, key)
    with desk.open():
        StoredAnswer.objects.update(created_at=datetime.now(UTC) - timedelta(hours=25))
    assert "idempotency-replayed" not in api.post("/conversations/1/resolve", None, key).headers
    assert first.status_code == 200


A2 = {"account_id": 1, "role": "administrator", "is_staff": True, "password": "x", "sla_due": None, "created_at": "x"}


@pytest.mark.parametrize("field", sorted(A2))
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("replies", {"text": "x"}),
        ("notes", {"text": "x"}),
        ("labels", {"name": "x"}),
        ("snooze", {"until": "2030-01-01T00:00:00Z"}),
    ],
)
def test_a2_a_field_that_is_not_ours_is_refused(
    desk: Desk, api: Caller, case: Conversation, path: str, body: dict[str, Any], field: str
) -> None:
    with desk.open():
        before = Event.objects.count(), Message.objects.count()
    answer = api.post(f"/conversations/1/{path}", {**body, field: A2[field]})
    assert answer.status_code == 422
    with desk.open():
        assert (Event.objects.count(), Message.objects.count()) == before


def test_a3_a_reply_into_another_conversations_thread_finds_nothing(desk: Desk, api: Caller) -> None:
    inbox = desk.inbox()
    desk.receive(inbox, desk.event(), desk.event(place="bob", person={"id": "bob", "name": "Bob"}))
    foreign = api.get("/conversations/2").json()["threads"][0]["id"]
    answer = api.post("/conversations/1/replies", {"text": "x", "thread_id": foreign})
    assert answer.status_code == 404
    assert all(each.kind == "inbound" for each in desk.messages())


def test_a8_a_token_that_only_reads_changes_nothing(desk: Desk, boss: Membership, case: Conversation) -> None:
    reader = caller_of(desk, boss, ["conversations:read", "messages:read"])
    until = {"until": "2030-01-01T00:00:00Z"}
    for path, body in (("resolve", None), ("notes", {"text": "x"}), ("replies", {"text": "x"}), ("snooze", until)):
        answer = reader.post(f"/conversations/1/{path}", body)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:klankbord:problem:scope")
    assert now_of(desk, case).status == "open"


def test_a1_an_analysts_token_with_every_scope_still_only_reads(desk: Desk, case: Conversation) -> None:
    analyst = caller_of(desk, desk.person("Ana", Role.ANALYST))
    assert analyst.get("/conversations/1").status_code == 200
    assert analyst.post("/conversations/1/resolve").json()["type"] == "urn:klankbord:problem:role"


def test_a14_who_lost_an_inbox_changes_nothing_there_any_more(desk: Desk, case: Conversation) -> None:
    noor = caller_of(desk, desk.person("Noor"))
    assert noor.post("/conversations/1/resolve").status_code == 200
    with desk.open():
        Inbox.objects.update(is_open_to_all=False)
    assert noor.post("/conversations/1/reopen").status_code == 404
