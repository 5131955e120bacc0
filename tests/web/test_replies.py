"""Answering: replies, notes, drafts, undo, and what must not happen twice or unseen."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.test import Client

from klankbord.desk.conversations.models import Attachment, Draft, Message, Outbox
from klankbord.doors.web.views.parts import first_mode
from klankbord.flows import reply
from klankbord.flows.composing import ComposerMode

from .pages import FRAGMENT, field, mode, text_of


@pytest.fixture
def case(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, desk.event(text="Waar blijft mijn kast?"))
    return conversation, noor


def _form(page, text="Hij komt morgen.", **more):
    return {
        "mode": mode(page), "text": text, "client_key": field(page, "client_key"),
        "seen_message": field(page, "seen_message"), **more,
    }  # fmt: skip


def _ours(desk, conversation):
    return [message for message in desk.messages(conversation) if message.kind == "outbound"]


def test_a_reply_is_queued_visible_and_can_be_undone_for_a_while(desk, sign_in, case):
    conversation, noor = case
    desk.organisation.undo_seconds = 10
    desk.organisation.save()
    client = sign_in(noor)
    page = client.get(f"/inbox/all/{conversation.number}")
    answer = client.post(f"/conversations/{conversation.number}/reply", _form(page), headers=FRAGMENT)
    assert answer.status_code == 200
    assert "Maak ongedaan" in text_of(answer)
    [message] = _ours(desk, conversation)
    assert (message.text, message.state, message.author_id) == ("Hij komt morgen.", "queued", noor.id)
    assert "Hij komt morgen." in text_of(client.get(f"/inbox/all/{conversation.number}"))
    back = client.post(f"/messages/{message.id}/take-back", headers=FRAGMENT)
    assert "Hij komt morgen." in text_of(back)  # as a draft, in the composer
    assert "<article" in back.content.decode()
    with desk.open():
        assert not Outbox.objects.filter(id=message.id).exists()


def test_a_double_click_or_a_resent_form_is_one_reply(desk, sign_in, case):  # U17, U18 Back and resend
    conversation, noor = case
    client = sign_in(noor)
    form = _form(client.get(f"/inbox/all/{conversation.number}"))
    for _ in range(3):
        assert client.post(f"/conversations/{conversation.number}/reply", form, headers=FRAGMENT).status_code == 200
    assert len(_ours(desk, conversation)) == 1


def test_when_a_colleague_answered_meanwhile_one_must_say_so_twice(desk, sign_in, case):  # U16
    conversation, noor = case
    joris = desk.person("Joris")
    client = sign_in(noor)
    form = _form(client.get(f"/inbox/all/{conversation.number}"))
    with desk.open():
        thread = desk.messages(conversation)[0].thread_id
        reply.send_reply(conversation=conversation.id, thread=thread, text="Ik zei het al", by=joris, now=desk.now,
                         client_key="joris")  # fmt: skip
    refusal = client.post(f"/conversations/{conversation.number}/reply", form, headers=FRAGMENT)
    assert refusal.status_code == 409
    assert refusal.headers["HX-Retarget"] == "#composer-refusal"
    assert "Stuur het jouwe ook" in text_of(refusal)
    assert len(_ours(desk, conversation)) == 1
    again = client.post(f"/conversations/{conversation.number}/reply", form | {"confirmed": "1"}, headers=FRAGMENT)
    assert again.status_code == 200
    assert len(_ours(desk, conversation)) == 2


def test_what_is_refused_leaves_nothing_behind_and_says_why(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    form = _form(client.get(f"/inbox/all/{conversation.number}"), text="   ")
    refusal = client.post(f"/conversations/{conversation.number}/reply", form, headers=FRAGMENT)
    assert refusal.status_code == 422
    assert "Schrijf eerst iets" in text_of(refusal)
    assert _ours(desk, conversation) == []


def test_without_script_replies_notes_and_deeds_post_and_go_back_to_the_page(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    here = f"/inbox/mine/{conversation.number}"
    page = client.get(here)
    assert field(page, "next") == here
    posted = client.post(f"/conversations/{conversation.number}/reply", _form(page, next=here))
    assert (posted.status_code, posted.headers["location"]) == (302, here)
    client.post(f"/conversations/{conversation.number}/note", {"text": "Voor ons", "client_key": "n1", "next": here})
    client.post(f"/conversations/{conversation.number}/do/resolve", {"next": here})
    assert sorted(message.kind for message in desk.messages(conversation)) == ["inbound", "note", "outbound"]
    assert desk.conversations()[0].status == "resolved"


def test_without_script_a_refused_reply_is_kept_as_a_draft(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    page = client.get(f"/inbox/all/{conversation.number}")
    with desk.open():
        thread = desk.messages(conversation)[0].thread_id
        reply.send_reply(conversation=conversation.id, thread=thread, text="Eerder", by=desk.person("Joris"),
                         now=desk.now, client_key="j")  # fmt: skip
    refused = client.post(f"/conversations/{conversation.number}/reply", _form(page, text="Mijn woorden"))
    assert refused.status_code == 409
    assert "Mijn woorden" in client.get(f"/inbox/all/{conversation.number}").content.decode()


@pytest.mark.parametrize("next_page", ["https://kwaad.example/", "//kwaad.example", "/\\kwaad.example", "javascript:x"])
def test_a_form_never_leads_to_another_site(desk, sign_in, case, next_page):
    conversation, noor = case
    answer = sign_in(noor).post(f"/conversations/{conversation.number}/do/claim", {"next": next_page})
    assert answer.headers["location"] == f"/inbox/all/{conversation.number}"


def test_send_and_resolve_and_send_and_keep_open(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    address = f"/conversations/{conversation.number}/reply"
    client.post(address, _form(client.get(f"/inbox/all/{conversation.number}"), then="open"), headers=FRAGMENT)
    assert desk.conversations()[0].status == "open"
    client.post(address, _form(client.get(f"/inbox/all/{conversation.number}"), then="resolve"), headers=FRAGMENT)
    assert desk.conversations()[0].status == "resolved"


def test_a_draft_that_arrives_after_its_reply_was_sent_does_not_come_back(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    form = _form(client.get(f"/inbox/all/{conversation.number}"))
    client.post(f"/conversations/{conversation.number}/reply", form, headers=FRAGMENT)
    late = {"kind": "reply", "text": form["text"], "mode": form["mode"], "client_key": form["client_key"]}
    assert client.post(f"/conversations/{conversation.number}/draft", late, headers=FRAGMENT).content == b""
    with desk.open():
        assert Draft.objects.count() == 0


def test_drafts_are_kept_per_person_and_come_back(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    page = client.get(f"/inbox/all/{conversation.number}")
    saved = client.post(f"/conversations/{conversation.number}/draft",
                        {"kind": "reply", "text": "Half af", "mode": mode(page)}, headers=FRAGMENT)  # fmt: skip
    assert "Concept bewaard" in text_of(saved)
    assert "Half af" in client.get(f"/inbox/all/{conversation.number}").content.decode()
    other = sign_in(desk.person("Joris")).get(f"/inbox/all/{conversation.number}").content.decode()
    assert "Half af" not in other
    client.post(f"/conversations/{conversation.number}/draft", {"kind": "reply", "text": ""}, headers=FRAGMENT)
    with desk.open():
        assert not Draft.objects.exists()


def test_a_failed_reply_is_tried_again_and_an_uncertain_one_is_settled_by_a_person(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    client.post(f"/conversations/{conversation.number}/reply", _form(client.get(f"/inbox/all/{conversation.number}")),
                headers=FRAGMENT)  # fmt: skip
    [message] = _ours(desk, conversation)
    for state, address, form, becomes in (
        ("failed", "try-again", {}, "queued"),
        ("uncertain", "settle", {"arrived": "1"}, "sent"),
    ):
        with desk.open():
            Message.objects.filter(id=message.id).update(state=state)
        assert client.post(f"/messages/{message.id}/{address}", form, headers=FRAGMENT).status_code == 200
        assert _ours(desk, conversation)[0].state == becomes
    assert client.post(f"/messages/{message.id}/try-again", headers=FRAGMENT).status_code == 404


def test_nothing_changes_by_opening_an_address_or_without_the_pages_own_token(desk, sign_in, case):  # U18
    conversation, noor = case
    client, strict = sign_in(noor), sign_in(noor, enforce_csrf_checks=True)
    for address in ("reply", "note", "draft", "seen", "uploads", "do/resolve", "do/claim"):
        assert client.get(f"/conversations/{conversation.number}/{address}").status_code == 405
        assert strict.post(f"/conversations/{conversation.number}/{address}").status_code == 403
    assert desk.conversations()[0].status == "open"


def test_an_analyst_reads_and_cannot_answer(desk, sign_in, case):
    from klankbord.desk.organisations.models import Role

    conversation, _noor = case
    client = sign_in(desk.person("Ada", Role.ANALYST))
    page = client.get(f"/inbox/all/{conversation.number}")
    assert "antwoorden doen medewerkers" in text_of(page)
    assert client.post(f"/conversations/{conversation.number}/do/resolve", headers=FRAGMENT).status_code == 403
    assert client.post(f"/conversations/{conversation.number}/note", {"text": "x"}, headers=FRAGMENT).status_code == 403


def test_files_go_along_only_when_they_are_ones_own(desk, sign_in, case):  # X4
    conversation, noor = case
    client, joris = sign_in(noor), sign_in(desk.person("Joris"))
    page = client.get(f"/inbox/all/{conversation.number}")

    def _upload(browser: Client, name: str) -> str:
        file = io.BytesIO(b"%PDF-1.4 een handleiding")
        file.name = name
        answer = browser.post(f"/conversations/{conversation.number}/uploads", {"files": file}, headers=FRAGMENT)
        assert answer.status_code == 200
        return field(answer, "attachments")

    mine, his = _upload(client, "../../handleiding.pdf"), _upload(joris, "geheim.pdf")
    assert client.get(f"/attachments/{his}").status_code == 404
    assert client.post(f"/attachments/{his}/drop", headers=FRAGMENT).status_code == 404
    refused = client.post(f"/conversations/{conversation.number}/reply", _form(page, attachments=[mine, his]),
                          headers=FRAGMENT)  # fmt: skip
    assert refused.status_code == 422
    assert client.post(f"/attachments/{mine}/drop", headers=FRAGMENT).status_code == 200
    with desk.open():
        assert [str(each.id) for each in Attachment.objects.all()] == [his]


def test_snooze_until_a_preset_or_a_moment_and_never_in_the_past(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    address = f"/conversations/{conversation.number}/do/snooze"
    assert client.post(address, {"until": "2020-01-01T10:00"}, headers=FRAGMENT).status_code == 422
    assert client.post(address, {"until": "straks"}, headers=FRAGMENT).status_code == 422
    assert client.post(address, {"for": "tomorrow"}, headers=FRAGMENT).status_code == 200
    assert desk.conversations()[0].status == "snoozed"


def test_a_deed_that_does_not_exist_is_not_found(desk, sign_in, case):
    conversation, noor = case
    assert sign_in(noor).post(f"/conversations/{conversation.number}/do/delete", headers=FRAGMENT).status_code == 404


def test_the_composer_points_to_where_the_customer_spoke_last_whatever_was_begun_before(desk, sign_in):
    inbox, noor = desk.inbox(), desk.person("Noor")
    public = desk.event(place="post-1", visibility="public", text="Staat mijn kast al klaar?")
    [conversation] = desk.receive(inbox, public)
    client = sign_in(noor)
    address = f"/conversations/{conversation.number}/composer"
    before = client.get(address, headers=FRAGMENT)
    assert "Beantwoord openbaar" in text_of(before)
    desk.later(minutes=1)
    desk.receive(inbox, desk.event(place="p0", text="Mijn adres is Kade 1", thread_ids=[public["id"]]))
    now = client.get(address, headers=FRAGMENT)
    assert "Stuur privé" in text_of(now)
    draft = {"kind": "reply", "text": "Hij staat klaar", "mode": mode(before)}
    client.post(f"/conversations/{conversation.number}/draft", draft, headers=FRAGMENT)
    begun = client.get(address, headers=FRAGMENT)
    assert "Beantwoord openbaar" in text_of(begun)  # the words stay where they were begun
    assert 'data-spoke-in="private"' in begun.content.decode()
    assert client.get(address).status_code == 302


@pytest.mark.parametrize(
    ("said_in", "offered"),
    [("private", "private"), ("public", "public")],
    ids=["private stays private", "public moves on"],
)
def test_when_the_contacts_place_is_blocked_nothing_private_is_offered_to_the_public(said_in, offered):
    blocked = _mode_in(said_in, blocked_reason="dicht")
    assert first_mode([blocked, _mode_in("public")]).visibility == offered
    assert first_mode([_mode_in("private"), _mode_in("public")]).visibility == "private"
    assert first_mode([]) is None


def _mode_in(visibility, **changes):
    facts = dict.fromkeys(("channel_label", "kind", "band_sentence", "unit", "warning", "blocked_reason"), "")
    none = dict.fromkeys(("limit", "per_link", "window_closes_at"))
    sizes = {"splits": False, "media_count": 0, "media_bytes": 0, "media_types": (), "has_title": False}
    return ComposerMode(**{**facts, **none, **sizes, "thread_id": uuid4(), "visibility": visibility, **changes})
