"""What platforms, partners and attackers throw at the intake: nothing is lost, doubled or held up by a neighbour."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from books import counters_are_right, ledger_of, states_make_sense
from django.db import OperationalError, connection

from desk_builder import Desk
from klankbord.desk.contacts.models import Contact, Handle
from klankbord.desk.conversations.models import Attachment, LiveEvent, Status
from klankbord.desk.inboxes.models import DeadLetter, Inbox
from klankbord.desk.organisations.models import Role
from klankbord.flows import connect, ledger
from roles import become_within

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("times", [2, 100], ids=["W5-twice", "W5-hundredfold"])
def test_the_same_delivery_many_times_is_one_message_and_the_rest_duplicates(desk: Desk, times: int) -> None:
    inbox, event = desk.inbox(), desk.event()
    [conversation] = desk.receive(inbox, *[event] * times)
    assert conversation.message_count == 1
    assert ledger_of(desk) == {
        "accepted": times, "message": 1, "change": 0, "duplicate": times - 1, "ignored": 0, "dead": 0, "waiting": 0,
    }  # fmt: skip


def test_w12_a_replay_after_ten_minutes_changes_nothing_and_answers_nobody_twice(desk: Desk) -> None:
    inbox, noor = desk.inbox(), desk.person("Noor", Role.ADMINISTRATOR)
    with desk.open():
        connect.change_settings(inbox=inbox.id, by=noor, now=desk.now, acknowledges=True, acknowledgement="Dank!")
    event = desk.event()
    [before] = desk.receive(inbox, event)
    desk.later(minutes=10)
    [after] = desk.receive(inbox, event)
    assert (after.message_count, after.waiting_since, after.status) == (2, before.waiting_since, Status.OPEN)
    assert [message.kind for message in desk.messages()].count("outbound") == 1
    assert ledger_of(desk)["duplicate"] == 1


def test_w7_the_same_message_under_two_sender_ids_is_one_message_of_one_contact(desk: Desk) -> None:
    inbox = desk.inbox()
    event = desk.event(person={"id": "31612345678@c.us", "name": "Anouk"})
    other = {**event, "person": {"id": "8123@lid", "name": "Anouk"}}
    desk.receive(inbox, event, other)
    desk.receive(inbox, other)
    assert len(desk.messages()) == 1
    with desk.open():
        assert (Contact.objects.count(), Handle.objects.count()) == (1, 1)
    assert ledger_of(desk)["duplicate"] == 2


# ------------------------------------------------------------------------------------------ changes out of order


def test_w9_an_edit_before_its_message_is_applied_when_the_message_comes(desk: Desk) -> None:
    inbox, message = desk.inbox(), desk.event(text="Ik wacht op mijn ksat")
    desk.later(minutes=1)
    edit = {"type": "edit", "id": message["id"], "text": "Ik wacht op mijn kast", "at": desk.now.isoformat()}
    desk.receive(inbox, edit)
    assert ledger_of(desk)["change"] == 1
    desk.receive(inbox, message)
    [found] = desk.messages()
    assert found.text == "Ik wacht op mijn kast"
    assert found.edited_at == desk.now
    assert ledger_of(desk)["message"] == 1


def test_w9_of_two_edits_the_newest_stands_whatever_the_order(desk: Desk) -> None:
    inbox, message = desk.inbox(), desk.event(text="een")
    edits = []
    for text in ("twee", "drie"):
        desk.later(minutes=1)
        edits.append({"type": "edit", "id": message["id"], "text": text, "at": desk.now.isoformat()})
    desk.receive(inbox, message)
    desk.receive(inbox, edits[1])
    desk.receive(inbox, edits[0])
    assert desk.messages()[0].text == "drie"


@pytest.mark.parametrize("order", ["message first", "deletion first", "all at once"])
def test_w9_a_deletion_leaves_a_tombstone_in_any_order_and_twice_is_once(desk: Desk, order: str) -> None:
    inbox, message = desk.inbox(), desk.event(text="Dit had ik niet moeten zeggen")
    desk.later(minutes=1)
    gone = {"type": "delete", "id": message["id"], "at": desk.now.isoformat()}
    batches: dict[str, list[list[Any]]] = {
        "message first": [[message], [gone], [gone]],
        "deletion first": [[gone], [gone], [message]],
        "all at once": [[gone, message, gone]],
    }
    for batch in batches[order]:
        desk.receive(inbox, batch)
    [found] = desk.messages()
    assert (found.text, found.deleted_at) == ("", desk.now)
    assert ledger_of(desk) == {
        "accepted": 3, "message": 1, "change": 2, "duplicate": 0, "ignored": 0, "dead": 0, "waiting": 0,
    }  # fmt: skip


def test_w9_a_withdrawn_message_is_no_longer_found_nor_shown_in_the_list(desk: Desk) -> None:
    inbox, noor, message = desk.inbox(), desk.person("Noor"), desk.event(text="mijn wachtwoord is stroopwafel")
    [conversation] = desk.receive(inbox, message)
    with desk.open():
        assert desk.found("stroopwafel", by=noor)
    desk.later(minutes=1)
    [conversation] = desk.receive(inbox, {"type": "delete", "id": message["id"]})
    with desk.open():
        assert desk.found("stroopwafel", by=noor) == []
    assert "stroopwafel" not in conversation.preview


def test_w9_an_edited_message_is_found_by_its_new_words_only(desk: Desk) -> None:
    inbox, noor, message = desk.inbox(), desk.person("Noor"), desk.event(text="een kapotte wafel")
    desk.receive(inbox, message)
    desk.later(minutes=1)
    [conversation] = desk.receive(inbox, {"type": "edit", "id": message["id"], "text": "een kapotte oven"})
    with desk.open():
        assert desk.found("wafel", by=noor) == []
        assert len(desk.found("oven", by=noor)) == 1
    assert conversation.preview == "een kapotte oven"


# ------------------------------------------------------------------------------------------ odd content


@pytest.mark.parametrize(
    ("moment", "remark"),
    [
        ("2026-11-15T08:00:00+00:00", "arrived-late"),
        ("2031-01-01T00:00:00Z", "time-in-future"),
        (0, "time-unclear"),
    ],
    ids=["W11-eight-days-old", "W11-future", "W11-epoch"],
)
def test_w11_an_impossible_moment_gives_way_to_the_moment_of_arrival(desk: Desk, moment: Any, remark: str) -> None:
    [conversation] = desk.receive(desk.inbox(), desk.event(at=moment))
    [message] = desk.messages()
    assert message.remarks == [remark]
    assert message.received_at == desk.now
    is_believed = remark == "arrived-late"
    assert message.at == (desk.now - timedelta(days=8) if is_believed else desk.now)
    assert conversation.waiting_since == message.at


def test_w11_milliseconds_are_not_the_year_58000(desk: Desk) -> None:
    desk.receive(desk.inbox(), desk.event(at=int(desk.now.timestamp() * 1000)))
    assert desk.messages()[0].at == desk.now


def test_w15_what_a_database_refuses_is_removed_from_every_field(desk: Desk) -> None:
    odd = "a\u0000b\ud800c"
    event = desk.event(
        text=odd, html=f"<p>{odd}</p>", person={"id": "1", "name": odd, "username": odd, "email": odd}, language=odd,
        attachments=[{"name": odd, "type": odd, "url": "https://x.example/a", "description": odd}],
        facts={"deep": [{odd: odd}]},
    )  # fmt: skip
    body = json.dumps({**event, "place": {"id": "p", "title": odd, "facts": {"x": odd}}}).encode()
    [conversation] = desk.receive(desk.inbox(), body)
    [message] = desk.messages()
    assert "\x00" not in message.text
    assert message.text.startswith("ab")
    assert "characters-removed" in message.remarks
    assert conversation.title.startswith("ab")
    with desk.open():
        assert Attachment.objects.get().name.startswith("ab")
    assert ledger_of(desk)["dead"] == 0


def test_w15_odd_characters_in_an_unknown_kind_stop_nothing(desk: Desk) -> None:
    desk.receive(desk.inbox(), desk.event(type="stem\u0000bus\ud800"), {"type": "\u0000", "id": "1"}, desk.event())
    assert ledger_of(desk)["waiting"] == 0
    assert len(desk.messages()) >= 1


@pytest.mark.parametrize(
    "name",
    ["Z" + "\u0301" * 1000, "👨‍👩‍👧‍👦" * 150, "ﷺ" * 5000, "x" * 100_000],
    ids=["zalgo", "families", "ligatures", "long"],
)
def test_u13_a_name_of_any_size_is_kept_as_far_as_it_fits(desk: Desk, name: str) -> None:
    [conversation] = desk.receive(
        desk.inbox(),
        {
            **desk.event(person={"id": "1", "name": name, "username": name}, text=name),
            "place": {"id": "p", "title": name},
        },
    )
    with desk.open():
        assert 0 < len(conversation.contact.name) <= 200
    assert ledger_of(desk)["dead"] == 0


def test_w16_an_unknown_kind_in_a_known_place_is_shown_as_not_supported_yet(desk: Desk) -> None:
    inbox = desk.inbox()
    desk.receive(inbox, desk.event())
    [conversation] = desk.receive(inbox, desk.event(type="poll vote", id=""), desk.event(type="poll vote", id=""))
    unsupported = [message for message in desk.messages() if "unsupported" in message.remarks]
    assert len(unsupported) == 2
    assert conversation.message_count == 3
    assert ledger_of(desk)["message"] == 3


def test_w16_an_unknown_kind_without_a_place_is_counted_with_its_name(desk: Desk) -> None:
    inbox = desk.inbox()
    desk.receive(inbox, {"type": "account.updated"})
    sums = ledger_of(desk)
    assert (sums["ignored"], sums["dead"]) == (1, 0)
    with desk.open():
        [row] = ledger.rows(inboxes={inbox.id}, since=desk.now.date())
        assert list(row.reasons) == ["unknown kind account.updated"]


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b"null", b"[[[]]]", b"\xff\xfe", b"[" * 100_000],
                         ids=lambda body: repr(body[:10]))  # fmt: skip
def test_w14_a_body_that_is_no_event_is_one_dead_letter_and_nothing_waits(desk: Desk, body: bytes) -> None:
    desk.receive(desk.inbox(), body, desk.event())
    sums = ledger_of(desk)
    assert (sums["message"], sums["waiting"]) == (1, 0)
    assert sums["dead"] + sums["ignored"] == 1
    with desk.open():
        assert bytes(DeadLetter.objects.get().body) == body


def test_w18_deliveries_for_a_disconnected_inbox_are_counted_as_such(desk: Desk) -> None:
    inbox, noor = desk.inbox(), desk.person("Noor", Role.ADMINISTRATOR)
    with desk.open():
        connect.disconnect(inbox=inbox.id, by=noor, now=desk.now)
    assert desk.receive(inbox, desk.event(), desk.event()) == []
    assert ledger_of(desk)["ignored"] == 2
    with desk.open():
        [row] = ledger.rows(inboxes={inbox.id}, since=desk.now.date())
        assert row.reasons == {"inbox disconnected": 2}


def test_deliveries_of_a_channel_that_is_no_longer_installed_hold_up_nobody(desk: Desk) -> None:
    gone, fine = desk.inbox("Verdwenen"), desk.inbox("Webshop")
    with desk.open():
        Inbox.objects.filter(id=gone.id).update(kind="uitgestorven", lane=fine.lane)
    gone.lane = fine.lane
    desk.deliver(gone, desk.event())
    desk.receive(fine, desk.event(text="Hallo?"))
    assert [message.text for message in desk.messages()] == ["Hallo?"]
    sums = ledger_of(desk)
    assert (sums["message"], sums["dead"], sums["waiting"]) == (1, 1, 0)


# ------------------------------------------------------------------------------------------ poison


def the_database_refuses_dutch() -> None:
    """As it would refuse a value that none of our checks foresaw."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ALTER TABLE conversations_message ADD CONSTRAINT no_dutch CHECK (language <> 'nl')")
    become_within("app")


