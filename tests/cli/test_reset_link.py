"""An administrator at the machine gives somebody a way back in."""

from __future__ import annotations

import argparse
import contextlib
from urllib.parse import urlsplit

import pytest
from django.test import Client

from klankbord.doors.cli import reset_link
from klankbord.doors.cli.main import CommandError

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def this_desk(monkeypatch):
    """The command finds the desk of the test."""
    monkeypatch.setattr(reset_link, "desk", lambda **role: contextlib.nullcontext())


def test_a_link_is_printed_with_which_a_new_password_is_chosen_once(desk, capsys):
    noor, new = desk.person("Noor"), "een-ander-lang-wachtwoord"
    reset_link.run(argparse.Namespace(email=" NOOR@wolk.example "))
    path = urlsplit(capsys.readouterr().out.strip()).path
    client = Client()
    form = client.get(path).headers["location"]
    client.post(form, {"password1": new, "password2": new})
    assert Client().post("/accounts/login/", {"login": noor.user.email, "password": new}).status_code == 302
    assert Client().get(path).status_code == 200  # the page that says: this link no longer works


def test_an_unknown_address_is_said_to_be_unknown(desk):
    with pytest.raises(CommandError, match="niemand@"):
        reset_link.run(argparse.Namespace(email="niemand@wolk.example"))
