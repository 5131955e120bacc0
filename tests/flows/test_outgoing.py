"""From an agent's words to the platform and back: at most once, in order, and never silently lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from books import counters_are_right, states_make_sense
from far_platform import FarPlatform, again, answer, outbox

from desk_builder import Desk
from klankbord.desk.contacts.models import Handle
from klankbord.desk.conversations.models import Conversation, Draft, Message, MessageState, Status, Thread
from klankbord.desk.errors import CannotReply, Invalid, SomebodyAnswered, TooLate
from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.organisations.models import Membership
from klankbord.flows import casework
from klankbord.flows.accounts import open_account
from klankbord.flows.reply import take_back, write_note

pytestmark = pytest.mark.django_db


# ------------------------------------------------------------------------------------------ the good road


def test_a_reply_leaves_once_and_the_turn_is_the_customers(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    message = answer(desk, conversation, "Morgen!", noor)
    waiting = again(desk, conversation)
    assert (waiting.status, waiting.waiting_since, waiting.preview) == (Status.PENDING, None, "Morgen!")
    platform.deliver_all()
    sent = again(desk, message)
    assert (sent.state, sent.external_id) == (MessageState.SENT, f"p-{message.id}")
    assert [each["text"] for each in platform.taken] == ["Morgen!"]
    assert outbox(desk) == []
    counters_are_right(desk)
    states_make_sense(desk)


def test_keeping_it_open_keeps_it_in_the_queue_but_nobody_waits(
    desk: Desk, conversation: Conversation, noor: Membership
) -> None:
    answer(desk, conversation, "Ik zoek het uit", noor, keep_open=True)
    after = again(desk, conversation)
    assert (after.status, after.waiting_since) == (Status.OPEN, None)


def test_u17_a_double_click_is_one_reply(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    first = answer(desk, conversation, "Morgen!", noor, client_key="klik")
    second = answer(desk, conversation, "Morgen!", noor, client_key="klik")
    assert first.id == second.id
    platform.deliver_all()
    assert len(platform.taken) == 1
    assert again(desk, conversation).message_count == 2


def test_u17_replies_without_a_key_are_not_taken_for_each_other(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    answer(desk, conversation, "Een", noor, client_key="")
    answer(desk, conversation, "Twee", noor, client_key="")
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Een", "Twee"]


def test_u17_a_key_that_a_colleague_used_does_not_swallow_a_reply(
    desk: Desk, conversation: Conversation, noor: Membership
) -> None:
    with desk.open():
        write_note(conversation=conversation.id, text="Let op", by=noor, now=desk.now, client_key="klik")
        again_note = write_note(conversation=conversation.id, text="Let op", by=noor, now=desk.now, client_key="klik")
        assert Message.objects.filter(kind="note").count() == 1
    assert again_note.text == "Let op"


def test_u16_who_did_not_see_a_colleagues_answer_must_confirm(
    desk: Desk, conversation: Conversation, noor: Membership
) -> None:
    sem = desk.person("Sem")
    [question] = desk.messages()
    answer(desk, conversation, "Morgen!", sem, seen_message=question.id)
    with pytest.raises(SomebodyAnswered):
        answer(desk, conversation, "Overmorgen!", noor, seen_message=question.id)
    assert [message.text for message in desk.messages() if message.kind == "outbound"] == ["Morgen!"]
    answer(desk, conversation, "Overmorgen!", noor, seen_message=question.id, confirmed=True)
    assert len(desk.messages()) == 3


def test_u16_ones_own_answer_and_a_note_are_no_surprise(
    desk: Desk, conversation: Conversation, noor: Membership
) -> None:
    [question] = desk.messages()
    answer(desk, conversation, "Morgen!", noor, seen_message=question.id)
    with desk.open():
        write_note(conversation=conversation.id, text="x", by=desk.person("Sem"), now=desk.now, client_key="n")
    answer(desk, conversation, "En anders overmorgen", noor, seen_message=question.id)
    assert again(desk, conversation).message_count == 3


# ------------------------------------------------------------------------------------------ taking back


def slow(desk: Desk) -> None:
    desk.organisation.undo_seconds = 10
    desk.organisation.save(update_fields=["undo_seconds"])


def test_what_is_taken_back_never_leaves_and_becomes_a_draft(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    slow(desk)
    message = answer(desk, conversation, "Oeps", noor)
    assert platform.deliver() == 0
    with desk.open():
        assert take_back(message=message.id, by=noor, now=desk.now) == "Oeps"
        assert Draft.objects.get().text == "Oeps"
    desk.later(minutes=1)
    platform.deliver_all()
    after = again(desk, conversation)
    assert platform.taken == []
    assert (after.status, after.waiting_since) == (Status.OPEN, conversation.waiting_since)
    assert (after.preview, after.message_count) == ("Waar blijft mijn kast?", 1)
    counters_are_right(desk)
    states_make_sense(desk)


def test_it_is_too_late_once_it_has_left(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    with desk.open(), pytest.raises(TooLate):
        take_back(message=message.id, by=noor, now=desk.now)
    assert again(desk, message).state == MessageState.SENT


@pytest.mark.parametrize("status", ["snoozed", "resolved", "pending", "open", "spam"])
def test_taking_back_restores_the_status_of_before(desk: Desk, conversation: Conversation, noor: Membership,
                                                   status: str) -> None:  # fmt: skip
    slow(desk)
    acts: dict[str, Any] = {
        "snoozed": lambda: casework.snooze(
            conversation=conversation.id, until=desk.now + timedelta(days=1), by=noor, now=desk.now
        ),
        "resolved": lambda: casework.resolve(conversation=conversation.id, by=noor, now=desk.now),
        "pending": lambda: casework.wait_for_contact(conversation=conversation.id, by=noor, now=desk.now),
        "open": lambda: None,
        "spam": lambda: casework.mark_spam(conversation=conversation.id, by=noor, now=desk.now),
    }
    with desk.open():
        acts[status]()
    before = again(desk, conversation)
    message = answer(desk, conversation, "Oeps", noor)
    with desk.open():
        take_back(message=message.id, by=noor, now=desk.now)
    after = again(desk, conversation)
    for name in ("status", "waiting_since", "snoozed_until", "resolved_at", "sort_at", "is_idle", "message_count"):
        assert getattr(after, name) == getattr(before, name), name
    counters_are_right(desk)
    states_make_sense(desk)


def test_taking_back_does_not_hide_what_the_customer_said_meanwhile(
    desk: Desk, conversation: Conversation, noor: Membership
) -> None:
    slow(desk)
    message = answer(desk, conversation, "Oeps", noor, then="resolve")
    asked = desk.now
    desk.later(seconds=3)
    with desk.open():
        inbox = Inbox.objects.get()
    desk.receive(inbox, desk.event(text="Hallo?"))
    with desk.open():
        take_back(message=message.id, by=noor, now=desk.now)
    after = again(desk, conversation)
    assert (after.status, after.waiting_since, after.preview) == (Status.OPEN, asked, "Hallo?")
    states_make_sense(desk)


def test_a_reply_that_was_taken_back_is_not_found(desk: Desk, conversation: Conversation, noor: Membership) -> None:
    slow(desk)
    message = answer(desk, conversation, "stroopwafel", noor)
    with desk.open():
        assert desk.found("stroopwafel", by=noor)
        take_back(message=message.id, by=noor, now=desk.now)
        assert desk.found("stroopwafel", by=noor) == []


# ------------------------------------------------------------------------------------------ refused beforehand


def test_o5_what_the_channel_would_refuse_is_refused_before_sending(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    with pytest.raises(CannotReply) as refusal:
        answer(desk, conversation, "x" * 10_001, noor)
    assert "1 " in refusal.value.sentence
    with pytest.raises(Invalid):
        answer(desk, conversation, " \n\u0000 ", noor)
    platform.deliver_all()
    assert platform.offered == []
    assert again(desk, conversation).status == Status.OPEN


@pytest.mark.parametrize("state", [InboxState.BROKEN, InboxState.DISCONNECTED])
def test_a_broken_inbox_blocks_the_composer_with_its_reason(
    desk: Desk, conversation: Conversation, noor: Membership, state: InboxState
) -> None:
    with desk.open():
        Inbox.objects.update(state=state, state_reason="Sleutel ingetrokken.")
    with pytest.raises(CannotReply):
        answer(desk, conversation, "Morgen!", noor)


def test_somebody_who_blocked_us_cannot_be_written_to(desk: Desk, conversation: Conversation, noor: Membership) -> None:
    """O7."""
    with desk.open():
        Handle.objects.update(is_reachable=False, unreachable_reason="Heeft ons geblokkeerd.")
    with pytest.raises(CannotReply) as refusal:
        answer(desk, conversation, "Morgen!", noor)
    assert "Heeft ons geblokkeerd." in refusal.value.sentence


# ------------------------------------------------------------------------------------------ public and private


def mention(status_id: str, text: str, visibility: str = "public") -> dict[str, Any]:
    sanne = {"id": "109348712345678901", "acct": "sanne@fiets.example", "username": "sanne", "display_name": "Sanne",
             "url": "https://fiets.example/@sanne", "avatar": ""}  # fmt: skip
    status = {"id": status_id, "created_at": "2026-11-23T07:59:00.000Z",
              "url": f"https://toot.example/@sanne/{status_id}",
              "uri": f"https://fiets.example/users/sanne/statuses/{status_id}", "account": sanne,
              "in_reply_to_id": None,
              "visibility": visibility, "content": f"<p>@regiobus {text}</p>", "media_attachments": [], "mentions": [],
              "tags": [], "emojis": [], "spoiler_text": "", "sensitive": False, "language": "nl"}  # fmt: skip
    return {"id": status_id, "type": "mention", "created_at": status["created_at"], "account": sanne,
            "status": status}  # fmt: skip


def polled(desk: Desk, platform: FarPlatform, inbox: Inbox, notification: dict[str, Any]) -> bytes:
    """What a poll of the small server brings once this has happened on it."""
    with desk.open():
        connected = open_account(inbox, desk.organisation)
    start = connected.channel.poll(connected.account, {}, platform.wires)
    platform.mastodon.notifications.append(notification)
    platform.mastodon.statuses[notification["status"]["id"]] = notification["status"]
    brought = connected.channel.poll(connected.account, start.cursor, platform.wires)
    return brought.deliveries[0].body


def test_o6_a_public_question_answered_in_private_is_posted_as_a_direct_message(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    inbox = platform.mastodon_inbox()
    question = mention("115480000000000001", "mijn OV-kaart doet het niet")
    [conversation] = desk.receive(inbox, polled(desk, platform, inbox, question))
    assert conversation.visibility == "public"
    answer(desk, conversation, "We kijken mee.", noor)
    answer(desk, conversation, "Wat is uw klantnummer?", noor, visibility="private")
    platform.deliver_all()
    posts = [call for call in platform.offered if call.url.endswith("/api/v1/statuses")]
    assert [post.json["visibility"] for post in posts] == ["public", "direct"]
    assert "Wat is uw klantnummer?" in posts[1].json["status"]
    with desk.open():
        assert sorted(Thread.objects.values_list("visibility", flat=True)) == ["private", "public"]
        assert Thread.objects.values("conversation_id").distinct().count() == 1
    assert [message.state for message in desk.messages() if message.kind == "outbound"] == ["sent", "sent"]


def test_o6_a_channel_that_cannot_answer_in_private_refuses_it(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    [conversation] = desk.receive(platform.inbox(), desk.event(visibility="public"))
    with pytest.raises(CannotReply):
        answer(desk, conversation, "Wat is uw klantnummer?", noor, visibility="private")
    platform.deliver_all()
    assert platform.offered == []


def test_o6_a_private_answer_can_never_be_made_public(desk: Desk, conversation: Conversation, noor: Membership) -> None:
    with pytest.raises(CannotReply):
        answer(desk, conversation, "Uw IBAN is …", noor, visibility="public")