def test_a_poisoned_item_stands_alone_in_the_dead_letters_and_its_neighbours_are_stored(
    desk: Desk,
) -> None:
    inbox = desk.inbox()
    events = [desk.event(place=f"klant-{number}", person={"id": f"klant-{number}"}) for number in range(40)]
    events[17]["language"] = "nl"
    with desk.open():
        # The database is told to refuse one message, as it would a value that none of our checks foresaw.
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE NONE")
            cursor.execute("ALTER TABLE conversations_message ADD CONSTRAINT no_dutch CHECK (language <> 'nl')")
    conversations = desk.receive(inbox, *events)
    assert len(conversations) == 39
    sums = ledger_of(desk)
    assert (sums["message"], sums["dead"]) == (39, 1)
    counters_are_right(desk)
    states_make_sense(desk)
    with desk.open():
        letter = DeadLetter.objects.get()
    assert json.loads(bytes(letter.body)) == events[17]
    assert letter.reason == "IntegrityError: the database refused it"


def test_a_dead_letter_is_processed_once_after_the_fix(desk: Desk) -> None:
    """F25."""
    lead = desk.person("Lea", Role.LEAD)
    inbox = desk.inbox()
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(kind="uitgestorven")
    desk.receive(inbox, desk.event(text="Eindelijk"))
    with desk.open():
        letter = DeadLetter.objects.get()
        assert ledger.retry(dead_letter=letter.id, by=lead, now=desk.now) == "dead"
    assert ledger_of(desk)["dead"] == 1
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(kind="api")
        assert ledger.retry(dead_letter=letter.id, by=lead, now=desk.now) == "message"
        from klankbord.desk.errors import NotFound

        with pytest.raises(NotFound):
            ledger.retry(dead_letter=letter.id, by=lead, now=desk.now)
    assert [message.text for message in desk.messages()] == ["Eindelijk"]
    sums = ledger_of(desk)
    assert (sums["accepted"], sums["message"], sums["dead"]) == (1, 1, 0)


