"""Ways around the front door: other doors, many guesses, borrowed and doctored sessions."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import signing
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import get_resolver
from psycopg.conninfo import make_conninfo

from klankbord.desk.organisations.models import DeskSession
from klankbord.flows.accounts import unseal

from .pages import text_of
from .test_accounts import _code, _log_in, _set_up

PASSWORD = "een-lang-wachtwoord"


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def _names() -> set[str]:
    return {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}


# ------------------------------------------------------------------------------------------------ other doors


def test_t1_t2_a_password_and_a_second_step_are_the_only_way_in(client, db):
    """Nobody can arrive by another service's word, and nobody can be waited for under an address of their own."""
    assert [each for each in apps.app_configs if "social" in each or "openid" in each or "saml" in each] == []
    assert configured.AUTHENTICATION_BACKENDS == ["klankbord.doors.web.accounts.Entrance"]
    for address in ("signup", "google/login", "oidc/x/login", "confirm-email", "email", "login/code", "3rdparty"):
        assert client.get(f"/accounts/{address}/").status_code == 404, address
        form = {"email": "noor@wolk.example", "password1": PASSWORD}
        assert client.post(f"/accounts/{address}/", form).status_code == 404, address
    assert not {name for name in _names() if "social" in name or "signup" in name or "confirm" in name}


def test_t6_no_browser_is_remembered_instead_of_the_second_step(desk):
    noor, browser = desk.person("Noor"), Client()
    browser.post("/accounts/login/", {"login": noor.user.email, "password": PASSWORD, "remember": "on"})
    _set_up(browser)
    assert browser.get("/inbox/mine").status_code == 200
    browser.post("/accounts/logout/")
    again = browser.post("/accounts/login/", {"login": noor.user.email, "password": PASSWORD, "remember": "on"})
    assert again.headers["location"].startswith("/accounts/2fa/authenticate/")
    assert browser.get("/inbox/mine").headers["location"].startswith("/accounts/login/")
    assert not {name for name in _names() if "trust" in name}


# ------------------------------------------------------------------------------------------------ many guesses


class CountedHasher(MD5PasswordHasher):
    """Quick, and counts how often a password is worked on."""

    worked = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).worked += 1
        return str(super().encode(password, salt))


