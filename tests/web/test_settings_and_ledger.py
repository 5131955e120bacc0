"""Settings of inboxes, and the ledger."""

from __future__ import annotations

import html

from desk_builder import SECRET
from klankbord.desk.inboxes.models import DeadLetter, Inbox, LedgerLine
from klankbord.desk.organisations.models import Role
from klankbord.flows.accounts import unseal

from .pages import text_of


def test_an_administrator_connects_a_channel_and_its_secret_is_never_shown_again(desk, sign_in):
    client = sign_in(desk.person("Ada", Role.ADMINISTRATOR))
    assert "Verbind een kanaal" in text_of(client.get("/settings/inboxes"))
    assert "Mastodon" in text_of(client.get("/settings/inboxes/new"))
    secret = "een-heel-lang-gedeeld-geheim"
    made = client.post("/settings/inboxes/new/api", {"name": "Webshop", "field-secret": secret})
    page = client.get(made.headers["location"]).content.decode()
    assert "Webshop" in page
    assert "/hooks/" in page
    assert secret not in page
    form = {"name": "Winkel", "acknowledges": "1", "acknowledgement": "We zagen je bericht.", "reopen_days": "7"}
    client.post(f"{made.headers['location']}/do/settings", form)
    with desk.open():
        inbox = Inbox.objects.get()
        assert (inbox.name, inbox.acknowledges, inbox.acknowledgement, inbox.reopen_days) == (
            "Winkel", True, "We zagen je bericht.", 7,
        )  # fmt: skip


def test_a_form_with_something_missing_says_what_and_keeps_what_was_typed_but_no_secret(desk, sign_in):
    client = sign_in(desk.person("Ada", Role.ADMINISTRATOR))
    answer = client.post("/settings/inboxes/new/email", {"name": "Post", "field-address": "hallo@wolk.example",
                                                         "field-imap_password": "wachtwoord-123"})  # fmt: skip
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "is nog leeg" in text_of(answer)
    assert "hallo@wolk.example" in page
    assert "wachtwoord-123" not in page


def test_a_field_with_a_few_choices_is_picked_from_a_list_and_takes_nothing_else(desk, sign_in):
    client = sign_in(desk.person("Ada", Role.ADMINISTRATOR))
    form = client.get("/settings/inboxes/new/email").content.decode()
    assert '<select class="input" id="field-smtp_security"' in form
    assert '<option value="starttls" selected>starttls</option>' in form
    assert '<option value="none">geen</option>' in form
    typed = {"name": "Post", "field-address": "hallo@wolk.example", "field-imap_host": "imap.wolk.example",
             "field-imap_port": "993", "field-imap_security": "ssl3"}  # fmt: skip
    answer = client.post("/settings/inboxes/new/email", typed)
    assert answer.status_code == 422
    assert "IMAP-beveiliging" in answer.context["sentence"]


def test_pausing_resuming_members_and_disconnecting(desk, sign_in):
    inbox, ada, noor = desk.inbox(), desk.person("Ada", Role.ADMINISTRATOR), desk.person("Noor")
    client, here = sign_in(ada), f"/settings/inboxes/{inbox.id}"
    for deed, form, state in (
        ("pause", {"reason": "Verhuizing"}, "paused"),
        ("resume", {}, "connected"),
        ("disconnect", {}, "disconnected"),
    ):
        assert client.post(f"{here}/do/{deed}", form).status_code == 302
        with desk.open():
            assert Inbox.objects.get().state == state
    client.post(f"{here}/do/members", {"open": "members", "members": [str(noor.id)]})
    assert "checked" in client.get(here).content.decode()
    assert client.post(f"{here}/do/explode").status_code == 404