def test_a_dead_letter_that_fails_again_says_why_and_the_books_stay_right(desk: Desk) -> None:
    lead, inbox = desk.person("Lea", Role.LEAD), desk.inbox()
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(kind="uitgestorven")
    desk.receive(inbox, b"not json")
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(kind="api")
        letter = DeadLetter.objects.get()
        assert ledger.retry(dead_letter=letter.id, by=lead, now=desk.now) == "dead"
        [letter] = ledger.dead_letters(inbox=None, by=lead)
        assert letter.reason.startswith("not JSON")
    assert ledger_of(desk)["dead"] == 1
    with desk.open():
        ledger.dismiss(dead_letter=letter.id, by=lead, now=desk.now)
    sums = ledger_of(desk)
    assert (sums["accepted"], sums["dead"], sums["ignored"]) == (1, 0, 1)


def test_a_whole_delivery_that_is_retried_leaves_its_bad_items_in_the_dead_letters(desk: Desk) -> None:
    lead, inbox = desk.person("Lea", Role.LEAD), desk.inbox()
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(kind="uitgestorven")
    desk.receive(inbox, [desk.event(), {"type": "message", "id": ["geen id"]}, desk.event()])
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(kind="api")
        ledger.retry(dead_letter=DeadLetter.objects.get().id, by=lead, now=desk.now)
    assert len(desk.messages()) == 2
    sums = ledger_of(desk)
    assert (sums["accepted"], sums["message"], sums["dead"]) == (3, 2, 1)
    with desk.open():
        letters = ledger.dead_letters(inbox=None, by=lead)
        assert [letter.position for letter in letters] == [1]
        assert ledger.retry(dead_letter=letters[0].id, by=lead, now=desk.now) == "dead"


