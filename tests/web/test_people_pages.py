"""The settings of people, teams and labels, as an administrator sees them; and the page behind an invitation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from desk_builder import Desk
from errands import run_errands
from klankbord.desk.organisations.models import AuditLine, Membership, Role, Team

from .pages import text_of

PASSWORD = "een-heel-lang-wachtwoord"


@pytest.fixture
def boss(desk: Desk) -> Membership:
    return desk.person("Baas", Role.ADMINISTRATOR)


def link_in(text: str) -> str:
    found = re.search(r"/accounts/invitation/[\w-]+/", text)
    assert found
    return found[0]


def invite(browser: Client, email: str = "sem@wolk.example", role: str = "agent") -> Any:
    return browser.post("/settings/people", {"email": email, "role": role})


def test_an_invitation_goes_by_mail_and_ends_at_the_second_step(
    desk: Desk, boss: Membership, sign_in: Any, mailoutbox: Any
) -> None:
    page = invite(sign_in(boss))
    assert "sem@wolk.example" in text_of(page)
    assert "/accounts/invitation/" not in page.content.decode()
    run_errands()
    [mail] = mailoutbox
    assert mail.to == ["sem@wolk.example"]
    assert "Baas nodigt je uit" in mail.subject
    browser = Client()
    form = browser.get(link_in(mail.body))
    assert "Werk bij Wolk" in text_of(form)
    assert form.headers["Referrer-Policy"] == "no-referrer"
    done = browser.post(link_in(mail.body), {"name": "Sem", "password": PASSWORD}, follow=True)
    assert done.redirect_chain[-1][0] == "/accounts/2fa/totp/activate/"
    assert "secret-key" in done.content.decode()  # the password is not asked for once more
    assert browser.get(link_in(mail.body)).status_code == 404


def test_without_mail_the_link_is_shown_once_to_copy(desk: Desk, boss: Membership, sign_in: Any, settings: Any) -> None:
    settings.DESK_MAIL = "none"
    browser = sign_in(boss)
    link = link_in(invite(browser).content.decode())
    assert link not in browser.get("/settings/people").content.decode()
    assert "Werk bij Wolk" in text_of(Client().get(link))


def test_t3_a_used_or_wrong_link_says_the_same(desk: Desk, boss: Membership, sign_in: Any, settings: Any) -> None:
    settings.DESK_MAIL = "none"
    link = link_in(invite(sign_in(boss)).content.decode())
    Client().post(link, {"name": "Sem", "password": PASSWORD})
    pages = [Client().get(each) for each in (link, "/accounts/invitation/abc/")]
    assert [each.status_code for each in pages] == [404, 404]
    assert text_of(pages[0]) == text_of(pages[1])


def test_t3_who_is_signed_in_as_somebody_else_takes_no_place(
    desk: Desk, boss: Membership, sign_in: Any, settings: Any
) -> None:
    settings.DESK_MAIL = "none"
    regen = Desk("regen")
    noor, thief = regen.person("Noor"), regen.person("Dief")
    link = link_in(invite(sign_in(boss), noor.user.email).content.decode())
    assert "Log daarmee in" in text_of(Client().get(link))
    assert sign_in(thief).post(link).status_code == 422
    own = sign_in(noor)
    own.post(link)
    places = Membership.objects.filter(user=noor.user).values_list("organisation__slug", flat=True)
    assert sorted(places) == ["regen", "wolk"]


def test_the_pages_show_who_works_here_and_change_it(desk: Desk, boss: Membership, sign_in: Any) -> None:
    noor, browser = desk.person("Noor"), sign_in(boss)
    assert "Noor" in text_of(browser.get("/settings/people"))
    address = f"/settings/people/{noor.id}"
    assert "Teamleider" in text_of(browser.post(f"{address}/do/role", {"role": "lead"}, follow=True))
    assert "niets over te dragen" in text_of(browser.get(f"{address}/leave"))
    assert "werkt hier niet meer" in text_of(browser.post(f"{address}/leave", follow=True))
    assert sign_in(noor).get("/inbox/mine").status_code == 403
    browser.post(f"{address}/do/come-back")
    assert sign_in(noor).get("/inbox/mine").status_code == 200


def test_the_last_administrator_hears_why_not(desk: Desk, boss: Membership, sign_in: Any) -> None:
    page = sign_in(boss).post(f"/settings/people/{boss.id}/do/role", {"role": "agent"})
    assert page.status_code == 422
    assert "enige beheerder" in text_of(page)


def test_teams_and_labels_are_kept_on_their_pages(desk: Desk, boss: Membership, sign_in: Any) -> None:
    browser = sign_in(boss)
    page = browser.post("/settings/teams", {"name": "Nacht"}, follow=True)
    assert "Nacht" in text_of(page)
    with desk.open():
        team = Team.objects.get()
    browser.post(f"/settings/teams/{team.id}", {"name": "Nacht", "members": [str(boss.id)]})
    assert "Baas" in text_of(browser.get("/settings/teams"))
    browser.post(f"/settings/teams/{team.id}/remove")
    assert "Nog geen teams" in text_of(browser.get("/settings/teams"))
    page = browser.post("/settings/labels", {"name": "Retour", "colour": "3", "group": "Proces"}, follow=True)
    assert "Retour" in text_of(page)
    assert "Proces" in text_of(page)


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.ANALYST])
def test_others_do_not_come_there(desk: Desk, boss: Membership, sign_in: Any, role: Role) -> None:
    browser = sign_in(desk.person("Noor", role))
    for address in ("/settings/people", f"/settings/people/{boss.id}", "/settings/teams"):
        assert browser.get(address).status_code == 403
    assert browser.get("/settings/labels").status_code == (200 if role == Role.LEAD else 403)


def test_what_was_done_with_people_stands_in_the_audit_log(desk: Desk, boss: Membership, sign_in: Any) -> None:
    browser = sign_in(boss)
    invite(browser)
    page = text_of(browser.get("/settings/audit?kind=people"))
    assert "Nodigde iemand uit" in page
    assert "sem@wolk.example" in page
    with desk.open():
        assert AuditLine.objects.filter(deed="person invited", by=boss).count() == 1
