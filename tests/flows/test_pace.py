"""Where a platform wants time between two messages in one place, it gets it; other places need not wait for that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from far_platform import FarPlatform, answer, outbox

from desk_builder import Desk
from klankbord import channels
from klankbord.contract import SendRate
from klankbord.desk.organisations.models import Membership

pytestmark = pytest.mark.django_db


def want_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(channels.channel("api"))
    rate = SendRate(per_second=20.0, burst=50, per_place=5.0)
    monkeypatch.setattr(kind, "capabilities", replace(kind.capabilities, rate=rate))


@pytest.fixture
def five_seconds_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """The partner system wants five seconds between two messages to one person."""
    want_a_pace(monkeypatch)


def two_people(desk: Desk, platform: FarPlatform) -> list[Any]:
    return desk.receive(platform.inbox(), desk.event(), desk.event(place="bram", person={"id": "bram", "name": "Bram"}))


def taken(platform: FarPlatform) -> list[str]:
    return [each["text"] for each in platform.taken]


def test_two_messages_to_one_person_leave_as_far_apart_as_the_platform_wants(
    desk: Desk, platform: FarPlatform, noor: Membership, five_seconds_between: None
) -> None:
    anouk, _ = two_people(desk, platform)
    for text in ("Een", "Twee", "Drie"):
        answer(desk, anouk, text, noor)
    moments: dict[str, float] = {}
    start = desk.now
    for _ in range(40):
        platform.deliver()
        for text in taken(platform):
            moments.setdefault(text, (desk.now - start).total_seconds())
        desk.later(seconds=0.5)
    assert moments == {"Een": 0, "Twee": 5, "Drie": 10}


def test_who_waits_for_the_pace_of_one_place_holds_up_no_other(
    desk: Desk, platform: FarPlatform, noor: Membership, five_seconds_between: None
) -> None:
    anouk, bram = two_people(desk, platform)
    answer(desk, anouk, "Een", noor)
    platform.deliver()
    desk.later(seconds=1)
    answer(desk, anouk, "Twee", noor)
    answer(desk, bram, "Voor Bram", noor)
    platform.deliver()
    assert taken(platform) == ["Een", "Voor Bram"]


def test_a_message_that_was_written_just_after_another_left_waits_as_well(
    desk: Desk, platform: FarPlatform, noor: Membership, five_seconds_between: None
) -> None:
    anouk, _ = two_people(desk, platform)
    answer(desk, anouk, "Een", noor)
    platform.deliver()
    assert outbox(desk) == []
    desk.later(seconds=2)
    answer(desk, anouk, "Twee", noor)
    assert platform.deliver() == 0
    desk.later(seconds=3)
    assert platform.deliver() == 1


def test_a_pace_costs_no_statement_per_message_and_none_where_nobody_wants_it(
    desk: Desk, platform: FarPlatform, noor: Membership, statements: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spent(count: int) -> int:
        desk.later(minutes=1)
        names = [f"k-{desk.now.minute}-{number}" for number in range(count)]
        inbox = platform.inbox(f"Inbox {desk.now.minute}")
        desk.receive(inbox, [desk.event(place=name, person={"id": name}) for name in names])
        for conversation in desk.conversations()[-count:]:
            answer(desk, conversation, "Tot zo!", noor)
        desk.later(seconds=10)  # a new inbox begins with one token
        with statements() as seen:
            assert platform.deliver() == count
        return sum("sent_at" in each and each.startswith("UPDATE") for each in seen)

    assert spent(3) == 0
    want_a_pace(monkeypatch)
    assert (spent(2), spent(8)) == (1, 1)
