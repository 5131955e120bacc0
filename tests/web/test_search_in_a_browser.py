"""The palette and the search box in a real browser, by keyboard alone."""

from __future__ import annotations

from importlib import resources

import pytest
from playwright.sync_api import expect

from .test_in_a_browser import _sign_in, desk_at_work, page

__all__ = ["desk_at_work", "page"]  # fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def axe(page):
    script = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(f"() => {{ {script} }}")
    return page.evaluate("axe.run().then(result => result.violations.map(each => each.id + ': ' + each.help))")


def test_the_palette_opens_a_conversation_by_a_name_and_resolves_it(page, desk_at_work, live_server):
    _sign_in(page, live_server.url)
    page.keyboard.press("Control+k")
    page.keyboard.type("bram")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("#2 Bram Kuiper")
    field = page.locator("#palette-words")
    expect(field).to_have_attribute("aria-expanded", "true")
    assert field.get_attribute("aria-activedescendant") == page.locator("#palette [aria-selected=true]").get_attribute(
        "id"
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/all/2")
    page.wait_for_selector("#timeline .words:has-text('Vraag van Bram')")
    page.keyboard.press("Control+k")
    page.keyboard.type("rond")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Rond af")
    page.keyboard.press("Enter")
    expect(page.locator("#row-2")).to_have_class("conv gone")


def test_the_palette_works_from_within_a_text_and_gives_the_focus_back(page, desk_at_work, live_server):
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all/1")
    page.keyboard.press("r")
    page.keyboard.type("Beste k")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette [role=option]").first).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#reply-text")).to_be_focused()
    expect(page.locator("#reply-text")).to_have_value("Beste k")


def test_the_palette_changes_the_theme_and_says_when_it_finds_nothing(page, desk_at_work, live_server):
    _sign_in(page, live_server.url)
    page.keyboard.press("Control+k")
    page.keyboard.type("donker")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Donker thema")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-theme=dark]")


def test_search_answers_while_one_types_and_completes_a_filter(page, desk_at_work, live_server):
    _sign_in(page, live_server.url)
    page.keyboard.press("Escape")
    page.goto(f"{live_server.url}/more")
    page.keyboard.press("/")
    page.wait_for_url("**/search")
    page.keyboard.type("vraag")
    expect(page.locator(".found")).to_have_count(3)
    page.keyboard.type(" van:chai")
    expect(page.locator("#search-hints [role=option]")).to_contain_text(["Chaima Aziz"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#search")).to_have_value('vraag van:"Chaima Aziz" ')
    expect(page.locator(".found")).to_have_count(1)
    expect(page.locator(".found mark").first).to_have_text("Vraag")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/all/3")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_search_and_palette_have_no_accessibility_violations(page, desk_at_work, live_server, scheme):
    page.emulate_media(color_scheme=scheme)
    _sign_in(page, live_server.url)
    for address in ("/search", "/search?q=vraag", "/search?q=zeppelin", "/search?q=inbox:x"):
        page.goto(f"{live_server.url}{address}")
        page.wait_for_load_state("networkidle")
        assert axe(page) == [], address
    page.keyboard.press("Control+k")
    page.keyboard.type("a")
    page.wait_for_selector("#palette [role=option]")
    assert axe(page) == []
    page.keyboard.type("zzz")
    assert axe(page) == []


def test_search_and_palette_fit_a_phone(page, desk_at_work, live_server):
    page.set_viewport_size({"width": 360, "height": 740})
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/search?q=vraag")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette [role=option]")
    box = page.locator("#palette").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
