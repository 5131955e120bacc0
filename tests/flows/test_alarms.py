"""An inbox that needs a person says so to administrators: by mail, once for each stretch of trouble, and on screen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from far_platform import FarPlatform, again, answer

from desk_builder import Desk
from errands import run_errands
from klankbord.contract import Response
from klankbord.desk.inboxes.models import Inbox, Poll
from klankbord.desk.inboxes.queries import is_unwell
from klankbord.desk.organisations.models import AuditLine, Membership, Role, User
from klankbord.flows import alarms, connect, polling
from roles import become_within

pytestmark = pytest.mark.django_db
REFUSED = Response(401, {}, b"")


@pytest.fixture
def ada(desk: Desk) -> Membership:
    return desk.person("Ada", Role.ADMINISTRATOR)


@pytest.fixture
def far(platform: FarPlatform, monkeypatch: pytest.MonkeyPatch) -> FarPlatform:
    monkeypatch.setattr("klankbord.flows.polling.wires", lambda: platform.wires)
    return platform


def letters(mailoutbox: list[Any]) -> list[tuple[str, str]]:
    """Who was told what since the last time."""
    run_errands()
    found = sorted((mail.to[0], mail.subject) for mail in mailoutbox)
    mailoutbox.clear()
    return found


def revoke(desk: Desk, platform: FarPlatform, noor: Membership, inbox: Inbox, replies: int = 3) -> None:
    conversation = desk.receive(inbox, desk.event())[-1]
    for number in range(replies):
        answer(desk, conversation, f"Antwoord {number}", noor)
    platform.script = [REFUSED] * replies
    platform.deliver_all()


def ask(desk: Desk, times: int = 1) -> None:
    """The worker asks platforms for news, as often as told, whenever it is time."""
    become_within("worker")
    for _ in range(times):
        desk.now = max(desk.now, Poll.objects.get().due_at)
        for due in polling.claim_due(now=desk.now):
            polling.poll(due, now=desk.now)
    become_within("app")


def test_o3_administrators_hear_at_once_that_an_inbox_broke_and_hear_it_once(
    desk: Desk, platform: FarPlatform, noor: Membership, ada: Membership, mailoutbox: list[Any]
) -> None:
    bas = desk.person("Bas", Role.ADMINISTRATOR)
    desk.person("Lea", Role.LEAD)
    User.objects.filter(id=bas.user_id).update(language="en")
    Desk("buren").person("Vreemde", Role.ADMINISTRATOR)
    inbox = platform.inbox()
    revoke(desk, platform, noor, inbox)
    desk.later(hours=3)
    platform.deliver_all()
    assert letters(mailoutbox) == [
        ("ada@wolk.example", "Webshop moet opnieuw verbonden worden"),
        ("bas@wolk.example", "Webshop must be reconnected"),
    ]
    with desk.open():
        line = AuditLine.objects.get(deed="inbox broke")
        assert (line.by, line.subject_id, line.facts) == (None, inbox.id, {"name": "Webshop"})


def test_a_mail_says_why_and_leads_to_the_inbox(
    desk: Desk, platform: FarPlatform, noor: Membership, ada: Membership, mailoutbox: list[Any], settings: Any
) -> None:
    inbox = platform.inbox()
    revoke(desk, platform, noor, inbox)
    run_errands()
    [mail] = mailoutbox
    assert f"{settings.PUBLIC_URL}/settings/inboxes/{inbox.id}" in mail.body
    assert "De reden:" in mail.body
    assert "Antwoord 0" not in mail.body


def test_they_hear_once_that_it_works_again_and_a_next_time_is_told_anew(
    desk: Desk, platform: FarPlatform, noor: Membership, ada: Membership, mailoutbox: list[Any]
) -> None:
    inbox = platform.inbox()
    revoke(desk, platform, noor, inbox)
    letters(mailoutbox)
    platform.script = []
    for _ in range(2):
        with desk.open():
            connect.reconnect(inbox=inbox.id, values={"reply_url": "https://partner.example/antwoorden"}, by=ada,
                              now=desk.now)  # fmt: skip
    assert letters(mailoutbox) == [("ada@wolk.example", "Webshop werkt weer")]
    revoke(desk, platform, noor, inbox, 1)
    assert letters(mailoutbox) == [("ada@wolk.example", "Webshop moet opnieuw verbonden worden")]


def test_what_a_person_does_on_purpose_alarms_nobody(
    desk: Desk, platform: FarPlatform, noor: Membership, ada: Membership, mailoutbox: list[Any]
) -> None:
    inbox = platform.inbox()
    with desk.open():
        connect.pause(inbox=inbox.id, reason="Verhuizing", by=ada, now=desk.now)
        connect.resume(inbox=inbox.id, by=ada, now=desk.now)
    assert letters(mailoutbox) == []
    revoke(desk, platform, noor, inbox)
    letters(mailoutbox)
    with desk.open():
        connect.disconnect(inbox=inbox.id, by=ada, now=desk.now)
    assert letters(mailoutbox) == []


def test_f22_a_token_that_is_refused_at_a_poll_alarms_as_well(
    desk: Desk, far: FarPlatform, ada: Membership, mailoutbox: list[Any]
) -> None:
    inbox = far.mastodon_inbox()
    far.mastodon.answers["/api/v1/notifications"] = REFUSED
    ask(desk)
    assert letters(mailoutbox) == [("ada@wolk.example", "Mastodon moet opnieuw verbonden worden")]
    assert is_unwell(again(desk, inbox))


def test_f23_a_platform_that_stays_away_is_told_after_a_quarter_and_once_and_so_is_its_return(
    desk: Desk, far: FarPlatform, ada: Membership, mailoutbox: list[Any]
) -> None:
    inbox, began = far.mastodon_inbox(), desk.now
    far.mastodon.answers["/api/v1/notifications"] = Response(503, {}, b"")
    ask(desk, alarms.UNREACHABLE_AFTER - 1)
    assert letters(mailoutbox) == []
    assert not is_unwell(again(desk, inbox))
    ask(desk)
    assert letters(mailoutbox) == [("ada@wolk.example", "Mastodon krijgt geen antwoord van zijn platform")]
    assert timedelta(minutes=10) < desk.now - began < timedelta(minutes=20)
    assert is_unwell(again(desk, inbox))
    ask(desk, 20)
    assert letters(mailoutbox) == []
    del far.mastodon.answers["/api/v1/notifications"]
    ask(desk, 3)
    assert letters(mailoutbox) == [("ada@wolk.example", "Mastodon werkt weer")]
    well = again(desk, inbox)
    assert (well.health["state"], well.state_reason, well.alarmed_at) == ("well", "", None)


def test_a_desk_without_mail_still_knows_that_it_alarmed(
    desk: Desk, platform: FarPlatform, noor: Membership, ada: Membership, mailoutbox: list[Any], settings: Any
) -> None:
    settings.DESK_MAIL = "none"
    inbox = platform.inbox()
    revoke(desk, platform, noor, inbox)
    assert letters(mailoutbox) == []
    assert again(desk, inbox).alarmed_at is not None
