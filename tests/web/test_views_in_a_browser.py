"""The list as a tool, in a real browser: choosing, deeds on many, dragging, filters and one's place, by keyboard."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
from django.db import transaction

from desk_builder import Desk
from klankbord.desk.organisations.models import TeamMember

from .test_in_a_browser import _sign_in, desk_at_work, page  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def many(desk_at_work: Desk) -> Desk:  # noqa: F811
    with transaction.atomic():
        inbox = desk_at_work.inbox("Forum")
        team, noor = desk_at_work.team("Geldzaken"), _noor(desk_at_work)
        with desk_at_work.open():
            TeamMember.objects.create(team=team, member=noor)
        events = [
            desk_at_work.event(place=f"q{n}", person={"id": f"q{n}", "name": f"Klant {n:03}"}, text="Hallo")
            for n in range(70)
        ]
        desk_at_work.receive(inbox, *events)
    return desk_at_work


def _noor(desk: Desk) -> Any:
    from klankbord.desk.organisations.models import Membership

    return Membership.objects.select_related("user", "organisation").get(user__name="Noor")


def statuses(desk: Desk) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in desk.conversations():
        found[each.status] = found.get(each.status, 0) + 1
    return found


def test_three_are_resolved_and_put_back_without_a_mouse(page, many, live_server):  # noqa: F811
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all")
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.wait_for_selector("#picked:has-text('3 gekozen')")
    page.keyboard.press("e")
    page.wait_for_selector("#bulk-sheet[open] h2:has-text('3 gesprekken oplossen')")
    assert "3 wachten op antwoord" in page.inner_text("#bulk-sheet")
    page.keyboard.press("Enter")
    page.wait_for_selector("#undo .toast:has-text('3 opgelost')")
    assert statuses(many) == {"open": 70, "resolved": 3}
    page.keyboard.press("u")
    page.wait_for_selector("#notices .notice:has-text('3 gesprekken teruggezet')")
    assert statuses(many) == {"open": 73}


def test_a_stretch_is_chosen_with_shift_and_all_of_a_page_at_once(page, many, live_server):  # noqa: F811
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all")
    page.locator("#rows .conv .tick").nth(1).click()
    page.locator("#rows .conv > a").nth(5).click(modifiers=["Shift"])
    page.wait_for_selector("#picked:has-text('5 gekozen')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#bulk:not(.on)", state="attached")
    page.keyboard.press("Shift+X")
    page.wait_for_selector("#picked:has-text('50 gekozen')")
    page.evaluate("dispatchEvent(new Event('online'))")  # rows are drawn anew, the choice stays
    page.wait_for_selector("#picked:has-text('50 gekozen')")
    assert page.locator("#rows .tick:checked").count() == 50


def test_a_row_that_is_dropped_on_a_team_is_the_teams_until_it_is_undone(page, many, live_server):  # noqa: F811
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all")
    page.locator("#rows .conv").first.drag_to(page.locator("#nav .nav-item[id^=nav-team]"))
    page.wait_for_selector("#undo .toast:has-text('1 gegeven')")
    assert many.conversations()[0].team_id
    page.locator("#undo [data-undo]").click()
    page.wait_for_selector("#notices .notice:has-text('1 gesprek teruggezet')")
    assert many.conversations()[0].team_id is None


def test_a_filter_by_keyboard_kept_under_a_name_and_counted(page, many, live_server):  # noqa: F811
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all")
    page.keyboard.press("f")
    page.wait_for_selector("#narrow-inbox:focus")
    page.keyboard.type("Webshop")
    page.keyboard.press("Enter")
    page.locator("#narrow .btn.primary").press("Enter")
    page.wait_for_url("**/inbox/all?inbox=*")
    page.wait_for_selector(".chip[data-on]:has-text('Webshop')")
    assert page.locator("#rows .conv").count() == 3
    page.locator(".chips summary", has_text="Bewaar").click()
    page.keyboard.press("Tab")
    page.keyboard.type("De winkel")
    page.keyboard.press("Enter")
    page.wait_for_selector("#nav-saved .nav-item[aria-current]:has-text('De winkel')")
    page.wait_for_selector("#nav-saved .count:has-text('3')")


def test_who_comes_back_finds_the_list_where_it_was_left(page, many, live_server):  # noqa: F811
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all")
    page.locator("#rows > .more").scroll_into_view_if_needed()
    page.wait_for_selector("#row-73")
    page.locator("#row-70 > a").scroll_into_view_if_needed()
    top = page.evaluate("document.getElementById('rows-scroll').scrollTop")
    page.goto(f"{live_server.url}/more")
    page.go_back()
    page.wait_for_selector("#row-73")
    page.wait_for_function(f"Math.abs(document.getElementById('rows-scroll').scrollTop - {top}) < 60")


def test_the_tools_of_the_list_break_no_rule_of_axe(page, many, live_server):  # noqa: F811
    axe = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    _sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/inbox/all?owner=none&sort=newest")
    for prepare in (
        lambda: page.keyboard.press("x"),
        lambda: (page.keyboard.press("f"), page.wait_for_selector("#narrow-inbox")),
        lambda: (page.keyboard.press("Escape"), page.keyboard.press("a"), page.wait_for_selector("#bulk-sheet[open]")),
    ):
        prepare()
        page.evaluate(f"() => {{ {axe} }}")
        found = page.evaluate(
            "axe.run().then(result => result.violations.map(each => each.id + ' ' + each.nodes.map(node => node.html)))"
        )
        assert found == []
