"""The chat in browsers that keep nothing: it works for as long as the page is open, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .house import House, wait_until

pytestmark = pytest.mark.browser

# As browsers do that block storage: merely looking at it may raise, and so does writing.
RAISES = """
const refuse = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
Storage.prototype.getItem = Storage.prototype.setItem = Storage.prototype.removeItem = refuse;
"""
ABSENT = """
Object.defineProperty(window, "localStorage", { get() { throw new DOMException("Denied.", "SecurityError"); } });
"""
FORGETS = """
Storage.prototype.getItem = () => null;
Storage.prototype.setItem = Storage.prototype.removeItem = () => {};
"""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in the thread of the test
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        opened = browser.new_page(locale="nl-NL")
        opened.complaints = []
        opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
        yield opened
        browser.close()


@pytest.mark.parametrize("blocking", [RAISES, ABSENT, FORGETS], ids=["C9-raises", "C9-absent", "C9-forgets"])
def test_a_chat_without_storage_works_while_it_is_open_and_says_that_it_is_not_kept(
    house: House, page: Any, blocking: str
) -> None:
    chat = house.inbox("Chat", kind="webchat", site_name="Wolk", origins="https://wolk.example")
    house.start("web", "worker")
    page.add_init_script(blocking)
    page.goto(f"{house.url}/widget/v1/frame?key={chat.token}")
    with page.expect_response(lambda answer: "/widget/v1/events" in answer.url):  # its live line
        say(page, "Waar blijft mijn kast?")
    say(page, "Hallo?")
    stored = "SELECT count(*) FROM conversations_message WHERE kind = 'inbound'"
    wait_until(lambda: house.one(stored) == 2, "both messages")
    assert house.one("SELECT count(*) FROM conversations_conversation") == 1
    assert "bewaart deze chat niet" in page.inner_text("#notice")
    assert page.complaints == []
    page.reload()
    page.wait_for_selector("#text")
    assert "Hallo?" not in page.inner_text("#log")


def say(page: Any, text: str) -> None:
    page.fill("#text", text)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#log .msg:has-text('{text}')")
