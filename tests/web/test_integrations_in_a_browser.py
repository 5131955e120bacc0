"""Settings of the API and of webhooks in a real browser: on a phone, in both themes, for everybody."""

from __future__ import annotations

import os

import pytest

from klankbord.desk.organisations.models import Membership, Role

from .test_in_a_browser import _sign_in, desk_at_work, page
from .test_search_in_a_browser import axe

__all__ = ["desk_at_work", "page"]  # fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_settings_break_no_rule_and_nothing_sticks_out(page, desk_at_work, live_server, scheme, width):
    Membership.objects.update(role=Role.ADMINISTRATOR)
    page.emulate_media(color_scheme=scheme)
    _sign_in(page, live_server.url)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{live_server.url}/settings/api")
    page.fill("#integration-name", "Webwinkel")
    page.click("form[action$=integrations] button")
    page.fill("#name", "Bestellingen")
    page.check("[name=scopes][value='messages:write']")
    page.click("form:has(#days) button")
    page.wait_for_selector("#fresh")
    look(page, f"api-{width}", width)
    page.goto(f"{live_server.url}/settings/webhooks")
    look(page, f"webhooks-{width}", width)
    page.fill("#name", "Winkel")
    page.fill("#url", "https://winkel.example/klankbord")
    page.click("form:has(#url) button")
    page.wait_for_selector("#fresh")
    page.click("form[action$='do/test'] button")
    page.wait_for_selector("text=test.ping")
    look(page, f"webhook-{width}", width)
    page.goto(f"{live_server.url}/api/v1/")
    look(page, f"reference-{width}", width)


def look(page, name, width):
    assert axe(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    if folder := os.environ.get("KLANKBORD_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")
