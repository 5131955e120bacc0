"""Logs: structured, without what people wrote, and never in the way."""

from __future__ import annotations

import io
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from klankbord.plumbing.logs import REMOVED, PatientHandler, Style, configure, without_secrets

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def untouched_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def written(untouched_root: None) -> Lines:
    stream = io.StringIO()
    handler = configure("json", stream=stream)

    def lines() -> list[dict[str, Any]]:
        handler.close()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    return lines


log = logging.getLogger("klankbord.test")

PRIVATE = ["text", "body", "html", "subject", "message_text", "email", "phone", "name", "display_name", "code"]
PRIVATE += ["token", "access_token", "client_secret", "Authorization", "cookie", "password", "api_key", "signature"]
PRIVATE += ["password_hash"]


def test_a_line_says_when_how_bad_where_what_and_with_which_numbers(written: Lines) -> None:
    log.warning("delivery stored", extra={"inbox": "i-1", "items": 3, "late": False})
    (line,) = written()
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "klankbord.test",
        "event": "delivery stored",
        "inbox": "i-1",
        "items": 3,
        "late": False,
    }


@pytest.mark.parametrize("key", PRIVATE)
def test_f40_private_values_are_removed_by_name_also_when_nested(written: Lines, key: str) -> None:
    log.info("x", extra={key: "canary"} if key != "name" else {"who": {"name": "canary"}})
    log.info("x", extra={"facts": {"list": [{key: "canary"}]}})
    log.info("told %(" + key + ")s", {key: "canary"})
    lines = written()
    assert len(lines) == 3
    assert "canary" not in json.dumps(lines)
    assert REMOVED in lines[2]["event"]


def test_facts_about_private_things_stay(written: Lines) -> None:
    log.info("x", extra={"text_length": 12, "body_bytes": 40, "content_type": "image/png", "raw": b"secret"})
    (line,) = written()
    assert (line["text_length"], line["body_bytes"], line["content_type"]) == (12, 40, "image/png")
    assert line["raw"] == "[6 bytes]"


@pytest.mark.parametrize(
    "text",
    [
        "POST https://api.telegram.org/bot123456:CANARY_x-1/sendMessage",
        "GET https://graph.example/v1/me?fields=id&access_token=CANARY&x=1",
        "GET https://x.example/cb?code=CANARY",
        "headers: Authorization: Bearer CANARY.abc.123",
        "Authorization: Basic CANARYdXNlcjpw1=",
        "imap://user:CANARY@mail.example",
        "{'client_secret': 'CANARY', 'x': 1}",
        '{"password": "CANARY"}',
        "hub.verify_token=CANARY",
    ],
)
def test_tokens_are_taken_out_of_addresses_and_headers(text: str) -> None:
    cleaned = without_secrets(text)
    assert "CANARY" not in cleaned
    assert REMOVED in cleaned


@pytest.mark.parametrize("text", ["the key is old", "basic configuration read", "GET /inbox?page=2", "token expired"])
def test_ordinary_sentences_stay_whole(text: str) -> None:
    assert without_secrets(text) == text


def test_an_error_is_told_by_its_class_and_place_and_not_in_the_customer_s_words(written: Lines) -> None:
    try:
        try:
            raise OSError(28, "No space left on device", "/private/canary")
        except OSError as cause:
            raise ValueError("canary: my order never came") from cause
    except ValueError:
        log.exception("delivery failed")
    (line,) = written()
    assert line["error"] == "ValueError from OSError (No space left on device)"
    assert "test_logs.py" in line["trace"][-1]
    assert "canary" not in json.dumps(line)


def test_a_long_value_is_cut(written: Lines) -> None:
    log.info("x", extra={"answer": "y" * 100_000})
    (line,) = written()
    assert len(line["answer"]) < 1000


@pytest.mark.parametrize("style", ["json", "plain"])
def test_u20_line_ends_and_control_characters_cannot_forge_a_line(untouched_root: None, style: Style) -> None:
    stream = io.StringIO()
    handler = configure(style, stream=stream)
    log.info("address %s", "1.2.3.4\nlevel=error \x1b[31m\u2028\u202e\ud800", extra={"agent": "a\r\nb"})
    handler.close()
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().isascii()
    assert all(character >= " " for character in stream.getvalue().rstrip("\n"))


def test_the_plain_style_reads_as_key_and_value(untouched_root: None) -> None:
    stream = io.StringIO()
    handler = configure("plain", stream=stream)
    log.info("delivery stored", extra={"items": 3})
    handler.close()
    assert 'level=info logger=klankbord.test event="delivery stored" items=3\n' in stream.getvalue()


def test_a_value_that_cannot_be_shown_does_not_end_what_was_logged(written: Lines) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    log.info("x", extra={"thing": Broken()})
    log.info("next")
    assert [line["event"] for line in written() if line["event"] == "next"] == ["next"]


@pytest.mark.faults
def test_f40_a_blocked_sink_delays_nobody_and_the_loss_is_counted() -> None:
    reading, writing = os.pipe()
    sink = os.fdopen(writing, "w")
    handler = PatientHandler(sink, "json", queue_lines=100)
    record = logging.LogRecord("klankbord.test", logging.INFO, "", 0, "x" * 400, None, None)
    began = time.monotonic()
    for _ in range(5000):  # far more than the pipe and the queue hold, and nobody reads
        handler.emit(record)
    assert time.monotonic() - began < 5
    heard: list[dict[str, Any]] = []

    def listen() -> None:
        with os.fdopen(reading) as lines:
            heard.extend(map(json.loads, lines))

    listener = threading.Thread(target=listen)
    listener.start()
    handler.close()
    sink.close()
    listener.join(timeout=20)
    lost = sum(line["lines"] for line in heard if line["event"] == "log lines were dropped")
    written = sum(1 for line in heard if line["event"].startswith("xxx"))
    assert lost > 4000
    assert lost + written == 5000
