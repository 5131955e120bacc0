"""Liking, and deleting what we posted: wished at once, done by a job, shown as it stands."""

from __future__ import annotations

import pytest
from far_platform import FarPlatform

from desk_builder import Desk
from klankbord.contract import Action, Response
from klankbord.desk.conversations.models import Message, MessageVersion
from klankbord.desk.errors import Invalid, NotAllowed
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import platform_acts

pytestmark = pytest.mark.django_db
STATUS = "115480000000000777"


@pytest.fixture
def noor(desk: Desk) -> Membership:
    return desk.person("Noor")


@pytest.fixture
def message(desk: Desk, platform: FarPlatform) -> Message:
    """A customer's public message on Mastodon, as it stands on the far server too."""
    inbox = platform.mastodon_inbox()
    status = {
        "id": STATUS, "visibility": "public", "content": "<p>Fijne bus!</p>", "created_at": desk.now.isoformat(),
        "account": {"id": "77", "acct": "anouk@fiets.example", "username": "anouk"}, "url": "https://toot.example/1",
    }  # fmt: skip
    platform.mastodon.statuses[STATUS] = status
    desk.receive(inbox, {"id": "1", "type": "mention", "created_at": desk.now.isoformat(), "status": status,
                         "account": status["account"]})  # fmt: skip
    return desk.messages()[-1]


def ask(desk: Desk, message: Message, by: Membership, action: Action = Action.LIKE, *, is_undone: bool = False) -> None:
    with desk.open():
        platform_acts.ask(message=message.id, action=action, is_undone=is_undone, by=by, now=desk.now)


def work(desk: Desk, platform: FarPlatform, message: Message) -> dict[str, object]:
    platform_acts.perform(organisation_id=desk.organisation.id, ids=[message.id], now=desk.now, wires=platform.wires)
    [found] = [each for each in desk.messages() if each.id == message.id]
    wishes: dict[str, object] = found.facts["acts"]
    return wishes


def test_a_like_is_wished_at_once_and_stands_on_the_platform_after_the_job(desk, platform, noor, message):
    ask(desk, message, noor)
    assert desk.messages()[-1].facts["acts"]["like"]["state"] == "waiting"
    assert work(desk, platform, message)["like"]["state"] == "done"
    assert platform.mastodon.favourites == {STATUS}
    ask(desk, message, noor, is_undone=True)
    work(desk, platform, message)
    assert platform.mastodon.favourites == set()


def test_a_job_that_runs_twice_asks_once(desk, platform, noor, message):
    ask(desk, message, noor)
    work(desk, platform, message)
    asked = len(platform.http.calls)
    work(desk, platform, message)
    assert len(platform.http.calls) == asked


def test_a_trouble_that_passes_is_waited_out_and_a_refusal_says_why(desk, platform, noor, message):
    ask(desk, message, noor)
    address = f"/api/v1/statuses/{STATUS}/favourite"
    platform.mastodon.answers[address] = Response(503, {}, b"")
    assert work(desk, platform, message)["like"]["state"] == "waiting"
    platform.mastodon.answers[address] = Response(422, {"content-type": "application/json"}, b'{"error": "Niet hier"}')
    wish = work(desk, platform, message)["like"]
    assert (wish["state"], "Niet hier" in wish["reason"]) == ("failed", True)


def test_what_never_works_is_given_up_with_its_reason(desk, platform, noor, message):
    ask(desk, message, noor)
    platform.mastodon.answers[f"/api/v1/statuses/{STATUS}/favourite"] = Response(503, {}, b"")
    states = [work(desk, platform, message)["like"]["state"] for _ in range(6)]
    assert states == ["waiting"] * 5 + ["failed"]


def test_a_message_of_ours_is_deleted_there_and_becomes_a_tombstone_here(desk, platform, noor, message):
    with desk.open():
        Message.objects.filter(id=message.id).update(kind="outbound", state="sent", author_kind="agent")
    ask(desk, message, noor, Action.DELETE_OWN)
    work(desk, platform, message)
    assert STATUS not in platform.mastodon.statuses
    gone = desk.messages()[-1]
    assert (gone.text, gone.deleted_at) == ("", desk.now)
    with desk.open():
        assert MessageVersion.objects.get().text == "Fijne bus!"


@pytest.mark.parametrize("action", [Action.HIDE, Action.DELETE, Action.DELETE_OWN])
def test_what_a_channel_cannot_is_neither_offered_nor_done(desk, platform, noor, message, action):
    assert platform_acts.offered(message, "mastodon") == [Action.LIKE]
    with pytest.raises(Invalid):
        ask(desk, message, noor, action)


def test_an_analyst_likes_nothing(desk, platform, message):
    with pytest.raises(NotAllowed):
        ask(desk, message, desk.person("Ana", Role.ANALYST))
