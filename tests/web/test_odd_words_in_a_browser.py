"""Names and messages made to break a screen: it stays as wide as it is, and nothing spills over its neighbours."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from desk_builder import Desk

from .test_in_a_browser import _sign_in, page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["page"]  # the browser of the other tests

ODD = {
    "override": "\u202egnp.exe Klantenservice",
    "marks": "Z" + "\u0336\u0321\u0489" * 60 + " en nog " + "\u0e47" * 300,
    "one word": "x" * 100_000,
    "lines": "regel\n" * 10_000,
    "invisible": "\u200b\u2060\ufeff" * 500 + "toch iets",
    "ligatures": "﷽" * 400,
    "families": "👨‍👩‍👧‍👦" * 500,
}
# Elements that hold an override themselves and do not keep it to themselves.
LEAKING = """() => [...document.querySelectorAll("main *")].filter((each) =>
    [...each.childNodes].some((node) => node.nodeType === 3 && node.data.includes("\\u202e"))
    && !["isolate", "plaintext", "isolate-override"].includes(getComputedStyle(each).unicodeBidi)
    && !each.closest("[dir=auto], bdi")).map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture
def odd_desk() -> Desk:
    with transaction.atomic():
        desk = Desk("demo")
        desk.organisation.is_demo = True
        desk.organisation.save()
        desk.person("Noor")
        inbox = desk.inbox()
        for number, (what, words) in enumerate(ODD.items()):
            place = {"id": f"p{number}", "title": words, "visibility": "private"}
            event = desk.event(person={"id": f"p{number}", "name": words[:5000], "username": words[:300]}, text=words)
            desk.receive(inbox, {**event, "place": place})
            desk.receive(inbox, desk.event(place=f"p{number}", person={"id": f"p{number}"}, text=f"Gewoon: {what}"))
            desk.later(minutes=1)
    return desk


@pytest.mark.parametrize("width", [390, 1440])
def test_u13_odd_names_and_texts_leave_the_screen_as_it_is(
    page: Any,
    odd_desk: Desk,
    live_server: Any,
    width: int,
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all")
    page.wait_for_selector("#rows")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(LEAKING) == []
    heights = page.evaluate(
        "[...document.querySelectorAll('#rows > *')].map((row) => row.getBoundingClientRect().height)"
    )
    assert len([each for each in heights if each]) >= len(ODD)
    assert max(heights) < 200
    for number, what in enumerate(ODD, start=1):
        page.goto(f"{live_server.url}/inbox/all/{number}")
        page.wait_for_selector(f"#timeline .words:has-text('Gewoon: {what}')")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what
        assert page.evaluate(LEAKING) == [], what
        tallest = page.evaluate("Math.max(...[...document.querySelectorAll('.msg')].map((each) => each.offsetHeight))")
        assert tallest < 4_000, what
        assert page.is_visible("#reply-text"), what
