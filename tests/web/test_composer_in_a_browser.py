"""The composer in a real browser: what it offers, counts and asks while somebody types."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest

from klankbord.desk.conversations.models import Thread
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import library, proposing

from .test_in_a_browser import _sign_in, _wait_for_words, desk_at_work, page

__all__ = ["desk_at_work", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def composing(page: Any, desk_at_work: Any, live_server: Any) -> Any:
    """A conversation, open, with the cursor in the reply."""
    noor = desk_at_work.person("Noor")
    with desk_at_work.open():
        for name, text in (("sorry, te laat", "Sorry {voornaam}, dat duurde lang."), ("sorteercentrum", "Hij ligt er")):
            library.save_reply(
                reply=None, name=name, text_nl=text, text_en="", audience="me", by=noor, now=desk_at_work.now
            )
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all/1")
    page.wait_for_selector("#composer[data-awake]")
    page.keyboard.press("r")
    return page


def test_a_saved_reply_is_found_and_filled_by_keyboard(composing: Any) -> None:
    composing.keyboard.type("Dag! ;sor")
    composing.wait_for_selector("#offers [role=option]:has-text('sorry, te laat')[aria-selected=true]")
    assert "Sorry Anouk" in composing.inner_text("#offer-preview")
    composing.keyboard.press("ArrowDown")
    assert "Hij ligt er" in composing.inner_text("#offer-preview")
    composing.keyboard.press("ArrowUp")
    composing.keyboard.press("Enter")
    _wait_for_words(composing, "Dag! Sorry Anouk, dat duurde lang.")
    assert composing.query_selector("#offers") is None


def test_an_emoji_is_found_by_its_name_in_both_languages_and_times_stay_times(composing: Any) -> None:
    composing.keyboard.type(":duim")
    composing.wait_for_selector("#offers [role=option]:has-text('👍')")
    composing.keyboard.press("ArrowDown")  # fingers crossed first, thumb up second
    composing.keyboard.press("Enter")
    composing.keyboard.type(" om 12:30 :) ;")
    composing.keyboard.press("Escape")
    _wait_for_words(composing, "👍 om 12:30 :) ;")


def test_escape_closes_what_is_offered_and_tab_goes_on(composing: Any) -> None:
    composing.keyboard.type(";sor")
    composing.wait_for_selector("#offers")
    composing.keyboard.press("Escape")
    assert composing.query_selector("#offers") is None
    assert composing.evaluate("document.activeElement.id") == "reply-text"


def test_what_was_begun_in_private_asks_before_it_becomes_public(composing: Any, desk_at_work: Any) -> None:
    composing.evaluate(
        """() => { const option = document.querySelector('#mode option'); const other = option.cloneNode(true);
          Object.assign(other.dataset, { place: 'public', lead: 'Openbaar', send: 'Beantwoord openbaar' });
          other.value = option.value.replace('private', 'public'); option.parentElement.append(other);
          option.parentElement.selectedIndex = 0; }"""
    )
    composing.keyboard.type("Je adres is Kade 1")
    composing.evaluate("document.querySelector('#mode').selectedIndex = 1")
    composing.dispatch_event("#mode", "change")
    assert composing.evaluate("document.querySelector('[name=began]').value") == "private"


def test_one_message_is_answered_and_the_counter_counts_what_is_put_behind_it(
    composing: Any, desk_at_work: Any
) -> None:
    from klankbord.desk.inboxes.models import Inbox

    with desk_at_work.open():
        Inbox.objects.update(signs_with_initials=True)
    composing.reload()
    composing.wait_for_selector("#composer[data-awake]")
    composing.locator("[data-answer]").first.focus()
    composing.keyboard.press("Enter")
    composing.wait_for_selector("#answering-words:has-text('Vraag van Anouk')")
    composing.keyboard.type("Dag")
    assert composing.inner_text("#closing") == "^N"
    assert composing.inner_text("#counter").startswith("6 ")  # "Dag ^N"
    composing.keyboard.press("Control+Enter")
    composing.wait_for_selector("#timeline .ours .answered:has-text('Vraag van Anouk')")


def test_a_reply_for_later_is_made_by_keyboard_and_waits_in_the_timeline(composing: Any) -> None:
    composing.keyboard.type("Goedemorgen!")
    composing.locator(".send-more").focus()
    composing.keyboard.press("Enter")
    composing.locator("[value=later-tomorrow]").focus()
    composing.keyboard.press("Enter")
    composing.wait_for_url("**/inbox/all/2")  # the next one opens: this one comes back by itself
    composing.goto(composing.url.replace("/2", "/1"))
    composing.wait_for_selector("#timeline .ours .receipt:has-text('Vertrekt morgen 9:00')")


def test_what_the_composer_adds_has_no_hurdles_for_anybody(composing: Any, desk_at_work: Any, live_server: Any) -> None:
    tess, noor = desk_at_work.person("Tess"), desk_at_work.person("Noor")
    boss = desk_at_work.person("Boss", Role.ADMINISTRATOR)
    with desk_at_work.open():
        Membership.objects.filter(id=noor.id).update(role=Role.LEAD)
        proposing.set_needs_approval(member=tess.id, needs=True, by=boss, now=desk_at_work.now)
        tess.refresh_from_db()
        thread = Thread.objects.order_by("created_at", "id")[0]
        proposing.propose(
            conversation=thread.conversation_id, thread=thread.id, text="Hij komt", by=tess, now=desk_at_work.now
        )
        library.save_fact(name="adres", value_nl="Kade 1", value_en="", by=boss)
    composing.keyboard.type(";sor")
    composing.wait_for_selector("#offers [role=option]")
    assert hurdles(composing) == []
    for address in ("/inbox/all/1", "/settings/saved-replies", "/settings/saved-replies/new", "/proposals"):
        composing.goto(f"{live_server.url}{address}")
        assert hurdles(composing) == []


def hurdles(page: Any) -> list[str]:
    axe = resources.files("axe_playwright_python") / "axe.min.js"
    page.evaluate(f"() => {{ {axe.read_text(encoding='utf-8')} }}")
    found: list[str] = page.evaluate("axe.run().then(result => result.violations.map(each => JSON.stringify("
                                     "[each.id, each.nodes.map(node => node.html)])))")  # fmt: skip
    return found
