"""Passkeys in a real browser with an authenticator made of software: set up, as second step, and as the only step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from desk_builder import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "een-lang-wachtwoord"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in the thread of the test
    cache.clear()
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_context(locale="nl-NL").new_page()
        opened.set_default_timeout(8000)
        tools = opened.context.new_cdp_session(opened)
        tools.send("WebAuthn.enable")
        tools.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }},
        )  # fmt: skip
        yield opened
        browser.close()


@pytest.fixture
def noor() -> Any:
    with transaction.atomic():
        return Desk().person("Noor")


def sign_in_by_password(page: Any, site: str, noor: Any) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("E-mail").fill(noor.user.email)
    page.get_by_label("Wachtwoord").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def sign_out(page: Any) -> None:
    page.context.clear_cookies()


def add_passkey(page: Any, site: str) -> None:
    page.goto(f"{site}/accounts/2fa/passkeys/add/")
    page.get_by_label("Wachtwoord").fill(PASSWORD)  # once more, before something that opens everything is added
    page.get_by_role("button").first.click()
    page.get_by_role("button", name="Voeg toe").click()
    page.wait_for_url("**/accounts/2fa/codes/")  # recovery codes, for when the device is gone


def test_a_passkey_is_set_up_instead_of_an_app_and_opens_by_itself(page: Any, noor: Any, live_server: Any) -> None:
    sign_in_by_password(page, live_server.url, noor)
    page.wait_for_url("**/accounts/reauthenticate/**")  # before a second step is set up
    add_passkey(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/mine")
    page.wait_for_selector("#nav")
    sign_out(page)
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_role("button", name="Log in met een passkey").click()
    page.wait_for_selector("#nav")


def test_t6_a_password_alone_does_not_get_around_a_passkey_and_the_passkey_does(
    page: Any, noor: Any, live_server: Any
) -> None:
    sign_in_by_password(page, live_server.url, noor)
    page.wait_for_url("**/accounts/reauthenticate/**")  # before a second step is set up
    add_passkey(page, live_server.url)
    sign_out(page)
    sign_in_by_password(page, live_server.url, noor)
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    page.goto(f"{live_server.url}/inbox/mine")
    assert "/accounts/" in page.url
    page.goto(f"{live_server.url}/accounts/2fa/authenticate/")
    page.get_by_role("button", name="Gebruik een passkey").click()
    page.wait_for_selector("#nav")
