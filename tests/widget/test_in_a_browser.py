"""The chat on a site, in a real browser: by keyboard alone, heard by a screen reader, and by the rules of axe.

The site is another origin than ours. There is no event stream behind the test's server, so the browser is told at once
that something may be new, each time it asks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from django.db import transaction

from desk_builder import Desk
from klankbord.desk.inboxes.models import Inbox
from klankbord.doors.widget.limits import limiter

from .widget_site import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOP = "http://localhost:8999"
AXE = resources.files("axe_playwright_python") / "axe.min.js"
PAGE = """<!doctype html><html lang="nl"><meta name="viewport" content="width=device-width"><title>Morgenster</title>
<main><h1>Tafels</h1><p><a href="#" id="before">Eettafel</a></p></main>
<script src="{desk}/widget/v1/widget.js" data-klankbord="{key}" async></script></html>"""
# Everything that the one live region of the chat was given to say, as a screen reader would hear it.
LISTEN = """() => {
  window.heard = [];
  const added = (changes) => changes.flatMap((each) => [...each.addedNodes]);
  const note = (changes) => window.heard.push(...added(changes).map((each) => each.textContent));
  new MutationObserver(note).observe(document.getElementById("told"), { childList: true });
}"""


class Shop:
    """A site with the chat, in a browser, and the desk behind it."""

    def __init__(self, page: Any, desk_address: str, **credentials: Any) -> None:
        self.page, self.desk_address = page, desk_address
        limiter.forget()
        with transaction.atomic():
            self.desk = Desk("morgenster")
            self.site = Site(self.desk, origins=SHOP, welcome="Hoi! Waarmee kunnen we je helpen?", **credentials)
            self.bram = self.desk.person("Bram")
            with self.desk.open():
                chat = Inbox.objects.get(id=self.site.inbox.id)
                Inbox.objects.create(kind="email", name="Mail", credentials=chat.credentials, created_at=self.desk.now)
        html = PAGE.format(desk=desk_address, key=self.site.key)
        page.route(f"{SHOP}/**", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.route("**/widget/v1/events", _say_that_something_is_new)

    def visit(self) -> Any:
        """Open the site; gives the chat's own frame."""
        self.page.goto(SHOP)
        self.page.get_by_role("button", name="Stel een vraag").wait_for()
        return next(frame for frame in self.page.frames if "/widget/v1/frame" in frame.url)

    def answer(self, text: str) -> None:
        with transaction.atomic():
            self.site.tick()
            self.desk.take_in()
            self.site.answer(text, self.bram)


def _say_that_something_is_new(route: Any) -> None:
    route.fulfill(body="retry: 300\n\nevent: changes\ndata: []\n\n", content_type="text/event-stream")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in the thread of the test
    # The site's pages are made up by the test, so Chromium takes them for strangers to this machine.
    made_up = "--disable-features=LocalNetworkAccessChecks"
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", made_up],
        )
        context = browser.new_context(viewport={"width": 1200, "height": 760}, reduced_motion="reduce", locale="nl-NL")
        opened = context.new_page()
        opened.set_default_timeout(15_000)
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        assert complaints == []
        browser.close()


@pytest.fixture
def shop(page: Any, live_server: Any) -> Shop:
    return Shop(page, live_server.url)


def becomes(frame: Any, script: str) -> None:
    """It is so, or soon will be. Playwright's own way of waiting needs eval, which our pages refuse."""
    until = time.monotonic() + 15
    while not frame.evaluate(script):
        assert time.monotonic() < until, script
        frame.wait_for_timeout(50)


def focus(frame: Any) -> str:
    """Where the keyboard is, in the chat."""
    return str(frame.evaluate("document.activeElement.id"))


def bubble(frame: Any, text: str) -> None:
    frame.wait_for_selector(f".bubble:has-text('{text}')")


def sent(frame: Any, text: str) -> None:
    """It stands there, and has arrived: nothing about sending is under it any more."""
    bubble(frame, text)
    becomes(frame, "!document.querySelector('.state')")


def choosing_by_key(page: Any) -> Any:
    """A browser on a busy machine may drop the first press; a person presses again."""
    too_late = pytest.importorskip("playwright.sync_api").TimeoutError
    for _attempt in range(3):
        try:
            with page.expect_file_chooser(timeout=8_000) as choosing:
                page.keyboard.press("Enter")
            return choosing.value
        except too_late:
            continue
    pytest.fail("no window for choosing a file opened")


