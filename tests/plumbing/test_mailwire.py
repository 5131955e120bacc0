"""Mail connections: guarded, encrypted, and never waiting without end."""

from __future__ import annotations

import imaplib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from klankbord.contract import MailWire, Unavailable
from klankbord.plumbing.mailwire import GuardedMailWire

from .far_side import far_side, own_certificate

MAIL = b"Subject: Pakket\r\nFrom: anouk@klant.example\r\nTo: help@winkel.example\r\n\r\nWaar is het?\r\n"


def new_wire(**settings: Any) -> GuardedMailWire:
    return GuardedMailWire(**{"unavailable": Unavailable, "allow_loopback": True, **settings})


def opened(wire: GuardedMailWire, way: str, host: str, port: int, security: str, timeout: float = 5.0) -> Any:
    return getattr(wire, way)(host=host, port=port, security=security, timeout=timeout)


both_ways = pytest.mark.parametrize("way", ["imap", "smtp"])


# ------------------------------------------------------------------------------------------------ the guard


@both_ways
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "10.0.0.8", "169.254.169.254", "::1", "[::1]", ""]
)
def test_w20_a_private_mail_server_is_refused(way: str, host: str) -> None:
    with pytest.raises(Unavailable) as refusal:
        opened(new_wire(allow_loopback=False), way, host, 993, "tls")
    assert refusal.value.code == "address-refused"


@both_ways
def test_w20_a_mail_server_whose_name_also_has_a_private_address_is_refused(way: str) -> None:
    wire = new_wire(resolver=lambda host, port: ["93.184.215.14", "10.0.0.8"])
    with pytest.raises(Unavailable) as refusal:
        opened(wire, way, "mail.example", 993, "tls")
    assert refusal.value.code == "address-refused"


@both_ways
@pytest.mark.parametrize("port", [22, 80, 5432, 6379])
def test_ports_that_are_not_for_mail_are_refused(way: str, port: int) -> None:
    with pytest.raises(Unavailable) as refusal:
        opened(new_wire(resolver=lambda host, port: ["93.184.215.14"]), way, "mail.example", port, "tls")
    assert refusal.value.code == "address-refused"


@both_ways
def test_loopback_without_encryption_needs_permission(way: str) -> None:
    greeting: dict[str, Callable[[socket.socket, bytes], None]] = {"imap": imap_server(), "smtp": smtp_greeting}
    with far_side(greeting[way], reads=False) as server:
        with pytest.raises(Unavailable):
            opened(new_wire(allow_loopback=False), way, "127.0.0.1", server.port, "none")
        assert server.connections == 0
        assert opened(new_wire(), way, "127.0.0.1", server.port, "none")


@both_ways
def test_an_unknown_kind_of_security_connects_nowhere(way: str) -> None:
    with pytest.raises(Unavailable):
        opened(new_wire(), way, "127.0.0.1", 1, "perhaps")


# ------------------------------------------------------------------------------------------------ encryption


@both_ways
def test_a_wrong_certificate_is_refused(way: str, tmp_path: Path) -> None:
    server_tls, client_tls = own_certificate(tmp_path, "other.example")
    with far_side(imap_server(), server_tls, reads=False) as server:
        for wire in (new_wire(), new_wire(tls=client_tls)):
            with pytest.raises(Unavailable) as refusal:
                opened(wire, way, "127.0.0.1", server.port, "tls")
            assert "certificate" in refusal.value.sentence


@both_ways
def test_a_server_that_offers_no_starttls_is_refused(way: str) -> None:
    greeting: dict[str, Callable[[socket.socket, bytes], None]] = {"imap": imap_server(), "smtp": smtp_greeting}
    with far_side(greeting[way], reads=False) as server, pytest.raises(Unavailable):
        opened(new_wire(), way, "127.0.0.1", server.port, "starttls")


def test_what_an_imap_server_says_ahead_of_encryption_is_not_believed(tmp_path: Path) -> None:
    server_tls, client_tls = own_certificate(tmp_path, "127.0.0.1")
    with far_side(imap_server(server_tls, ahead=b"* CAPABILITY IMAP4rev1 FORGED\r\n"), reads=False) as server:
        mailbox = new_wire(tls=client_tls).imap(host="127.0.0.1", port=server.port, security="starttls", timeout=5)
        assert isinstance(mailbox.client.sock, ssl.SSLSocket)
        assert "FORGED" not in mailbox.client.capabilities
        assert mailbox.login("noor", "x").uids() == ["7"]


