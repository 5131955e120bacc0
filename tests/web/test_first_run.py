"""The first minutes of an empty desk, and what its link is worth afterwards."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from desk_builder import Desk
from klankbord.desk.errors import NotFound
from klankbord.desk.organisations.models import Membership, Organisation, Role
from klankbord.flows import setting_up

from .pages import text_of

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
FORM = {
    "organisation": "Wolk & Zo", "language": "nl", "time_zone": "Europe/Amsterdam", "name": "Noor",
    "email": "noor@wolk.example", "password": "een-heel-lang-wachtwoord",
}  # fmt: skip


def link() -> str:
    found = re.search(r"/accounts/set-up/\w+/", setting_up.offer_link(now=datetime.now(UTC)))
    assert found
    return found[0]


def test_an_empty_desk_gives_a_link_that_founds_it_and_leads_to_the_second_step() -> None:
    browser, address = Client(), link()
    assert browser.get(address).status_code == 200
    done = browser.post(address, FORM, follow=True)
    assert done.redirect_chain[-1][0] == "/accounts/2fa/totp/activate/"
    member = Membership.objects.get()
    assert (member.role, member.organisation.name, member.organisation.asks_second_step) == (
        "administrator", "Wolk & Zo", True,
    )  # fmt: skip


def test_t8_after_the_set_up_the_link_and_every_guess_are_not_found() -> None:
    address = link()
    Client().post(address, FORM)
    for path in (address, "/accounts/set-up/abc/"):
        assert Client().get(path).status_code == 404
        assert Client().post(path, FORM).status_code == 404
    assert setting_up.offer_link(now=NOW) == ""
    assert Organisation.objects.count() == 1


def test_t8_a_desk_with_an_organisation_offers_no_set_up_whatever_link_there_was(desk: Desk) -> None:
    assert setting_up.offer_link(now=NOW) == ""


def test_a_link_that_is_too_old_or_was_replaced_opens_nothing() -> None:
    first = link().rstrip("/").rpartition("/")[2]
    second = link().rstrip("/").rpartition("/")[2]
    with pytest.raises(NotFound):
        setting_up.check_link(first, now=NOW)
    with pytest.raises(NotFound):
        setting_up.check_link(second, now=NOW + timedelta(days=2))


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"organisation": ""}, {"email": "noor"}, {"password": "kort"}, {"time_zone": "Mars/Zee"}]
)
def test_what_is_wrong_in_the_form_is_said_and_nothing_is_lost(wrong: dict[str, str]) -> None:
    address = link()
    refused = Client().post(address, FORM | wrong)
    assert refused.status_code == 422
    assert not Organisation.objects.exists()
    assert Client().post(address, FORM).status_code == 302


def test_the_check_list_is_shown_until_it_is_done_or_skipped(desk: Desk, sign_in: Any) -> None:
    boss = desk.person("Baas", Role.ADMINISTRATOR)
    Organisation.objects.update(set_up_step="inbox")
    browser = sign_in(boss)
    assert browser.get("/").headers["location"] == "/settings/set-up"
    assert "Koppel het eerste kanaal" in text_of(browser.get("/settings/set-up"))
    desk.receive(desk.inbox(), desk.event())
    assert text_of(browser.get("/settings/set-up")).count("klaar") == 2
    browser.post("/settings/set-up")
    assert browser.get("/").headers["location"] == "/inbox/mine"


def test_an_organisation_may_give_its_people_time_for_the_second_step(desk: Desk, sign_in: Any) -> None:
    boss, noor = desk.person("Baas", Role.ADMINISTRATOR), desk.person("Noor")
    waiting = Client()
    waiting.force_login(noor.user)
    assert waiting.get("/inbox/mine").status_code == 302
    form = {"part": "signing-in", "asks": "1", "grace_days": "7"}
    assert sign_in(boss).post("/settings/organisation", form).status_code == 302
    assert waiting.get("/inbox/mine").status_code == 200
    Organisation.objects.update(second_step_from=NOW - timedelta(minutes=1))
    assert waiting.get("/inbox/mine").status_code == 302


def test_people_see_where_they_are_signed_in_and_end_it_there(desk: Desk, sign_in: Any) -> None:
    noor, sem = desk.person("Noor"), desk.person("Sem")
    phone = sign_in(noor, headers={"user-agent": "Mozilla/5.0 (Android 15) Firefox/140.0"})
    laptop, other = sign_in(noor), sign_in(sem)
    page = laptop.get("/me/sessions")
    [key] = re.findall(r'name="session" value="(\w{64})"', page.content.decode())
    assert laptop.post("/me/sessions/end", {"session": key}).status_code == 302
    assert phone.get("/inbox/mine").headers["location"].startswith("/accounts/login/")
    assert laptop.get("/inbox/mine").status_code == 200
    again = sign_in(noor)
    laptop.post("/me/sessions/end")
    assert again.get("/inbox/mine").status_code == 302
    assert other.get("/inbox/mine").status_code == 200
    hers = re.findall(r'name="session" value="(\w{64})"', other.get("/me/sessions").content.decode())
    assert hers == []  # one's own is not offered, and nobody else's


def test_nobody_ends_the_session_of_somebody_else(desk: Desk, sign_in: Any) -> None:
    from klankbord.desk.organisations.models import DeskSession

    noor, sem = sign_in(desk.person("Noor")), sign_in(desk.person("Sem"))
    keys = list(DeskSession.objects.filter(user__name="Sem").values_list("key_hash", flat=True))
    assert noor.post("/me/sessions/end", {"session": keys[0]}).status_code == 404
    assert sem.get("/inbox/mine").status_code == 200
