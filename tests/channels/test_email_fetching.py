"""New mail out of a folder: by number, without loss, without repetition, past whatever a server does wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from benches_of import bench_of
from mail_far_side import MailFarSide
from worlds import NOW

from klankbord import channels
from klankbord.channels.email import fetching
from klankbord.contract import Arrived, CredentialsRejected, Malformed, Polled, Unavailable, Wires

BENCH = bench_of("email")
EMAIL = channels.channel("email")


def mail(number: int, text: str = "Hallo") -> bytes:
    return f"From: anouk@klant.example\r\nMessage-ID: <m{number}@klant.example>\r\n\r\n{text} {number}\r\n".encode()


class Inbox:
    """A connected inbox: polls as the desk does, and remembers what it has under which id."""

    def __init__(self, far_side: MailFarSide | None = None) -> None:
        self.far_side = far_side or MailFarSide()
        self.wires: Wires = BENCH.world_of(self.far_side).wires
        self.cursor: dict[str, Any] = {}
        self.items: list[Any] = []

    def poll(self) -> Polled:
        polled = EMAIL.poll(BENCH.account(), self.cursor, self.wires)
        self.cursor = json.loads(json.dumps(dict(polled.cursor)))
        for delivery in polled.deliveries:
            self.items += EMAIL.parse(delivery, BENCH.account())
        return polled

    def poll_all(self) -> None:
        while self.poll().has_more:
            pass

    @property
    def ids(self) -> list[str]:
        return [item.external_id for item in self.items if isinstance(item, Arrived)]


def connected(far_side: MailFarSide | None = None) -> Inbox:
    inbox = Inbox(far_side)
    inbox.poll()
    return inbox


def ids(*numbers: int) -> list[str]:
    return [f"m{number}@klant.example" for number in numbers]


# ------------------------------------------------------------------------------------------------ polling


def test_the_first_poll_starts_from_now() -> None:
    far_side = MailFarSide()
    far_side.put(mail(1))
    inbox = connected(far_side)
    assert inbox.ids == []
    far_side.put(mail(2))
    inbox.poll_all()
    assert inbox.ids == ids(2)


def test_an_empty_folder_brings_nothing_and_then_its_first_mail() -> None:
    inbox = connected()
    assert not inbox.poll().has_more
    inbox.far_side.put(mail(1))
    inbox.poll_all()
    inbox.poll_all()
    assert inbox.ids == ids(1)


def test_many_mails_come_in_parts_and_each_once() -> None:
    inbox = connected()
    for number in range(1, 121):
        inbox.far_side.put(mail(number))
    first = inbox.poll()
    assert (len(first.deliveries), first.has_more) == (50, True)
    inbox.poll_all()
    assert inbox.ids == ids(*range(1, 121))


def test_reading_marks_and_moves_nothing() -> None:
    inbox = connected()
    inbox.far_side.put(mail(1))
    inbox.poll_all()
    said = " ".join(inbox.far_side.spoken).upper()
    assert "EXAMINE" in said
    assert "BODY.PEEK[]" in said
    for word in ("SELECT", "STORE", "MOVE", "COPY", "EXPUNGE", "SEEN"):
        assert word not in said


def test_a_poll_fetches_no_more_than_fits_in_memory() -> None:
    inbox = connected()
    for number in range(1, 6):
        inbox.far_side.put(mail(number), size=12_000_000)
    assert len(inbox.poll().deliveries) == 2
    inbox.poll_all()
    assert inbox.ids == ids(1, 2, 3, 4, 5)


def test_of_a_mail_that_is_too_large_the_headers_are_fetched() -> None:
    inbox = connected()
    inbox.far_side.put(mail(1, "x" * 1000), size=26_000_000)
    inbox.far_side.put(mail(2))
    inbox.poll_all()
    assert inbox.ids == ids(1, 2)
    assert inbox.items[0].media[0].refused
    assert "BODY.PEEK[HEADER]" in " ".join(inbox.far_side.spoken)


def test_a_mail_that_was_deleted_before_we_came_is_passed_over() -> None:
    inbox = connected()
    inbox.far_side.put(mail(1))
    inbox.far_side.put(mail(2))
    del inbox.far_side.mails[1]
    inbox.poll_all()
    assert inbox.ids == ids(2)


# ------------------------------------------------------------------------------------------------ E26


@pytest.mark.parametrize("illness", ["drop", "no", "nil", "garbage"])
def test_e26_one_mail_that_cannot_be_fetched_is_reported_and_the_others_come(illness: str) -> None:
    inbox = connected(MailFarSide(ill_mails={2: illness}))
    for number in (1, 2, 3):
        inbox.far_side.put(mail(number))
    inbox.poll_all()
    assert inbox.ids == ids(1, 3)
    (dead,) = [item for item in inbox.items if isinstance(item, Malformed)]
    assert dead.reason.startswith("The mail could not be fetched")
    inbox.poll_all()
    assert len(inbox.items) == 3


def test_e26_many_ill_mails_never_stop_the_polling_for_ever() -> None:
    inbox = connected(MailFarSide(ill_mails=dict.fromkeys(range(1, 10), "drop")))
    for number in range(1, 12):
        inbox.far_side.put(mail(number))
    for _ in range(20):
        inbox.poll()
    assert inbox.ids == ids(10, 11)
    assert len([item for item in inbox.items if isinstance(item, Malformed)]) == 9


def test_e26_a_mail_that_recovers_at_the_second_try_is_not_lost() -> None:
    far_side = MailFarSide(ill_mails={1: "drop"})
    inbox = connected(far_side)
    far_side.put(mail(1))
    opened = far_side.imap
    connections = []

    def counting(**settings: Any) -> Any:
        connections.append(settings)
        if len(connections) == 3:
            far_side.ill_mails.clear()
        return opened(**settings)

    inbox.wires = replace(inbox.wires, mail=_With(far_side, counting))
    inbox.poll_all()
    assert inbox.ids == ids(1)


class _With:
    """The far side with another way to open IMAP."""

    def __init__(self, far_side: MailFarSide, imap: Callable[..., Any]) -> None:
        self.imap, self.smtp = imap, far_side.smtp


def test_e26_a_folder_that_counts_anew_loses_nothing_and_repeats_no_history() -> None:
    far_side = MailFarSide()
    far_side.put(mail(1), arrived=NOW - timedelta(days=1))
    inbox = connected(far_side)
    far_side.put(mail(2), arrived=NOW + timedelta(minutes=1))
    inbox.poll_all()
    # The mailbox is rebuilt: everything has another number, and one mail came in between.
    old = far_side.mails
    far_side.mails, far_side.validity = {}, 8
    far_side.put(mail(3), arrived=NOW + timedelta(minutes=2))
    for stored in old.values():
        far_side.put(stored.raw, arrived=stored.arrived)
    inbox.poll_all()
    assert inbox.ids == [*ids(2), *ids(3, 2)]  # m2 comes again under the same id, which the desk knows
    far_side.put(mail(4), arrived=NOW + timedelta(minutes=3))
    inbox.poll_all()
    assert inbox.ids[3:] == ids(4)


@pytest.mark.parametrize("earlier", [timedelta(), timedelta(seconds=1), timedelta(minutes=10)])
def test_e26_a_mail_of_the_minute_of_connecting_is_not_taken_for_history(earlier: timedelta) -> None:
    far_side = MailFarSide()
    inbox = connected(far_side)
    far_side.validity = 8
    far_side.put(mail(1), arrived=NOW - earlier)  # by the server's clock, which may be behind
    inbox.poll_all()
    assert inbox.ids == ids(1)


def test_e26_a_folder_that_counts_anew_far_lower_still_brings_new_mail() -> None:
    far_side = MailFarSide()
    for number in range(1, 40):
        far_side.put(mail(number), arrived=NOW - timedelta(days=30))
    inbox = connected(far_side)
    far_side.mails, far_side.validity = {}, 9
    far_side.put(mail(50), arrived=NOW + timedelta(minutes=1))
    inbox.poll_all()
    assert inbox.ids == ids(50)


@pytest.mark.parametrize(
    "greeting",
    [b"", b"<html>\r\n", b"* BYE too many\r\n", b"\xff\xfe\x00\r\n"],
    ids=["silence", "html", "bye", "bytes"],
)
def test_e26_a_server_that_does_not_greet_as_one_is_unavailable(greeting: bytes) -> None:
    with pytest.raises(Unavailable):
        EMAIL.poll(BENCH.account(), {}, BENCH.world_of(MailFarSide(imap_greeting=greeting)).wires)


@pytest.mark.parametrize("said", ["", "\x00\x00", "* nonsense", "OK [CAPABILITY] \xff"])
def test_e26_a_server_that_answers_with_nonsense_is_unavailable(said: str) -> None:
    far_side = MailFarSide(login_answer=said, status_answer="* STATUS INBOX (UIDNEXT x UIDVALIDITY)")
    with pytest.raises((Unavailable, CredentialsRejected)):
        EMAIL.poll(BENCH.account(), {}, BENCH.world_of(far_side).wires)


BUSY = ["NO [UNAVAILABLE] later", "NO [INUSE] busy", "NO [ALERT] Too many simultaneous connections"]


@pytest.mark.parametrize("said", BUSY)
def test_o2_a_busy_server_is_no_reason_to_ask_for_a_new_password(said: str) -> None:
    with pytest.raises(Unavailable):
        EMAIL.poll(BENCH.account(), {}, BENCH.world_of(MailFarSide(login_answer=said)).wires)


def test_o3_a_wrong_password_is_a_matter_of_the_inbox() -> None:
    with pytest.raises(CredentialsRejected, match="Wrong password"):
        EMAIL.poll(BENCH.account(), {}, BENCH.world("rejected").wires)


# ------------------------------------------------------------------------------------------------ history


def test_history_comes_from_the_newest_back_each_once_and_is_marked() -> None:
    far_side = MailFarSide()
    for number in range(1, 131):
        far_side.put(mail(number))
    for gone in range(40, 90):
        del far_side.mails[gone]
    far_side.mails[2_000] = far_side.mails.pop(130)
    wires, cursor, seen = BENCH.world_of(far_side).wires, {}, []
    for _ in range(10):
        polled = EMAIL.backfill(BENCH.account(), cursor, wires)
        cursor = json.loads(json.dumps(dict(polled.cursor)))
        assert all(delivery.is_history for delivery in polled.deliveries)
        seen.append([EMAIL.parse(each, BENCH.account())[0].external_id for each in polled.deliveries])
        if not polled.has_more:
            break
    assert not polled.has_more
    flat = [each for step in reversed(seen) for each in step]
    assert flat == ids(*(n for n in range(1, 131) if not 40 <= n < 90))


def test_history_of_an_empty_folder_ends_at_once() -> None:
    assert not EMAIL.backfill(BENCH.account(), {}, BENCH.world().wires).has_more


# ------------------------------------------------------------------------------------------------ listening


def listening(far_side: MailFarSide) -> tuple[threading.Event, threading.Event, threading.Thread, list[Exception]]:
    stop, woken, errors = threading.Event(), threading.Event(), []

    def listen() -> None:
        try:
            EMAIL.listen(BENCH.account(), BENCH.world_of(far_side).wires, woken.set, stop)
        except (Unavailable, CredentialsRejected) as error:
            errors.append(error)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    return stop, woken, thread, errors


def test_news_wakes_and_stop_ends_it() -> None:
    far_side = MailFarSide()
    stop, woken, thread, errors = listening(far_side)
    assert far_side.is_idle.wait(5)
    assert woken.wait(5)  # once at the beginning, for what came before
    woken.clear()
    far_side.announce()
    assert woken.wait(5)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert errors == []


def test_e26_a_server_that_hangs_up_ends_the_listening_with_a_reason() -> None:
    far_side = MailFarSide()
    _, _, thread, errors = listening(far_side)
    assert far_side.is_idle.wait(5)
    far_side.hang_up()
    thread.join(5)
    assert not thread.is_alive()
    assert [type(each) for each in errors] == [Unavailable]


def test_idle_is_renewed_long_before_servers_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetching.IDLE_SECONDS < 29 * 60
    monkeypatch.setattr(fetching, "IDLE_SECONDS", 0.0)
    far_side = MailFarSide()
    stop, _, thread, _ = listening(far_side)
    until = time.monotonic() + 5
    while far_side.spoken.count("IDLE") < 3 and time.monotonic() < until:
        far_side.is_idle.wait(0.01)
    stop.set()
    thread.join(5)
    assert far_side.spoken.count("IDLE") >= 3


def test_a_server_without_idle_leaves_it_to_the_poll() -> None:
    far_side = MailFarSide(has_idle=False)
    stop, woken, thread, errors = listening(far_side)
    thread.join(0.3)
    assert thread.is_alive()
    assert not woken.is_set()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert errors == []