# ------------------------------------------------------------------------------------------------ at work


@pytest.mark.parametrize("security", ["none", "tls", "starttls"])
def test_mail_is_read_over_imap(security: str, tmp_path: Path) -> None:
    server_tls, client_tls = own_certificate(tmp_path, "127.0.0.1")
    outer, inner = (server_tls, None) if security == "tls" else (None, server_tls)
    with far_side(imap_server(inner if security == "starttls" else None), outer, reads=False) as server:
        wire = new_wire(tls=client_tls)
        with wire.imap(host="127.0.0.1", port=server.port, security=security, timeout=5).login("noor", "x") as mailbox:
            assert mailbox.uids() == ["7"]
            message = next(iter(mailbox.fetch("ALL", mark_seen=False)))
            assert (message.uid, message.subject, message.text.strip()) == ("7", "Pakket", "Waar is het?")
            assert mailbox.idle.wait(timeout=5) == [b"* 8 EXISTS"]
            assert mailbox.uids() == ["7"]


class Postbox:
    """What an SMTP server took."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        return "250 taken"


@pytest.fixture
def certificates(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return own_certificate(tmp_path, "127.0.0.1")


@pytest.fixture(params=["none", "tls", "starttls"])
def smtp_server(
    request: pytest.FixtureRequest, certificates: tuple[ssl.SSLContext, ssl.SSLContext]
) -> Iterator[tuple[str, Postbox, int]]:
    box, security = Postbox(), request.param
    settings: dict[str, Any] = {
        "none": {},
        "tls": {"ssl_context": certificates[0]},
        "starttls": {"tls_context": certificates[0], "require_starttls": True},
    }[security]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Only the plain server answers the controller's own trial connection in the form that it expects.
    server = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=20, **settings)
    server.start()
    yield security, box, port
    server.stop()


def test_mail_is_sent_over_smtp(
    smtp_server: tuple[str, Postbox, int], certificates: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    security, box, port = smtp_server
    large = MAIL + (b"x" * 70 + b"\r\n") * 3_000
    with new_wire(tls=certificates[1]).smtp(host="127.0.0.1", port=port, security=security) as connection:
        for mail in (MAIL, large):
            assert connection.sendmail("help@winkel.example", ["anouk@klant.example"], mail) == {}
    assert [each.content for each in box.mails] == [MAIL, large]


# ------------------------------------------------------------------------------------------------ patience


@both_ways
@pytest.mark.parametrize("security", ["none", "tls"])
def test_o10_a_server_that_says_nothing_is_given_up(way: str, security: str) -> None:
    done = threading.Event()
    with far_side(lambda connection, _: done.wait(20) and None, reads=False) as server:
        with within(5), pytest.raises(Unavailable):
            opened(new_wire(), way, "127.0.0.1", server.port, security, timeout=0.4)
        done.set()


@both_ways
def test_o10_a_server_that_greets_a_byte_at_a_time_is_given_up(way: str) -> None:
    done = threading.Event()
    with far_side(drips(done), reads=False) as server:
        with within(5), pytest.raises(Unavailable):
            opened(new_wire(), way, "127.0.0.1", server.port, "none", timeout=0.5)
        done.set()


def test_o10_e26_a_mailbox_that_answers_a_byte_at_a_time_is_given_up() -> None:
    done = threading.Event()
    with far_side(imap_server(on_search=drips(done)), reads=False) as server:
        mailbox = new_wire().imap(host="127.0.0.1", port=server.port, security="none", timeout=0.5).login("noor", "x")
        with within(5), pytest.raises(TimeoutError):
            mailbox.uids()
        done.set()


def test_e26_a_mailbox_that_announces_an_endless_mail_is_given_up() -> None:
    endless = lambda connection, _: connection.sendall(b"* 1 FETCH (BODY[] {99999999999}\r\n")  # noqa: E731
    with far_side(imap_server(on_search=endless), reads=False) as server:
        mailbox = new_wire().imap(host="127.0.0.1", port=server.port, security="none", timeout=5).login("noor", "x")
        with pytest.raises(imaplib.IMAP4.abort, match="larger"):
            mailbox.uids()


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff garbage\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b"* BYE full\r\n", b"554 no\r\n", b""]
)
@both_ways
def test_e26_a_server_that_speaks_something_else_is_refused(way: str, garbage: bytes) -> None:
    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(garbage)
        connection.close()

    with far_side(behave, reads=False) as server, within(5), pytest.raises(Unavailable):
        opened(new_wire(), way, "127.0.0.1", server.port, "none", timeout=1)


def test_o1_an_smtp_server_that_never_confirms_is_cut_off_after_the_mail_went_out() -> None:
    done = threading.Event()
    with far_side(smtp_that_never_confirms(done), reads=False) as server:
        connection = new_wire().smtp(host="127.0.0.1", port=server.port, security="none", timeout=0.5)
        with within(5), pytest.raises(smtplib.SMTPServerDisconnected):
            connection.sendmail("help@winkel.example", ["anouk@klant.example"], MAIL)
        done.set()


def test_o10_an_smtp_server_that_does_not_read_is_cut_off() -> None:
    done = threading.Event()
    with far_side(smtp_that_never_confirms(done, reads_mail=False), reads=False) as server:
        connection = new_wire().smtp(host="127.0.0.1", port=server.port, security="none", timeout=0.5)
        connection.docmd("DATA")
        with within(10), pytest.raises(smtplib.SMTPServerDisconnected):
            list(map(connection.send, [b"x" * 65_536] * 1_000))
        done.set()


def test_it_is_the_mail_wire_of_the_contract() -> None:
    wire: MailWire = GuardedMailWire(unavailable=Unavailable)
    assert wire


# ------------------------------------------------------------------------------------------------ far sides


def smtp_greeting(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n")
    while connection.recv(1000):
        connection.sendall(b"250 mail.example\r\n")


def smtp_that_never_confirms(
    done: threading.Event, *, reads_mail: bool = True
) -> Callable[[socket.socket, bytes], None]:
    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"220 mail.example ESMTP\r\n")
        while (command := connection.recv(1000)) and not command.upper().startswith(b"DATA"):
            connection.sendall(b"250 ok\r\n")
        connection.sendall(b"354 go on\r\n")
        while reads_mail and not done.is_set() and connection.recv(65536):
            pass
        done.wait(20)

    return behave


def drips(done: threading.Event) -> Callable[[socket.socket, bytes], None]:
    def behave(connection: socket.socket, request: bytes) -> None:
        while not done.wait(0.05):
            connection.sendall(b"*")

    return behave


def imap_server(
    tls: ssl.SSLContext | None = None,
    *,
    ahead: bytes = b"",
    on_search: Callable[[socket.socket, bytes], None] | None = None,
) -> Callable[[socket.socket, bytes], None]:
    """As much of an IMAP server as one mailbox with one mail needs. tls: for STARTTLS. ahead: said before it."""

    def behave(connection: socket.socket, request: bytes) -> None:
        offers = b"STARTTLS " if tls else b""
        connection.sendall(b"* OK ready\r\n")
        while line := connection.recv(4_000):
            tag, _, command = line.strip().partition(b" ")
            verb = command.split(b" ")[0].upper()
            verb = command.split(b" ")[1].upper() if verb == b"UID" else verb
            if verb == b"STARTTLS" and tls:
                connection.sendall(tag + b" OK begin\r\n" + ahead)
                connection, offers = tls.wrap_socket(connection, server_side=True), b""
                continue
            if verb == b"SEARCH" and on_search:
                on_search(connection, line)
                continue
            connection.sendall(_imap_answer(connection, verb, offers))
            connection.sendall(tag + b" OK done\r\n")

    return behave


def _imap_answer(connection: socket.socket, verb: bytes, offers: bytes) -> bytes:
    match verb:
        case b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 IDLE " + offers + b"\r\n"
        case b"SELECT":
            return b"* 7 EXISTS\r\n"
        case b"SEARCH":
            return b"* SEARCH 7\r\n"
        case b"FETCH":
            return b"* 1 FETCH (UID 7 FLAGS () BODY[] {%d}\r\n%s)\r\n" % (len(MAIL), MAIL)
        case b"IDLE":
            connection.sendall(b"+ idling\r\n")
            connection.sendall(b"* 8 EXISTS\r\n")
            connection.recv(100)  # DONE
            return b""
        case b"LOGOUT":
            return b"* BYE\r\n"
    return b""


class within:  # noqa: N801
    """A bound that only a hang can break."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        self.start = time.monotonic()

    def __exit__(self, *error: object) -> None:
        assert time.monotonic() - self.start < self.seconds