def test_a_dismissed_dead_letter_is_ignored_in_the_books(desk: Desk) -> None:
    lead, inbox = desk.person("Lea", Role.LEAD), desk.inbox()
    desk.receive(inbox, b"not json")
    with desk.open():
        ledger.dismiss(dead_letter=DeadLetter.objects.get().id, by=lead, now=desk.now)
        assert ledger.dead_letters(inbox=None, by=lead) == []
    sums = ledger_of(desk)
    assert (sums["accepted"], sums["ignored"], sums["dead"]) == (1, 1, 0)


# ------------------------------------------------------------------------------------------ context and history


def test_our_own_post_is_context_and_never_work(desk: Desk) -> None:
    inbox = desk.inbox()
    post = desk.event(is_own=True, is_context=True, place="post-1", visibility="public", text="Actie!")
    assert desk.receive(inbox, post) == []
    assert ledger_of(desk)["ignored"] == 1
    [conversation] = desk.receive(inbox, desk.event(place="post-1", visibility="public", text="Duur hoor"))
    assert (conversation.status, conversation.preview) == (Status.OPEN, "Duur hoor")
    [conversation] = desk.receive(inbox, {**post, "id": "post-b", "text": "Nog een actie"})
    assert (conversation.status, conversation.waiting_since) == (Status.OPEN, desk.now)
    assert conversation.preview == "Duur hoor"
    states_make_sense(desk)


