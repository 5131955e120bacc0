"""A visitor asks, the desk answers, the visitor reads: through the real door, intake and delivery."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from klankbord.desk.contacts.models import Handle
from klankbord.desk.conversations.models import Conversation, Message, MessageState, Thread
from klankbord.flows import casework, presence, reply, visitors

from .widget_site import ORIGIN, Site


def only(conversations: list[Conversation]) -> Conversation:
    [one] = conversations
    return one


def test_a_visitors_question_is_a_conversation_with_the_page_where_they_asked(site: Site) -> None:
    anouk = site.visitor()
    page = {"url": f"{ORIGIN}/tafels/terschelling", "title": "Eettafel Terschelling"}
    assert anouk.say("Past deze tafel door een deur van 78 cm? 🙏🏽", page=page).status_code == 202
    site.desk.take_in()
    conversation = only(site.desk.conversations())
    assert (conversation.status, conversation.preview) == ("open", "Past deze tafel door een deur van 78 cm? 🙏🏽")
    with site.desk.open():
        thread = Thread.objects.get(conversation_id=conversation.id)
        assert (thread.visibility, thread.url) == ("private", f"{ORIGIN}/tafels/terschelling")
        assert thread.context["text"] == "Eettafel Terschelling"


def test_the_answer_stands_in_the_chat_when_it_has_left_and_not_before(site: Site) -> None:
    bram, anouk = site.desk.person("Bram"), site.visitor()
    anouk.say("Past hij door de deur?", client_id="vraag-0001")
    site.desk.take_in()
    site.tick()
    with site.desk.open():
        thread = Thread.objects.get(inbox_id=site.inbox.id)
        reply.send_reply(
            conversation=thread.conversation_id, thread=thread.id, text="Ja, op zijn kant.", by=bram, now=site.desk.now,
            client_key="a",
        )  # fmt: skip
    assert [each["text"] for each in anouk.read()] == ["Past hij door de deur?"]
    site.send_out()
    mine, ours = anouk.read()
    assert (mine["from"], mine["client_id"]) == ("you", "vraag-0001")
    assert (ours["from"], ours["author"], ours["kind"], ours["text"]) == ("us", "Bram", "agent", "Ja, op zijn kant.")


def test_notes_and_failed_and_withdrawn_replies_never_reach_the_visitor(site: Site) -> None:
    bram, anouk = site.desk.person("Bram"), site.visitor()
    anouk.say("Hallo?")
    site.desk.take_in()
    with site.desk.open():
        conversation = Conversation.objects.get()
        reply.write_note(conversation=conversation.id, text="Lastige klant", by=bram, now=site.desk.now, client_key="n")
    for state in MessageState:
        message = site.answer(f"In staat {state}", bram)
        with site.desk.open():
            Message.objects.filter(id=message.id).update(state=state)
    shown = [each["text"] for each in anouk.read()]
    assert shown == ["Hallo?", "In staat sent", "In staat delivered", "In staat read"]


def test_the_same_attempt_many_times_is_one_message(site: Site) -> None:
    anouk = site.visitor()
    for _ in range(3):
        assert anouk.say("Eén vraag", client_id="dezelfde-1").status_code == 202
    site.desk.take_in()
    assert len(site.desk.messages()) == 1


def test_a_visitor_who_writes_again_is_in_the_same_conversation(site: Site) -> None:
    anouk = site.visitor()
    anouk.say("Een")
    anouk.say("Twee")
    site.desk.take_in()
    assert only(site.desk.conversations()).message_count == 2


def test_a_closed_chat_can_be_read_back_and_goes_on(site: Site) -> None:
    lead, anouk = site.desk.person("Noor"), site.visitor()
    anouk.say("Een")
    site.desk.take_in()
    site.answer("Twee", lead)
    with site.desk.open():
        casework.resolve(conversation=only(site.desk.conversations()).id, by=lead, now=site.desk.now)
        Thread.objects.update(is_live=False)
    anouk.say("Drie")
    site.desk.take_in()
    assert len(site.desk.conversations()) == 2
    assert [each["text"] for each in anouk.read()] == ["Een", "Twee", "Drie"]


def test_agents_see_until_where_the_visitor_has_read(site: Site) -> None:
    bram, anouk = site.desk.person("Bram"), site.visitor()
    anouk.say("Hallo?")
    site.desk.take_in()
    first, second = site.answer("Dag", bram), site.answer("Zegt u het maar", bram)
    assert anouk.post("read", {"up_to": anouk.read()[1]["id"]}).status_code == 200
    site.desk.take_in()
    with site.desk.open():
        states = dict(Message.objects.filter(kind="outbound").values_list("id", "state"))
    assert states == {first.id: "read", second.id: "delivered"}


def test_each_sees_that_the_other_is_typing(site: Site) -> None:
    bram, anouk = site.desk.person("Bram"), site.visitor()
    anouk.say("Hallo?")
    site.desk.take_in()
    conversation = only(site.desk.conversations())
    assert anouk.get("history").json()["typing"] is False
    anouk.post("typing", {"typing": True})
    site.tick()
    with site.desk.open():
        assert visitors.is_visitor_typing(conversation=conversation.id, now=site.desk.now)
        presence.seen(conversation=conversation.id, by=bram, now=site.desk.now, is_typing=True)
    assert anouk.get("history").json()["typing"] is True
    site.answer("Zo, dat was het", bram)
    assert anouk.get("history").json()["typing"] is False
    anouk.post("typing", {"typing": False})
    with site.desk.open():
        assert not visitors.is_visitor_typing(conversation=conversation.id, now=site.desk.now)


def test_an_address_that_is_left_stands_with_the_contact(site: Site) -> None:
    anouk = site.visitor()
    anouk.say("Hallo?")
    site.desk.take_in()
    assert anouk.post("email", {"email": " Anouk@Example.NL "}).json() == {"email": "anouk@example.nl"}
    with site.desk.open():
        handle = Handle.objects.get(kind="webchat")
        assert (handle.email, handle.is_proven) == ("anouk@example.nl", False)
    assert anouk.get("history").json()["has_email"] is True


@pytest.mark.parametrize("address", ["", "anouk", "anouk@", "a b@c.nl", "x" * 300 + "@c.nl", "a@b.nl\nBcc: x@y.nl"])
def test_what_is_no_address_is_refused(site: Site, address: str) -> None:
    assert site.visitor().post("email", {"email": address}).status_code == 422


def picture() -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (40, 30), "teal")
    exif = image.getexif()
    exif[0x010F] = "a camera that tells"
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_photo_arrives_with_the_message_without_what_it_tells_of_its_maker(site: Site) -> None:
    anouk = site.visitor()
    uploaded = anouk.attach("../../trap.jpg", picture())
    assert uploaded.status_code == 201
    assert (uploaded.json()["name"], uploaded.json()["type"]) == ("trap.jpg", "image/jpeg")
    assert anouk.say("", files=[uploaded.json()["id"]], client_id="met-foto-1").status_code == 202
    assert anouk.say("", files=[uploaded.json()["id"]], client_id="met-foto-1").status_code == 202  # a second attempt
    site.desk.take_in()
    [message] = anouk.read()
    [file] = message["files"]
    answer = anouk.get(f"attachments/{file['id']}")
    data = b"".join(answer.streaming_content)
    assert data.startswith(b"\xff\xd8")
    assert b"a camera that tells" not in data
    assert "attachment" in answer["Content-Disposition"]
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_page_disguised_as_a_picture_is_only_ever_saved(site: Site) -> None:
    anouk = site.visitor()
    uploaded = anouk.attach("foto.png", b"<!doctype html><script>alert(1)</script>")
    anouk.say("kijk", files=[uploaded.json()["id"]])
    site.desk.take_in()
    [file] = anouk.read()[0]["files"]
    answer = anouk.get(f"attachments/{file['id']}")
    assert answer["Content-Type"] == "application/octet-stream"
    answer.close()


def test_a_machines_acknowledgement_is_shown_as_a_machines(site: Site) -> None:
    with site.desk.open():
        site.inbox.acknowledges, site.inbox.acknowledgement = True, "We lezen het zo."
        site.inbox.save(update_fields=["acknowledges", "acknowledgement"])
    anouk = site.visitor()
    anouk.say("Hallo?")
    site.tick()
    site.desk.take_in()
    site.send_out()
    [_, ours] = anouk.read()
    assert (ours["text"], ours["author"], ours["kind"]) == ("We lezen het zo.", "", "system")
