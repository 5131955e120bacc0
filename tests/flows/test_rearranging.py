"""Merging, splitting, linking: one case where there were two, or two where there was one, and nothing lost between."""

from __future__ import annotations

from typing import Any

import pytest

from desk_builder import Desk
from klankbord.desk import access
from klankbord.desk.conversations import arrivals, listing, rearranging
from klankbord.desk.conversations.models import (
    NOBODY,
    Conversation,
    ConversationLink,
    Event,
    Message,
    SearchDocument,
    Status,
    Thread,
    ViewCounter,
)
from klankbord.desk.errors import DeskError, Invalid, Merged, NotFound
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import casework, merging, reply, splitting

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor(desk: Desk) -> Membership:
    return desk.person("Noor")


@pytest.fixture
def pair(desk: Desk) -> tuple[Conversation, Conversation]:
    """A public complaint and, some minutes later, a private message about the same: two conversations, both waiting."""
    inbox = desk.inbox()
    desk.receive(inbox, desk.event(place="post-1", visibility="public", text="Waar blijft mijn pakket?"))
    desk.later(minutes=5)
    first, second = desk.receive(inbox, desk.event(place="anouk", text="Mijn bestelnummer is 4411"))
    return first, second


def merge(desk: Desk, source: Conversation, target: Conversation, by: Membership) -> Any:
    with desk.open():
        return merging.merge(source=source.id, target=target.id, by=by, now=desk.now)


def books_are_right(desk: Desk) -> None:
    """The maintained counters say what a count would say."""
    with desk.open():
        counted: dict[tuple[Any, ...], int] = {}
        for each in Conversation.objects.all():
            key = (each.inbox_id, each.team_id or NOBODY, each.owner_id or NOBODY, each.status)
            counted[key] = counted.get(key, 0) + 1
        kept = {
            (each.inbox_id, each.team_id, each.owner_id, each.status): each.count
            for each in ViewCounter.objects.exclude(count=0)
        }
        assert kept == counted


def test_a_merged_conversation_holds_all_threads_and_waits_since_the_first(desk, noor, pair):
    public, private = pair
    merge(desk, private, public, noor)
    one, gone = desk.conversations()
    assert [each.text for each in desk.messages(one)] == ["Waar blijft mijn pakket?", "Mijn bestelnummer is 4411"]
    assert desk.messages(gone) == []
    assert (one.status, one.waiting_since, one.message_count) == (Status.OPEN, public.waiting_since, 2)
    assert one.preview == "Mijn bestelnummer is 4411"
    assert (gone.status, gone.merged_into_id) == (Status.MERGED, one.id)
    books_are_right(desk)


def test_the_merged_one_is_in_no_list_and_is_found_by_its_words_under_the_other(desk, noor, pair):
    public, private = pair
    merge(desk, private, public, noor)
    with desk.open():
        found = listing.by_numbers([public.number, private.number], inboxes=access.visible_inboxes(noor))
        views = [listing.View(name) for name in ("all", "pending", "resolved", "spam", "snoozed")]
        assert [view.name for view in views if view.holds(found[private.number], noor)] == []
        assert [view.name for view in views if view.holds(found[public.number], noor)] == ["all"]
        assert set(SearchDocument.objects.values_list("conversation_id", flat=True)) == {public.id}


def test_what_comes_after_a_merge_goes_on_in_the_one_that_stays(desk, noor, pair):
    public, private = pair
    with desk.open():
        casework.resolve(conversation=public.id, by=noor, now=desk.now)
    merge(desk, private, public, noor)
    with desk.open():
        casework.resolve(conversation=public.id, by=noor, now=desk.now)
    desk.later(hours=1)
    with desk.open():
        inbox = Inbox.objects.get()
    desk.receive(inbox, desk.event(place="anouk", text="Nog steeds niets"))
    one, gone = desk.conversations()
    assert desk.messages(one)[-1].text == "Nog steeds niets"
    assert (one.status, one.waiting_since, gone.status) == (Status.OPEN, desk.now, Status.MERGED)
    books_are_right(desk)


def test_a_merge_can_be_undone_with_what_was_said_since(desk, noor, pair):
    public, private = pair
    with desk.open():
        casework.add_label(conversation=private.id, name="spoed", by=noor, now=desk.now)
        casework.claim(conversation=private.id, by=noor, now=desk.now)
    done = merge(desk, private, public, noor)
    desk.later(minutes=10)
    with desk.open():
        inbox = Inbox.objects.get()
    desk.receive(inbox, desk.event(place="anouk", text="En de kleur is rood"))
    with desk.open():
        merging.undo(merge=done.id, by=noor, now=desk.now)
    one, back = desk.conversations()
    assert [each.text for each in desk.messages(one)] == ["Waar blijft mijn pakket?"]
    assert [each.text for each in desk.messages(back)] == ["Mijn bestelnummer is 4411", "En de kleur is rood"]
    assert (back.status, back.owner_id, back.waiting_since) == (Status.OPEN, noor.id, private.waiting_since)
    assert (one.status, one.owner_id, one.waiting_since) == (Status.OPEN, None, public.waiting_since)
    with desk.open():
        assert list(one.label_links.all()) == []
    books_are_right(desk)


def test_what_was_resolved_after_a_merge_stays_resolved_when_it_is_undone(desk, noor, pair):
    public, private = pair
    done = merge(desk, private, public, noor)
    desk.later(minutes=1)
    with desk.open():
        casework.resolve(conversation=public.id, by=noor, now=desk.now)
        merging.undo(merge=done.id, by=noor, now=desk.now)
    one, back = desk.conversations()
    assert (one.status, back.status) == (Status.RESOLVED, Status.OPEN)
    books_are_right(desk)


