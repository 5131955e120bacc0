"""A storm of our own making stops by itself: nothing beyond the limit leaves, nothing is lost, a person decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from far_platform import FarPlatform, again, answer

from desk_builder import Desk
from errands import run_errands
from klankbord.contract import AuthorKind, Response
from klankbord.desk.conversations.models import Message, Outbox, Thread
from klankbord.desk.inboxes.models import Inbox, InboxState, SendHabit
from klankbord.desk.inboxes.queries import is_unwell
from klankbord.desk.organisations.models import AuditLine, Role
from klankbord.desk.rows import run
from klankbord.flows import connect
from klankbord.flows.governor import FEW
from klankbord.flows.sending import queue_automatic_all

pytestmark = pytest.mark.django_db


def crowd(desk: Desk, inbox: Inbox, count: int) -> list[Any]:
    """As many people as wrote to this inbox."""
    for start in range(0, count, 500):
        names = [f"k-{start + number}" for number in range(min(500, count - start))]
        desk.deliver(inbox, [desk.event(place=name, person={"id": name}) for name in names])
    desk.take_in()
    with desk.open():
        return list(Thread.objects.filter(inbox_id=inbox.id).order_by("id").values_list("id", flat=True))


def answer_all(desk: Desk, threads: list[Any]) -> None:
    with desk.open():
        queue_automatic_all(dict.fromkeys(threads, "Wij zijn gesloten."), author_kind=AuthorKind.SYSTEM,
                            now=desk.now)  # fmt: skip


def storm(desk: Desk, platform: FarPlatform, turns: int = 1000) -> None:
    """Deliver at the platform's own pace until nothing more leaves."""
    idle = 0
    for _ in range(turns):
        idle = 0 if platform.deliver() else idle + 1
        desk.later(seconds=2)
        if idle == 3:
            break


def usual(desk: Desk, inbox: Inbox, *, count: int, days_ago: float = 2) -> None:
    hour = (desk.now - timedelta(days=days_ago)).replace(minute=0, second=0, microsecond=0)
    with desk.open():
        SendHabit.objects.create(inbox=inbox, hour=hour, count=count, is_automatic=True)


def waiting(desk: Desk) -> int:
    with desk.open():
        return int(Outbox.objects.filter(state="queued").count())


def test_a_storm_of_automatic_replies_stops_at_the_threshold_and_nothing_is_lost(
    desk: Desk, platform: FarPlatform
) -> None:
    inbox, ada = platform.inbox(), desk.person("Ada", Role.ADMINISTRATOR)
    answer_all(desk, crowd(desk, inbox, 190))
    storm(desk, platform)
    assert len(platform.taken) == FEW
    assert waiting(desk) == 190 - FEW
    stopped = again(desk, inbox)
    assert stopped.state == InboxState.PAUSED
    assert is_unwell(stopped)
    assert str(FEW) in stopped.state_reason
    with desk.open():
        line = AuditLine.objects.get(deed="sending stopped by itself")
        assert (line.by, line.subject_id) == (None, inbox.id)
    times_resumed = 0
    while waiting(desk):
        with desk.open():
            connect.resume(inbox=inbox.id, by=ada, now=desk.now)
        times_resumed += 1
        storm(desk, platform)
        assert times_resumed < 5
    assert len({reply["id"] for reply in platform.taken}) == len(platform.taken) == 190
    assert times_resumed == 2  # each time a person says go on, five times as much is usual


def test_twenty_thousand_queued_mails_stop_at_the_threshold(desk: Desk, platform: FarPlatform) -> None:
    inbox = platform.inbox()
    [thread] = crowd(desk, inbox, 1)
    answer_all(desk, [thread])
    with desk.open():
        # One reply multiplied in the database, each in a lane of its own, as a wrong rule would queue them.
        run(
            """WITH copies AS (SELECT gen_random_uuid() AS id FROM generate_series(1, 19999)),
                    kept AS (
               INSERT INTO conversations_message (id, organisation_id, conversation_id, thread_id, inbox_id, kind,
                      visibility, author_kind, author_name, text, html, quoted, at, received_at, in_reply_to, state,
                      state_reason, language, is_automatic, is_history, keeps_open, remarks, also_to, facts)
               SELECT c.id, organisation_id, conversation_id, thread_id, inbox_id, kind, visibility, author_kind, '',
                      text, '', '', at, received_at, '', state, '', '', true, false, false, '[]', '[]', '{}'
                 FROM conversations_message, copies c WHERE kind = 'outbound')
               INSERT INTO conversations_outbox (id, organisation_id, inbox_id, thread_id, state, due_at, attempts,
                      is_automatic, queued_at)
               SELECT c.id, o.organisation_id, o.inbox_id, gen_random_uuid(), o.state, o.due_at, 0, true, o.queued_at
                 FROM conversations_outbox o, copies c"""
        )
    assert waiting(desk) == 20_000
    storm(desk, platform)
    assert len(platform.taken) == FEW
    assert waiting(desk) == 20_000 - FEW


