"""Customers in a process of their own, who speak on platforms of another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

import klankbord_simulator
from klankbord_simulator.fakes.loop import LoopThread
from klankbord_simulator.fakes.telegram import Telegram
from klankbord_simulator.stage import Actor, Attachment, StageError
from klankbord_simulator.stories.far import FarStage, read_addresses

SHOP = Actor("Wolk & Zonen", "wolkenzonen", "klantenservice@wolkenzonen.example")
SANNE = Actor("Sanne Vermaas", "sannevermaas", "sanne@thuis.example")
TOKEN = "4021:for-tests-only"


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    loop = LoopThread()
    fake = Telegram(shop=SHOP, token=TOKEN, loop=loop)
    fake.start()
    yield fake
    fake.stop()
    loop.stop()


def said_to(telegram: Telegram) -> list[str]:
    return [entry.text for entry in telegram.log.entries(kind="said") if entry.text != "/start"]


def answer(telegram: Telegram, chat: str, text: str) -> None:
    body = json.dumps({"chat_id": chat, "text": text}).encode()
    address = f"{telegram.url}/bot{TOKEN}/sendMessage"
    urllib.request.urlopen(
        urllib.request.Request(address, body, {"Content-Type": "application/json"}), timeout=5
    ).close()


def test_a_far_stage_carries_words_files_and_answers(telegram):
    stage = FarStage("telegram", telegram.url)
    picture = Attachment("foto.png", "image/png", b"\x89PNG", "een foto")
    stage.say(SANNE, "Waar blijft mijn lamp?", public=False, media=[picture])
    entry = telegram.log.entries(kind="said")[-1]
    answer(telegram, entry.place, "Die komt morgen.")
    (heard,) = stage.replies_to(SANNE)
    assert (said_to(telegram)[-1], heard.text, heard.public) == ("Waar blijft mijn lamp?", "Die komt morgen.", False)
    assert heard.at.tzinfo == UTC
    assert list(stage.replies_to(SANNE, after=heard.ref)) == []


def test_what_a_platform_does_not_allow_is_a_stage_error_here_too(telegram):
    stage = FarStage("telegram", telegram.url)
    with pytest.raises(StageError):
        stage.say(SANNE, "In het openbaar?", public=True)
    with pytest.raises(StageError):
        stage.edit("no-such-message", "anders")


@pytest.mark.parametrize("url", ["https://api.example", "http://192.0.2.1:80", "file:///etc/passwd", ""])
def test_customers_never_speak_to_anything_outside_this_machine(url):
    with pytest.raises(ValueError, match="not a simulated platform"):
        FarStage("telegram", url)


def test_addresses_of_other_things_are_passed_over(tmp_path):
    file = tmp_path / "addresses.json"
    places = {"mastodon": {"url": "http://127.0.0.1:1", "address": "@wolk@here"}, "shop": {"url": "http://127.0.0.1:2"}}
    file.write_text(json.dumps(places))
    assert [(stage.kind, stage.address) for stage in read_addresses(file)] == [("mastodon", "@wolk@here")]


def test_the_program_lets_people_write_and_leaves_when_told(telegram, tmp_path):
    file = tmp_path / "addresses.json"
    file.write_text(json.dumps({"telegram": {"url": telegram.url, "address": telegram.address}}))
    source = Path(klankbord_simulator.__file__).parent.parent
    program = subprocess.Popen(
        [sys.executable, "-m", "klankbord_simulator.customers", "--platforms", str(file), "--pace", "50"],
        env={**os.environ, "PYTHONPATH": str(source)},
    )
    try:
        deadline = time.monotonic() + 30
        while len(said_to(telegram)) < 6 and time.monotonic() < deadline and program.poll() is None:
            time.sleep(0.05)
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=5) == 0
    finally:
        program.kill()
    assert len(said_to(telegram)) >= 6
