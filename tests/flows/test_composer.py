"""What a composer can do besides sending at once: later, by approval, to one message, signed, and never by accident
in public."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from far_platform import FarPlatform, again, answer
from hypothesis import given
from hypothesis import strategies as st

from desk_builder import Desk
from klankbord.contract import LengthUnit
from klankbord.desk.conversations.models import Conversation, Draft, Message, Outbox, Thread
from klankbord.desk.errors import BecomesPublic, CannotReply, Invalid, NeedsApproval, NotFound, TooLate
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import clockwork, composing, proposing, scheduling, sharing
from klankbord.flows.closing import signed
from klankbord.flows.reply import save_draft, take_back
from klankbord.kernel import text as texts
from klankbord.kernel.ids import uuid7
from roles import become_within

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(desk: Desk, platform: FarPlatform) -> Conversation:
    return desk.receive(platform.inbox(), desk.event(text="Waar blijft mijn kast?"))[-1]


@pytest.fixture
def noor(desk: Desk) -> Membership:
    return desk.person("Noor")


def tick(desk: Desk) -> None:
    become_within("worker")
    clockwork.run_timers(now=desk.now)
    become_within("app")


# -------------------------------------------------------------------------------------------- signature and initials


def test_initials_and_signature_stand_behind_the_words_and_fill_their_blanks(
    desk: Desk, platform: FarPlatform, case: Conversation, noor: Membership
) -> None:
    with desk.open():
        Inbox.objects.update(signs_with_initials=True, signature="Groet, {agent} van {bedrijf}")
    answer(desk, case, "Hij komt morgen.", noor)
    platform.deliver()
    assert platform.taken[0]["text"] == "Hij komt morgen. ^N\n\nGroet, Noor van Wolk"


def test_o5_what_is_put_behind_the_words_counts(desk: Desk, platform: FarPlatform, noor: Membership) -> None:
    platform.mastodon_inbox()
    with desk.open():
        inbox = Inbox.objects.get(kind="mastodon")
        inbox.signs_with_initials = True
        assert composing.closing_of(inbox, noor) == " ^N"
        inbox.signature = "Wolk"
        assert composing.closing_of(inbox, noor) == " ^N\n\nWolk"


def test_o5_a_text_that_only_fits_without_its_signature_is_refused(
    desk: Desk, case: Conversation, noor: Membership
) -> None:
    with desk.open():
        Inbox.objects.update(signature="x" * 9_990)
    with pytest.raises(CannotReply):
        answer(desk, case, "y" * 9_000_000, noor)


@given(st.text(max_size=300), st.text(max_size=40), st.integers(12, 80), st.sampled_from(list(LengthUnit)))
def test_o5_u14_a_signed_text_is_split_without_breaking_what_people_see_as_one_character(
    words: str, closing: str, limit: int, unit: LengthUnit
) -> None:
    whole = signed(texts.clean(words), texts.clean(closing))
    parts = texts.split(whole, limit, unit=unit)
    assert all(texts.length(part, unit=unit) <= limit or len(texts.graphemes(part)) == 1 for part in parts)
    whole_ones = set(texts.graphemes(whole))
    long = {each for each in whole_ones if texts.length(each, unit=unit) > limit}
    if not long:
        seams = [each for part in parts for each in texts.graphemes(part) if not each.isspace()]
        assert "".join(seams).split() == "".join(each for each in texts.graphemes(whole) if not each.isspace()).split()


# -------------------------------------------------------------------------------------------------- public by intent


@pytest.fixture
def both(desk: Desk, platform: FarPlatform) -> Conversation:
    """Anouk began in public, and went on in private."""
    [case] = desk.receive(platform.inbox(), desk.event(place="post", visibility="public"))
    desk.later(minutes=5)
    with desk.open():
        beside = Thread.objects.get(conversation_id=case.id)
        beside.pk, beside.token, beside.place_key, beside.visibility = uuid7(), "t", "anouk", "private"
        beside.last_inbound_at = desk.now
        beside.save(force_insert=True)
    return case


def test_what_was_said_in_private_is_answered_in_public_only_on_purpose(
    desk: Desk, both: Conversation, noor: Membership
) -> None:
    with pytest.raises(BecomesPublic, match="Anouk de Wit"):
        answer(desk, both, "Je adres is Kade 1", noor)
    assert answer(desk, both, "Kijk even in je berichten", noor, public_confirmed=True).visibility == "public"


def test_words_begun_in_private_do_not_become_public_by_one_key(desk: Desk, noor: Membership) -> None:
    case = desk.receive(desk.inbox(), desk.event(place="post", visibility="public"))[-1]
    with pytest.raises(BecomesPublic):
        answer(desk, case, "Onder ons", noor, began_in_private=True)
    assert answer(desk, case, "Voor allen", noor).visibility == "public"


# --------------------------------------------------------------------------------------------------- to one message


def test_a_reply_can_point_at_an_earlier_message(
    desk: Desk, platform: FarPlatform, case: Conversation, noor: Membership
) -> None:
    first = desk.messages(case)[0]
    desk.receive(again_inbox(desk), desk.event(text="En waar is mijn stoel?"))
    answer(desk, case, "Die kast komt morgen.", noor, answers=first.id)
    platform.deliver()
    assert platform.taken[0]["in_reply_to"] == first.external_id


def again_inbox(desk: Desk) -> Inbox:
    with desk.open():
        return Inbox.objects.get()


def test_a_message_of_somebody_else_cannot_be_pointed_at(desk: Desk, case: Conversation, noor: Membership) -> None:
    other = desk.receive(again_inbox(desk), desk.event(place="bram", person={"id": "bram", "name": "Bram"}))[-1]
    with pytest.raises(Invalid):
        answer(desk, case, "Dag", noor, answers=desk.messages(other)[0].id)


# --------------------------------------------------------------------------------------------------------- send later


def test_a_reply_for_later_leaves_at_its_moment_and_the_case_comes_back_with_it(
    desk: Desk, platform: FarPlatform, case: Conversation, noor: Membership
) -> None:
    planned = answer(desk, case, "Goedemorgen!", noor, leave_at=desk.now + timedelta(hours=12))
    assert (again(desk, case).status, again(desk, case).waiting_since) == ("snoozed", case.waiting_since)
    platform.deliver_all()
    tick(desk)
    assert platform.taken == []
    desk.later(hours=12)
    tick(desk)
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Goedemorgen!"]
    assert (again(desk, planned).state, again(desk, case).status) == ("sent", "pending")


def test_a_reply_for_later_does_not_hold_up_the_one_that_is_sent_now(
    desk: Desk, platform: FarPlatform, case: Conversation, noor: Membership
) -> None:
    answer(desk, case, "Later", noor, leave_at=desk.now + timedelta(days=1))
    answer(desk, case, "Nu", noor)
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Nu"]


def test_a_reply_for_later_can_be_moved_and_taken_back(
    desk: Desk, platform: FarPlatform, case: Conversation, noor: Membership
) -> None:
    planned = answer(desk, case, "Later", noor, leave_at=desk.now + timedelta(hours=1))
    with desk.open():
        scheduling.move(message=planned.id, leave_at=desk.now + timedelta(hours=3), by=noor, now=desk.now)
    desk.later(hours=2)
    tick(desk)
    assert again(desk, planned).state == "queued"
    with desk.open():
        take_back(message=planned.id, by=noor, now=desk.now)
        assert Draft.objects.get().text == "Later"
    assert again(desk, case).status == "open"
    desk.later(hours=2)
    tick(desk)
    platform.deliver_all()
    assert platform.taken == []


def test_what_has_left_cannot_be_moved(desk: Desk, case: Conversation, noor: Membership) -> None:
    planned = answer(desk, case, "Later", noor, leave_at=desk.now + timedelta(hours=1))
    desk.later(hours=2)
    tick(desk)
    with desk.open(), pytest.raises(TooLate):
        scheduling.move(message=planned.id, leave_at=desk.now + timedelta(hours=3), by=noor, now=desk.now)


@pytest.mark.parametrize("away", [timedelta(0), timedelta(seconds=-1), timedelta(days=400)])
def test_a_moment_that_makes_no_sense_is_refused(
    desk: Desk, case: Conversation, noor: Membership, away: timedelta
) -> None:
    with pytest.raises(Invalid):
        answer(desk, case, "Later", noor, leave_at=desk.now + away)


def test_after_a_restored_backup_a_person_decides_about_what_was_planned(
    desk: Desk, platform: FarPlatform, case: Conversation, noor: Membership
) -> None:
    planned = answer(desk, case, "Later", noor, leave_at=desk.now + timedelta(hours=1))
    type(desk.organisation).objects.update(sends_are_held=True)
    desk.later(hours=2)
    tick(desk)
    assert again(desk, planned).state == "uncertain"


def test_send_and_snooze_puts_it_aside_and_undo_brings_it_back(
    desk: Desk, case: Conversation, noor: Membership
) -> None:
    message = answer(desk, case, "Ik zoek het uit", noor, snooze_until=desk.now + timedelta(days=1))
    assert again(desk, case).status == "snoozed"
    with desk.open():
        take_back(message=message.id, by=noor, now=desk.now)
    assert (again(desk, case).status, again(desk, case).waiting_since) == ("open", case.waiting_since)


# ---------------------------------------------------------------------------------------------------------- approval


@pytest.fixture
def trainee(desk: Desk) -> Membership:
    fresh, lead = desk.person("Tess"), desk.person("Lead", Role.LEAD)
    with desk.open():
        return proposing.set_needs_approval(member=fresh.id, needs=True, by=lead, now=desk.now)


@pytest.fixture
def lead(desk: Desk, trainee: Membership) -> Membership:
    return desk.person("Lead", Role.LEAD)


def proposed(desk: Desk, case: Conversation, by: Membership, text: str = "Hij komt morge", **more: Any) -> Draft:
    thread = desk.messages(case)[0].thread_id
    with desk.open():
        return proposing.propose(conversation=case.id, thread=thread, text=text, by=by, now=desk.now, **more)


def test_nothing_of_a_trainee_leaves_before_somebody_let_it_go(
    desk: Desk, platform: FarPlatform, case: Conversation, trainee: Membership
) -> None:
    with pytest.raises(NeedsApproval):
        answer(desk, case, "Dag", trainee)
    with pytest.raises(NeedsApproval):
        answer(desk, case, "Dag", trainee, leave_at=desk.now + timedelta(hours=1))
    proposed(desk, case, trainee)
    platform.deliver_all()
    with desk.open():
        assert not Outbox.objects.exists()
    assert (platform.taken, again(desk, case).status) == ([], "open")


def test_an_approver_changes_it_and_it_leaves_in_the_name_of_who_proposed_it(
    desk: Desk, platform: FarPlatform, case: Conversation, trainee: Membership, lead: Membership
) -> None:
    draft = proposed(desk, case, trainee)
    with desk.open():
        assert [each.id for each in proposing.waiting(by=lead)] == [draft.id]
        message = proposing.accept(proposal=draft.id, text="Hij komt morgen.", by=lead, now=desk.now)
        assert proposing.waiting(by=lead) == []
    platform.deliver_all()
    assert platform.taken[0]["text"] == "Hij komt morgen."
    assert (message.author_id, message.facts["proposed"]) == (trainee.id, "Hij komt morge")


def test_two_approvers_let_one_reply_go(
    desk: Desk, case: Conversation, trainee: Membership, lead: Membership
) -> None:  # U17
    draft = proposed(desk, case, trainee)
    with desk.open():
        proposing.accept(proposal=draft.id, text="Morgen", by=lead, now=desk.now)
        with pytest.raises(NotFound):
            proposing.accept(proposal=draft.id, text="Morgen", by=desk.person("Chef", Role.LEAD), now=desk.now)
        assert Message.objects.filter(kind="outbound").count() == 1


def test_what_is_given_back_is_a_draft_again_with_the_remark(
    desk: Desk, case: Conversation, trainee: Membership, lead: Membership
) -> None:
    draft = proposed(desk, case, trainee)
    with desk.open():
        proposing.give_back(proposal=draft.id, remark="Noem het tijdvak", by=lead, now=desk.now)
        found = composing.composer(conversation=case, by=trainee, now=desk.now)
    assert found.reply_draft == "Hij komt morge"
    assert (found.returned["by"], found.returned["remark"]) == ("Lead", "Noem het tijdvak")


def test_nobody_lets_their_own_reply_go(desk: Desk, case: Conversation, lead: Membership) -> None:
    boss = desk.person("Boss", Role.ADMINISTRATOR)
    with desk.open():
        proposing.set_needs_approval(member=lead.id, needs=True, by=boss, now=desk.now)
    lead.refresh_from_db()
    draft = proposed(desk, case, lead)
    with desk.open():
        with pytest.raises(NotFound):
            proposing.accept(proposal=draft.id, text="x", by=lead, now=desk.now)
        with pytest.raises(Invalid):
            proposing.set_needs_approval(member=lead.id, needs=False, by=lead, now=desk.now)


def test_a_trainee_takes_a_proposal_back_to_go_on_writing(desk: Desk, case: Conversation, trainee: Membership) -> None:
    draft = proposed(desk, case, trainee)
    with desk.open():
        save_draft(conversation=case.id, kind="reply", text="En nog iets", thread=None, by=trainee, now=desk.now)
        proposing.withdraw(proposal=draft.id, by=trainee, now=desk.now)
        assert [each.text for each in Draft.objects.all()] == ["Hij komt morge\n\nEn nog iets"]


# -------------------------------------------------------------------------------------------------------- shared drafts


def test_a_colleague_sees_that_a_draft_exists_and_goes_on_with_it(
    desk: Desk, case: Conversation, noor: Membership
) -> None:
    joris = desk.person("Joris")
    with desk.open():
        draft = save_draft(conversation=case.id, kind="reply", text="Ik zoek", thread=None, by=noor, now=desk.now)
        save_draft(conversation=case.id, kind="note", text="Voor mij", thread=None, by=noor, now=desk.now)
        save_draft(conversation=case.id, kind="reply", text="Beste", thread=None, by=joris, now=desk.now)
        seen = composing.composer(conversation=case, by=joris, now=desk.now).beside.drafts
        assert [(each.member.name, each.text) for each in seen] == [("Noor", "Ik zoek")]
        assert draft is not None
        sharing.take_over(draft=draft.id, by=joris, now=desk.now)
        assert composing.composer(conversation=case, by=joris, now=desk.now).reply_draft == "Ik zoek\n\nBeste"
        assert composing.composer(conversation=case, by=noor, now=desk.now).reply_draft == ""
