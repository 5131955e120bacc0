"""Contacts on screen: the list, one person over all channels, and what colleagues write down."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from desk_builder import Desk
from klankbord.desk.contacts.models import Contact, ContactField
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Role

from .pages import FRAGMENT, field, text_of

pytestmark = pytest.mark.django_db


def person(name: str, **facts: Any) -> dict[str, Any]:
    return {"id": name.casefold(), "name": name, **facts}


def meet(desk: Desk, inbox: Inbox, *people: dict[str, Any]) -> dict[str, Contact]:
    """These people wrote once; gives their contacts by name."""
    desk.receive(inbox, *(desk.event(place=each["id"], person=each) for each in people))
    with desk.open():
        return {each.name: each for each in Contact.objects.all()}


@pytest.fixture
def known(desk: Desk) -> dict[str, Contact]:
    return meet(
        desk,
        desk.inbox(),
        person("Anouk de Wit", email="anouk@wolk.example", phone="+31 6 1234 5678"),
        person("Zoë Ångström", username="zoe_a"),
        person("O’Brien & Zonen"),
        person("Дмитрий Иванов"),
    )


def listed(response: Any) -> list[str]:
    return [name for name in ("Anouk de Wit", "Zoë Ångström", "O’Brien & Zonen", "Дмитрий Иванов")
            if name in text_of(response)]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("anouk", ["Anouk de Wit"]),
        ("wit", ["Anouk de Wit"]),
        ("de WIT an", ["Anouk de Wit"]),
        ("zoe", ["Zoë Ångström"]),
        ("ångs", ["Zoë Ångström"]),
        ("zoe_a", ["Zoë Ångström"]),
        ("anouk@wolk.example", ["Anouk de Wit"]),
        ("wolk.ex", ["Anouk de Wit"]),
        ("06 12 34 56 78", ["Anouk de Wit"]),
        ("0612", ["Anouk de Wit"]),
        ("+31612345678", ["Anouk de Wit"]),
        ("o'brien", ["O’Brien & Zonen"]),
        ("иван", ["Дмитрий Иванов"]),
        ("niemand", []),
        ("'); DROP TABLE", []),
        ("&|!:*", []),
        ("__", []),
    ],
)
def test_somebody_is_found_by_name_handle_address_or_number(desk, known, sign_in, words, found):
    assert listed(sign_in(desk.person("Noor")).get("/contacts", {"q": words})) == found


def test_the_list_is_by_name_and_goes_on_where_it_ended(desk, sign_in):
    meet(desk, desk.inbox(), *(person(f"Mens {number:03}") for number in range(120)))
    client, seen, address = sign_in(desk.person("Noor")), [], "/contacts"
    while address:
        response = client.get(address, headers=FRAGMENT)
        page = response.content.decode()
        seen += [f"Mens {number:03}" for number in range(120) if f">Mens {number:03}<" in page]
        more = page.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
        address = more or ""
    assert seen == [f"Mens {number:03}" for number in range(120)]


def test_a1_who_may_not_see_the_inbox_does_not_see_its_people(desk, sign_in):
    inbox = desk.inbox("Directie")
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(is_open_to_all=False)
    anouk = meet(desk, inbox, person("Anouk de Wit"))["Anouk de Wit"]
    outsider, lead = sign_in(desk.person("Buiten")), sign_in(desk.person("Lea", Role.LEAD))
    assert listed(outsider.get("/contacts")) == listed(outsider.get("/contacts", {"q": "anouk"})) == []
    assert outsider.get(f"/contacts/{anouk.id}").status_code == 404
    assert listed(lead.get("/contacts")) == ["Anouk de Wit"]
    assert lead.get(f"/contacts/{anouk.id}").status_code == 200


def test_the_timeline_runs_over_channels_and_keeps_closed_inboxes_closed(desk, sign_in):
    shop, board = desk.inbox("Webshop"), desk.inbox("Directie")
    anouk = person("Anouk de Wit")
    desk.receive(shop, desk.event(person=anouk, text="Waar blijft mijn kast?"))
    desk.later(days=1)
    desk.receive(shop, desk.event(place="post-1", visibility="public", person=anouk, text="Nog steeds geen kast!"))
    desk.receive(board, desk.event(person=anouk, text="Ik wil de directie spreken"))
    with desk.open():
        Inbox.objects.filter(id=board.id).update(is_open_to_all=False)
        [contact] = Contact.objects.all()
    shown = text_of(sign_in(desk.person("Noor")).get(f"/contacts/{contact.id}"))
    assert shown.index("Nog steeds geen kast!") < shown.index("Waar blijft mijn kast?")
    assert "directie spreken" not in shown
    assert "directie spreken" in text_of(sign_in(desk.person("Ana", Role.ANALYST)).get(f"/contacts/{contact.id}"))


def test_older_messages_come_after_the_newest(desk, sign_in):
    inbox = desk.inbox()
    for number in range(70):
        desk.later(minutes=1)
        desk.deliver(inbox, desk.event(text=f"Bericht nummer {number:02}"))
    desk.take_in()
    with desk.open():
        [contact] = Contact.objects.all()
    client = sign_in(desk.person("Noor"))
    first = client.get(f"/contacts/{contact.id}").content.decode()
    older = first.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    rest = client.get(older, headers=FRAGMENT).content.decode()
    numbers = [f"nummer {number:02}<" in first for number in range(70)]
    assert numbers == [number >= 20 for number in range(70)]
    assert [f"nummer {number:02}<" in rest for number in range(70)] == [number < 20 for number in range(70)]


def test_what_colleagues_know_is_written_down_with_who_and_when(desk, known, sign_in):
    noor, anouk = sign_in(desk.person("Noor")), known["Anouk de Wit"]
    address = f"/contacts/{anouk.id}"
    noor.post(f"{address}/do/profile", {"name": "Anouk Jansen", "company": "Bakkerij Zoet", "language": "nl"})
    noor.post(f"{address}/do/note", {"text": "Belt liever dan dat ze schrijft."})
    noor.post(f"{address}/do/note", {"text": "Heeft een hond."})
    noor.post(f"{address}/do/vip")
    noor.post(f"{address}/do/consent", {"purpose": "news", "given": "1", "source": "formulier van 3 mei"})
    noor.post(f"{address}/do/consent", {"purpose": "news", "given": "0", "source": "belde erover"})
    shown = text_of(noor.get(address))
    for words in ("Anouk Jansen", "Bakkerij Zoet", "VIP", "ingetrokken", "belde erover", "formulier van 3 mei"):
        assert words in shown
    assert shown.index("Heeft een hond.") < shown.index("Belt liever")
    assert "Noor" in shown.partition("Heeft een hond.")[2]
    assert "Bakkerij Zoet" in text_of(noor.get("/contacts"))


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "{{ 7*7 }} {% load x %} %(x)s", "\u202eabc", "a" + "\u0301" * 300, "👩‍👩‍👧‍👦 " * 40],
    ids=["U6", "U9", "U13-turned", "U13-marks", "U14"],
)
def test_names_are_words_wherever_they_stand(desk, sign_in, name):
    meet(desk, desk.inbox(), {"id": "x", "name": name})
    with desk.open():
        [contact] = Contact.objects.all()
    client = sign_in(desk.person("Noor"))
    client.post(
        f"/contacts/{contact.id}/do/profile", {"name": contact.name, "company": f"{contact.name} BV", "language": ""}
    )
    client.post(f"/contacts/{contact.id}/do/note", {"text": name})
    with desk.open():
        company = Contact.objects.get().company_id
    for address in ("/contacts", f"/contacts/{contact.id}", f"/companies/{company}", f"/contacts/{contact.id}/merge"):
        response = client.get(address)
        page = response.content.decode()
        assert response.status_code == 200
        assert "<script>alert" not in page
        assert "\u202e" not in page.partition("<h1>")[2].partition("</h1>")[0]
    if "7*7" in name:
        assert name in text_of(client.get(f"/contacts/{contact.id}"))


def test_a_company_shows_its_people_and_what_was_said_with_them(desk, known, sign_in):
    noor = sign_in(desk.person("Noor"))
    for name, spelling in (("Anouk de Wit", "Bakkerij Zoet"), ("Zoë Ångström", "bakkerij  ZOET")):
        noor.post(f"/contacts/{known[name].id}/do/profile", {"name": name, "company": spelling})
    with desk.open():
        [company] = {each.company_id for each in Contact.objects.exclude(company=None)}
    shown = text_of(noor.get(f"/companies/{company}"))
    assert "Bakkerij Zoet" in shown
    assert shown.count("Anouk de Wit") == shown.count("Zoë Ångström") == 2
    assert "O’Brien" not in shown
    noor.post(f"/companies/{company}", {"name": "Bakkerij Zoeter"})
    assert "Bakkerij Zoeter" in text_of(noor.get("/contacts"))


# ------------------------------------------------------------------------------------------ files and fields


def test_a_file_is_looked_at_before_it_is_taken_in(desk, sign_in):
    lea = sign_in(desk.person("Lea", Role.LEAD))
    sheet = "naam,e-mail,kleur\n=1+1 <b>Jan</b>,jan@wolk.example,rood\nPiet,geen adres,blauw\n"
    upload = SimpleUploadedFile("klanten.csv", sheet.encode(), content_type="text/csv")
    checked = lea.post("/contacts/imports", {"file": upload}, follow=True)
    shown = text_of(checked)
    for words in (
        "nieuwe contacten 1",
        "rijen die niet worden opgenomen 1",
        "jan@wolk.example",
        "Niet gebruikt: kleur",
    ):
        assert words in shown
    assert "<b>Jan" not in checked.content.decode()
    address = checked.redirect_chain[-1][0]
    assert "geen adres" in lea.get(f"{address}/not-taken-in.csv").content.decode()
    assert "Bezig: 0 van 2 rijen" in text_of(lea.post(address, follow=True))
    assert text_of(lea.get("/contacts")).count("jan@wolk.example") == 0


def test_a_file_that_is_no_list_of_people_is_refused_in_words(desk, sign_in):
    lea = sign_in(desk.person("Lea", Role.LEAD))
    refused = lea.post("/contacts/imports", {"file": SimpleUploadedFile("x.csv", b"kleur\nrood\n")})
    assert refused.status_code == 422
    assert "Geen kolom heet e-mail of telefoon" in text_of(refused)


def test_x9_an_agent_takes_no_file_in_or_out(desk, known, sign_in):
    noor = sign_in(desk.person("Noor"))
    assert noor.get("/contacts/imports").status_code == noor.post("/contacts/export").status_code == 403
    lea = sign_in(desk.person("Lea", Role.LEAD))
    assert "anouk@wolk.example" in b"".join(lea.post("/contacts/export")).decode()


def test_an_administrators_field_is_filled_in_by_an_agent(desk, known, sign_in):
    boss, noor = sign_in(desk.person("Baas", Role.ADMINISTRATOR)), sign_in(desk.person("Noor"))
    for form in (
        {"name": "Klant sinds", "kind": "date"},
        {"name": "Pakket", "kind": "choice", "choices": "Basis\nPlus"},
        {"name": "Omzet", "kind": "number"},
    ):
        boss.post("/settings/contact-fields", form)
    with desk.open():
        since, package, turnover = (f"field-{each.id.hex}" for each in ContactField.objects.order_by("position"))
    address = f"/contacts/{known['Anouk de Wit'].id}"
    values = {since: "2021-05-03", package: "Plus", turnover: "1.250,50"}
    noor.post(f"{address}/do/profile", {"name": "Anouk de Wit", **values})
    refused = noor.post(f"{address}/do/profile", {"name": "Anouk de Wit", turnover: "veel"})
    assert refused.status_code == 422
    shown = text_of(sign_in(desk.person("Ana", Role.ANALYST)).get(address))
    assert "Klant sinds 3 mei 2021" in shown
    assert "Pakket Plus" in shown
    assert "Omzet 1.250,5" in shown
    assert noor.get("/settings/contact-fields").status_code == 403


def test_merging_is_previewed_and_can_be_undone_on_screen(desk, known, sign_in):
    noor, (one, other) = sign_in(desk.person("Noor")), (known["Anouk de Wit"], known["Zoë Ångström"])
    assert "Zoë Ångström" in text_of(noor.get(f"/contacts/{one.id}/merge", {"q": "zoe"}))
    assert "Er gaat 1 gesprek mee" in text_of(noor.get(f"/contacts/{one.id}/merge", {"with": other.id}))
    merged = noor.post(f"/contacts/{one.id}/do/merge", {"gone": other.id}, follow=True)
    assert "Samengevoegd met dit contact Zoë Ångström" in text_of(merged)
    assert noor.get(f"/contacts/{other.id}").url == f"/contacts/{one.id}"
    assert listed(noor.get("/contacts", {"q": "zoe"})) == ["Anouk de Wit"]
    merge = field(merged, "merge")
    noor.post(f"/contacts/{one.id}/do/part", {"merge": merge})
    assert listed(noor.get("/contacts", {"q": "zoe"})) == ["Zoë Ångström"]


def test_a_vip_is_marked_in_the_list_and_in_the_head(desk, known, sign_in):
    noor = sign_in(desk.person("Noor"))
    noor.post(f"/contacts/{known['Anouk de Wit'].id}/do/vip")
    assert noor.get("/inbox/all").content.decode().count(">VIP<") == 1
    [number] = [each.number for each in desk.conversations() if each.contact_id == known["Anouk de Wit"].id]
    assert noor.get(f"/conversations/{number}/head").content.decode().count(">VIP<") == 1
