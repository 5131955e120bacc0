"""Deliveries that are too large, too slow or poisonous, at the real door and in the real worker."""

from __future__ import annotations

import gzip
import json
import socket
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from klankbord.kernel.ids import uuid7
from klankbord_simulator.fakes.partner import SIGNATURE, sign
from klankbord_simulator.stories.volume import Number

from .checker import check_intake, check_ledger, check_nothing_waits
from .generator import Generator, post
from .house import SECRET, House, Target, wait_until
from .test_intake_faults import body_of, fresh_connection

_LONGEST = 10.0  # seconds in which the door must have made up its mind
_MEGABYTE = 1_000_000


@pytest.fixture
def target(house: House) -> Target:
    made = house.inbox()
    house.start("web")
    return made


def raw(house: House, target: Target, head: str, *, body: bytes = b"", drip: float | None = None) -> tuple[int, float]:
    """Write a request by hand; (status, seconds until it came). drip: a byte each so many seconds, for ever."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", house.port), timeout=20) as wire:
        wire.sendall(f"POST /hooks/{target.token} HTTP/1.1\r\nhost: localhost\r\n{head}\r\n".encode())
        wire.settimeout(drip or 0.0005)
        sent = 0
        while time.monotonic() - began < 20:
            try:
                if drip is not None:
                    wire.sendall(b"1\r\nx\r\n" if "chunked" in head else b"x")
                elif sent < len(body):
                    sent += wire.send(body[sent : sent + 65536])
                answer = wire.recv(4096)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return 0, time.monotonic() - began
            return (int(answer[9:12]) if answer else 0), time.monotonic() - began
    raise AssertionError("no answer")


def memory_of(house: House) -> int:
    """Bytes that the web process and its workers hold."""
    total = 0
    parent = house.pid("web")
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for pid in [str(parent), *children]:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ("content-length: 3000000\r\n", 3 * _MEGABYTE),
        ("content-length: 50000000\r\n", 50 * _MEGABYTE),
        ("content-length: many\r\n", 0),
        ("content-length: 100\r\ncontent-encoding: gzip\r\n", 100),
    ],
    ids=["W13-3-MB", "W13-50-MB", "W13-no-number", "W13-gzip"],
)
def test_what_is_too_large_or_packed_is_refused_at_once(house: House, target: Target, head: str, size: int) -> None:
    before = memory_of(house)
    status, seconds = raw(house, target, head, body=b"x" * size)
    assert status in (0, 400, 413, 415)
    assert seconds < _LONGEST
    assert memory_of(house) < before + 20 * _MEGABYTE
    assert post(fresh_connection(house), target, body_of(Number("f", 0, 1, 1))) == 200
    assert house.one("SELECT count(*) FROM inboxes_delivery") == 1


@pytest.mark.parametrize(
    "head",
    ["transfer-encoding: chunked\r\n", "content-length: 1000\r\n"],
    ids=["W13-endless-chunks", "W13-byte-a-second"],
)
def test_what_never_ends_is_given_up_within_ten_seconds(house: House, target: Target, head: str) -> None:
    status, seconds = raw(house, target, head, drip=0.5)
    assert status in (0, 400, 408, 413)
    assert seconds < _LONGEST
    assert post(fresh_connection(house), target, body_of(Number("f", 0, 1, 1))) == 200


def test_w13_a_small_body_that_unpacks_to_much_is_not_unpacked(house: House, target: Target) -> None:
    bomb = gzip.compress(b" " * 100 * _MEGABYTE)
    headers = {"content-encoding": "gzip", SIGNATURE: sign(bomb, secret=SECRET, at=datetime.now(UTC))}
    answer = httpx.post(f"{house.url}/hooks/{target.token}", content=bomb, headers=headers, trust_env=False)
    assert answer.status_code == 415
    assert house.one("SELECT count(*) FROM inboxes_delivery") == 0


_GOOD = json.loads(body_of(Number("f", 0, 1, 1)))
_W14 = {
    "depth": b"[" * 10_000 + b"]" * 10_000,
    "deep-field": json.dumps({**_GOOD, "facts": 0}).encode().replace(b": 0}", b": " + b"[" * 5000 + b"]" * 5000 + b"}"),
    "duplicate-keys": json.dumps(_GOOD).encode()[:-1] + b', "text": "nog eens", "text": "en nog eens"}',
    "nan": json.dumps({**_GOOD, "facts": {"a": float("nan"), "b": float("inf")}}).encode(),
    "1e400": json.dumps({**_GOOD, "facts": {"a": 0}}).encode().replace(b'"a": 0', b'"a": 1e400'),
    "lone-surrogate": json.dumps({**_GOOD, "text": "\ud83d los"}).encode(),
    "invalid-utf-8": b'{"type": "message", "text": "\xff\xfe"}',
    "nul": json.dumps({**_GOOD, "text": "a\x00b", "person": {"id": "x\x00y", "name": "\x00"}}).encode(),
    "empty": b"",
    "a-number": b"7",
}


def test_w14_no_body_breaks_the_door_or_the_worker(house: House, target: Target) -> None:
    house.start("worker")
    connection = fresh_connection(house)
    statuses = {name: post(connection, target, body) for name, body in _W14.items()}
    assert set(statuses.values()) <= {200, 400}, statuses
    load = Generator(house, target, total=40).start()
    load.finish()
    wait_until(house.is_settled, "settling")
    outcomes = house.rows("SELECT outcome, sum(count) FROM inboxes_ledgerline WHERE outcome <> 'accepted' GROUP BY 1")
    assert {name for name, _ in outcomes} <= {"message", "duplicate", "dead", "ignored"}
    check_ledger(house, target)
    check_nothing_waits(house)


def test_f25_dead_letters_that_are_tried_again_after_a_fix_come_in_once_each(house: House) -> None:
    from klankbord.desk.wall import organisation
    from klankbord.flows import ledger

    target = house.inbox()
    house.rows(
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.text LIKE '%·3/%' THEN"
        " RAISE EXCEPTION 'a defect of ours' USING ERRCODE = '22000'; END IF; RETURN NEW; END $$"
    )
    house.rows("CREATE TRIGGER fault BEFORE INSERT ON conversations_message FOR EACH ROW EXECUTE FUNCTION fault()")
    house.start("web", "worker")
    load = Generator(house, target, total=100, each=5).start()
    load.finish()
    wait_until(house.is_settled, "settling")
    check_ledger(house, target)
    letters = [key for (key,) in house.rows("SELECT id FROM inboxes_deadletter WHERE settled_at IS NULL")]
    assert len(letters) == 20
    assert house.one("SELECT count(*) FROM conversations_message") == 80
    house.rows("DROP TRIGGER fault ON conversations_message")
    for letter in letters:
        with house.hands(), organisation(house.organisation):  # type: ignore[arg-type]
            assert ledger.retry(dead_letter=letter, by=house.noor, now=datetime.now(UTC)) == "message"
    check_intake(house, target, load.accepted)
    assert house.one("SELECT count(*) FROM inboxes_deadletter WHERE settled_at IS NULL") == 0


_MAILBOX = {
    "address": "service@wolk.example", "imap_host": "127.0.0.1", "imap_port": 1, "imap_security": "none",
    "imap_user": "service", "imap_password": "-", "smtp_host": "127.0.0.1", "smtp_port": 1, "smtp_security": "none",
}  # fmt: skip


def letter(number: int, *, more: bytes = b"", body: bytes = b"Waar blijft mijn pakket?\r\n") -> bytes:
    head = (
        f"From: Klant {number} <klant{number}@post.example>\r\nTo: service@wolk.example\r\nSubject: Pakket {number}\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\nMessage-ID: <{number}@post.example>\r\n"
    )
    return head.encode() + more + b"\r\n" + body


def nested(depth: int) -> tuple[bytes, bytes]:
    """Parts within parts: the header's line and the body."""
    body = b"".join(
        b"--%d\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n" % (level, level + 1) for level in range(depth)
    )
    return b"Content-Type: multipart/mixed; boundary=0\r\n", body


