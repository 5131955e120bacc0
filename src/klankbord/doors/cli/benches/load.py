"""A cheap load generator: requests are written down and signed beforehand, then pushed through kept connections.

It shares the machine with what it measures, so it parses of an answer only the status and the length.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from klankbord.kernel import signatures


@dataclass(frozen=True, slots=True)
class Target:
    """An inbox's webhook. token: the last part of its address."""

    port: int
    token: str
    secret: str

    def request(self, event: Any) -> bytes:
        """One signed delivery, ready for the wire; good for five minutes."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        stamp = signatures.sign(body, secret=self.secret, at=datetime.now(UTC))
        return (
            f"POST /hooks/{self.token} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f"{signatures.HEADER}: {stamp}\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode() + body


@dataclass(slots=True)
class Posted:
    """What became of the requests. latencies: seconds of each answer; began: of each request, on the monotonic clock,
    by its place among the requests."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    began: dict[int, float] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)


async def post(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    per_second: float | None = None,
    seconds: float | None = None,
) -> Posted:
    """Push all requests, in order, as fast as they are answered or at a pace; stop after some seconds if asked."""
    posted = Posted()
    places = iter(range(len(requests)))
    start = time.monotonic()

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for place in places:
            if per_second is not None:
                await asyncio.sleep(max(0.0, start + place / per_second - time.monotonic()))
            began = time.monotonic()
            if seconds is not None and began - start > seconds:
                break
            posted.began[place] = began
            writer.write(requests[place])
            status = await _answer(reader)
            posted.latencies.append(time.monotonic() - began)
            posted.statuses[status] = posted.statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(connections)))
    posted.seconds = time.monotonic() - start
    return posted


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    place = head.lower().find(b"content-length:")
    if place >= 0:
        length = int(head[place + 15 : head.index(b"\r", place)])
        if length:
            await reader.readexactly(length)
    return int(head[9:12])


async def ask(port: int, path: str, *, headers: Mapping[str, str], times: int) -> tuple[list[float], int]:
    """GET one address again and again over one connection: the seconds of each answer, and the last one's size."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    written = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{written}\r\n".encode()
    took: list[float] = []
    size = 0
    for _ in range(times):
        began = time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        size = await _skip(reader, head.lower())
        took.append(time.monotonic() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path} answered {head[9:12].decode()}")
    writer.close()
    return took, size


async def _skip(reader: asyncio.StreamReader, head: bytes) -> int:
    """Read a body of known or of chunked length."""
    place = head.find(b"content-length:")
    if place >= 0:
        return len(await reader.readexactly(int(head[place + 15 : head.index(b"\r", place)])))
    size = 0
    while length := int(await reader.readline(), 16):
        size += len(await reader.readexactly(length))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return size


def messages(count: int, *, each: int = 5, run: str = "", duplicates: int = 0) -> list[dict[str, Any]]:
    """Events of the api channel: conversations of some messages each, woven together. duplicates: one in so many comes
    twice."""
    now = datetime.now(UTC).isoformat()
    people = max(1, count // each)
    found = []
    for number in range(count):
        person = f"{run}-{number % people}"
        event = {
            "type": "message",
            "id": f"{run}-{number}",
            "at": now,
            "place": {"id": person, "visibility": "private"},
            "person": {"id": person, "name": f"Klant {number % people}"},
            "text": f"Waar blijft mijn bestelling {number}? Ik wacht al drie dagen op het pakket en hoor niets.",
            "language": "nl",
        }
        found.extend([event, event] if duplicates and number % duplicates == 0 else [event])
    return found
