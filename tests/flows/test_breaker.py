"""A platform that keeps failing is left alone for a while, then asked once, and has its inbox back when it answers."""

from __future__ import annotations

from typing import Any

import pytest
from far_platform import FarPlatform, answer

from desk_builder import Desk
from klankbord.contract import Response
from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.organisations.models import Membership
from klankbord.flows.sendgate import BREAKER_FAILURES, BREAKER_PAUSE

pytestmark = pytest.mark.django_db

ILL = Response(503, {}, b"<h1>Service unavailable</h1>")
RESTED = BREAKER_PAUSE.total_seconds() + 1


def answer_crowd(desk: Desk, inbox: Inbox, by: Membership, *, people: int) -> None:
    """As many replies to different people wait to be sent, and the inbox has saved enough tokens for all of them."""
    names = [f"{inbox.name}-{number}" for number in range(people)]
    desk.receive(inbox, [desk.event(place=name, person={"id": name, "name": name}) for name in names])
    for conversation in desk.conversations():
        if conversation.inbox_id == inbox.id:
            answer(desk, conversation, f"Aan {inbox.name}", by)
    desk.later(seconds=10)


def fail_until_it_opens(desk: Desk, platform: FarPlatform, inbox: Inbox, by: Membership) -> int:
    """Ten replies meet an ill platform; gives how many attempts it saw before it was left alone."""
    platform.script = [ILL] * 1000
    answer_crowd(desk, inbox, by, people=10)
    for _ in range(20):
        platform.deliver()
        desk.later(seconds=1)
    return len(platform.offered)


def test_after_some_failures_in_a_row_the_platform_is_left_alone(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    offered = fail_until_it_opens(desk, platform, platform.inbox(), noor)
    assert offered >= BREAKER_FAILURES
    desk.later(seconds=RESTED - 22)
    assert platform.deliver() == 0
    assert len(platform.offered) == offered


def test_after_its_rest_one_is_tried_and_when_that_fails_the_rest_begins_anew(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    offered = fail_until_it_opens(desk, platform, platform.inbox(), noor)
    for tried in (1, 2, 3):
        desk.later(seconds=RESTED)
        platform.deliver()
        assert platform.deliver() == 0
        assert len(platform.offered) == offered + tried


def test_while_the_one_try_is_under_way_no_second_is_made(desk: Desk, platform: FarPlatform, noor: Membership) -> None:
    fail_until_it_opens(desk, platform, platform.inbox(), noor)
    desk.later(seconds=RESTED)
    meanwhile: list[int] = []

    def look_while_it_takes_its_time(request: Any) -> Response:
        meanwhile.append(platform.deliver())
        return platform.take(request)

    platform.script = [look_while_it_takes_its_time]
    assert platform.deliver() == 1
    assert meanwhile == [0]


def test_when_the_one_try_arrives_all_the_others_follow(desk: Desk, platform: FarPlatform, noor: Membership) -> None:
    inbox = platform.inbox()
    fail_until_it_opens(desk, platform, inbox, noor)
    desk.later(minutes=10)  # by then each reply is due again
    platform.script = []
    assert platform.deliver() == 1
    assert platform.deliver() == 9
    assert len(platform.taken) == 10
    with desk.open():
        assert Inbox.objects.get(id=inbox.id).state == InboxState.CONNECTED


def test_an_ill_platform_does_not_stop_the_replies_of_another_inbox(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    ill, well = platform.inbox("Ziek"), platform.inbox("Gezond")
    fail_until_it_opens(desk, platform, ill, noor)
    platform.script = [lambda request: ILL if b"Aan Ziek" in (request.content or b"") else platform.take(request)] * 9
    answer_crowd(desk, well, noor, people=3)
    platform.deliver()
    assert {reply["text"] for reply in platform.taken} == {"Aan Gezond"}
    assert len(platform.taken) == 3
