"""All that a channel may use to reach the world."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from .errors import Unavailable


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    url: str = ""

    def json(self) -> Any:
        """Raises Unavailable when the body is not JSON: platforms send HTML pages when they are ill."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unavailable("The platform answered with something that is not JSON.", code="not-json") from error


class Http(Protocol):
    """Guarded egress: no private addresses, limits on time and size. Never raises for a status.

    Raises Unavailable when nothing was sent for sure (no connection, refused address), Uncertain when the request
    may have been taken (time-out or cut after sending).
    """

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        data: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        content: bytes | None = None,
        timeout: float = 15.0,
        max_bytes: int = 5_000_000,
    ) -> Response: ...

    def stream_lines(
        self, url: str, *, headers: Mapping[str, str] | None = None, stop: threading.Event, idle_timeout: float = 60.0
    ) -> Iterable[str]:
        """The lines of a long-lived response (server-sent events), until `stop` is set or the peer ends it."""
        ...


class MailWire(Protocol):
    """IMAP and SMTP through the same guard. See `plumbing.mailwire` for what the connections offer."""

    def imap(self, *, host: str, port: int, security: str, timeout: float = 30.0) -> Any:
        """An open, not yet logged-in `imap_tools` mailbox. security: "tls", "starttls" or "none" (loopback only)."""
        ...

    def smtp(self, *, host: str, port: int, security: str, timeout: float = 15.0) -> Any:
        """An open `smtplib.SMTP`. security as for imap."""
        ...


@dataclass(frozen=True, slots=True)
class Wires:
    """All that a channel may use to reach the world."""

    http: Http
    mail: MailWire
    now: Callable[[], datetime]
