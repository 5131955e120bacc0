"""One call over a guarded connection: its time limit, and whether anything of it was sent.

The library below counts time per packet, so a far side that gives one byte a second is never late. Here a call has one
deadline for everything, and every read and write is cut to what is left of it.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from klankbord.plumbing.egress import Deadline, Egress, NoConnectionError

_STOP_NOTICED = 0.5  # seconds


class EndedError(Exception):
    """Whoever listened has stopped."""


class Call:
    """has_begun: the first byte of a request may have left, over a connection that stands (TLS included)."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline, self.has_begun = deadline, False

    def receive(self, sock: socket.socket, most: int) -> bytes:
        sock.settimeout(self.deadline.left())
        return sock.recv(most)


class StreamCall(Call):
    """A call that, once open, may last: late is only who says nothing for `idle` seconds."""

    def __init__(self, deadline: Deadline, idle: float, stop: threading.Event) -> None:
        super().__init__(deadline)
        self.idle, self.stop, self.is_open = idle, stop, False

    def receive(self, sock: socket.socket, most: int) -> bytes:
        """Wait in short turns, so that `stop` is noticed. Raises EndedError."""
        limit = Deadline(self.idle) if self.is_open else self.deadline
        while not self.stop.is_set():
            sock.settimeout(min(_STOP_NOTICED, limit.left()))
            try:
                return sock.recv(most)
            except TimeoutError:
                continue
        raise EndedError


class Stream(httpcore.NetworkStream):
    """A connected socket, read and written within the time that the current call has left."""

    def __init__(self, sock: socket.socket, call: Callable[[], Call]) -> None:
        self._sock, self._call = sock, call

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._call().receive(self._sock, max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except OSError as error:
            raise httpcore.ReadError from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        call = self._call()
        call.has_begun = True
        try:
            while buffer:
                self._sock.settimeout(call.deadline.left())
                buffer = buffer[self._sock.send(buffer) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError from error

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return Stream(with_tls(self._sock, ssl_context, server_hostname, self._call().deadline), self._call)

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "is_readable":  # of an idle connection: closed by the far side, or saying what nobody asked
                return _is_readable(self._sock)
            case "server_addr":
                return self._sock.getpeername()
        return None


class Backend(httpcore.NetworkBackend):
    """Opens the library's connections through the guard."""

    def __init__(self, egress: Egress, call: Callable[[], Call]) -> None:
        self._egress, self._call = egress, call

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            return Stream(self._egress.connect(host, port, self._call().deadline), self._call)
        except TimeoutError:
            raise NoConnectionError("The server does not answer in time.") from None


def with_tls(sock: socket.socket, context: ssl.SSLContext, host: str | None, deadline: Deadline) -> ssl.SSLSocket:
    """The same connection, encrypted and its certificate checked. Raises NoConnectionError, and closes it then."""
    try:
        sock.settimeout(deadline.left())
        return context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError:
        sock.close()
        raise NoConnectionError("The server's certificate is not right.") from None
    except (OSError, ValueError):
        sock.close()
        raise NoConnectionError("No encrypted connection could be made.") from None


def _is_readable(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    poller = select.poll()
    poller.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poller.poll(0))