def test_history_comes_in_silently(desk: Desk) -> None:
    inbox, noor = desk.inbox(), desk.person("Noor", Role.ADMINISTRATOR)
    with desk.open():
        connect.change_settings(inbox=inbox.id, by=noor, now=desk.now, acknowledges=True, acknowledgement="Dank!")
    desk.deliver(inbox, desk.event(), desk.event(place="b", person={"id": "b"}), is_history=True)
    desk.take_in()
    conversations = desk.conversations()
    assert [(each.status, each.waiting_since) for each in conversations] == [(Status.PENDING, None)] * 2
    assert all(message.kind == "inbound" for message in desk.messages())
    counters_are_right(desk)
    states_make_sense(desk)
    assert ledger_of(desk)["message"] == 2


def test_history_does_not_touch_a_conversation_that_is_alive(desk: Desk) -> None:
    """An imported older message must not take somebody who waits out of the queue."""
    inbox = desk.inbox()
    [before] = desk.receive(inbox, desk.event(text="Wie helpt mij?"))
    old = desk.event(text="Vraag van vorig jaar", at=(desk.now - timedelta(days=300)).isoformat())
    own = desk.event(text="Antwoord van vorig jaar", at=(desk.now - timedelta(days=299)).isoformat(), is_own=True)
    desk.deliver(inbox, old, own, is_history=True)
    desk.take_in()
    [after] = desk.conversations()
    assert (after.status, after.waiting_since) == (Status.OPEN, before.waiting_since)
    assert after.preview == "Wie helpt mij?"
    assert after.message_count == 3
    counters_are_right(desk)


def test_history_does_not_reopen_what_was_resolved(desk: Desk) -> None:
    from klankbord.flows import casework

    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, desk.event())
    with desk.open():
        casework.resolve(conversation=conversation.id, by=noor, now=desk.now)
    desk.deliver(inbox, desk.event(at=(desk.now - timedelta(days=3)).isoformat()), is_history=True)
    desk.take_in()
    assert [each.status for each in desk.conversations()] == [Status.RESOLVED]
    counters_are_right(desk)
    states_make_sense(desk)


# ------------------------------------------------------------------------------------------ in batches


def many(desk: Desk, count: int) -> list[dict[str, Any]]:
    """Messages of as many new people as old ones."""
    places = [f"klant-{number % max(1, count * 2 // 3)}" for number in range(count)]
    return [desk.event(place=place, person={"id": place, "name": place}) for place in places]


def mixed(desk: Desk, count: int) -> list[dict[str, Any]]:
    """Messages, edits, deletions, receipts and duplicates."""
    events = many(desk, count)
    for start in range(0, count - 6, 6):
        first, second = events[start], events[start + 1]
        events[start + 2] = {"type": "edit", "id": first["id"], "text": "anders"}
        events[start + 3] = {"type": "delete", "id": second["id"]}
        events[start + 4] = {"type": "receipt", "id": first["id"], "state": "read"}
        events[start + 5] = second
    return events


def statements_for(desk: Desk, statements: Any, inbox: Inbox, events: list[dict[str, Any]]) -> int:
    """How many statements one batch took, without what only this test does (roles, the outer transaction)."""
    desk.deliver(inbox, *events)
    with statements() as seen:
        desk.take_in()
    not_counted = ("RESET ROLE", "SET LOCAL ROLE", "WITH RECURSIVE lanes", "SAVEPOINT", "RELEASE SAVEPOINT")
    own = [each for each in seen if not each.strip().startswith(not_counted)]
    return len([each for each in own if not each.endswith("= ''")])


def test_the_number_of_statements_does_not_grow_with_the_batch(desk: Desk, statements: Any) -> None:
    inbox = desk.inbox()
    counts = {size: statements_for(desk, statements, inbox, many(desk, size)) for size in (1, 50, 500)}
    assert max(counts.values()) <= 25, counts
    assert counts[50] <= 0.5 * 50
    counters_are_right(desk)
    assert ledger_of(desk)["message"] == 551


def test_edits_deletions_and_receipts_are_changed_as_sets_too(desk: Desk, statements: Any) -> None:
    inbox = desk.inbox()
    desk.receive(inbox, *many(desk, 10))
    counts = {size: statements_for(desk, statements, inbox, mixed(desk, size)) for size in (100, 200, 500)}
    assert counts[100] == counts[200] == counts[500], counts
    assert counts[100] <= 0.5 * 100
    counters_are_right(desk)
    ledger_of(desk)


