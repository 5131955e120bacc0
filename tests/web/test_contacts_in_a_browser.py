"""The pages of contacts in a real browser: no complaint of the accessibility checker on a desk or a phone, in light or
dark, and finding somebody and merging them by keyboard alone."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
from django.db import transaction

from klankbord.desk.contacts.models import Contact, ContactImport
from klankbord.desk.organisations.models import Role
from klankbord.flows.people import describing, fields, importing

from .test_in_a_browser import _sign_in, desk_at_work, page

_CHECK = "axe.run().then(result => result.violations.map(each => `${each.id}: ${each.nodes[0].html}`))"
__all__ = ["desk_at_work", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def addresses(desk_at_work: Any) -> dict[str, str]:
    """The pages, with something on each; Noor leads here."""
    desk = desk_at_work
    with transaction.atomic(), desk.open():
        noor = desk.organisation.memberships.get()
        noor.role = Role.ADMINISTRATOR
        noor.save()
        one, other = Contact.objects.order_by("id")[:2]
        made = fields.define(name="Pakket", kind="choice", choices="Basis\nPlus", by=noor)
        values = {made.id.hex: "Plus"}
        describing.change_profile(
            contact=one.id, name=one.name, language="nl", company="Bakkerij Zoet", values=values, by=noor, now=desk.now
        )
        describing.set_vip(contact=one.id, is_vip=True, by=noor, now=desk.now)
        describing.add_note(contact=one.id, text="Belt liever dan dat ze schrijft.", by=noor, now=desk.now)
        describing.record_consent(
            contact=one.id, purpose="news", is_given=True, source="formulier van 3 mei", by=noor, now=desk.now
        )
        sheet = "naam,e-mail,kleur\nJan Smit,jan@wolk.example,rood\nPiet,geen adres,blauw\n"
        batch = importing.check(name="klanten.csv", data=sheet.encode(), by=noor, now=desk.now)
        company = Contact.objects.get(id=one.id).company_id
    return {
        "list": "/contacts",
        "contact": f"/contacts/{one.id}",
        "merge": f"/contacts/{one.id}/merge?with={other.id}",
        "company": f"/companies/{company}",
        "imports": "/contacts/imports",
        "import": f"/contacts/imports/{batch.id}",
        "fields": "/settings/contact-fields",
    }


@pytest.mark.parametrize(("width", "height", "scheme"), [(1440, 900, "light"), (390, 844, "dark"), (360, 740, "light")])
def test_pages_are_for_everybody(page, addresses, live_server, width, height, scheme):
    _sign_in(page, live_server.url)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    axe = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    found = {}
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        page.evaluate(f"() => {{ {axe} }}")
        found[name] = page.evaluate(
            "axe.run().then(r => r.violations.map(each => each.id + ': ' + each.nodes[0].html))"
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert {name: complaints for name, complaints in found.items() if complaints} == {}


def test_somebody_is_found_and_merged_by_keyboard_alone(page, addresses, desk_at_work, live_server):
    _sign_in(page, live_server.url)
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/contacts")
    page.keyboard.press("/")
    page.keyboard.type("bram")
    page.wait_for_selector("#contacts li:only-child:has-text('Bram Kuiper')")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Bram Kuiper')")
    page.locator("main a[href$='/merge']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/merge")
    page.keyboard.type("anouk")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=anouk")
    page.locator("main .big-links a").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h2:has-text('Anouk de Wit')")
    page.locator("main form[action$='/do/merge'] button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h2:has-text('Samengevoegd met dit contact')")
    with desk_at_work.open():
        assert Contact.objects.filter(merged_into=None).count() == 2
        assert ContactImport.objects.count() == 1
