"""Imports go down, neighbours are strangers: the contracts of pyproject.toml, run as they stand there."""

from __future__ import annotations

import ast
import tomllib

from importlinter.cli import lint_imports
from tree import PRODUCT, ROOT, name_of, parsed, python


def test_every_import_goes_down_and_no_neighbour_knows_another(capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "src"))
    outcome = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert outcome == 0, capsys.readouterr().out


def test_no_contract_has_exceptions():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert [each["name"] for each in settings["contracts"] if "ignore_imports" in each] == []


CONNECTING = {"IMAP4", "IMAP4_SSL", "SMTP", "SMTP_SSL", "MailBox", "create_connection", "urlopen", "Client"}


def test_a_channel_opens_no_connection_of_its_own():
    """The wires that it is handed do, through the guard."""
    assert [name_of(path) for path in python(PRODUCT / "channels") if calls_in(parsed(path)) & CONNECTING] == []


def calls_in(module: ast.Module) -> set[str]:
    called = [each.func for each in ast.walk(module) if isinstance(each, ast.Call)]
    return {getattr(each, "attr", getattr(each, "id", "")) for each in called}
