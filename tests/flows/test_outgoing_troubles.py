"""What becomes of replies when platforms are ill, silent, quicker than their own answers, or refuse us."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from benches.mastodon import said
from books import counters_are_right, states_make_sense
from far_platform import FarPlatform, again, answer, outbox
from worlds import Request

from desk_builder import Desk
from klankbord import channels
from klankbord.contract import Refused, Response, Unavailable, Uncertain, Unsupported
from klankbord.desk.conversations.models import Conversation, Message, MessageState, Status
from klankbord.desk.errors import CannotReply, NotFound
from klankbord.desk.inboxes.models import Inbox, InboxState, Poll, SendGate
from klankbord.desk.inboxes.queries import is_unwell
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import connect, delivery
from klankbord.flows.reply import settle, try_again
from roles import become_within

pytestmark = pytest.mark.django_db


# ------------------------------------------------------------------------------------------ doubt


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The partner system does not know keys: a lost answer stays unknown."""
    kind = type(channels.channel("api"))
    monkeypatch.setattr(kind, "capabilities", replace(kind.capabilities, takes_idempotency_key=False))


def test_o1_a_lost_answer_of_a_platform_without_keys_is_uncertain_and_is_not_sent_again(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership, no_keys: None
) -> None:
    def take_and_hang(request: Request) -> Response:
        platform.take(request)
        raise Uncertain("The answer was lost.")

    platform.script = [take_and_hang]
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    desk.later(hours=2)
    platform.sweep()
    platform.deliver_all()
    assert len(platform.offered) == 1
    assert again(desk, message).state == MessageState.UNCERTAIN
    after = again(desk, conversation)
    assert (after.has_trouble, after.status, after.waiting_since) == (True, Status.OPEN, conversation.waiting_since)
    counters_are_right(desk)
    states_make_sense(desk)


