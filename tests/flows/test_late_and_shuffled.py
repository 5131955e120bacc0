"""A platform that repeats itself, mixes things up and comes an hour late: every message once, in its own order."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from books import counters_are_right, ledger_of, states_make_sense

from desk_builder import Desk

pytestmark = pytest.mark.django_db

PEOPLE, EACH = 10, 30


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_f18_repeated_mixed_up_and_late_messages_stand_once_and_in_the_platforms_order(desk: Desk, seed: int) -> None:
    chance, inbox = random.Random(seed), desk.inbox()
    start = desk.now - timedelta(hours=3)
    planned = []  # (when it comes, the event)
    for person in range(PEOPLE):
        for place in range(EACH):
            said_at = start + timedelta(seconds=PEOPLE * place + person)
            event = desk.event(
                place=f"k-{person}", person={"id": f"k-{person}"}, text=str(place), at=said_at.isoformat()
            )
            is_late = chance.random() < 0.1
            comes = said_at + (timedelta(hours=1) if is_late else timedelta(seconds=chance.uniform(0, 50)))
            planned += [(comes, event)] * (2 if chance.random() < 0.05 else 1)
    planned.sort(key=lambda each: each[0])
    for at in range(0, len(planned), 40):
        desk.now = planned[at][0] + timedelta(minutes=1)
        desk.receive(inbox, *[event for _, event in planned[at : at + 40]])
    assert len(desk.conversations()) == PEOPLE
    for conversation in desk.conversations():
        assert [message.text for message in desk.messages(conversation)] == [str(place) for place in range(EACH)]
        assert conversation.preview == str(EACH - 1)
        assert conversation.message_count == EACH
        assert conversation.waiting_since == min(_said(desk, conversation))
    assert ledger_of(desk)["duplicate"] == len(planned) - PEOPLE * EACH > 0
    counters_are_right(desk)
    states_make_sense(desk)


def _said(desk: Desk, conversation: object) -> list[datetime]:
    return [message.at for message in desk.messages(conversation)]  # type: ignore[arg-type]
