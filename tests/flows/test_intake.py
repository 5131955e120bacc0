"""From a delivery to a conversation: what a person would see of it."""

from __future__ import annotations

import pytest

from desk_builder import Desk
from klankbord.desk.conversations.models import Event, Status, Thread, ViewCounter
from klankbord.desk.inboxes.models import DeadLetter

pytestmark = pytest.mark.django_db


def test_a_customers_message_opens_a_conversation_that_waits(desk: Desk) -> None:
    inbox = desk.inbox()
    [conversation] = desk.receive(inbox, desk.event(text="Waar blijft mijn kast?"))
    assert conversation.number == 1
    assert conversation.status == Status.OPEN
    assert conversation.waiting_since == desk.now
    assert conversation.preview == "Waar blijft mijn kast?"
    with desk.open():
        assert [event.kind for event in Event.objects.order_by("id")] == ["conversation opened", "message received"]
        assert [(each.status, each.count) for each in ViewCounter.objects.all()] == [("open", 1)]


def test_a_burst_of_one_person_is_one_conversation(desk: Desk) -> None:
    inbox = desk.inbox()
    conversations = desk.receive(inbox, desk.event(text="Hoi"), desk.event(text="ben je daar"), desk.event(text="?"))
    assert len(conversations) == 1
    assert [message.text for message in desk.messages()] == ["Hoi", "ben je daar", "?"]
    assert conversations[0].message_count == 3


@pytest.mark.parametrize("times", [2, 100], ids=["W5-twice", "W5-hundredfold"])
def test_the_same_message_many_times_is_one_message(desk: Desk, times: int) -> None:
    inbox = desk.inbox()
    event = desk.event()
    desk.receive(inbox, *[event] * times)
    desk.receive(inbox, event)
    assert len(desk.messages()) == 1


def test_a_new_message_reopens_what_was_resolved_within_two_weeks(desk: Desk) -> None:
    from klankbord.flows import casework

    inbox, noor = desk.inbox(), desk.person("Noor")
    [first] = desk.receive(inbox, desk.event())
    with desk.open():
        casework.resolve(conversation=first.id, by=noor, now=desk.now)
    desk.later(days=13)
    [again] = desk.receive(inbox, desk.event(text="Toch niet opgelost"))
    assert again.id == first.id
    assert again.status == Status.OPEN


def test_after_two_weeks_it_is_a_new_conversation_linked_to_the_old(desk: Desk) -> None:
    from klankbord.flows import casework

    inbox, noor = desk.inbox(), desk.person("Noor")
    [first] = desk.receive(inbox, desk.event())
    with desk.open():
        casework.resolve(conversation=first.id, by=noor, now=desk.now)
    desk.later(days=15)
    old, new = desk.receive(inbox, desk.event(text="Weer hetzelfde"))
    assert old.status == Status.RESOLVED
    assert new.previous_id == first.id
    with desk.open():
        assert Thread.objects.filter(is_live=True).count() == 1


def test_w10_one_bad_item_in_a_thousand_leaves_999_messages_and_one_dead_letter(desk: Desk) -> None:
    inbox = desk.inbox()
    events = [desk.event(place=f"klant-{number}", person={"id": f"klant-{number}"}) for number in range(1000)]
    events[500] = {"type": "message", "id": ["geen", "id"], "text": 7}
    desk.receive(inbox, events)
    assert len(desk.messages()) == 999
    with desk.open():
        assert DeadLetter.objects.count() == 1
