"""Saved replies on screen: found while writing, kept in the settings."""

from __future__ import annotations

import pytest

from klankbord.desk.library.models import BusinessFact, SavedReply
from klankbord.desk.organisations.models import Role
from klankbord.flows import library

from .pages import FRAGMENT, text_of


@pytest.fixture
def case(desk):
    [conversation] = desk.receive(desk.inbox(), desk.event())
    return conversation, desk.person("Noor"), desk.person("Lead", Role.LEAD)


def _save(desk, by, **more):
    words = {"name": "Sorry", "text_nl": "Sorry {voornaam}", "text_en": "", "audience": "all"} | more
    with desk.open():
        return library.save_reply(reply=None, by=by, now=desk.now, **words)


def test_the_composer_finds_them_filled_in(desk, sign_in, case):
    conversation, noor, lead = case
    _save(desk, lead)
    answer = sign_in(noor).get(f"/conversations/{conversation.number}/saved-replies", {"q": "sor"}, headers=FRAGMENT)
    assert 'data-text="Sorry Anouk"' in answer.content.decode()


def test_words_of_a_reply_and_of_a_customer_cannot_become_markup(desk, sign_in, case):  # A6
    _conversation, noor, lead = case
    evil = '"><img src=x onerror=alert(1)>'
    _save(desk, lead, name=evil, text_nl=evil + "{voornaam}")
    other = desk.receive(desk.inbox("Twee"), desk.event(place="x", person={"id": "x", "name": evil}))[-1]
    for page in (f"/conversations/{other.number}/saved-replies", "/settings/saved-replies"):
        assert "<img src=x" not in sign_in(noor).get(page).content.decode()


def test_an_agent_writes_one_and_changes_and_removes_it(desk, sign_in, case):
    _conversation, noor, _lead = case
    client = sign_in(noor)
    form = {"name": "Groet", "text_nl": "Dag {naam}", "text_en": "", "audience": "me"}
    assert client.post("/settings/saved-replies/new", form).status_code == 302
    assert "Groet" in text_of(client.get("/settings/saved-replies"))
    with desk.open():
        saved = SavedReply.objects.get()
    page = f"/settings/saved-replies/{saved.id}"
    assert "Dag {naam}" in client.get(page).content.decode()
    client.post(page, form | {"text_en": "Hello"})
    with desk.open():
        assert SavedReply.objects.get().text_en == "Hello"
    client.post(f"{page}/remove")
    with desk.open():
        assert not SavedReply.objects.exists()


def test_what_was_typed_stays_when_the_form_is_refused(desk, sign_in, case):
    refusal = sign_in(case[1]).post("/settings/saved-replies/new", {"name": "", "text_nl": "Mijn woorden"})
    assert refusal.status_code == 422
    assert "Mijn woorden" in refusal.content.decode()


def test_an_agent_reads_everybodys_and_only_a_lead_changes_them_and_the_facts(desk, sign_in, case):
    _conversation, noor, lead = case
    saved = _save(desk, lead)
    agent = sign_in(noor)
    assert "Sorry" in text_of(agent.get("/settings/saved-replies"))
    assert agent.get(f"/settings/saved-replies/{saved.id}").status_code == 403
    assert agent.post("/settings/facts", {"name": "adres", "value_nl": "Kade 1"}).status_code == 302
    with desk.open():
        assert not BusinessFact.objects.exists()
    sign_in(lead).post("/settings/facts", {"name": "adres", "value_nl": "Kade 1"})
    assert "Kade 1" in text_of(agent.get("/settings/saved-replies"))
