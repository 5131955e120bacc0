"""Contacts on screen: the list, one person over all channels, and what colleagues write down."""

from __future__ import annotations

from typing import Any

import pytest

from desk_builder import Desk
from klankbord.desk.contacts.models import Contact
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Role

from .pages import FRAGMENT, text_of

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
