"""Two workers, two agents, two clicks in the same instant: real connections, real locks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from books import counters_are_right, ledger_of, states_make_sense
from django.db import connection
from far_platform import answer

from desk_builder import Desk
from klankbord.desk.contacts.models import Contact, Handle
from klankbord.desk.conversations.models import Conversation, Message
from klankbord.desk.errors import NotWaiting
from klankbord.desk.inboxes import deliveries
from klankbord.desk.inboxes.models import Inbox
from klankbord.flows import casework
from klankbord.flows.intake import take_in_lane
from klankbord.flows.reply import write_note
from roles import become

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> Iterator[Desk]:
    yield Desk()
    become("app")


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run each in a thread with a connection of its own, all starting together; gives results or errors in order."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        start.wait(timeout=20)
        try:
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def take_in_side_by_side(desk: Desk, workers: int) -> None:
    """Several workers until nothing waits, each going round the lanes in its own order."""

    def work(place: int) -> None:
        for _ in range(500):
            lanes = deliveries.waiting_lanes()
            if not lanes:
                return
            turn = place % len(lanes)
            for lane in [*lanes[turn:], *lanes[:turn]]:
                take_in_lane(lane, now=desk.now, limit=25)

    become("worker")
    try:
        found = at_once(*[lambda place=place: work(place) for place in range(workers)])
        assert found == [None] * workers
    finally:
        become("app")


def acknowledging(desk: Desk, name: str, lane: int) -> Inbox:
    inbox = desk.inbox(name)
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(acknowledges=True, acknowledgement="Dank!", lane=lane)
    inbox.lane = lane
    return inbox


def test_w6_the_same_delivery_fifty_times_at_once_is_one_message_and_one_acknowledgement(desk: Desk) -> None:
    inbox = acknowledging(desk, "Webshop", 1)
    event = desk.event()
    for _ in range(50):
        desk.deliver(inbox, event)
    take_in_side_by_side(desk, 4)
    assert sorted(message.kind for message in desk.messages()) == ["inbound", "outbound"]
    sums = ledger_of(desk)
    assert (sums["message"], sums["duplicate"], sums["waiting"]) == (1, 49, 0)


def test_w6_the_same_people_in_two_inboxes_at_once_are_one_contact_each_and_thanked_once(desk: Desk) -> None:
    one, other = acknowledging(desk, "Webshop", 1), acknowledging(desk, "Winkel", 2)
    names = [f"k-{number}" for number in range(100)]

    def everybody_writes() -> None:
        for inbox, order in ((one, names), (other, names[::-1])):
            desk.deliver(
                inbox, *[desk.event(place=f"{inbox.name} {name} {desk.now}", person={"id": name}) for name in order]
            )
        take_in_side_by_side(desk, 2)

    everybody_writes()
    with desk.open():
        assert (Contact.objects.count(), Handle.objects.count()) == (100, 100)
        assert Conversation.objects.count() == 200
        assert Message.objects.filter(kind="outbound").count() == 100
    desk.later(hours=25)
    everybody_writes()  # now that the contacts are known already
    with desk.open():
        assert Handle.objects.count() == 100
        assert Message.objects.filter(kind="outbound").count() == 200
    assert ledger_of(desk)["message"] == 400
    counters_are_right(desk)
    states_make_sense(desk)


def test_i4_a_conversation_keeps_its_order_with_several_workers(desk: Desk) -> None:
    inbox = desk.inbox()
    for number in range(120):
        desk.later(seconds=1)
        desk.deliver(inbox, desk.event(place=f"k-{number % 3}", person={"id": f"k-{number % 3}"}, text=str(number)))
    take_in_side_by_side(desk, 4)
    for conversation in desk.conversations():
        words = [int(message.text) for message in desk.messages(conversation)]
        assert words == sorted(words)
        assert conversation.preview == str(words[-1])
    counters_are_right(desk)
    assert ledger_of(desk)["message"] == 120


def test_of_two_agents_who_claim_at_once_one_has_it_and_the_other_hears_so(desk: Desk) -> None:
    [conversation] = _received(desk)
    agents = [desk.person(name) for name in ("Noor", "Sem", "Bo", "Kim")]

    def claim(agent: Any) -> Any:
        with desk.open():
            return casework.claim(conversation=conversation.id, by=agent, now=desk.now).owner_id

    found = at_once(*[lambda agent=agent: claim(agent) for agent in agents])
    refused = [each for each in found if isinstance(each, NotWaiting)]
    [winner] = [each for each in found if not isinstance(each, Exception)]
    assert len(refused) == 3
    with desk.open():
        assert Conversation.objects.get().owner_id == winner
    counters_are_right(desk)


def test_u17_two_clicks_in_the_same_instant_are_one_reply_and_one_note(desk: Desk) -> None:
    [conversation] = _received(desk)
    noor = desk.person("Noor")
    replies = at_once(*[lambda: answer(desk, conversation, "Morgen!", noor, client_key="klik").id] * 4)
    assert len(set(replies)) == 1

    def note() -> Any:
        with desk.open():
            return write_note(conversation=conversation.id, text="Let op", by=noor, now=desk.now, client_key="n").id

    assert len(set(at_once(*[note] * 4))) == 1
    assert sorted(message.kind for message in desk.messages()) == ["inbound", "note", "outbound"]
    counters_are_right(desk)


def _received(desk: Desk) -> list[Conversation]:
    desk.deliver(desk.inbox(), desk.event())
    take_in_side_by_side(desk, 1)
    return desk.conversations()
