"""Mails on which the parser dies: three tries, a dead letter each, and not a moment lost for the others."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from books import ledger_of
from mail_far_side import MailFarSide
from worlds import AnsweringHttp

from desk_builder import Desk
from klankbord.contract import Response, Wires
from klankbord.desk.inboxes.models import DeadLetter, Delivery, Inbox
from klankbord.desk.organisations.models import Role
from klankbord.flows import ledger, parsing
from klankbord.plumbing.sandbox import Sandbox

pytestmark = pytest.mark.django_db

KINDS = ("crash", "burn", "grow")


@pytest.fixture
def post(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A mailbox whose parser can be killed by what it reads."""
    wires = Wires(
        http=AnsweringHttp(lambda _: Response(404, {}, b"")), mail=MailFarSide(), now=lambda: desk.now
    )  # fmt: skip
    monkeypatch.setattr("klankbord.flows.connect.wires", lambda: wires)
    with Sandbox("flows.poison:parse", cpu_seconds=0.5, memory_bytes=500_000_000, wall_seconds=2.0) as box:
        monkeypatch.setattr(parsing, "_sandbox", lambda: box)
        yield desk.inbox(
            "Post", kind="email", address="service@wolk.example", imap_host="imap.example", imap_user="x",
            imap_password="x", smtp_host="smtp.example",
        )  # fmt: skip


def mail(number: int, *, poison: str = "") -> bytes:
    marked = f"X-Poison: {poison}\r\n" if poison else ""
    head = f"From: k{number}@klant.example\r\nTo: service@wolk.example\r\nMessage-ID: <{number}@klant.example>\r\n"
    return f"{head}{marked}\r\nVraag {number}".encode()


def test_f24_a_mail_that_kills_its_parser_is_tried_three_times_and_then_buried_with_its_bytes(
    desk: Desk, post: Inbox
) -> None:
    poisoned = {kind: mail(number, poison=kind) for number, kind in enumerate(KINDS)}
    mails = [mail(100 + number) for number in range(60)]
    for place, kind in enumerate(KINDS):
        mails.insert(place * 20, poisoned[kind])
    desk.deliver(post, *mails)
    began = time.monotonic()
    desk.take_in()
    assert time.monotonic() - began < 10
    assert len(desk.messages()) == 60  # at the first round: the others did not wait
    assert ledger_of(desk)["waiting"] == 3
    tries = 1
    while ledger_of(desk)["waiting"]:
        desk.later(seconds=2)
        desk.take_in()
        tries += 1
    assert tries == 3
    assert ledger_of(desk)["dead"] == 3
    with desk.open():
        letters = list(DeadLetter.objects.order_by("id"))
        assert {bytes(letter.body) for letter in letters} == set(poisoned.values())
        assert all(letter.reason.startswith("parser stopped: ") for letter in letters)


def test_f25_what_was_buried_comes_in_once_when_the_parser_was_mended(
    desk: Desk, post: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = desk.person("Lea", Role.LEAD)
    desk.deliver(post, *[mail(number, poison="crash") for number in range(3)])
    for _ in range(3):
        desk.take_in()
        desk.later(seconds=2)
    with desk.open():
        letters = list(DeadLetter.objects.values_list("id", flat=True))
        assert len(letters) == 3
        assert ledger.retry(dead_letter=letters[0], by=lead, now=desk.now) == "dead"  # not yet
    with Sandbox("klankbord.channels.sandboxed:parse", cpu_seconds=2, memory_bytes=500_000_000, wall_seconds=5) as box:
        monkeypatch.setattr(parsing, "_sandbox", lambda: box)
        with desk.open():
            outcomes = [ledger.retry(dead_letter=each, by=lead, now=desk.now) for each in letters]
    assert outcomes == ["message"] * 3
    assert sorted(message.text for message in desk.messages()) == ["Vraag 0", "Vraag 1", "Vraag 2"]
    with desk.open():
        assert not Delivery.objects.filter(is_waiting=True).exists()
    assert ledger_of(desk)["dead"] == 0
