"""Work for several organisations: one at a time, chosen in the menu of oneself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from desk_builder import Desk
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows.founding import add_person

from .pages import FRAGMENT, text_of


@dataclass
class Both:
    ours: Desk
    theirs: Desk
    client: Any

    def go(self, desk: Desk, path: str = "/inbox/mine") -> str:
        """Choose an organisation on a page; gives where one lands."""
        form = {"organisation": str(desk.organisation.id), "next": path}
        return self.client.post("/me/organisation", form).headers["location"]


def _works_at(desk: Desk, member: Membership, role: Role) -> None:
    add_person(organisation=desk.organisation, email=member.user.email, name=member.name, password="", role=role)


@pytest.fixture
def both(desk: Desk, sign_in: Any) -> Both:
    noor, theirs = desk.person("Noor", Role.ADMINISTRATOR), Desk("buren")
    _works_at(theirs, noor, Role.AGENT)
    for each, words in ((desk, "Van Wolk"), (theirs, "Van de buren")):
        each.receive(each.inbox(), each.event(text=words))
    return Both(desk, theirs, sign_in(noor))


def _menu(page: Any) -> str:
    return re.search(r'<form class="desks".*?</form>', page.content.decode(), re.DOTALL)[0]


def test_the_menu_shows_ones_organisations_and_marks_the_present_one(both: Both) -> None:
    for desk, name in ((both.ours, "Wolk"), (both.theirs, "Buren")):
        both.go(desk)
        menu = _menu(both.client.get("/inbox/all"))
        marked = re.findall(r'value="[^"]+" aria-current="true"><span class="clip">(\w+)<', menu)
        assert marked == [name]


def test_who_works_for_one_organisation_has_nothing_to_choose(desk: Desk, sign_in: Any) -> None:
    assert "Je werkt voor" not in text_of(sign_in(desk.person("Noor")).get("/inbox/all"))


@pytest.mark.parametrize(
    ("path", "lands"),
    [
        ("/inbox/all", "/inbox/all"),
        ("/inbox/resolved", "/inbox/resolved"),
        ("/inbox/all/1", "/inbox/all"),
        ("/inbox/team-00000000000000000000000000000001", "/"),
        ("/conversations/1", "/"),
        ("/more", "/more"),
        ("/settings/inboxes", "/"),
        ("/ledger", "/"),
        ("/nergens", "/"),
        ("https://boef.example/", "/"),
        ("//boef.example/inbox/all", "/"),
        ("", "/"),
    ],
)
def test_one_lands_on_the_same_page_as_far_as_the_other_organisation_has_it(both: Both, path: str, lands: str) -> None:
    assert both.go(both.theirs, path) == lands
    assert both.client.get(lands, follow=True).status_code == 200


def test_an_administrator_there_stays_in_the_settings(both: Both) -> None:
    both.go(both.theirs)
    with both.ours.open():
        inbox = Inbox.objects.get()
    assert both.go(both.ours, f"/settings/inboxes/{inbox.id}") == "/settings/inboxes"
    assert both.go(both.ours, "/ledger") == "/ledger"


def test_a_page_of_the_former_organisation_in_another_tab_does_nothing_and_says_why(both: Both) -> None:
    ours = {**FRAGMENT, "X-Desk": both.ours.organisation.id.hex}
    assert both.client.get("/conversations/1/timeline", headers=ours).status_code == 200
    both.go(both.theirs)
    for answer in (
        both.client.get("/conversations/1/timeline", headers=ours),
        both.client.post("/conversations/1/do/resolve", headers=ours),
    ):
        assert answer.status_code == 409
        assert "voor Buren" in text_of(answer)
        assert "Van de buren" not in text_of(answer)
    assert both.theirs.conversations()[0].status == "open"


def test_a_form_of_the_former_organisation_is_refused_without_a_script_too(both: Both) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"referer": "http://testserver/inbox/all"})
    strict.cookies = both.client.cookies
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', strict.get("/inbox/all").content.decode())[1]
    form = {"csrfmiddlewaretoken": token, "organisation": str(both.theirs.organisation.id)}
    assert strict.post("/me/organisation", form).status_code == 302
    assert strict.post("/conversations/1/do/resolve", {"csrfmiddlewaretoken": token}).status_code == 403
    assert both.theirs.conversations()[0].status == "open"


def test_u18_an_organisation_is_chosen_by_a_form_only(both: Both) -> None:
    assert both.client.get("/me/organisation").status_code == 405
