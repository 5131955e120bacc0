"""The composer on screen: what it asks, keeps for later, lays before a colleague and shares."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from klankbord.desk.conversations.models import Draft, Message, Thread
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Role
from klankbord.flows import proposing, reply

from .pages import FRAGMENT, field, mode, text_of


@pytest.fixture
def case(desk):
    desk.now = timezone.now()
    [conversation] = desk.receive(desk.inbox(), desk.event(text="Waar blijft mijn kast?"))
    return conversation, desk.person("Noor")


@pytest.fixture
def trainee(desk):
    tess, lead = desk.person("Tess"), desk.person("Lead", Role.LEAD)
    with desk.open():
        return proposing.set_needs_approval(member=tess.id, needs=True, by=lead, now=desk.now)


def _form(page, text="Hij komt morgen.", **more):
    return {"mode": mode(page), "text": text, "client_key": field(page, "client_key"), **more}


def _post(client, conversation, **more):
    page = client.get(f"/inbox/all/{conversation.number}")
    return client.post(f"/conversations/{conversation.number}/reply", _form(page, **more), headers=FRAGMENT)


def test_signature_and_initials_are_shown_before_sending(desk, sign_in, case):
    conversation, noor = case
    with desk.open():
        Inbox.objects.update(signs_with_initials=True, signature="Groet,\n{agent}")
    page = sign_in(noor).get(f"/inbox/all/{conversation.number}")
    assert "^N ↵ Groet, ↵ Noor" in text_of(page)


def test_send_later_waits_in_the_timeline_and_can_be_moved_and_called_off(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    assert _post(client, conversation, then="later-tomorrow").status_code == 200
    page = client.get(f"/inbox/all/{conversation.number}")
    assert "Vertrekt morgen 9:00" in text_of(page)
    assert "Verstuur niet" in text_of(page)
    with desk.open():
        message = Message.objects.get(kind="outbound")
    later = (timezone.localtime() + timedelta(days=3)).strftime("%Y-%m-%dT10:30")
    moved = client.post(f"/messages/{message.id}/moment", {"for": "", "until": later}, headers=FRAGMENT)
    assert "10:30" in text_of(moved)
    client.post(f"/messages/{message.id}/take-back", headers=FRAGMENT)
    with desk.open():
        assert Draft.objects.get().text == "Hij komt morgen."


def test_a_moment_that_was_typed_counts_whichever_button_the_browser_took(desk, sign_in, case):
    conversation, noor = case
    later = (timezone.localtime() + timedelta(days=3)).strftime("%Y-%m-%dT10:30")
    _post(sign_in(noor), conversation, moment=later)
    with desk.open():
        assert "leaves_at" in Message.objects.get(kind="outbound").facts


def test_send_and_snooze(desk, sign_in, case):
    conversation, noor = case
    _post(sign_in(noor), conversation, then="snooze-tomorrow")
    assert desk.conversations()[0].status == "snoozed"


def test_what_would_become_public_is_asked_and_what_was_said_before_is_carried_along(desk, sign_in):
    [conversation] = desk.receive(desk.inbox(), desk.event(place="post", visibility="public"))
    client = sign_in(desk.person("Noor"))
    asked = _post(client, conversation, began="private", then="resolve")
    assert asked.status_code == 409
    assert "Plaats openbaar" in text_of(asked)
    carried = {"carried_then": field(asked, "carried_then")}
    answer = _post(client, conversation, began="private", public_confirmed="1", **carried)
    assert answer.status_code == 200
    assert desk.conversations()[0].status == "resolved"


def test_a_trainee_proposes_and_a_lead_sees_changes_and_lets_it_go(desk, sign_in, case, trainee):
    conversation, _noor = case
    tess = sign_in(trainee)
    assert "Stel voor" in text_of(tess.get(f"/inbox/all/{conversation.number}"))
    assert "Wacht op een collega" in text_of(_post(tess, conversation, text="Hij komt morge"))
    lead = sign_in(desk.person("Lead", Role.LEAD))
    assert "Tess" in text_of(lead.get("/proposals"))
    page = lead.get(f"/inbox/all/{conversation.number}")
    assert "Tess stelt een antwoord voor" in text_of(page)
    with desk.open():
        draft = Draft.objects.get(kind="proposal")
    lead.post(f"/proposals/{draft.id}/accept", {"text": "Hij komt morgen."}, headers=FRAGMENT)
    after = text_of(tess.get(f"/inbox/all/{conversation.number}"))
    assert "Hij komt morgen." in after
    assert "Gewijzigd door Lead; zoals het was voorgesteld" in after


def test_what_is_given_back_stands_in_the_trainees_composer_with_the_remark(desk, sign_in, case, trainee):
    conversation, _noor = case
    _post(sign_in(trainee), conversation, text="Hij komt morge")
    with desk.open():
        draft = Draft.objects.get(kind="proposal")
    lead = sign_in(desk.person("Lead", Role.LEAD))
    lead.post(f"/proposals/{draft.id}/give-back", {"remark": "Noem het tijdvak"}, headers=FRAGMENT)
    page = sign_in(trainee).get(f"/inbox/all/{conversation.number}")
    assert "Lead gaf dit terug: Noem het tijdvak" in text_of(page)


def test_an_agent_cannot_let_a_trainees_reply_go(desk, sign_in, case, trainee):
    conversation, noor = case
    _post(sign_in(trainee), conversation)
    with desk.open():
        draft = Draft.objects.get(kind="proposal")
    refusal = sign_in(noor).post(f"/proposals/{draft.id}/accept", {"text": "x"}, headers=FRAGMENT)
    assert refusal.status_code == 403


def test_a_lead_chooses_whose_replies_are_looked_at(desk, sign_in, case, trainee):
    noor = case[1]
    sign_in(desk.person("Lead", Role.LEAD)).post("/proposals/whose", {"members": [str(noor.id)]})
    noor.refresh_from_db()
    trainee.refresh_from_db()
    assert (noor.needs_approval, trainee.needs_approval) == (True, False)


def test_a_colleagues_draft_is_seen_and_taken_over(desk, sign_in, case):
    conversation, noor = case
    with desk.open():
        thread = Thread.objects.get()
        draft = reply.save_draft(
            conversation=conversation.id, kind="reply", text="Ik zoek het uit", thread=thread.id, by=noor, now=desk.now
        )
    joris = sign_in(desk.person("Joris"))
    assert "Noor begon hier een antwoord" in text_of(joris.get(f"/inbox/all/{conversation.number}"))
    assert "Ik zoek het uit" in text_of(joris.get(f"/drafts/{draft.id}", headers=FRAGMENT))
    taken = joris.post(f"/drafts/{draft.id}/take-over", headers=FRAGMENT)
    assert "Ik zoek het uit</textarea>" in taken.content.decode()
    assert "Noor begon" not in text_of(joris.get(f"/conversations/{conversation.number}/beside", headers=FRAGMENT))


def test_an_agent_outside_the_inbox_sees_no_draft(desk, sign_in, case):  # A1
    conversation, noor = case
    with desk.open():
        draft = reply.save_draft(
            conversation=conversation.id, kind="reply", text="Geheim", thread=None, by=noor, now=desk.now
        )
        Inbox.objects.update(is_open_to_all=False)
    outsider = sign_in(desk.person("Buiten"))
    assert outsider.get(f"/drafts/{draft.id}").status_code == 404
    assert outsider.post(f"/drafts/{draft.id}/take-over").status_code == 404
