"""An edit, deletion or receipt that comes before its message waits for it, but not for ever."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from desk_builder import Desk
from klankbord.desk.conversations.models import EarlyChange
from klankbord.flows import clockwork
from roles import become_within

pytestmark = pytest.mark.django_db


def early_edit(desk: Desk) -> dict[str, object]:
    """An edit of a message that has not come; gives that message."""
    message = desk.event(text="Ik wacht op mijn ksat")
    desk.later(minutes=1)
    edit = {"type": "edit", "id": message["id"], "text": "Ik wacht op mijn kast", "at": desk.now.isoformat()}
    desk.receive(desk.inbox(), edit)
    return message


def keep_house(*, days: float) -> None:
    """The hourly upkeep, so many days after now (how long a change has waited is told by the real clock)."""
    become_within("worker")
    clockwork.keep_house(now=datetime.now(UTC) + timedelta(days=days), delivery_days=30)
    become_within("app")


def test_a_change_is_still_applied_when_its_message_comes_days_later(desk: Desk) -> None:
    message = early_edit(desk)
    with desk.open():
        inbox = EarlyChange.objects.select_related("inbox").get().inbox
    keep_house(days=6)
    desk.receive(inbox, message)
    assert [each.text for each in desk.messages()] == ["Ik wacht op mijn kast"]


def test_a_change_whose_message_never_came_is_gone_after_a_week_and_the_log_says_how_many(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    neighbours = Desk("naaf")
    early_edit(desk)
    early_edit(neighbours)
    with caplog.at_level(logging.INFO, logger="klankbord"):
        keep_house(days=8)
    for each in (desk, neighbours):
        with each.open():
            assert not EarlyChange.objects.exists()
    [said] = [record for record in caplog.records if "never came" in record.message]
    assert vars(said)["count"] == 2


def test_an_old_moment_on_the_platform_does_not_make_a_fresh_change_old(desk: Desk) -> None:
    """History brings edits of years ago, and their messages in the next delivery."""
    edit = {"type": "edit", "id": "m-oud", "text": "Anders", "at": (desk.now - timedelta(days=900)).isoformat()}
    desk.receive(desk.inbox(), edit)
    keep_house(days=1)
    with desk.open():
        assert EarlyChange.objects.count() == 1
