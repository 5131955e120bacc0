"""Guarded mail connections: IMAP and SMTP to public addresses only, encrypted, and never waiting without end.

As with `plumbing.http`, whoever builds it hands in what is to be raised when no connection can be made:

    mail: contract.MailWire = GuardedMailWire(unavailable=contract.Unavailable)

`imap` gives an `imap_tools` mailbox, `smtp` an `smtplib.SMTP`, both open and greeted, neither logged in. What they
raise later is their own libraries': `imaplib.IMAP4.error` or `OSError`, and `smtplib.SMTPException`. A far side that
is too slow is a TimeoutError over IMAP and an SMTPServerDisconnected over SMTP. Over SMTP, set `local_hostname` before
the first command where the name given in EHLO matters.
"""

from __future__ import annotations

import contextlib
import imaplib
import io
import smtplib
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import imap_tools

from klankbord.plumbing.egress import (
    AddressRefusedError,
    Deadline,
    Egress,
    EgressError,
    Resolver,
    certificates,
    plain_host,
    resolve,
)
from klankbord.plumbing.wirecalls import with_tls

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

PORTS = frozenset({25, 143, 465, 587, 993, 2525})
LARGEST_BLOCK = 100_000_000  # bytes of one mail, as announced by an IMAP server

_SLOWEST = 20_000  # bytes a second under which a large mail is given up
LONGEST_LINE = 20_000_000  # bytes; a search may answer with very many numbers
_PIECE = 65_536

Opener: TypeAlias = Callable[[], socket.socket]
T = TypeVar("T")