@pytest.mark.parametrize("moment", ["twice", "too late"])
def test_a_merge_is_undone_once_and_within_a_week(desk, noor, pair, moment):
    public, private = pair
    done = merge(desk, private, public, noor)
    with desk.open():
        if moment == "twice":
            merging.undo(merge=done.id, by=noor, now=desk.now)
        else:
            desk.later(days=8)
        with pytest.raises(Invalid):
            merging.undo(merge=done.id, by=noor, now=desk.now)


def test_nothing_more_is_done_to_a_conversation_that_was_merged(desk, noor, pair):
    public, private = pair
    merge(desk, private, public, noor)
    with desk.open():
        for deed in (casework.resolve, casework.claim, casework.mark_spam):
            with pytest.raises(Merged):
                deed(conversation=private.id, by=noor, now=desk.now)
        with pytest.raises(Merged):
            reply.write_note(conversation=private.id, text="Let op", by=noor, now=desk.now, client_key="n")
        with pytest.raises(Merged):
            merging.merge(source=public.id, target=private.id, by=noor, now=desk.now)


def test_a3_a_merge_needs_sight_of_both_conversations(desk, noor, pair):
    public, _ = pair
    closed = desk.inbox("Directie")
    with desk.open():
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
    hidden = desk.receive(closed, desk.event(place="baas"))[-1]
    with desk.open():
        for source, target in ((hidden, public), (public, hidden)):
            with pytest.raises(NotFound):
                merging.merge(source=source.id, target=target.id, by=noor, now=desk.now)
        with pytest.raises(NotFound):
            casework.link(conversation=public.id, other=hidden.id, by=noor, now=desk.now)


def test_a14_the_preview_says_when_more_colleagues_will_see_it_and_old_members_see_only_what_they_still_may(
    desk, noor, pair
):
    public, _ = pair
    closed = desk.inbox("Directie")
    boss = desk.person("Baas", Role.ADMINISTRATOR)
    with desk.open():
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
    hidden = desk.receive(closed, desk.event(place="baas"))[-1]
    with desk.open():
        assert merging.preview(source=hidden.id, target=public.id, by=boss).is_wider
        assert not merging.preview(source=public.id, target=hidden.id, by=boss).is_wider
        merging.merge(source=public.id, target=hidden.id, by=boss, now=desk.now)
        with pytest.raises(NotFound):
            access.conversation_for(noor, hidden.number)


def test_a_message_that_was_looked_up_before_the_merge_is_taken_in_anew(desk, noor, pair):
    """Intake has looked its thread up, then waits for our lock: it must not write into the one that is gone."""
    public, private = pair
    with desk.open():
        thread = Thread.objects.get(conversation_id=private.id)
        by_id, _, _ = arrivals.known_threads(ids=[thread.id], tokens=[], places=[])
    merge(desk, private, public, noor)
    with desk.open(), pytest.raises(arrivals.Raced):
        rearranging.check_places(by_id.values())


def test_an_analyst_merges_and_splits_nothing(desk, pair):
    ana = desk.person("Ana", Role.ANALYST)
    public, private = pair
    with desk.open():
        thread = Thread.objects.get(conversation_id=public.id)
        for attempt in (
            lambda: merging.merge(source=private.id, target=public.id, by=ana, now=desk.now),
            lambda: splitting.split_off(conversation=public.id, thread=thread.id, by=ana, now=desk.now),
            lambda: casework.prioritise(conversation=public.id, priority=2, by=ana, now=desk.now),
        ):
            with pytest.raises(DeskError):
                attempt()


def test_a_thread_that_is_split_off_becomes_a_conversation_of_its_own_linked_to_the_first(desk, noor, pair):
    public, private = pair
    merge(desk, private, public, noor)
    with desk.open():
        thread = Message.objects.get(text="Mijn bestelnummer is 4411").thread
        made = splitting.split_off(conversation=public.id, thread=thread.id, by=noor, now=desk.now)
        assert ConversationLink.objects.count() == 1
        kinds = set(Event.objects.filter(conversation_id=made.id).values_list("kind", flat=True))
    rest = desk.conversations()[0]
    assert made.number == 3
    assert [each.text for each in desk.messages(rest)] == ["Waar blijft mijn pakket?"]
    assert [each.text for each in desk.messages(made)] == ["Mijn bestelnummer is 4411"]
    assert (made.status, made.waiting_since, rest.waiting_since) == (
        Status.OPEN,
        private.waiting_since,
        public.waiting_since,
    )
    assert "conversation split off" in kinds
    books_are_right(desk)


def test_the_only_thread_of_a_conversation_is_not_split_off(desk, noor, pair):
    public, _ = pair
    with desk.open():
        thread = Thread.objects.get(conversation_id=public.id)
        with pytest.raises(Invalid):
            splitting.split_off(conversation=public.id, thread=thread.id, by=noor, now=desk.now)


def test_a_priority_is_kept_through_new_messages(desk, noor, pair):
    public, _ = pair
    with desk.open():
        casework.prioritise(conversation=public.id, priority=2, by=noor, now=desk.now)
        with pytest.raises(Invalid):
            casework.prioritise(conversation=public.id, priority=9, by=noor, now=desk.now)
        inbox = Inbox.objects.get()
    desk.receive(inbox, desk.event(place="post-1", visibility="public", text="Hallo?"))
    assert desk.conversations()[0].priority == 2
