"""Whatever agents, customers, machines and platforms do, in whatever order: the rules of a case hold after each act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from books import counters_are_right, ledger_of, states_make_sense
from django.db import transaction
from far_platform import FarPlatform, again, answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from desk_builder import Desk
from klankbord.contract import Refused, Uncertain
from klankbord.desk.conversations.models import Conversation, Message, Status
from klankbord.desk.errors import DeskError
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership
from klankbord.flows import casework
from klankbord.flows.clockwork import run_timers
from klankbord.flows.reply import settle, take_back, try_again
from roles import become_within

pytestmark = pytest.mark.django_db


@dataclass
class Life:
    """One conversation and all that can happen to it. Acts that a person could not do at that moment are refused."""

    desk: Desk
    platform: FarPlatform
    inbox: Inbox
    noor: Membership
    sem: Membership
    conversation: Conversation
    replies: list[Message] = field(default_factory=list)

    def customer(self, **more: Any) -> None:
        self.desk.receive(self.inbox, self.desk.event(**more))

    def customer_writes(self) -> None:
        before = again(self.desk, self.conversation)
        self.customer()
        after = again(self.desk, self.conversation)
        if before.status == Status.SPAM:
            assert (after.status, after.waiting_since) == (Status.SPAM, None)
        else:
            assert after.status == Status.OPEN
            assert after.waiting_since == (before.waiting_since or self.desk.now)

    def vacation_note_comes(self) -> None:
        self._changes_nothing(lambda: self.customer(is_automatic=True))

    def history_comes(self) -> None:
        old = (self.desk.now - timedelta(days=400)).isoformat()
        self._changes_nothing(lambda: self.customer(at=old, history=True))

    def robot_of_the_platform_answers(self) -> None:
        self._changes_nothing(lambda: self.customer(is_own=True, is_automatic=True, author_kind="bot"))

    def colleague_answers_elsewhere(self) -> None:
        self.customer(is_own=True)
        assert again(self.desk, self.conversation).waiting_since is None

    def agent_replies(self, **more: Any) -> None:
        self.replies.append(answer(self.desk, self.conversation, "Antwoord", self.noor, **more))

    def agent_replies_and_keeps_it_open(self) -> None:
        self.agent_replies(keep_open=True)

    def agent_replies_and_resolves(self) -> None:
        self.agent_replies(then="resolve")

    def last_reply_is_taken_back(self) -> None:
        if self.replies:
            self.do(take_back, message=self.replies[-1].id)

    def platform_takes(self) -> None:
        self.platform.deliver()

    def platform_refuses(self) -> None:
        self.platform.script = [Refused("Nee.")]
        self.platform.deliver()
        self.platform.script = []

    def platform_leaves_in_doubt(self) -> None:
        self.platform.script = [Uncertain("Geen antwoord.")]
        self.platform.deliver()
        self.platform.script = []

    def agent_tries_again(self) -> None:
        for reply in self.replies:
            self.do(try_again, message=reply.id)

    def agent_settles(self) -> None:
        for place, reply in enumerate(self.replies):
            self.do(settle, message=reply.id, arrived=place % 2 == 0)

    def noor_claims(self) -> None:
        self.do(casework.claim, conversation=self.conversation.id)

    def noor_gives_it_to_sem(self) -> None:
        self.do(casework.assign, conversation=self.conversation.id, owner=self.sem.id, team=None)

    def it_is_released(self) -> None:
        self.do(casework.release, conversation=self.conversation.id)

    def it_is_resolved(self) -> None:
        self.do(casework.resolve, conversation=self.conversation.id)

    def it_is_reopened(self) -> None:
        self.do(casework.reopen, conversation=self.conversation.id)

    def it_is_set_to_pending(self) -> None:
        self.do(casework.wait_for_contact, conversation=self.conversation.id)

    def it_is_snoozed(self) -> None:
        self.do(casework.snooze, conversation=self.conversation.id, until=self.desk.now + timedelta(hours=1))

    def it_is_spam(self) -> None:
        self.do(casework.mark_spam, conversation=self.conversation.id)

    def it_is_not_spam(self) -> None:
        self.do(casework.clear_spam, conversation=self.conversation.id)

    def an_hour_passes(self) -> None:
        self.desk.later(hours=1)
        become_within("worker")
        try:
            run_timers(now=self.desk.now)
        finally:
            become_within("app")

    def do(self, act: Callable[..., Any], **what: Any) -> None:
        try:
            with self.desk.open():
                act(**what, by=self.noor, now=self.desk.now)
        except DeskError:
            pass  # not at this moment; a person reads why

    def _changes_nothing(self, act: Callable[[], None]) -> None:
        before = again(self.desk, self.conversation)
        act()
        after = again(self.desk, self.conversation)
        for name in ("status", "waiting_since", "snoozed_until", "resolved_at", "owner_id", "is_idle"):
            assert getattr(after, name) == getattr(before, name), name


_HELP = {"customer", "do"}
ACTS = sorted(name for name, act in vars(Life).items() if callable(act) and not name.startswith("_"))
ACTS = [name for name in ACTS if name not in _HELP]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=some.lists(some.sampled_from(ACTS), min_size=3, max_size=14))
def test_the_rules_of_a_case_hold_after_any_sequence_of_acts(
    desk: Desk, platform: FarPlatform, acts: list[str]
) -> None:
    start = desk.now
    with transaction.atomic():
        desk.organisation.undo_seconds = 5
        desk.organisation.save(update_fields=["undo_seconds"])
        inbox = platform.inbox(f"Webshop {start}")
        [conversation] = desk.receive(inbox, desk.event())
        life = Life(desk, platform, inbox, desk.person("Noor"), desk.person("Sem"), conversation)
        for act in acts:
            desk.later(seconds=7)
            getattr(life, act)()
            counters_are_right(desk)
            states_make_sense(desk)
        ledger_of(desk)
        transaction.set_rollback(True)
    desk.now = start


def test_the_first_unanswered_message_says_how_long_somebody_waits_whatever_the_order_of_arrival(desk: Desk) -> None:
    inbox = desk.inbox()
    desk.receive(inbox, desk.event(at=desk.now.isoformat()))
    earlier = desk.now - timedelta(minutes=4)
    [conversation] = desk.receive(inbox, desk.event(at=earlier.isoformat(), text="Deze kwam later"))
    assert conversation.waiting_since == earlier
    assert conversation.preview != "Deze kwam later"


def test_f4_a_snooze_ends_once_and_not_when_it_was_moved(desk: Desk) -> None:
    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, desk.event())

    def tick() -> int:
        become_within("worker")
        try:
            return run_timers(now=desk.now)
        finally:
            become_within("app")

    with desk.open():
        for hours in (1, 3):
            casework.snooze(
                conversation=conversation.id, until=desk.now + timedelta(hours=hours), by=noor, now=desk.now
            )
    desk.later(hours=2)
    assert tick() == 0
    assert again(desk, conversation).status == Status.SNOOZED
    desk.later(hours=1)
    assert (tick(), tick()) == (1, 0)
    woken = again(desk, conversation)
    assert (woken.status, woken.waiting_since) == (Status.OPEN, conversation.waiting_since)