def test_what_is_usual_for_an_inbox_is_no_storm(desk: Desk, platform: FarPlatform) -> None:
    inbox = platform.inbox()
    usual(desk, inbox, count=20)
    answer_all(desk, crowd(desk, inbox, 100))
    storm(desk, platform)
    assert len(platform.taken) == 100
    assert again(desk, inbox).state == InboxState.CONNECTED


def test_what_was_usual_a_month_ago_is_forgotten(desk: Desk, platform: FarPlatform) -> None:
    inbox = platform.inbox()
    usual(desk, inbox, count=1000, days_ago=15)
    answer_all(desk, crowd(desk, inbox, 60))
    storm(desk, platform)
    assert len(platform.taken) == FEW


def stopped(desk: Desk, platform: FarPlatform) -> Inbox:
    """An inbox whose automatic messages were stopped, with some of them waiting."""
    inbox = platform.inbox()
    answer_all(desk, crowd(desk, inbox, FEW + 10))
    storm(desk, platform)
    assert again(desk, inbox).state == InboxState.PAUSED
    platform.taken.clear()
    return inbox


def test_replies_by_hand_still_go_out_while_automatic_messages_wait(desk: Desk, platform: FarPlatform) -> None:
    """Also to somebody whom an automatic message still waits for."""
    stopped(desk, platform)
    noor = desk.person("Noor")
    for conversation in desk.conversations():
        answer(desk, conversation, "Ik zoek het uit!", noor)
    storm(desk, platform)
    assert [reply["text"] for reply in platform.taken] == ["Ik zoek het uit!"] * (FEW + 10)
    assert waiting(desk) == 10


def test_the_screen_says_that_what_people_type_still_goes_out(desk: Desk, platform: FarPlatform) -> None:
    inbox = again(desk, stopped(desk, platform))
    assert inbox.sends_by_hand
    with translation.override("nl"):
        chip = " ".join(render_to_string("web/_inbox_state.html", {"inbox": inbox}).split())
    assert chip == "verstuurt alleen wat mensen typen"


def test_what_a_person_paused_is_paused_for_everybody(desk: Desk, platform: FarPlatform) -> None:
    inbox, ada = stopped(desk, platform), desk.person("Ada", Role.ADMINISTRATOR)
    with desk.open():
        connect.pause(inbox=inbox.id, reason="Ik zoek het uit", by=ada, now=desk.now)
    answer(desk, desk.conversations()[0], "Tot zo!", desk.person("Noor"))
    storm(desk, platform)
    assert platform.taken == []


def test_people_are_never_taken_for_a_storm(desk: Desk, platform: FarPlatform) -> None:
    inbox, noor = platform.inbox(), desk.person("Noor")
    crowd(desk, inbox, 3 * FEW)
    for conversation in desk.conversations():
        answer(desk, conversation, "Tot zo!", noor)
    storm(desk, platform)
    assert len(platform.taken) == 3 * FEW
    assert again(desk, inbox).state == InboxState.CONNECTED


def test_an_automatic_reply_that_is_tried_again_and_again_counts_once(desk: Desk, platform: FarPlatform) -> None:
    inbox = platform.inbox()
    platform.script = [Response(503, {}, b"")] * 5
    answer_all(desk, crowd(desk, inbox, 1))
    for _ in range(8):
        platform.deliver()
        desk.later(minutes=5)
    assert len(platform.offered) == 6
    with desk.open():
        assert sum(habit.count for habit in SendHabit.objects.all()) == 1


def test_another_inbox_goes_on_while_one_is_stopped(desk: Desk, platform: FarPlatform) -> None:
    stormy, calm = platform.inbox("Storm"), platform.inbox("Kalm")
    answer_all(desk, crowd(desk, stormy, 60))
    answer_all(desk, crowd(desk, calm, 5))
    storm(desk, platform)
    assert len(platform.taken) == FEW + 5
    assert again(desk, calm).state == InboxState.CONNECTED


def test_importing_history_sends_nothing(desk: Desk, platform: FarPlatform) -> None:
    inbox, ada = platform.inbox(), desk.person("Ada", Role.ADMINISTRATOR)
    with desk.open():
        connect.change_settings(inbox=inbox.id, by=ada, now=desk.now, acknowledges=True, acknowledgement="Dank!")
    desk.deliver(inbox, *[desk.event(place=f"k-{n}", person={"id": f"k-{n}"}) for n in range(200)], is_history=True)
    desk.take_in()
    storm(desk, platform)
    assert platform.offered == []
    with desk.open():
        assert not Message.objects.filter(kind="outbound").exists()


def test_a_storm_that_was_stopped_is_told_to_administrators_once(
    desk: Desk, platform: FarPlatform, mailoutbox: list[Any]
) -> None:
    inbox, ada = platform.inbox(), desk.person("Ada", Role.ADMINISTRATOR)
    answer_all(desk, crowd(desk, inbox, FEW + 5))
    storm(desk, platform)
    storm(desk, platform)
    run_errands()
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["ada@wolk.example"], "Webshop is gestopt met automatische berichten")
    ]
    with desk.open():
        connect.resume(inbox=inbox.id, by=ada, now=desk.now)
    run_errands()
    assert mailoutbox[1].subject == "Webshop werkt weer"
