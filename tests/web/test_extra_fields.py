"""Requests that hold more, or something else, than the form they pretend to come from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from klankbord.desk.contacts.models import Contact
from klankbord.desk.conversations.models import Conversation, Draft, Message
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import AuditLine, Membership, Organisation, Role, User

from .pages import FRAGMENT, field, mode, text_of

STRANGE_ID = str(uuid4())
# What a browser never sends, and somebody who wants more than their role gives would.
MORE: dict[str, Any] = {
    "id": STRANGE_ID, "pk": STRANGE_ID, "organisation": STRANGE_ID, "organisation_id": STRANGE_ID,
    "account_id": STRANGE_ID, "user": STRANGE_ID, "user_id": STRANGE_ID, "author": STRANGE_ID, "author_id": STRANGE_ID,
    "author_kind": "contact", "author_name": "De directeur", "member_id": STRANGE_ID, "inbox_id": STRANGE_ID,
    "role": "administrator", "is_staff": "1", "is_superuser": "1", "is_active": "0", "is_demo": "1",
    "sends_are_held": "1", "password": "nieuw-wachtwoord", "email": "boef@boef.example", "state": "sent",
    "kind": "inbound",
    "status": "spam", "waiting_since": "2020-01-01", "created_at": "2020-01-01", "at": "2020-01-01",
    "received_at": "2020-01-01", "due_at": "2099-01-01", "sla_due": "2099-01-01", "external_id": "x",
    "is_automatic": "1", "is_history": "1", "keeps_open": "1", "lane": "7", "token": "x", "hook_token": "x",
    "facts": '{"a": 1}', "html": "<b>x</b>", "remarks": '["x"]', "__proto__[x]": "1", "constructor.prototype.x": "1",
}  # fmt: skip


@pytest.fixture
def case(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, desk.event(text="Waar blijft mijn kast?"))
    return inbox, conversation, noor


def _standing(desk) -> dict[str, Any]:
    """What nobody changed may not have changed."""
    with desk.open():
        return {
            "people": sorted(User.objects.values_list("id", "email", "name", "password", "is_active")),
            "places": sorted(Membership.objects.values_list("id", "role", "is_active", "organisation_id", "user_id")),
            "organisation": list(Organisation.objects.values_list("id", "is_demo", "sends_are_held", "undo_seconds")),
            "contacts": sorted(Contact.objects.values_list("id", "name")),
            "inboxes": sorted(
                Inbox.objects.values_list("id", "kind", "lane", "organisation_id", "state", "created_at")
            ),
        }


def test_a2_a_reply_takes_nothing_but_its_words_from_a_form(desk, sign_in, case):
    _, conversation, noor = case
    client, before = sign_in(noor), _standing(desk)
    page = client.get(f"/inbox/all/{conversation.number}")
    form = {"mode": mode(page), "text": "Hij komt.", "client_key": field(page, "client_key")}
    answer = client.post(f"/conversations/{conversation.number}/reply", {**MORE, **form}, headers=FRAGMENT)
    assert answer.status_code == 200
    [written] = [message for message in desk.messages(conversation) if message.kind == "outbound"]
    assert str(written.id) != STRANGE_ID
    assert (written.state, written.author_kind, written.author_id) == ("queued", "agent", noor.id)
    assert (written.author_name, written.html, written.is_automatic, written.is_history, written.external_id) == (
        "Noor", "", False, False, None,
    )  # fmt: skip
    assert written.at > desk.now - timedelta(days=1)
    assert _standing(desk) == before


@pytest.mark.parametrize("address", ["note", "draft", "seen", "do/claim", "do/label", "do/assign", "do/snooze"])
def test_a2_no_deed_changes_more_than_it_is_named_for(desk, sign_in, case, address):
    _, conversation, noor = case
    before = _standing(desk)
    form = {**MORE, "text": "Let op", "client_key": "k", "name": "Kast", "for": "tomorrow", "owner": str(noor.id)}
    form |= {"kind": "note"} if address == "draft" else {}
    assert sign_in(noor).post(f"/conversations/{conversation.number}/{address}", form).status_code < 400
    assert _standing(desk) == before
    with desk.open():
        after = Conversation.objects.get(id=conversation.id)
        assert (after.organisation_id, after.inbox_id, after.contact_id, after.created_at) == (
            conversation.organisation_id, conversation.inbox_id, conversation.contact_id, conversation.created_at,
        )  # fmt: skip
        assert after.status in {"open", "snoozed"}
        assert not Message.objects.filter(id=STRANGE_ID).exists()
        assert all(draft.member_id == noor.id for draft in Draft.objects.all())


def test_a2_ones_own_choices_make_nobody_an_administrator(desk, sign_in, case):
    _, _, noor = case
    before = _standing(desk)
    sign_in(noor).post("/me", {**MORE, "theme": "dark", "language": "en"})
    assert _standing(desk) == before
    chosen = User.objects.get(id=noor.user_id)
    assert (chosen.theme, chosen.language) == ("dark", "en")


def test_a2_the_settings_of_an_inbox_change_what_their_form_shows(desk, sign_in, case):
    inbox, _, _ = case
    ada = desk.person("Ada", Role.ADMINISTRATOR)
    before = _standing(desk)
    with desk.open():
        sealed = bytes(Inbox.objects.get(id=inbox.id).credentials)
    form = {**MORE, "name": "Winkel", "signature": "Groet", "reopen_days": "7", "field-secret": "een-ander-geheim-x"}
    answer = sign_in(ada).post(f"/settings/inboxes/{inbox.id}/do/settings", form)
    assert answer.status_code == 302
    assert _standing(desk) == before
    with desk.open():
        changed = Inbox.objects.get(id=inbox.id)
    assert (changed.name, changed.signature, changed.reopen_days) == ("Winkel", "Groet", 7)
    assert bytes(changed.credentials) == sealed


def test_a2_connecting_takes_the_fields_that_the_channel_asks_for(desk, sign_in):
    ada = desk.person("Ada", Role.ADMINISTRATOR)
    more = {f"field-{name}": value for name, value in MORE.items()}
    form = {**MORE, **more, "name": "Partner", "field-secret": "een-geheim-van-ons-tweeen"}
    assert sign_in(ada).post("/settings/inboxes/new/api", form).status_code == 302
    with desk.open():
        made = Inbox.objects.get(name="Partner")
        assert (made.kind, made.organisation_id, made.state) == ("api", desk.organisation.id, "connected")
        assert str(made.id) != STRANGE_ID
        assert AuditLine.objects.filter(deed="inbox connected", by=ada).exists()


# ------------------------------------------------------------------------------------------------ words as commands

SQL = [
    "' OR 1=1 --", "x'; DROP TABLE conversations_message; --", "%' UNION SELECT password FROM organisations_user --",
    "kast:* | !x & (", "\\", "\x00", "''::regclass", "${7*7}", "a" * 5000, "&" * 300, "#9999999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("name", ["q", "inbox", "visibility", "label", "after", "known", "since", "before", "from"])
@pytest.mark.parametrize("words", SQL, ids=range(len(SQL)))
def test_a4_words_in_a_search_or_filter_are_words(desk, sign_in, case, name, words):
    _, conversation, noor = case
    client = sign_in(noor)
    for address in ("/inbox/all", "/inbox/all/pulse", f"/conversations/{conversation.number}/timeline"):
        answer = client.get(address, {name: words}, headers=FRAGMENT)
        assert answer.status_code in (200, 302, 400, 404)
        assert "argon2" not in text_of(answer)
    assert len(desk.messages()) == 1


@pytest.mark.parametrize(
    "operator", ["q__contains", "inbox__name", "q[]", "inbox[$ne]", "order_by", "fields", "__proto__[x]"]
)
def test_a4_u10_what_no_filter_is_named_for_changes_nothing(desk, sign_in, case, operator):
    _, _, noor = case
    client = sign_in(noor)
    plain = text_of(client.get("/inbox/all"))
    assert text_of(client.get("/inbox/all", {operator: "password"})) == plain


def test_a4_saved_words_are_kept_as_they_are(desk, sign_in, case):
    _, conversation, noor = case
    client = sign_in(noor)
    for words in ("'); DROP TABLE x; --", "Robert' OR '1'='1", "<b>%s</b> {0}"):
        client.post(f"/conversations/{conversation.number}/do/label", {"name": words})
        client.post(f"/conversations/{conversation.number}/note", {"text": words, "client_key": words[:20]})
        assert words in [message.text for message in desk.messages(conversation)]
        assert words in text_of(client.get(f"/inbox/all/{conversation.number}"))


# ------------------------------------------------------------------------------------------------ people of others


@pytest.mark.parametrize("words", ["anouk@klant.example", "klant.example", "0612345678", "Anouk de Wit"])
def test_a6_a_customer_of_a_closed_inbox_is_not_found_by_name_address_or_number(desk, sign_in, words):
    closed = desk.inbox("Directie")
    person = {"id": "anouk", "name": "Anouk de Wit", "email": "anouk@klant.example"}
    desk.receive(closed, desk.event(person=person, text="Mail anouk@klant.example, bel 0612345678"))
    with desk.open():
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
    outsider, lead = sign_in(desk.person("Buiten")), sign_in(desk.person("Lea", Role.LEAD))
    assert "Anouk de Wit" in text_of(lead.get("/search", {"q": words}))
    assert "Anouk de Wit" not in text_of(outsider.get("/search", {"q": words}))
    assert text_of(outsider.get("/search", {"q": words})) == text_of(
        outsider.get("/search", {"q": "nooit-geweest"})
    ).replace("nooit-geweest", words)


def test_a_bare_number_is_a_conversations_first_and_then_whatever_else_it_may_be(desk, sign_in):
    inbox = desk.inbox()
    [first, *_] = desk.receive(
        inbox, desk.event(place="a", text="Over mijn kast"), desk.event(place="b", text="Bestelling 1 is kwijt")
    )
    client = sign_in(desk.person("Noor"))
    both, one = (text_of(client.get("/search", {"q": words})) for words in ("1", "#1"))
    assert first.number == 1
    assert both.index("Over mijn kast") < both.index("Bestelling 1 is kwijt")
    assert "Over mijn kast" in one
    assert "Bestelling 1 is kwijt" not in one


def test_a6_beside_a_conversation_stand_only_those_earlier_ones_that_one_may_see(desk, sign_in):
    closed, opened = desk.inbox("Directie"), desk.inbox("Webshop")
    person = {"id": "anouk", "name": "Anouk de Wit", "email": "anouk@klant.example"}
    desk.receive(closed, desk.event(place="geheim", person=person, text="Over de directeur"))
    *_, seen = desk.receive(opened, desk.event(place="gewoon", person=person, text="Over mijn kast"))
    with desk.open():
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
    side = f"/conversations/{seen.number}/about"
    assert "Over de directeur" in text_of(sign_in(desk.person("Lea", Role.LEAD)).get(side))
    assert "Over de directeur" not in text_of(sign_in(desk.person("Buiten")).get(side))
