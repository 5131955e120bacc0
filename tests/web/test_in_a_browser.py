"""An agent's main job in a real browser, by keyboard alone, on the real database."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from django.db import transaction

from desk_builder import Desk
from klankbord.desk.conversations.models import Message
from klankbord.desk.inboxes.models import Inbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in the thread of the test
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        opened = context.new_page()
        opened.complaints = []
        opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.on("console", lambda line: _complain(opened, line))
        yield opened
        assert opened.complaints == []
        browser.close()


def _complain(page: Any, line: Any) -> None:
    # The test server has no stream of changes, and one test takes the network away.
    if line.type == "error" and "ERR_INTERNET_DISCONNECTED" not in line.text and "/live" not in line.location["url"]:
        page.complaints.append(f"{line.text} {line.location}")


@pytest.fixture
def desk_at_work() -> Desk:
    with transaction.atomic():
        desk = Desk("demo")
        desk.organisation.is_demo = True
        desk.organisation.undo_seconds = 30
        desk.organisation.save()
        desk.person("Noor")
        inbox = desk.inbox()
        for number, name in enumerate(("Anouk de Wit", "Bram Kuiper", "Chaima Aziz")):
            person = {"id": f"p{number}", "name": name}
            desk.receive(inbox, desk.event(place=f"p{number}", person=person, text=f"Vraag van {name}"))
            desk.later(minutes=1)
    return desk


def _sign_in(page: Any, address: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.keyboard.type("noor@demo.example")
    page.keyboard.press("Tab")
    page.keyboard.type("een-lang-wachtwoord")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/mine")


def _wait_for_words(page: Any, text: str) -> None:
    """The composer holds these words."""
    from playwright.sync_api import expect

    expect(page.locator("#reply-text")).to_have_value(text)


def test_read_reply_undo_and_resolve_without_a_mouse(page, desk_at_work, live_server):
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("#timeline .words:has-text('Vraag van Anouk')")
    page.keyboard.press("r")
    page.keyboard.type("Hij komt morgen.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#timeline .ours .words:has-text('Hij komt morgen.')")
    assert page.input_value("#reply-text") == ""
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    _wait_for_words(page, "Hij komt morgen.")
    page.wait_for_function("document.activeElement?.id === 'reply-text'")  # the cursor is back in the words
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement?.id !== 'reply-text'")
    page.keyboard.press("e")
    page.wait_for_selector("#timeline .words:has-text('Vraag van Bram')")  # the next one opens
    with desk_at_work.open():
        assert [message.state for message in Message.objects.filter(kind="outbound")] == ["taken back"]
    assert desk_at_work.conversations()[0].status == "resolved"


def test_words_survive_a_lost_connection_and_a_reload(page, desk_at_work, live_server):
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all/1")
    page.wait_for_selector("#composer[data-awake]")
    page.context.set_offline(True)
    page.keyboard.press("r")
    page.keyboard.type("Onderweg in de trein")
    page.wait_for_selector("#draft-state:has-text('Bewaard op dit apparaat')")
    page.context.set_offline(False)
    page.reload()
    _wait_for_words(page, "Onderweg in de trein")


@pytest.fixture
def case_in_public(desk_at_work) -> str:
    """Anouk's case, which she goes on with in public; gives its address."""
    _writes(desk_at_work, "Staat mijn kast al klaar?", "public")
    return f"/inbox/all/{desk_at_work.conversations()[0].number}"


def _writes(desk: Desk, text: str, visibility: str) -> None:
    """Anouk says something, in public or in private."""
    with transaction.atomic():
        with desk.open():
            inbox = Inbox.objects.get()
        desk.later(minutes=1)
        event = desk.event(
            place="p0" if visibility == "private" else "post-1", visibility=visibility, text=text,
            person={"id": "p0", "name": "Anouk de Wit"}, thread_ids=["m-1"],
        )  # fmt: skip
        desk.receive(inbox, event)


def _look_again(page: Any, text: str) -> None:
    """As when the connection comes back; these words have come onto the screen by then."""
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector(f"#timeline .words:has-text('{text}')")


def test_an_empty_composer_follows_the_customer_into_a_private_message(page, desk_at_work, case_in_public, live_server):
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}{case_in_public}")
    page.wait_for_selector("#send-word:has-text('Beantwoord openbaar')")
    page.keyboard.press("r")
    _writes(desk_at_work, "Mijn adres is Kade 1", "private")
    _look_again(page, "Mijn adres is Kade 1")
    page.wait_for_selector("#send-word:has-text('Stuur privé')")
    assert page.evaluate("document.activeElement.id") == "reply-text"
    page.keyboard.type("Dank, we komen")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#timeline .private .ours .words:has-text('Dank, we komen')")


def test_words_under_way_stay_in_public_and_say_that_the_customer_went_private(
    page, desk_at_work, case_in_public, live_server
):
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}{case_in_public}")
    page.wait_for_selector("#composer[data-awake]")
    page.keyboard.press("r")
    page.keyboard.type("Hij staat klaar")
    assert not page.is_visible("#mode-warning")
    _writes(desk_at_work, "Mijn adres is Kade 1", "private")
    _look_again(page, "Mijn adres is Kade 1")
    remark = "#mode-warning:has-text('Anouk schreef net privé. Jouw antwoord gaat nog steeds openbaar.')"
    page.wait_for_selector(remark)
    _wait_for_words(page, "Hij staat klaar")
    assert page.text_content("#send-word") == "Beantwoord openbaar"
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.wait_for_selector("#send-word:has-text('Stuur privé')")
    assert not page.is_visible("#mode-warning")
    _wait_for_words(page, "Hij staat klaar")


@pytest.mark.parametrize("width", [360, 390])
def test_a_phone_shows_the_list_or_the_conversation_and_nothing_sticks_out(page, desk_at_work, live_server, width):
    page.set_viewport_size({"width": width, "height": 780})
    _sign_in(page, live_server.url)
    for address in ("/inbox/all", "/inbox/all/1", "/more"):
        page.goto(f"{live_server.url}{address}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{live_server.url}/inbox/all")
    page.click("text=Vraag van Bram")
    page.wait_for_selector("#reply-text")
    assert not page.is_visible("#rows")
    page.click("[data-back]")
    page.wait_for_selector("#rows")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_screens_have_no_accessibility_violations(page, desk_at_work, live_server, scheme):
    axe = resources.files("axe_playwright_python") / "axe.min.js"
    page.emulate_media(color_scheme=scheme)
    _sign_in(page, live_server.url)
    for address in ("/inbox/all", "/inbox/all/1", "/accounts/password/", "/more", "/inbox/spam"):
        page.goto(f"{live_server.url}{address}")
        page.wait_for_load_state("networkidle") if address == "/more" else page.wait_for_timeout(300)
        page.evaluate(f"() => {{ {axe.read_text(encoding='utf-8')} }}")
        found = page.evaluate("axe.run().then(result => result.violations.map(each => each.id + ': ' + each.help))")
        assert found == [], address
