"""Signing in: in two steps, without telling strangers who works here."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from klankbord.desk.organisations.models import Membership, User

from .pages import text_of


def _log_in(client: Client, email: str, password: str = "een-lang-wachtwoord"):
    return client.post("/accounts/login/", {"login": email, "password": password})


def _code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def _set_up(client: Client) -> str:
    """Set up an authenticator app as the pages ask: the password once more, then a code. Gives the app's key."""
    client.post("/accounts/reauthenticate/", {"password": "een-lang-wachtwoord"})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'secret-key">([A-Z2-7]+)<', page)[1]
    assert client.post("/accounts/2fa/totp/activate/", {"code": _code(secret)}).status_code == 302
    return secret


def test_an_unknown_address_and_a_wrong_password_read_the_same(desk):  # T5
    noor = desk.person("Noor")
    wrong = _log_in(Client(), noor.user.email, "verkeerd-wachtwoord")
    unknown = _log_in(Client(), "niemand@wolk.example", "verkeerd-wachtwoord")
    hidden = re.compile(r'value="[^"]*"')
    assert hidden.sub("", wrong.content.decode()) == hidden.sub("", unknown.content.decode())
    assert wrong.status_code == 200


def test_a_second_step_must_be_set_up_before_anything_is_shown(desk):
    noor, client = desk.person("Noor"), Client()
    assert _log_in(client, noor.user.email).status_code == 302
    assert client.get("/inbox/mine").headers["location"] == "/accounts/2fa/totp/activate/"
    assert client.get("/conversations/1/people").headers["location"] == "/accounts/2fa/totp/activate/"
    _set_up(client)
    assert client.get("/inbox/mine").status_code == 200


def test_the_demo_needs_no_second_step(desk):
    noor, client = desk.person("Noor"), Client()
    desk.organisation.is_demo = True
    desk.organisation.save()
    _log_in(client, noor.user.email)
    assert client.get("/inbox/mine").status_code == 200


def test_signing_in_asks_for_the_code_and_takes_each_code_once(desk):  # T6
    noor, client = desk.person("Noor"), Client()
    _log_in(client, noor.user.email)
    secret = _set_up(client)
    client.post("/accounts/logout/")
    first = Client()
    assert _log_in(first, noor.user.email).headers["location"].startswith("/accounts/2fa/authenticate/")
    assert first.get("/inbox/mine").status_code == 302
    assert first.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    code = _code(secret)
    answers = []
    for browser in (Client(), Client()):
        _log_in(browser, noor.user.email)
        answers.append(browser.post("/accounts/2fa/authenticate/", {"code": code}).status_code)
    assert answers.count(302) <= 1


def test_the_key_of_an_authenticator_app_is_sealed_in_the_database(desk):
    noor, client = desk.person("Noor"), Client()
    _log_in(client, noor.user.email)
    secret = _set_up(client)
    stored = str(Authenticator.objects.get(user=noor.user, type="totp").data)
    assert secret not in stored


def test_who_was_removed_or_switched_off_is_out_at_the_next_click(desk, sign_in):
    noor = desk.person("Noor")
    client = sign_in(noor)
    assert client.get("/inbox/mine").status_code == 200
    Membership.objects.filter(id=noor.id).update(is_active=False)
    gone = client.get("/inbox/mine")
    assert gone.status_code == 403
    assert "hoort niet meer bij een organisatie" in text_of(gone)
    Membership.objects.filter(id=noor.id).update(is_active=True)
    User.objects.filter(id=noor.user_id).update(is_active=False)
    assert client.get("/inbox/mine").headers["location"].startswith("/accounts/login/")


def test_looks_and_language_are_remembered(desk, sign_in):
    noor = desk.person("Noor")
    client = sign_in(noor)
    client.post("/me", {"theme": "dark"})
    client.post("/me", {"language": "en"})
    page = client.get("/inbox/mine")
    assert 'lang="en" data-theme="dark"' in page.content.decode()
    assert "Nobody's yet" in text_of(page)
    assert client.post("/me", {"theme": "<script>"}).status_code == 404


def test_work_in_two_organisations_shows_one_at_a_time(desk, sign_in):
    from desk_builder import Desk
    from klankbord.flows.founding import add_person

    noor, other = desk.person("Noor"), Desk("buren")
    add_person(organisation=other.organisation, email=noor.user.email, name="Noor", password="", role="agent")
    desk.receive(desk.inbox(), desk.event(text="Van Wolk"))
    other.receive(other.inbox(), other.event(text="Van de buren"))
    client = sign_in(noor)
    assert "Van Wolk" in text_of(client.get("/inbox/all"))
    client.post("/me/organisation", {"organisation": str(other.organisation.id)})
    page = text_of(client.get("/inbox/all"))
    assert "Van de buren" in page
    assert "Van Wolk" not in page
    assert client.post("/me/organisation", {"organisation": "00000000-0000-0000-0000-000000000001"}).status_code == 404


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/2fa/totp/activate/", "/accounts/password/",
                                     "/accounts/2fa/", "/accounts/logout/"])  # fmt: skip
def test_pages_around_signing_in_have_no_inline_style_or_script(desk, sign_in, address):
    for client in (Client(), sign_in(desk.person("Noor"))):
        page = client.get(address, follow=True).content.decode()
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*src=)|\son\w+=", page)
