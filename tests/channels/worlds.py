"""Small stand-ins of a platform, on the far side of the wires that a channel is handed.

They replace the network, not our own code: a channel gets real `Wires`, of which `http` answers from a function.

Troubles (the word, and what the channel must make of it):

    no-connection   nothing was sent for sure             Unavailable
    lost-answer     the request arrived, the answer not   Uncertain
    too-fast        429 with Retry-After: 7               Unavailable, retry_after 7
    ill             503                                   Unavailable or Uncertain
    html            200 with a page instead of an answer  Unavailable or Uncertain
    rejected        401                                   CredentialsRejected
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from klankbord.contract import Response, Unavailable, Uncertain, Wires

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

TROUBLES = ("no-connection", "lost-answer", "too-fast", "ill", "html", "rejected")


@dataclass(frozen=True)
class Request:
    """What a channel asked of the platform."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Any = None
    json: Any = None
    data: Any = None
    files: Any = None
    content: bytes | None = None


@dataclass
class World:
    """A platform seen from its own side. calls: all that reached it, oldest first."""

    wires: Wires
    calls: list[Any]


class AnsweringHttp:
    """An `Http` whose far side is a function. lines: what `stream_lines` yields."""

    def __init__(self, answer: Callable[[Request], Response], trouble: str = "", lines: Sequence[str] = ()) -> None:
        self.answer, self.trouble, self.lines = answer, trouble, lines
        self.calls: list[Request] = []

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
    ) -> Response:
        if self.trouble == "no-connection":
            raise Unavailable("No connection.", code="no-connection")
        request = Request(method, url, dict(headers or {}), params, json, data, files, content)
        self.calls.append(request)
        if self.trouble == "lost-answer":
            raise Uncertain("The answer was lost.", code="lost-answer")
        return self._trouble_answer() or self.answer(request)

    def stream_lines(
        self, url: str, *, headers: Mapping[str, str] | None = None, stop: threading.Event, idle_timeout: float = 60.0
    ) -> Iterable[str]:
        self.calls.append(Request("GET", url, dict(headers or {})))
        return self._lines(stop)

    def _lines(self, stop: threading.Event) -> Iterator[str]:
        for line in self.lines:
            if stop.is_set():
                return
            yield line

    def _trouble_answer(self) -> Response | None:
        match self.trouble:
            case "too-fast":
                return Response(429, {"retry-after": "7", "content-type": "application/json"}, b'{"error":"slow down"}')
            case "ill":
                return Response(503, {"content-type": "text/html"}, b"<h1>Service unavailable</h1>")
            case "html":
                return Response(200, {"content-type": "text/html"}, b"<h1>Welcome</h1>")
            case "rejected":
                return Response(401, {"content-type": "application/json"}, b'{"error":"invalid token"}')
        return None


class NoMail:
    """A `MailWire` for channels that have no business with mail."""

    def imap(self, *, host: str, port: int, security: str, timeout: float = 30.0) -> Any:
        raise AssertionError("this channel must not read mail")

    def smtp(self, *, host: str, port: int, security: str, timeout: float = 15.0) -> Any:
        raise AssertionError("this channel must not send mail")


def http_world(
    answer: Callable[[Request], Response], trouble: str = "", *, now: datetime = NOW, lines: Sequence[str] = ()
) -> World:
    """A platform that speaks HTTP and answers every request with `answer(request)`, unless it is in trouble."""
    http = AnsweringHttp(answer, trouble, lines)
    return World(wires=Wires(http=http, mail=NoMail(), now=lambda: now), calls=http.calls)
