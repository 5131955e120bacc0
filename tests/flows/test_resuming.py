"""An inbox that the platform shut out opens again only when the platform says yes."""

from __future__ import annotations

import pytest
from far_platform import FarPlatform, again, answer
from worlds import Request

from desk_builder import Desk
from klankbord.contract import Response, Unavailable
from klankbord.desk.conversations.models import Conversation
from klankbord.desk.errors import Invalid
from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import connect

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(desk: Desk) -> Membership:
    return desk.person("Ada", Role.ADMINISTRATOR)


@pytest.fixture
def broken(desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership) -> Inbox:
    """An inbox whose platform refused our signature, with one reply waiting."""
    platform.script = [Response(401, {}, b"")]
    answer(desk, conversation, "Morgen!", noor)
    platform.deliver()
    with desk.open():
        inbox: Inbox = Inbox.objects.get()
    assert inbox.state == InboxState.BROKEN
    return inbox


def greet(platform: FarPlatform, monkeypatch: pytest.MonkeyPatch, said: Response | Exception) -> None:
    """What the platform says from now on when it is asked whether it knows us."""
    others = platform._answer

    def answer_greetings(request: Request) -> Response:
        if b'"ping"' in (request.content or b""):
            if isinstance(said, Exception):
                raise said
            return said
        return others(request)

    monkeypatch.setattr(platform.http, "answer", answer_greetings)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Response(403, {}, b""), "Het andere systeem weigert onze handtekening (403)."),
        (Unavailable("No connection."), "Geen verbinding."),
    ],
    ids=["refused", "away"],
)
def test_a_broken_inbox_stays_shut_while_the_platform_refuses_and_says_what_it_answered(
    desk: Desk, platform: FarPlatform, broken: Inbox, ada: Membership, monkeypatch: pytest.MonkeyPatch,
    said: Response | Exception, sentence: str,
) -> None:  # fmt: skip
    greet(platform, monkeypatch, said)
    with desk.open(), pytest.raises(Invalid) as refusal:
        connect.resume(inbox=broken.id, by=ada, now=desk.now)
    assert sentence in refusal.value.sentence
    assert again(desk, broken).state == InboxState.BROKEN
    desk.later(minutes=5)
    assert platform.deliver() == 0


def test_a_broken_inbox_whose_platform_lets_us_in_again_sends_what_waited(
    desk: Desk, platform: FarPlatform, broken: Inbox, ada: Membership
) -> None:
    with desk.open():
        connect.resume(inbox=broken.id, by=ada, now=desk.now)
    assert again(desk, broken).state == InboxState.CONNECTED
    desk.later(minutes=1)
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Morgen!"]


def test_pausing_is_no_way_around_the_question(
    desk: Desk, platform: FarPlatform, broken: Inbox, ada: Membership
) -> None:
    with desk.open(), pytest.raises(Invalid):
        connect.pause(inbox=broken.id, reason="Even wachten", by=ada, now=desk.now)
    assert again(desk, broken).state == InboxState.BROKEN


def test_a_disconnected_inbox_is_asked_for_as_well(
    desk: Desk, platform: FarPlatform, ada: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = platform.inbox()
    with desk.open():
        connect.disconnect(inbox=inbox.id, by=ada, now=desk.now)
    greet(platform, monkeypatch, Response(401, {}, b""))
    with desk.open(), pytest.raises(Invalid):
        connect.resume(inbox=inbox.id, by=ada, now=desk.now)
    assert again(desk, inbox).state == InboxState.DISCONNECTED


def test_what_was_only_paused_goes_on_though_the_platform_is_away(
    desk: Desk, platform: FarPlatform, ada: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replies are tried again until it is back, as they are in every inbox."""
    inbox = platform.inbox()
    with desk.open():
        connect.pause(inbox=inbox.id, reason="Verhuizing", by=ada, now=desk.now)
    greet(platform, monkeypatch, Unavailable("No connection."))
    with desk.open():
        connect.resume(inbox=inbox.id, by=ada, now=desk.now)
    assert again(desk, inbox).state == InboxState.CONNECTED