def test_agents_have_no_settings_and_no_ledger(desk, sign_in):
    inbox = desk.inbox()
    client = sign_in(desk.person("Noor"))
    for address in ("/settings/inboxes", "/settings/inboxes/new", "/settings/inboxes/new/api",
                    f"/settings/inboxes/{inbox.id}", "/ledger", "/ledger/dead-letters"):  # fmt: skip
        assert client.get(address).status_code == 403, address
    assert client.post(f"/settings/inboxes/{inbox.id}/do/pause", {"reason": "x"}).status_code == 403
    page = text_of(client.get("/inbox/mine"))
    assert "Grootboek" not in page
    assert "/settings/inboxes" not in client.get("/inbox/mine").content.decode()


def test_the_ledger_adds_up_and_says_so_when_it_does_not(desk, sign_in):
    inbox, client = desk.inbox(), sign_in(desk.person("Lia", Role.LEAD))
    desk.receive(inbox, desk.event(), desk.event(), b"geen json")
    today = desk.now.date()
    page = text_of(client.get("/ledger", {"days": "90"}))
    with desk.open():
        accepted = sum(LedgerLine.objects.filter(outcome="accepted", day=today).values_list("count", flat=True))
    assert f"Het klopt. Er kwamen {accepted} stuks binnen" in page
    with desk.open():
        LedgerLine.objects.filter(outcome="message").update(count=0)
    assert "kloppen niet" in text_of(client.get("/ledger", {"days": "90"}))


def test_a_dead_letter_is_dismissed_by_a_lead_and_only_read_by_an_analyst(desk, sign_in):
    inbox = desk.inbox()
    desk.receive(inbox, b"geen json")
    lead, analyst = sign_in(desk.person("Lia", Role.LEAD)), sign_in(desk.person("Ada", Role.ANALYST))
    with desk.open():
        letter = DeadLetter.objects.get()
    assert "Leg weg" in text_of(lead.get("/ledger/dead-letters"))
    assert "Leg weg" not in text_of(analyst.get("/ledger/dead-letters"))
    assert analyst.post(f"/ledger/dead-letters/{letter.id}/dismiss").status_code == 403
    assert lead.post(f"/ledger/dead-letters/{letter.id}/dismiss").status_code == 302
    assert "Niets onbestelbaar" in text_of(lead.get("/ledger/dead-letters"))


def test_the_test_secret_of_the_builder_never_reaches_a_page(desk, sign_in):
    inbox = desk.inbox()
    client = sign_in(desk.person("Ada", Role.ADMINISTRATOR))
    assert SECRET not in client.get(f"/settings/inboxes/{inbox.id}").content.decode()


def test_a_chat_shows_the_line_for_the_site_and_other_inboxes_show_none(desk, sign_in):
    chat = desk.inbox("Chat", kind="webchat", site_name="Wolk", origins="https://wolk.example")
    client, key = sign_in(desk.person("Sanne", Role.ADMINISTRATOR)), unseal(chat.credentials)["hook_token"]
    page = html.unescape(client.get(f"/settings/inboxes/{chat.id}").content.decode())
    assert f'/widget/v1/widget.js" data-klankbord="{key}" async></script>' in page
    other = client.get(f"/settings/inboxes/{desk.inbox().id}")
    assert "widget.js" not in other.content.decode()


def test_the_visitors_door_does_not_ask_a_colleague_to_sign_in_better(desk, sign_in):
    client = sign_in(desk.person("Noor"))
    session = client.session
    del session["has_two_factor"]
    session.save()
    assert client.get("/inbox/all").status_code == 302
    assert client.get("/widget/v1/history").status_code == 404  # its own answer to whoever has no visit


def test_the_list_of_inboxes_says_which_of_them_ever_received_anything(desk, sign_in):
    busy = desk.inbox(name="Druk")
    desk.inbox(name="Stil")
    desk.receive(busy, [desk.event(place="a", person={"id": "a"}, text="Hallo")])
    page = sign_in(desk.person("Dirk", Role.ADMINISTRATOR)).get("/settings/inboxes").content.decode()
    lines = {name: line for line in page.split("<li>") for name in ("Druk", "Stil") if f"<b>{name}</b>" in line}
    assert "laatste bericht" in lines["Druk"]
    assert "nog niets ontvangen" not in lines["Druk"]
    assert "nog niets ontvangen" in lines["Stil"]