def test_open_write_attach_send_and_close_without_a_mouse(page, shop, tmp_path):
    frame = shop.visit()
    page.focus("#before")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    becomes(frame, "document.activeElement.id === 'text'")
    page.keyboard.type("Past hij door de deur?")
    page.keyboard.press("Enter")
    sent(frame, "Past hij door de deur?")
    assert focus(frame) == "text"

    page.keyboard.press("Shift+Tab")
    assert focus(frame) == "choose"
    (tmp_path / "trap.txt").write_text("78 cm")
    choosing_by_key(page).set_files(tmp_path / "trap.txt")
    frame.wait_for_selector("#chosen li:has-text('trap.txt')")
    becomes(frame, "document.getElementById('send').getAttribute('aria-disabled') === 'false'")
    page.keyboard.press("Tab")
    assert focus(frame) == "text"
    page.keyboard.press("Tab")
    assert focus(frame) == "send"
    page.keyboard.press("Enter")
    frame.wait_for_selector(".msg.you .file:has-text('trap.txt')")

    page.keyboard.press("Escape")
    page.wait_for_selector("iframe", state="hidden")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.ariaLabel") == "Stel een vraag"
    page.keyboard.press("Enter")
    page.wait_for_selector("iframe")
    bubble(frame, "Past hij door de deur?")
    assert focus(frame) == "text"


def test_focus_goes_back_to_the_link_that_opened_the_chat(page, shop):
    shop.visit()
    page.focus("#before")
    page.evaluate("Klankbord.open()")
    page.wait_for_selector("iframe")
    page.keyboard.press("Escape")
    page.wait_for_selector("iframe", state="hidden")
    assert page.evaluate("document.activeElement.id") == "before"


def test_the_keyboard_stays_where_it_is_when_an_answer_comes(page, shop):
    frame = shop.visit()
    page.evaluate("Klankbord.open()")
    frame.fill("#text", "Is hij er nog?")
    frame.press("#text", "Enter")
    sent(frame, "Is hij er nog?")
    link = frame.get_by_role("button", name="Krijg het antwoord per mail")
    link.focus()
    shop.answer("Ja hoor.")
    bubble(frame, "Ja hoor.")
    assert frame.evaluate("document.activeElement.textContent") == "Krijg het antwoord per mail"
    page.keyboard.press("Enter")
    assert focus(frame) == "email"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # not by mail after all
    assert focus(frame) == "text"
    assert frame.is_hidden("#address")


def test_an_answer_is_told_once_and_what_was_there_before_is_not(page, shop):
    frame = shop.visit()
    page.evaluate("Klankbord.open()")
    frame.evaluate(LISTEN)
    frame.fill("#text", "Is hij er nog?")
    frame.press("#text", "Enter")
    sent(frame, "Is hij er nog?")
    shop.answer("Ja hoor, drie.")
    bubble(frame, "Ja hoor, drie.")
    shop.answer("En zaterdag meer.")
    bubble(frame, "En zaterdag meer.")
    becomes(frame, "window.heard.length === 3")
    assert frame.evaluate("window.heard") == ["Verstuurd", "Bram: Ja hoor, drie.", "Bram: En zaterdag meer."]
    assert frame.evaluate("document.querySelectorAll('[role=log]:not([aria-live=off])').length") == 0

    again = shop.visit()  # the next day, with the chat where it was
    again.evaluate(LISTEN)
    page.evaluate("Klankbord.open()")
    bubble(again, "En zaterdag meer.")
    shop.answer("Nog iets?")
    bubble(again, "Nog iets?")
    assert again.evaluate("window.heard") == ["Bram: Nog iets?"]


def test_an_answer_while_the_chat_is_closed_is_told_on_the_page(page, shop):
    frame = shop.visit()
    page.evaluate("Klankbord.open()")
    frame.fill("#text", "Is hij er nog?")
    frame.press("#text", "Enter")
    sent(frame, "Is hij er nog?")
    page.keyboard.press("Escape")
    shop.answer("Ja hoor.")
    page.get_by_role("button", name="Stel een vraag (1 ongelezen antwoord)").wait_for()
    assert page.locator("[role=status]").inner_text() == "1 ongelezen antwoord"