def test_the_number_of_statements_does_not_grow_with_the_agents(desk: Desk, statements: Any) -> None:
    inbox = desk.inbox()
    desk.receive(inbox, *many(desk, 20))
    before = statements_for(desk, statements, inbox, many(desk, 20))
    for number in range(30):
        desk.person(f"Agent{number}")
    assert statements_for(desk, statements, inbox, many(desk, 20)) == before


def test_acknowledging_a_whole_batch_does_not_ask_for_a_statement_each(desk: Desk, statements: Any) -> None:
    inbox, noor = desk.inbox(), desk.person("Noor", Role.ADMINISTRATOR)
    with desk.open():
        connect.change_settings(inbox=inbox.id, by=noor, now=desk.now, acknowledges=True, acknowledgement="Dank!")
    events = [desk.event(place=f"k-{number}", person={"id": f"k-{number}"}) for number in range(100)]
    few = statements_for(desk, statements, inbox, events[:10])
    assert statements_for(desk, statements, inbox, events[10:]) == few
    assert [message.kind for message in desk.messages()].count("outbound") == 100
    states_make_sense(desk)
    counters_are_right(desk)


def test_open_screens_are_told_once_for_a_whole_batch(desk: Desk) -> None:
    inbox = desk.inbox()
    with desk.open():
        before = LiveEvent.objects.count()
    desk.receive(inbox, *many(desk, 200))
    assert LiveEvent.objects.count() == before + 1


def test_what_waits_is_counted_as_waiting(desk: Desk) -> None:
    inbox = desk.inbox()
    desk.deliver(inbox, desk.event(), [desk.event(), desk.event()])
    assert ledger_of(desk)["waiting"] == 2
    desk.take_in()
    assert ledger_of(desk)["message"] == 3


def the_database_gives_up_on_dutch(code: str) -> None:
    """As it does on a row that is too large for an index, or that takes longer than a statement may."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(
            "CREATE FUNCTION no_dutch() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$BEGIN RAISE EXCEPTION 'too much' USING ERRCODE = '{code}'; END$$"
        )
        cursor.execute(
            "CREATE TRIGGER no_dutch BEFORE INSERT ON conversations_message FOR EACH ROW"
            " WHEN (NEW.language = 'nl') EXECUTE FUNCTION no_dutch()"
        )
    become_within("app")


@pytest.mark.parametrize("code", ["54000", "57014"], ids=["too-large", "too-slow"])
def test_an_item_on_which_the_database_gives_up_is_tried_some_times_and_then_a_dead_letter(
    desk: Desk, code: str
) -> None:
    inbox = desk.inbox()
    events = [desk.event(place=f"klant-{number}", person={"id": f"klant-{number}"}) for number in range(12)]
    events[7]["language"] = "nl"
    the_database_gives_up_on_dutch(code)
    desk.deliver(inbox, *events)
    for _ in range(6):
        desk.take_in()
        desk.later(seconds=10)
    assert len(desk.messages()) == 11
    sums = ledger_of(desk)
    assert (sums["message"], sums["dead"], sums["waiting"]) == (11, 1, 0)
    counters_are_right(desk)
    with desk.open():
        letter = DeadLetter.objects.get()
    assert json.loads(bytes(letter.body)) == events[7]
    assert letter.reason == "OperationalError: the database refused it"


@pytest.mark.parametrize("code", ["57014"])
def test_what_the_database_gives_up_on_once_is_no_dead_letter(desk: Desk, code: str) -> None:
    """A statement that was too slow because of a neighbour is not the item's fault."""
    inbox = desk.inbox()
    the_database_gives_up_on_dutch(code)
    desk.deliver(inbox, desk.event(language="nl", text="Hallo?"))
    desk.take_in()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("DROP TRIGGER no_dutch ON conversations_message")
    become_within("app")
    desk.later(seconds=10)
    desk.take_in()
    assert [message.text for message in desk.messages()] == ["Hallo?"]
    assert ledger_of(desk)["dead"] == 0


@pytest.mark.parametrize("code", ["40001", "40P01", "53200", "57P01", "08006"])
def test_what_is_the_databases_own_trouble_is_never_a_dead_letter(desk: Desk, code: str) -> None:
    inbox = desk.inbox()
    the_database_gives_up_on_dutch(code)
    desk.deliver(inbox, desk.event(language="nl"))
    for _ in range(6):
        with pytest.raises(OperationalError):
            desk.take_in()
        desk.later(seconds=10)
    sums = ledger_of(desk)
    assert (sums["dead"], sums["waiting"]) == (0, 1)
