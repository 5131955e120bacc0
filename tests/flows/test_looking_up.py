"""A lost answer of a platform that can be asked what became of it: it arrived, it did not, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from benches.mastodon import said
from books import counters_are_right, states_make_sense
from far_platform import FarPlatform, again, answer
from test_outgoing import mention, polled
from worlds import Request

from desk_builder import Desk
from klankbord import channels
from klankbord.contract import Response, Uncertain
from klankbord.desk.conversations.models import Conversation, MessageState, Status
from klankbord.desk.organisations.models import Membership
from klankbord.flows.reply import try_again

pytestmark = pytest.mark.django_db

STATUS = "115480000000000001"


@pytest.fixture
def asked(desk: Desk, platform: FarPlatform, monkeypatch: pytest.MonkeyPatch) -> Conversation:
    """A question on a server that knows no keys, but shows what stands under a status."""
    kind = type(channels.channel("mastodon"))
    monkeypatch.setattr(kind, "capabilities", replace(kind.capabilities, takes_idempotency_key=False))
    inbox = platform.mastodon_inbox()
    [conversation] = desk.receive(inbox, polled(desk, platform, inbox, mention(STATUS, "mijn OV-kaart doet het niet")))
    return conversation


def lose_answers(platform: FarPlatform, monkeypatch: pytest.MonkeyPatch, *, takes: Callable[[int], bool]) -> None:
    """The connection breaks while a status is posted. takes: whether the server took it, by the attempt's number."""
    honest, attempts = platform.mastodon.answer, 0

    def breaking(request: Request) -> Response:
        nonlocal attempts
        if request.method != "POST":
            return honest(request)
        attempts += 1
        if takes(attempts):
            honest(request)
        raise Uncertain("The answer was lost.")

    monkeypatch.setattr(platform.mastodon, "answer", breaking)


def test_what_the_platform_does_not_have_was_not_delivered_and_may_be_sent_again(
    desk: Desk, platform: FarPlatform, asked: Conversation, noor: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        lose_answers(platform, broken, takes=lambda attempt: False)
        message = answer(desk, asked, "We kijken mee.", noor)
        platform.deliver_all(turns=1)
        desk.later(seconds=46)
        platform.sweep()
    failed = again(desk, message)
    assert failed.state == MessageState.FAILED
    assert failed.state_reason not in ("", "The answer was lost.")
    case = again(desk, asked)
    assert (case.has_trouble, case.status) == (True, Status.OPEN)
    with desk.open():
        try_again(message=message.id, by=noor, now=desk.now)
    platform.deliver_all()
    assert again(desk, message).state == MessageState.SENT
    assert len(platform.mastodon.posted) == 1
    counters_are_right(desk)
    states_make_sense(desk)


def test_what_the_platform_shows_only_a_little_later_is_not_called_undelivered(
    desk: Desk, platform: FarPlatform, asked: Conversation, noor: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our connection broke while the server was still at work: right afterwards its status is not there yet."""
    path = f"/api/v1/statuses/{STATUS}/context"
    lose_answers(platform, monkeypatch, takes=lambda attempt: True)
    platform.mastodon.answers[path] = said({"ancestors": [], "descendants": []})
    message = answer(desk, asked, "We kijken mee.", noor)
    platform.deliver_all(turns=1)
    assert again(desk, message).state == MessageState.SENDING
    del platform.mastodon.answers[path]
    desk.later(seconds=46)
    platform.sweep()
    assert again(desk, message).state == MessageState.SENT
    assert len(platform.mastodon.posted) == 1


def test_when_the_platform_cannot_be_asked_a_person_decides(
    desk: Desk, platform: FarPlatform, asked: Conversation, noor: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_answers(platform, monkeypatch, takes=lambda attempt: False)
    platform.mastodon.answers[f"/api/v1/statuses/{STATUS}/context"] = Response(503, {}, b"")
    message = answer(desk, asked, "We kijken mee.", noor)
    platform.deliver_all(turns=1)
    assert again(desk, message).state == MessageState.UNCERTAIN
