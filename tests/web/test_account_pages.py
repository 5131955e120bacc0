"""The pages around signing in: which of them a stranger may open is a short list, and every other one is shut."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, get_resolver

# Where somebody has to come who is not signed in. They show a form or a sentence, and nothing of anybody.
OPEN = {
    "account_login", "account_inactive", "account_logout", "account_reset_password", "account_reset_password_done",
    "account_reset_password_from_key", "account_reset_password_from_key_done",
}  # fmt: skip
EXAMPLES = {"uidb36": "x", "key": "x-y", "pk": "1", "token": "geraden"}


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def _pages() -> dict[str, str]:
    """Every page of the sign-in libraries that the product shows: its name and address."""
    found: dict[str, str] = {}
    for resolver in get_resolver().url_patterns:
        for each in getattr(resolver, "url_patterns", [resolver]):
            if isinstance(each, URLPattern) and (name := str(each.name)).startswith(("account_", "mfa_")):
                address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: EXAMPLES[found[1]], str(each.pattern))
                found[name] = f"/{address}"
    return found


def test_a1_the_list_of_open_pages_names_only_pages_that_are():
    assert set(_pages()) >= OPEN & {"account_login", "account_inactive"}


@pytest.mark.parametrize("name", sorted(set(_pages()) - OPEN))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a1_no_other_page_opens_for_who_is_not_signed_in(db, name, method):
    address = _pages()[name]
    answer = getattr(Client(), method)(address)
    # A link that works once is a key of its own; a guessed one leads nowhere.
    assert answer.status_code in ((404,) if "geraden" in address else (302, 401))
    if answer.status_code == 302:
        assert answer.headers["location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", sorted(set(_pages()) & OPEN))
def test_a1_the_open_ones_show_nothing_of_anybody(desk, name):
    noor = desk.person("Noor")
    page = Client().get(_pages()[name], follow=True).content.decode()
    assert noor.user.email not in page
    assert "Noor" not in page
    assert desk.organisation.name not in page