class GuardedMailWire:
    """unavailable: called with a sentence and `code=`; what it gives is raised when no connection could be made.

    allow_loopback: reach this machine too, on any port and, if asked, without encryption; for development and tests.
    """

    def __init__(
        self,
        *,
        unavailable: Callable[..., Exception],
        allow_loopback: bool = False,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._unavailable, self._allow_loopback = unavailable, allow_loopback
        self._egress = Egress(ports=PORTS, allow_loopback=allow_loopback, resolver=resolver)
        self._tls = tls or certificates()

    def imap(self, *, host: str, port: int, security: str, timeout: float = 30.0) -> Mailbox:
        """security: "tls", "starttls", or "none" (loopback only). timeout: seconds to connect, and for each line."""
        return self._opened(lambda: self._imap(host, port, security, timeout))

    def smtp(self, *, host: str, port: int, security: str, timeout: float = 15.0) -> smtplib.SMTP:
        """security and timeout as for `imap`; a large message gets as much longer as its size asks."""
        return self._opened(lambda: self._smtp(host, port, security, timeout))

    def _imap(self, host: str, port: int, security: str, timeout: float) -> Mailbox:
        host = plain_host(host)
        client = _Imap(host, port, timeout, lambda: self._socket(host, port, security, timeout))
        if security == "starttls":
            _or_close(client.shutdown, lambda: client.starttls(self._tls))
        return Mailbox(client)

    def _smtp(self, host: str, port: int, security: str, timeout: float) -> smtplib.SMTP:
        host = plain_host(host)
        client = _Smtp(host, port, timeout, lambda: self._socket(host, port, security, timeout))
        if security == "starttls":
            _or_close(client.close, lambda: client.starttls(context=self._tls))
        return client

    def _socket(self, host: str, port: int, security: str, timeout: float) -> socket.socket:
        deadline = Deadline(timeout)
        if security not in {"tls", "starttls", "none"}:
            raise ValueError(f"security is tls, starttls or none, not {security!r}")
        connected = self._egress.connect(host, port, deadline)
        if security == "tls":
            return with_tls(connected, self._tls, host, deadline)
        if security == "none" and not self._is_loopback(connected):
            connected.close()
            raise AddressRefusedError("A mail server is only reached over an encrypted connection.")
        return connected

    def _is_loopback(self, connected: socket.socket) -> bool:
        address = str(connected.getpeername()[0])
        return self._allow_loopback and (address == "::1" or address.startswith("127."))

    def _opened(self, open_it: Callable[[], T]) -> T:
        try:
            return open_it()
        except EgressError as refusal:
            raise self._unavailable(refusal.sentence, code=refusal.code) from None
        except ssl.SSLCertVerificationError:
            raise self._unavailable("The server's certificate is not right.", code="no-connection") from None
        except (imaplib.IMAP4.error, smtplib.SMTPException, OSError, ValueError):
            raise self._unavailable("The mail server does not greet as one.", code="no-connection") from None


class Mailbox(imap_tools.BaseMailBox):
    """An `imap_tools` mailbox over a connection that is open already."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._client_given = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._client_given


class _PatientReader(io.RawIOBase):
    """A socket's bytes, with a limit on a whole line or block, so that a byte at a time gains nothing."""

    def __init__(self, sock: socket.socket, patience: float) -> None:
        self.sock, self._patience, self._deadline = sock, patience, Deadline(patience)

    def allow(self, seconds: float) -> None:
        """Give what is read next so many seconds."""
        self._deadline = Deadline(seconds)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self.sock.gettimeout() == 0:  # imap_tools looks whether IDLE brought news
            try:
                return self.sock.recv_into(buffer)
            except (BlockingIOError, ssl.SSLWantReadError):
                return None
        self.sock.settimeout(self._deadline.left())
        try:
            return self.sock.recv_into(buffer)
        finally:
            self.sock.settimeout(self._patience)


class _Imap(imaplib.IMAP4):
    def __init__(self, host: str, port: int, patience: float, opener: Opener) -> None:
        self._patience, self._opener = patience, opener
        super().__init__(host, port, patience)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._opener()

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        super().open(host, port, timeout)
        self._read_from(self.sock)

    def read(self, size: int) -> bytes:
        if size > LARGEST_BLOCK:
            raise self.abort(f"a block of {size} bytes is larger than is taken")
        self._raw.allow(self._patience + size / _SLOWEST)
        return self._reader.read(size)

    def readline(self) -> bytes:
        if self._raw.sock is not self.sock:
            # Encrypted from here. What the far side said ahead stays in the old reader: it could be anyone's.
            self._read_from(self.sock)
        self._raw.allow(self._patience)
        line = self._reader.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise self.abort("a line without end")
        return line

    def _read_from(self, sock: socket.socket) -> None:
        self._raw = _PatientReader(sock, self._patience)
        self._reader = io.BufferedReader(self._raw, _PIECE)


class _Smtp(smtplib.SMTP):
    def __init__(self, host: str, port: int, patience: float, opener: Opener) -> None:
        self._patience, self._opener = patience, opener
        # The full name of this machine is not asked of a name server, which may be slow: whoever sends sets it.
        name = socket.gethostname()
        super().__init__(host, port, local_hostname=name if "." in name else "[127.0.0.1]", timeout=patience)

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return self._opener()

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self._raw = _PatientReader(self.sock, self._patience)
            self.file = io.BufferedReader(self._raw)
        self._raw.allow(self._patience)
        return super().getreply()

    def send(self, s: ReadableBuffer | str) -> None:
        """Send in pieces, within the patience plus what a slow line needs for so much."""
        data = s.encode(self.command_encoding) if isinstance(s, str) else bytes(s)
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        deadline = Deadline(self._patience + len(data) / _SLOWEST)
        try:
            for start in range(0, len(data), _PIECE):
                self.sock.settimeout(deadline.left())
                self.sock.sendall(data[start : start + _PIECE])
            self.sock.settimeout(self._patience)
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected("The connection was lost while sending.") from error


def _or_close(close: Callable[[], object], step: Callable[[], object]) -> None:
    try:
        step()
    except BaseException:
        with contextlib.suppress(OSError):
            close()
        raise