def poison(number: int) -> bytes:
    match number % 4:
        case 0:
            more, body = nested(1000)
            return letter(number, more=more, body=body)
        case 1:
            return letter(number, more=b"Content-Type: text/plain" + b"; a*0*=b" * 40_000 + b"\r\n")
        case 2:
            people = b", ".join(b"Naam %d <n%d@post.example>" % (each, each) for each in range(8_000))
            return letter(number, more=b"Cc: " + people + b"\r\n")
        case _:
            return letter(number, more=b"Subject: " + b"=?utf-8?q?" * 20_000 + b"\r\n")


def test_f24_poisonous_mails_hold_up_none_of_the_others(house: House) -> None:
    ordinary, poisonous = 500, 12
    target = house.mailbox(**_MAILBOX)
    put(house, target, [letter(number) for number in range(20)])
    house.start("worker")
    wait_until(house.is_settled, "the first mails")
    mails = [letter(number) for number in range(1000, 1000 + ordinary)]
    for number in range(poisonous):
        mails.insert(number * 40, poison(number))
    put(house, target, mails)
    began = time.monotonic()
    stored = "SELECT count(*) FROM conversations_message WHERE external_id LIKE '%1___@post.example%'"
    wait_until(lambda: house.one(stored) >= ordinary, "the ordinary mails")
    lag = time.monotonic() - began
    wait_until(house.is_settled, "all of them")
    check_ledger(house, target)
    outcomes = dict(house.rows("SELECT outcome, sum(count)::int FROM inboxes_ledgerline GROUP BY 1"))
    assert outcomes["accepted"] == 20 + ordinary + poisonous
    assert lag < 10


def put(house: House, target: Target, mails: list[bytes]) -> None:
    """Store mails as the poll does."""
    lane = house.one("SELECT lane FROM inboxes_inbox WHERE id = %s", target.inbox)
    with psycopg.connect(house.address) as connection:
        connection.cursor().executemany(
            "INSERT INTO inboxes_delivery (id, organisation_id, inbox_id, lane, received_at, body, headers, query)"
            " VALUES (%s, %s, %s, %s, now(), %s, '{}', '{}')",
            [(uuid7(), house.organisation, target.inbox, lane, mail) for mail in mails],
        )
