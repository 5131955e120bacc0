"""Server-sent events from a hub to one browser, as native ASGI: replay what was missed, then follow.

A stream costs a task, a bounded queue and no connection. It ends when its reader leaves, stops reading, or may no
longer read; the browser comes back by itself, at a moment of its own so that a thousand do not come at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .live import Ended, Hub, News, Overrun, Subscription

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Changes = list[dict[str, Any]]
Choose = Callable[[Changes], Awaitable[Changes]]

HEARTBEAT_SECONDS = 15.0
_SEND_SECONDS = 10.0  # a reader that takes nothing for so long has stopped reading
_MOST_CHANGES = 200  # a burst: fetching what is on screen anew costs less than telling it all
_RETRY_MS = (1_000, 6_000)

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Headers:
    """What a stream needs to know of a request; names in lower case."""

    named: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def last_event_id(self) -> str:
        """Where the reader was: the browser's own header, or what the page knew when it was made."""
        return self.named.get("last-event-id", "") or self.query.get("after", "")


async def serve(
    hub: Hub,
    topic: str,
    *,
    last_event_id: str,
    choose: Choose,
    receive: Receive,
    send: Send,
    subscribed: Callable[[Subscription], None] = lambda _: None,
    headers: Iterable[tuple[bytes, bytes]] = (),
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> None:
    """Send what is new on a topic until the reader is gone.

    choose: which of the changes this reader may have, in the form in which they go out.
    subscribed: told of the subscription, so that whoever watches over this reader can end it.
    """
    writer = _Writer(send)
    pump = asyncio.ensure_future(
        _pump(hub, topic, last_event_id, choose, writer, subscribed, tuple(headers), heartbeat_seconds)
    )
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (pump, gone):
            task.cancel()
        results = await asyncio.gather(pump, gone, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, Ended | TimeoutError | OSError):
                log.error("event stream broke off: %s", type(result).__name__)
    if writer.has_started:
        with contextlib.suppress(Exception):  # the other side is gone, or is told so
            async with asyncio.timeout(1.0):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def refuse(send: Send, status: int) -> None:
    """A short answer instead of a stream. 204 tells browsers not to come back, the others may try again."""
    headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
    if status in (429, 503):
        headers.append((b"retry-after", b"10"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def headers_of(scope: Scope) -> Headers:
    from urllib.parse import parse_qsl

    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
    return Headers(named, query)


async def _pump(
    hub: Hub,
    topic: str,
    last_event_id: str,
    choose: Choose,
    writer: _Writer,
    subscribed: Callable[[Subscription], None],
    headers: tuple[tuple[bytes, bytes], ...],
    heartbeat_seconds: float,
) -> None:
    await hub.start()
    with hub.subscribed(topic) as subscription:
        subscribed(subscription)
        await writer.start(headers)
        replayed = await _replay(hub, topic, last_event_id, choose, writer)
        while True:
            wait = writer.last_write + heartbeat_seconds - time.monotonic()
            try:
                news = [each for each in await subscription.take(max(wait, 0.0)) if each.number not in replayed]
            except Overrun:
                await writer.refresh(hub.newest)
                continue
            if news:
                await writer.changes(news[-1].number, await choose(_merged(news)))
            elif time.monotonic() >= writer.last_write + heartbeat_seconds:
                await writer.write(": \n\n")


async def _replay(hub: Hub, topic: str, last_event_id: str, choose: Choose, writer: _Writer) -> set[int]:
    """What the reader missed; a whole refresh when that cannot be told. Gives the numbers that were sent."""
    end = hub.newest
    if not last_event_id:
        await writer.write(f"id: {end}\nevent: hello\ndata: {{}}\n\n")
        return set()
    is_number = last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 19
    missed = await hub.missed(topic, int(last_event_id)) if is_number else None
    if missed is None:
        await writer.refresh(end)
        return set()
    if missed:
        newest = max(missed[-1].number, int(last_event_id))
        await writer.changes(newest, await choose(_merged(missed)))
    return {each.number for each in missed}


def _merged(news: list[News]) -> Changes:
    """The changes of several rows, each once."""
    found = {json.dumps(change, sort_keys=True): change for each in news for change in each.changes}
    return list(found.values())


class _Writer:
    """Writes events; a reader that does not take them in time is left."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_started = False
        self.last_write = 0.0

    async def start(self, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                    (b"x-content-type-options", b"nosniff"),
                    *headers,
                ],
            }
        )
        self.has_started = True
        await self.write(f"retry: {random.randint(*_RETRY_MS)}\n\n")  # noqa: S311 (spreads load, keeps no secret)

    async def changes(self, number: int, changes: Changes) -> None:
        if len(changes) > _MOST_CHANGES:
            await self.refresh(number)
        elif changes:
            data = json.dumps(changes, separators=(",", ":"), ensure_ascii=True)
            await self.write(f"id: {number}\nevent: changes\ndata: {data}\n\n")

    async def refresh(self, number: int) -> None:
        await self.write(f"id: {number}\nevent: refresh\ndata: {{}}\n\n")

    async def write(self, text: str) -> None:
        body = {"type": "http.response.body", "body": text.encode(), "more_body": True}
        async with asyncio.timeout(_SEND_SECONDS):
            await self._send(body)
        self.last_write = time.monotonic()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(eq=False)
class Seat(Generic[K, V]):
    """One reader's place: what is known about it now, and whom to end when it is lost."""

    key: K
    value: V
    subscription: Subscription | None = None


@dataclass
class Doorkeeper(Generic[K, V]):
    """Looks again, every few seconds and for all readers at once, whether they may still read and what.

    look: the values of those keys that may read. One that is missing, or a look that fails for too long, ends it.
    """

    look: Callable[[list[K]], Awaitable[dict[K, V]]]
    every_seconds: float
    most_seats_each: int = 30
    _seats: dict[K, set[Seat[K, V]]] = field(default_factory=dict)
    _rounds: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def seat(self, key: K) -> AsyncIterator[Seat[K, V] | None]:
        """A seat as long as the block lasts; None when this reader may not, or has too many already."""
        value = (await self.look([key])).get(key)
        if value is None or len(self._seats.get(key, ())) >= self.most_seats_each:
            yield None
            return
        seat = Seat(key, value)
        self._seats.setdefault(key, set()).add(seat)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._go_round(), name="doorkeeper")
        try:
            yield seat
        finally:
            self._seats[key].discard(seat)
            if not self._seats[key]:
                del self._seats[key]

    async def _go_round(self) -> None:
        while self._seats:
            await asyncio.sleep(self.every_seconds)
            keys = list(self._seats)
            try:
                async with asyncio.timeout(self.every_seconds / 2):
                    found = await self.look(keys)
            except Exception as error:  # whoever cannot be checked may not read: they come back when we can look again
                log.warning("readers could not be checked: %s", type(error).__name__)
                found = {}
            for key in keys:
                for seat in tuple(self._seats.get(key, ())):
                    _keep_or_end(seat, found.get(key))


def _keep_or_end(seat: Seat[K, V], value: V | None) -> None:
    if value is not None:
        seat.value = value
    elif seat.subscription is not None:
        seat.subscription.end()