def test_o1_a_lost_answer_of_a_platform_with_keys_is_offered_again_under_the_same_key(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    def take_and_hang(request: Request) -> Response:
        platform.take(request)
        raise Uncertain("The answer was lost.")

    platform.script = [take_and_hang]
    message = answer(desk, conversation, "Morgen!", noor)
    for _ in range(4):
        platform.deliver()
        desk.later(seconds=10)
    assert [call.headers["idempotency-key"] for call in platform.offered] == [str(message.id)] * 2
    assert len(platform.taken) == 1
    assert again(desk, message).state == MessageState.SENT


@pytest.mark.parametrize("arrived", [True, False])
def test_a_person_decides_about_an_uncertain_reply(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership, no_keys: None, arrived: bool
) -> None:
    platform.script = [Uncertain("The answer was lost.")]
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    with desk.open():
        settle(message=message.id, arrived=arrived, by=noor, now=desk.now)
    platform.deliver_all()
    assert again(desk, message).state == MessageState.SENT
    assert len(platform.offered) == (1 if arrived else 2)
    assert outbox(desk) == []
    after = again(desk, conversation)
    assert (after.has_trouble, after.status, after.waiting_since) == (False, Status.PENDING, None)
    with desk.open(), pytest.raises(NotFound):
        settle(message=message.id, arrived=True, by=noor, now=desk.now)
    counters_are_right(desk)


def test_an_uncertain_reply_stops_its_own_lane_only_and_in_order(
    desk: Desk, platform: FarPlatform, noor: Membership, no_keys: None
) -> None:
    inbox = platform.inbox()
    one, other = desk.receive(inbox, desk.event(), desk.event(place="bram", person={"id": "bram", "name": "Bram"}))
    platform.script = [Uncertain("The answer was lost.")]
    doubtful = answer(desk, one, "Een", noor)
    answer(desk, one, "Twee", noor)
    answer(desk, one, "Drie", noor)
    answer(desk, other, "Voor Bram", noor)
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Voor Bram"]
    with desk.open():
        settle(message=doubtful.id, arrived=False, by=noor, now=desk.now)
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Voor Bram", "Een", "Twee", "Drie"]


def test_a_sender_that_died_leaves_the_reply_uncertain_within_a_minute(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership, no_keys: None
) -> None:
    message = answer(desk, conversation, "Morgen!", noor)
    died_while_sending(desk)
    assert again(desk, message).state == MessageState.SENDING
    assert platform.sweep() == 0
    desk.later(seconds=46)
    assert platform.sweep() == 1
    assert again(desk, message).state == MessageState.UNCERTAIN
    assert platform.offered == []


def test_a_sender_that_died_is_made_good_where_the_platform_knows_keys(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    message = answer(desk, conversation, "Morgen!", noor)
    died_while_sending(desk)
    desk.later(seconds=46)
    platform.sweep()
    desk.later(seconds=10)
    platform.deliver_all()
    assert again(desk, message).state == MessageState.SENT
    assert len(platform.taken) == 1


def died_while_sending(desk: Desk) -> None:
    """The head of the lane is claimed by a process that is never heard of again."""
    become_within("worker")
    try:
        delivery.claim(now=desk.now, flight=delivery.Flight())
    finally:
        become_within("app")


# ------------------------------------------------------------------------------------------ echoes and receipts


def echo_of(reply: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "message", "id": f"p-{reply['id']}", "is_own": True, "text": reply["text"],
            "place": {"id": reply["place"]["id"]}, "person": {"id": "anouk"}, **more}  # fmt: skip


def test_w19_an_echo_that_is_faster_than_our_own_answer_is_no_second_message(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    with desk.open():
        inbox = Inbox.objects.get()
        Inbox.objects.update(signature="Groet, Noor")

    def take_and_show(request: Request) -> Response:
        taken = platform.take(request)
        become_within("app")
        desk.receive(inbox, echo_of(platform.taken[-1]))
        become_within("worker")
        return taken

    platform.script = [take_and_show]
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    assert [each.kind for each in desk.messages()] == ["inbound", "outbound"]
    sent = again(desk, message)
    assert (sent.state, sent.external_id) == (MessageState.SENT, f"p-{message.id}")
    assert outbox(desk) == []
    desk.receive(inbox, echo_of(platform.taken[-1]))
    assert len(desk.messages()) == 2


@pytest.mark.parametrize("with_key", [True, False])
def test_w19_an_echo_settles_an_uncertain_reply_and_its_case(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership, no_keys: None, with_key: bool
) -> None:
    def take_and_hang(request: Request) -> Response:
        platform.take(request)
        raise Uncertain("The answer was lost.")

    with desk.open():
        inbox = Inbox.objects.get()
    platform.script = [take_and_hang]
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    assert again(desk, conversation).has_trouble
    desk.receive(inbox, echo_of(platform.taken[0], **({"key": str(message.id)} if with_key else {})))
    assert again(desk, message).state == MessageState.SENT
    after = again(desk, conversation)
    assert (after.has_trouble, after.status, after.message_count) == (False, Status.PENDING, 2)
    assert outbox(desk) == []
    counters_are_right(desk)


def test_w19_an_echo_before_the_next_try_ends_the_trying(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    def take_and_hang(request: Request) -> Response:
        platform.take(request)
        raise Uncertain("The answer was lost.")

    with desk.open():
        inbox = Inbox.objects.get()
    platform.script = [take_and_hang]
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver()
    desk.receive(inbox, echo_of(platform.taken[0]))
    desk.later(minutes=5)
    platform.deliver_all()
    assert len(platform.offered) == 1
    assert [each.text for each in desk.messages() if each.kind == "outbound"] == ["Morgen!"]
    assert again(desk, message).external_id == f"p-{message.id}"


def test_w19_an_answer_typed_in_the_platforms_own_app_stops_the_clock(
    desk: Desk, platform: FarPlatform, conversation: Conversation
) -> None:
    with desk.open():
        inbox = Inbox.objects.get()
    desk.later(minutes=3)
    [after] = desk.receive(inbox, desk.event(is_own=True, text="Komt eraan", person={"id": "anouk"}, author="Webshop"))
    assert (after.status, after.waiting_since, after.message_count) == (Status.PENDING, None, 2)
    assert desk.messages()[-1].author_kind == "agent"
    assert platform.deliver_all() == 0


def test_w19_an_older_native_answer_does_not_hide_a_newer_question(desk: Desk, conversation: Conversation) -> None:
    with desk.open():
        inbox = Inbox.objects.get()
    late = desk.event(is_own=True, text="Komt eraan", at=(desk.now - timedelta(minutes=5)).isoformat())
    [after] = desk.receive(inbox, late)
    assert (after.status, after.waiting_since) == (Status.OPEN, conversation.waiting_since)
    assert after.preview == "Waar blijft mijn kast?"


def test_w19_an_automatic_answer_of_the_platform_stops_no_clock(desk: Desk, conversation: Conversation) -> None:
    with desk.open():
        inbox = Inbox.objects.get()
    desk.later(seconds=1)
    robot = desk.event(is_own=True, is_automatic=True, author_kind="bot", text="Wij zijn gesloten.")
    [after] = desk.receive(inbox, robot)
    assert (after.status, after.waiting_since) == (Status.OPEN, conversation.waiting_since)


def test_w8_a_receipt_before_we_know_the_messages_id_is_applied_later(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    with desk.open():
        inbox = Inbox.objects.get()

    def take_and_read(request: Request) -> Response:
        taken = platform.take(request)
        become_within("app")
        receipt = {"type": "receipt", "id": json.loads(taken.body)["id"], "state": "read"}
        desk.receive(inbox, receipt)
        become_within("worker")
        return taken

    platform.script = [take_and_read]
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    assert again(desk, message).state == MessageState.READ


def test_w8_receipts_in_any_order_end_at_read(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    with desk.open():
        inbox = Inbox.objects.get()
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    for state in ("read", "delivered", "sent"):
        desk.receive(inbox, {"type": "receipt", "id": f"p-{message.id}", "state": state})
        assert again(desk, message).state == MessageState.READ


def test_a_receipt_of_an_uncertain_reply_opens_its_lane_again(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership, no_keys: None
) -> None:
    with desk.open():
        inbox = Inbox.objects.get()
    platform.script = [Uncertain("The answer was lost.")]
    message = answer(desk, conversation, "Een", noor)
    platform.deliver_all()
    answer(desk, conversation, "Twee", noor)
    with desk.open():
        Message.objects.filter(id=message.id).update(external_id="p-1")
    desk.receive(inbox, {"type": "receipt", "id": "p-1", "state": "delivered"})
    assert again(desk, message).state == MessageState.DELIVERED
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Twee"]
    assert not again(desk, conversation).has_trouble


def test_a_reply_that_fails_after_all_opens_its_case_again(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    with desk.open():
        inbox = Inbox.objects.get()
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    receipt = {"type": "receipt", "id": f"p-{message.id}", "state": "failed", "reason": "Mailbox vol"}
    [after] = desk.receive(inbox, receipt)
    assert (after.has_trouble, after.status, after.waiting_since) == (True, Status.OPEN, conversation.waiting_since)
    assert again(desk, message).state_reason == "Mailbox vol"
    counters_are_right(desk)
    states_make_sense(desk)


# ------------------------------------------------------------------------------------------ refusals and delays


def test_a_refused_reply_opens_the_case_again_and_can_be_tried_again(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    platform.script = [said({"error": "Geen emoji toegestaan"}, status=422)]
    message = answer(desk, conversation, "Morgen!", noor, then="resolve")
    platform.deliver_all()
    failed = again(desk, message)
    assert failed.state == MessageState.FAILED
    assert "Geen emoji toegestaan" in failed.state_reason
    trouble = again(desk, conversation)
    assert (trouble.has_trouble, trouble.status) == (True, Status.OPEN)
    assert trouble.waiting_since == conversation.waiting_since
    states_make_sense(desk)
    with desk.open():
        try_again(message=message.id, by=noor, now=desk.now)
    platform.deliver_all()
    assert again(desk, message).state == MessageState.SENT
    after = again(desk, conversation)
    assert (after.has_trouble, after.status, after.waiting_since) == (False, Status.PENDING, None)
    counters_are_right(desk)
    states_make_sense(desk)


def test_trying_again_does_not_answer_what_was_asked_since(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    with desk.open():
        inbox = Inbox.objects.get()
    platform.script = [Refused("Nee.")]
    message = answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    desk.later(minutes=1)
    desk.receive(inbox, desk.event(text="En nu?"))
    with desk.open():
        try_again(message=message.id, by=noor, now=desk.now)
    after = again(desk, conversation)
    assert after.status == Status.OPEN
    assert after.waiting_since is not None


def test_o7_a_place_that_is_gone_is_a_clear_end(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    platform.script = [said({"error": "Verwijderd"}, status=410)]
    answer(desk, conversation, "Morgen!", noor)
    platform.deliver_all()
    with pytest.raises(CannotReply) as refusal:
        answer(desk, conversation, "Nog eens", noor)
    assert refusal.value.sentence
    assert len(platform.offered) == 1


ILL = {
    "O2-503": Response(503, {}, b"<h1>Service unavailable</h1>"),
    "O2-page-with-200": Response(200, {"content-type": "text/html"}, b"<h1>Welcome</h1>"),
    "O2-429-without-a-word": Response(429, {}, b""),
    "no-connection": Unavailable("No connection."),
}


@pytest.mark.parametrize("trouble", ILL.values(), ids=ILL.keys())
def test_o2_an_ill_platform_is_tried_again_later_in_order(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership, trouble: Any
) -> None:
    platform.script = [trouble] * 3
    answer(desk, conversation, "Een", noor)
    answer(desk, conversation, "Twee", noor)
    platform.deliver()
    assert platform.deliver() == 0
    for _ in range(60):
        desk.later(seconds=5)
        platform.deliver()
    assert [each["text"] for each in platform.taken] == ["Een", "Twee"]
    assert len(platform.offered) == 5
    assert not again(desk, conversation).has_trouble


def test_o2_an_empty_yes_is_a_yes(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    platform.script = [Response(200, {}, b"")]
    message = answer(desk, conversation, "Een", noor)
    platform.deliver_all()
    assert again(desk, message).state == MessageState.SENT
    assert len(platform.offered) == 1


def test_o2_a_platforms_own_wait_is_obeyed_to_the_second(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    platform.script = [Response(429, {"retry-after": "60"}, b"")]
    answer(desk, conversation, "Een", noor)
    platform.deliver()
    desk.later(seconds=59)
    assert platform.deliver() == 0
    desk.later(seconds=1)
    assert platform.deliver() == 1
    assert len(platform.taken) == 1


def test_o2_an_ill_platform_does_not_hold_up_another(desk: Desk, platform: FarPlatform, noor: Membership) -> None:
    ill, well = platform.inbox("Ziek"), platform.inbox("Gezond")
    one, other = desk.receive(ill, desk.event()), desk.receive(well, desk.event(place="bram", person={"id": "bram"}))
    platform.script = [Response(503, {}, b"")]
    answer(desk, one[0], "Een", noor)
    platform.deliver()
    answer(desk, other[1], "Twee", noor)
    assert platform.deliver() == 1
    assert [each["text"] for each in platform.taken] == ["Twee"]


def test_a_long_queue_of_one_inbox_does_not_hold_up_another(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    busy, calm = platform.inbox("Druk"), platform.inbox("Rustig")
    people = [f"k-{number}" for number in range(60)]
    crowd = desk.receive(busy, [desk.event(place=each, person={"id": each}) for each in people])
    for each in crowd:
        answer(desk, each, "Voor velen", noor)
    with desk.open():
        SendGate.objects.filter(inbox_id=busy.id).update(tokens=0, refilled_at=desk.now)
    *_, lonely = desk.receive(calm, desk.event(place="bram", person={"id": "bram"}))
    answer(desk, lonely, "Voor Bram", noor)
    platform.deliver()
    platform.deliver()
    assert "Voor Bram" in [each["text"] for each in platform.taken]


def test_replies_of_a_channel_that_is_no_longer_installed_hold_up_nobody(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    gone, well = platform.inbox("Verdwenen"), platform.inbox("Gezond")
    one, other = desk.receive(gone, desk.event()), desk.receive(well, desk.event(place="bram", person={"id": "bram"}))
    message = answer(desk, one[0], "Een", noor)
    answer(desk, other[1], "Twee", noor)
    with desk.open():
        Inbox.objects.filter(id=gone.id).update(kind="uitgestorven")
        Poll.objects.filter(inbox_id=gone.id).update(kind="uitgestorven")
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Twee"]
    assert again(desk, message).state == MessageState.QUEUED


def test_what_nobody_foresaw_is_uncertain_not_lost(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    platform.script = [ZeroDivisionError("onverwacht")]
    message = answer(desk, conversation, "Een", noor)
    platform.deliver_all()
    assert again(desk, message).state == MessageState.UNCERTAIN


def test_what_the_channel_cannot_do_is_said(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    platform.script = [Unsupported("Kan geen stickers sturen.")]
    message = answer(desk, conversation, "Een", noor)
    platform.deliver_all()
    failed = again(desk, message)
    assert (failed.state, failed.state_reason) == (MessageState.FAILED, "Kan geen stickers sturen.")


def test_o3_a_revoked_token_makes_the_rest_wait_in_order_and_go_once_after_reconnecting(
    desk: Desk, platform: FarPlatform, noor: Membership
) -> None:
    administrator = desk.person("Ada", Role.ADMINISTRATOR)
    inbox = platform.inbox()
    [conversation] = desk.receive(inbox, desk.event())
    words = [f"Bericht {number}" for number in range(10)]
    for text in words:
        answer(desk, conversation, text, noor)
    platform.script = [platform.take, platform.take, Response(401, {}, b""), Response(401, {}, b"")]
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == words[:2]
    broken = again(desk, inbox)
    assert broken.state == InboxState.BROKEN
    assert "signature" in broken.state_reason
    desk.later(hours=3)
    platform.deliver_all()
    assert len(platform.offered) == 3
    assert outbox(desk) == ["queued"] * 8
    platform.script = []
    with desk.open():
        assert is_unwell(broken)
        connect.reconnect(inbox=inbox.id, values={"reply_url": "https://partner.example/antwoorden"},
                          by=administrator, now=desk.now)  # fmt: skip
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == words
    assert {message.state for message in desk.messages() if message.kind == "outbound"} == {"sent"}


# ------------------------------------------------------------------------------------------ pauses and fences


def test_a_paused_inbox_receives_and_holds_its_replies(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    ada = desk.person("Ada", Role.ADMINISTRATOR)
    with desk.open():
        inbox = Inbox.objects.get()
        connect.pause(inbox=inbox.id, reason="Storing", by=ada, now=desk.now)
    answer(desk, conversation, "Een", noor)
    answer(desk, conversation, "Twee", noor)
    assert platform.deliver_all() == 0
    desk.later(minutes=1)
    assert desk.receive(inbox, desk.event(text="Hallo?"))[0].preview == "Hallo?"
    with desk.open():
        connect.resume(inbox=inbox.id, by=ada, now=desk.now)
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Een", "Twee"]


def test_f36_nothing_leaves_a_restored_copy_until_a_person_confirms(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    message = answer(desk, conversation, "Een", noor)
    desk.organisation.sends_are_held = True
    desk.organisation.save(update_fields=["sends_are_held"])
    assert delivery.hold_everything(organisation_id=desk.organisation.id) == 1
    later_one = answer(desk, conversation, "Twee", noor)
    assert platform.deliver_all() == 0
    assert again(desk, message).state == MessageState.UNCERTAIN
    assert again(desk, conversation).has_trouble
    desk.organisation.sends_are_held = False
    desk.organisation.save(update_fields=["sends_are_held"])
    assert platform.deliver_all() == 0  # what was uncertain still waits for a person, and what follows it too
    with desk.open():
        settle(message=message.id, arrived=True, by=noor, now=desk.now)
    platform.deliver_all()
    assert [each["text"] for each in platform.taken] == ["Twee"]
    assert again(desk, later_one).state == MessageState.SENT


def test_a_conversation_with_two_failed_replies_stays_in_trouble_until_both_are_well(
    desk: Desk, platform: FarPlatform, conversation: Conversation, noor: Membership
) -> None:
    platform.script = [Refused("Nee."), Refused("Nee.")]
    failed = [answer(desk, conversation, text, noor) for text in ("Een", "Twee")]
    platform.deliver_all()
    for message, is_in_trouble in zip(failed, (True, False), strict=True):
        with desk.open():
            try_again(message=message.id, by=noor, now=desk.now)
        platform.deliver_all()
        assert again(desk, conversation).has_trouble == is_in_trouble
