"""`klankbord channel list` and `parse`: no database, no network."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from klankbord import channels
from klankbord.doors.cli.main import main

MESSAGE = {
    "id": "m-1",
    "at": "2026-11-02T08:00:00Z",
    "place": {"id": "chat-42", "title": "Lamp"},
    "person": {"id": "c-9", "name": "Anouk"},
    "text": "Eerste regel\ntweede regel",
    "history": True,
}


def payload(tmp_path: Path, content: object) -> str:
    file = tmp_path / "payload"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(file)


def test_every_channel_stands_in_the_list(capsys) -> None:
    assert main(["channel", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(channels.channel(kind).label in shown for kind in channels.kinds())
    assert main(["channel", "list", "--json"]) == 0
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)] == list(channels.kinds())


def test_a_payload_is_shown_as_items(tmp_path, capsys) -> None:
    assert main(["channel", "parse", "api", payload(tmp_path, MESSAGE)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Arrived\n")
    assert "  text          Eerste regel\n                tweede regel\n" in shown
    assert main(["channel", "parse", "api", payload(tmp_path, [MESSAGE, {"type": "edit", "id": 7}]), "--json"]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert (first["item"], first["external_id"], first["is_history"]) == ("Arrived", "m-1", True)
    assert first["place"] == {"key": "chat-42", "visibility": "private", "target": "chat-42", "title": "Lamp"}
    assert second["item"] == "Malformed"


def test_a_payload_comes_from_standard_input_too(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(MESSAGE).encode())))
    assert main(["channel", "parse", "api", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["external_id"] == "m-1"


def test_mail_is_parsed_in_the_limited_child_and_knows_its_account(tmp_path, capsys) -> None:
    mail = b"From: Anouk <anouk@thuis.example>\r\nTo: help@desk.example\r\nMessage-ID: <1@thuis.example>\r\n\r\nHallo"
    assert main(["channel", "parse", "email", payload(tmp_path, mail), "--json"]) == 0
    [item] = json.loads(capsys.readouterr().out)
    assert (item["item"], item["text"], item["person"]["email"]) == ("Arrived", "Hallo", "anouk@thuis.example")
    account = tmp_path / "account.json"
    account.write_text(json.dumps({"credentials": {"address": "anouk@thuis.example"}}))
    words = ["channel", "parse", "email", payload(tmp_path, mail), "--json", "--account", str(account)]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"item": "Ignored", "reason": "own-address", "external_id": "1@thuis.example"}
    ]


def test_nothing_in_a_payload_commands_the_terminal(tmp_path, capsys) -> None:
    assert main(["channel", "parse", "api", payload(tmp_path, {**MESSAGE, "text": "a\u009b2Jb\u202ec"})]) == 0
    shown = capsys.readouterr().out
    assert "\u009b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["parse", "carrier-pigeon", "{file}"], "There is no channel 'carrier-pigeon'. There are: api, email,"),
        (["parse", "api", "{file}-not"], "cannot be read: No such file"),
        (["parse", "api", "{file}", "--account", "{file}-not"], "is not JSON like"),
        (["parse", "api", "{file}", "--account", "{strange}"], "API has no credentials called colour."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path, capsys, words, sentence) -> None:
    strange = tmp_path / "strange.json"
    strange.write_text('{"credentials": {"colour": "blue"}}')
    file = payload(tmp_path, MESSAGE)
    assert main(["channel", *(word.format(file=file, strange=strange) for word in words)]) == 1
    shown = capsys.readouterr().err
    assert sentence in shown
    assert shown.count("\n") == 1