def test_t5_a_wrong_password_and_an_unknown_address_cost_the_same_work(desk, settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedHasher"]
    noor, work = desk.person("Noor"), []
    for address in (noor.user.email, "niemand@wolk.example"):
        CountedHasher.worked = 0
        assert _log_in(Client(), address, "verkeerd-wachtwoord").status_code == 200
        work.append(CountedHasher.worked)
    assert work == [1, 1]


def test_t5_passwords_are_slow_to_try():
    """In the tests they are not, so this asks the settings as they are written."""
    told = _settings_with({}, "PASSWORD_HASHERS[0]")
    assert told == "django.contrib.auth.hashers.Argon2PasswordHasher"


def test_t5_after_some_wrong_passwords_the_right_one_has_to_wait_too(desk):
    noor, sem = desk.person("Noor"), desk.person("Sem")
    for _ in range(6):
        _log_in(Client(), noor.user.email, "verkeerd-wachtwoord")
    refused = _log_in(Client(), noor.user.email)
    assert refused.status_code != 302
    assert _log_in(Client(), sem.user.email).status_code == 302  # nobody else is shut out by it


def test_t5_one_address_cannot_try_everybodys_password(desk):
    people = [desk.person(f"P{number}") for number in range(12)]
    for each in people:
        _log_in(Client(), each.user.email, "zomer2026!")
    assert _log_in(Client(), people[-1].user.email).status_code != 302


def test_t6_codes_cannot_be_guessed_one_after_the_other(desk):
    noor, browser = desk.person("Noor"), Client()
    _log_in(browser, noor.user.email)
    secret = _set_up(browser)
    browser.post("/accounts/logout/")
    thief = Client()
    _log_in(thief, noor.user.email)
    for number in range(12):
        thief.post("/accounts/2fa/authenticate/", {"code": f"{number:06}"})
    late = thief.post("/accounts/2fa/authenticate/", {"code": _code(secret)})
    assert late.status_code != 302
    assert thief.get("/inbox/mine").status_code == 302


# ------------------------------------------------------------------------------------------------ sessions


def test_t9_a_session_from_before_signing_in_is_worth_nothing_afterwards(desk):
    noor, browser = desk.person("Noor"), Client()
    planted = browser.session
    planted["has_two_factor"] = True
    planted.save()
    before = planted.session_key
    browser.cookies[configured.SESSION_COOKIE_NAME] = before
    _log_in(browser, noor.user.email)
    _set_up(browser)
    after = browser.cookies[configured.SESSION_COOKIE_NAME].value
    assert after != before
    thief = Client()
    thief.cookies[configured.SESSION_COOKIE_NAME] = before
    assert thief.get("/inbox/mine").headers["location"].startswith("/accounts/login/")


def test_t9_signing_out_ends_the_session_and_not_only_the_cookie(desk):
    noor, browser = desk.person("Noor"), Client()
    _log_in(browser, noor.user.email)
    _set_up(browser)
    copied = browser.cookies[configured.SESSION_COOKIE_NAME].value
    browser.post("/accounts/logout/")
    thief = Client()
    thief.cookies[configured.SESSION_COOKIE_NAME] = copied
    assert thief.get("/inbox/mine").headers["location"].startswith("/accounts/login/")


class Planted:
    """What a pickled session would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(Path(configured.ENVIRONMENT.data_dir) / "planted"),)


def _doctored(session: dict[str, Any]) -> dict[str, str]:
    key_salt = "django.contrib.sessions.SessionStore"
    return {
        "unsigned": signing.b64_encode(b'{"_auth_user_id": "1"}').decode(),
        "signed by another": signing.dumps(session, key="een andere sleutel", salt=key_salt),
        "pickled": signing.TimestampSigner(salt=key_salt).sign(signing.b64_encode(pickle.dumps(Planted())).decode()),
        "noise": "\x01:::" * 50,
    }


@pytest.mark.parametrize("how", ["unsigned", "signed by another", "pickled", "noise"])
def test_t9_a_doctored_session_is_nobodys_and_runs_nothing(desk, sign_in, how):
    browser = sign_in(desk.person("Noor"))
    assert browser.get("/inbox/mine").status_code == 200
    row = DeskSession.objects.get(user=browser.session["_auth_user_id"])
    row.data = _doctored(dict(browser.session))[how]
    row.save()
    assert browser.get("/inbox/mine").headers["location"].startswith("/accounts/login/")
    assert not (Path(configured.ENVIRONMENT.data_dir) / "planted").exists()


def test_t9_cookies_are_out_of_reach_of_scripts_and_of_other_sites(desk):
    noor, browser = desk.person("Noor"), Client()
    browser.get("/accounts/login/")
    _log_in(browser, noor.user.email)
    for name in (configured.SESSION_COOKIE_NAME, configured.CSRF_COOKIE_NAME):
        cookie = browser.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert not cookie["domain"]


def test_t9_on_a_public_address_cookies_travel_encrypted_only():
    public = {"KLANKBORD_PUBLIC_URL": "https://desk.example"}
    told = _settings_with(
        public, "SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE, SECURE_HSTS_SECONDS > 0, SESSION_COOKIE_NAME"
    )
    assert told == "True True True __Host-klankbord_session"
    assert configured.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"


def _settings_with(environment: dict[str, str], asked: str) -> str:
    """What the settings say in a process of their own."""
    program = f"from klankbord.project.settings import *; print({asked})"
    known = {name: value for name, value in os.environ.items() if not name.startswith("KLANKBORD_")}
    known |= {"KLANKBORD_DATA_DIR": str(configured.ENVIRONMENT.data_dir), **environment}
    known["PYTHONPATH"] = str(Path(__file__).parents[2] / "src")
    done = subprocess.run([sys.executable, "-c", program], env=known, capture_output=True, text=True, check=True)
    return done.stdout.strip()


# ------------------------------------------------------------------------------------------------ tokens


@pytest.mark.django_db(transaction=True)
def test_t4_no_token_that_opens_something_lies_readable_in_the_database(transactional_db):
    """All rows of all tables are searched, as somebody would who got hold of a copy."""
    from desk_builder import Desk
    from klankbord.desk.organisations.models import Organisation
    from klankbord.flows import visitors

    desk = Desk()
    api, chat = desk.inbox(), desk.inbox("Chat", kind="webchat", site_name="Wolk", origins="https://wolk.example")
    hook, key = (unseal(each.credentials)["hook_token"] for each in (api, chat))
    with desk.open():
        widget = visitors.find_widget(key)
    visitor, _visit = visitors.start_visit(widget=widget, identity=None, now=desk.now)
    opened = unseal(api.credentials)
    tokens = [hook, key, visitor, opened["hook_secret"], opened["credentials"]["secret"]]
    assert len(set(tokens)) == len(tokens)
    assert all(len(each) >= 22 for each in tokens)
    assert Organisation.objects.exists()
    found = _everything()
    assert "Wolk" in found
    assert [each for each in tokens if each in found or each.encode().hex() in found] == []


def _everything() -> str:
    """The whole database as text, read by its owner."""
    import psycopg

    known: Any = connection.settings_dict
    where = {"dbname": known["NAME"], "user": known["USER"], "host": known["HOST"], "port": known["PORT"] or None}
    with psycopg.connect(make_conninfo("", **where)) as owner:
        names = owner.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        rows = [owner.execute(f"SELECT t::text FROM {name} t".encode()).fetchall() for (name,) in names]
    return "\n".join(text for table in rows for (text,) in table)


# ------------------------------------------------------------------------------------------------ helper pages


@pytest.mark.parametrize(
    "address",
    [
        "/phpinfo.php", "/.git/config", "/.env", "/debug/", "/admin/", "/graphql", "/swagger", "/console",
        "/server-status", "/static/", "/static/../settings.py", "/static/%2e%2e/settings.py", "/media/", "/files/",
        "/backup.sql", "/setup", "/install", "/wp-login.php",
    ],
)  # fmt: skip
def test_t8_t10_there_is_no_page_for_builders_or_for_a_first_time(desk, sign_in, address):
    from klankbord.desk.organisations.models import Role

    for browser in (Client(), sign_in(desk.person("Ada", Role.ADMINISTRATOR))):
        answer = browser.get(address)
        assert answer.status_code == 404
        assert "Traceback" not in text_of(answer)
        assert "urlpatterns" not in text_of(answer)
