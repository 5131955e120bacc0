"""Naming a colleague and reading what is new, in a real browser and by keyboard alone."""

from __future__ import annotations

from importlib import resources

import pytest

from klankbord.desk.conversations.models import Message

from .test_in_a_browser import _sign_in, desk_at_work, page  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_colleague_is_named_by_keyboard_and_the_bell_tells_them(page, desk_at_work, live_server):  # noqa: F811
    desk_at_work.person("Anna")
    desk_at_work.person("Annemiek")
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all/1")
    page.keyboard.press("n")
    page.wait_for_selector("#note-text:focus")
    page.keyboard.type("Kijk jij, @an")
    page.wait_for_selector("#mention-list [role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert page.get_attribute("#note-text", "aria-activedescendant")
    page.keyboard.press("Enter")
    page.wait_for_selector("#mention-list", state="detached")
    assert page.input_value("#note-text") == "Kijk jij, @Anna "
    page.keyboard.type("@ann")
    page.wait_for_selector("#mention-list")
    page.keyboard.press("Escape")
    page.wait_for_selector("#mention-list", state="detached")
    assert page.evaluate("document.activeElement.id") == "note-text"  # only the list closed
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".note .mention")
    with desk_at_work.open():
        assert Message.objects.get(kind="note").facts["names"] == ["Anna"]
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/accounts/login/")
    page.keyboard.type("anna@demo.example")
    page.keyboard.press("Tab")
    page.keyboard.type("een-lang-wachtwoord")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/mine")
    assert page.get_attribute("#bell .bell-count", "data-unread") == "1"
    page.focus("#bell summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#bell .notice-line")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/all/1")
    page.wait_for_function("document.querySelector('#bell .bell-count').dataset.unread === '0'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_pages_have_no_accessibility_violations(page, desk_at_work, live_server, scheme):  # noqa: F811
    axe = resources.files("axe_playwright_python") / "axe.min.js"
    page.emulate_media(color_scheme=scheme)
    _sign_in(page, live_server.url)
    for address in ("/notices", "/me/settings", "/me/shift?to=nobody", "/here", "/inbox/mentioned"):
        page.goto(f"{live_server.url}{address}")
        page.wait_for_timeout(200)
        page.evaluate(f"() => {{ {axe.read_text(encoding='utf-8')} }}")
        found = page.evaluate("axe.run().then(result => result.violations.map(each => each.id + ': ' + each.help))")
        assert found == [], address