def test_on_a_phone_the_keyboard_does_not_go_behind_the_chat(page, shop):
    page.set_viewport_size({"width": 360, "height": 640})
    frame = shop.visit()
    page.evaluate("Klankbord.open()")
    becomes(frame, "document.activeElement.id === 'text'")
    visited = []
    for _ in range(8):
        page.keyboard.press("Tab")
        visited.append(focus(frame))
    assert {"close", "log", "choose", "text", "send"} == set(visited)
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.tagName") == "IFRAME"


def test_who_writes_too_fast_is_told_so_and_nothing_is_lost(page, shop):
    frame = shop.visit()
    page.evaluate("Klankbord.open()")
    page.route(
        "**/widget/v1/messages",
        lambda route: route.fulfill(status=429, headers={"Retry-After": "1"}, json={"error": "too-fast"}),
        times=1,
    )
    frame.fill("#text", "Is hij er nog?")
    frame.press("#text", "Enter")
    frame.wait_for_selector(".state:has-text('We versturen dit over 1 seconde vanzelf.')")
    sent(frame, "Is hij er nog?")
    frame.set_input_files("#files", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    frame.wait_for_selector("#chosen li:has-text('a.txt')")
    page.route(
        "**/widget/v1/attachments",
        lambda route: route.fulfill(status=429, headers={"Retry-After": "3600"}, json={"error": "too-many-files"}),
    )
    frame.set_input_files("#files", {"name": "b.txt", "mimeType": "text/plain", "buffer": b"x"})
    frame.wait_for_selector("#wrong:has-text('Kies dit over 60 minuten nog eens.')")


def violations(frame: Any) -> list[str]:
    frame.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")
    found = frame.evaluate(
        "axe.run().then(result => result.violations.map(each => each.id + ' ' + each.nodes.map(node => node.html)))"
    )
    return list(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_the_chat_has_no_accessibility_violations(page, live_server, scheme, width):
    shop = Shop(page, live_server.url, asks_email=True)
    page.set_viewport_size({"width": width, "height": 640})
    page.emulate_media(color_scheme=scheme)
    frame = shop.visit()
    assert violations(page.main_frame) == [], "closed"
    page.evaluate("Klankbord.open()")
    frame.wait_for_selector("#address")
    assert violations(frame) == [], "before the first message"
    frame.fill("#text", "Past hij door de deur?")
    frame.fill("#email", "anouk@")
    frame.press("#text", "Enter")
    frame.wait_for_selector("#email-wrong")
    assert violations(frame) == [], "an address that is none"
    frame.fill("#email", "anouk@example.nl")
    frame.press("#text", "Enter")
    sent(frame, "Past hij door de deur?")
    shop.answer("Ja, op zijn kant. Zie https://morgenster.example/maten")
    bubble(frame, "Ja, op zijn kant.")
    frame.set_input_files("#files", {"name": "trap.txt", "mimeType": "text/plain", "buffer": b"x"})
    frame.wait_for_selector("#chosen li:has-text('trap.txt')")
    assert violations(frame) == [], "a conversation"
    page.route("**/widget/v1/messages", lambda route: route.fulfill(status=422, json={"error": "invalid"}))
    frame.fill("#text", "Dit gaat mis")
    frame.press("#text", "Enter")
    frame.wait_for_selector(".state.failed")
    assert violations(frame) == [], "a message that failed"
    assert violations(page.main_frame) == [], "the page around it"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_without_a_script_has_no_accessibility_violations(page, shop, scheme):
    page.set_viewport_size({"width": 360, "height": 640})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{shop.desk_address}/widget/v1/form?key={shop.site.key}")
    assert violations(page) == [], "empty"
    page.keyboard.press("Tab")
    page.keyboard.type("Past hij door de deur?")
    page.keyboard.press("Tab")
    page.keyboard.type("anouk@")
    page.keyboard.press("Enter")
    page.wait_for_selector("#email-wrong")
    assert page.evaluate("document.activeElement.id") == "email"
    assert violations(page) == [], "with an error"
    page.fill("#email", "anouk@example.nl")
    becomes(page, "performance.now() > 1500")  # a person takes longer than a second
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/form/sent"))
    assert violations(page) == [], "sent"
