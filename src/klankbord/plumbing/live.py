"""News for open screens: one connection per process follows a table's tail and hands each row to who subscribed.

The table is the truth: its tail is read every second or two. A NOTIFY only says that reading now is worth while, so
a lost one costs a moment, never a row. Whoever was away resumes from the table with the last number seen.

Numbers come from a sequence and may commit out of order, so a number that was skipped is looked for again until
`_GAP_SECONDS` have passed; by then it was rolled back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

_GAP_SECONDS = 15.0
_MOST_GAPS = 10_000
_ROWS_AT_ONCE = 500
_MOST_MISSED = 500  # more than this since the last visit: fetching everything anew is cheaper
_COALESCE_SECONDS = 0.02
_RECONNECT_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """A table with the columns number (bigint), at (timestamptz), changes (jsonb array) and a topic (uuid), and the
    channel on which its writers notify."""

    table: str
    topic: str
    channel: str


@dataclass(frozen=True, slots=True)
class News:
    """One row of the table. size: of the changes, in bytes."""

    number: int
    topic: str
    changes: list[dict[str, Any]]
    size: int


class Overrun(Exception):
    """The subscriber read so slowly that what waited for it was let go; it must fetch everything anew."""


class Ended(Exception):
    """The subscriber may no longer read."""


class Subscription:
    """What came for one topic and was not read yet, at most `most_bytes` of it."""

    def __init__(self, topic: str, most_bytes: int) -> None:
        self.topic = topic
        self._most_bytes = most_bytes
        self._waiting: deque[News] = deque()
        self._bytes = 0
        self._is_overrun = False
        self._is_ended = False
        self._something = asyncio.Event()

    def offer(self, news: News) -> None:
        """Add news; beyond the limit all that waits is let go, and `take` says so once."""
        if not self._is_overrun:
            self._waiting.append(news)
            self._bytes += news.size
        # One row may be larger than the limit: it is not the reader's fault and goes through.
        if self._bytes > self._most_bytes and len(self._waiting) > 1:
            self._is_overrun = True
            self._waiting.clear()
            self._bytes = 0
        self._something.set()

    def end(self) -> None:
        """Its reader may no longer read: `take` raises."""
        self._is_ended = True
        self._something.set()

    async def take(self, timeout: float) -> list[News]:
        """All that waits, oldest first; [] when nothing came for `timeout` seconds. Raises Overrun, Ended."""
        # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._something.wait()
        if self._is_ended:
            raise Ended
        self._something.clear()
        if self._is_overrun:
            self._is_overrun = False
            raise Overrun
        taken = list(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        return taken


@dataclass(eq=False)
class Hub:
    """One per process, on its event loop. `connections`: a small pool for the look-ups of all streams together.

    conninfo: with the start options of the role, and not through a pooler that shares sessions (LISTEN).
    """

    conninfo: str
    source: Source
    poll_seconds: float = 1.5
    pool_size: int = 4
    most_bytes: int = 64_000
    newest: int = 0
    _subscriptions: dict[str, set[Subscription]] = field(default_factory=dict)
    _gaps: dict[int, float] = field(default_factory=dict)
    _follower: asyncio.Task[None] | None = None
    _pool: AsyncConnectionPool[Any] | None = None
    _ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Begin to follow, once; returns when the end of the tail is known. Waits for a database that is away."""
        if self._follower is None:
            self._pool = AsyncConnectionPool(
                self.conninfo, min_size=0, max_size=self.pool_size, open=False, timeout=10, max_idle=60
            )
            await self._pool.open()
            self._follower = asyncio.create_task(self._follow(), name="live tail")
        await self._ready.wait()

    async def stop(self) -> None:
        if self._follower is not None and self._pool is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
            await self._pool.close()
            self._follower = None

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection of the small pool, in a transaction that ends with the block."""
        await self.start()
        assert self._pool is not None
        async with self._pool.connection() as connection:
            yield connection

    @contextlib.contextmanager
    def subscribed(self, topic: str) -> Iterator[Subscription]:
        """A subscription to a topic for as long as the block lasts."""
        subscription = Subscription(topic, self.most_bytes)
        self._subscriptions.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[topic].discard(subscription)
            if not self._subscriptions[topic]:
                del self._subscriptions[topic]

    async def missed(self, topic: str, after: int) -> list[News] | None:
        """What a topic saw since a number; None when that cannot be told (too old, too much, or never given out)."""
        async with self.connection() as connection:
            cursor = await connection.execute(self._sql("SELECT min(number), max(number) FROM {table}"))
            oldest, newest = await cursor.fetchone() or (None, None)
            # `newest` may trail what another transaction already told us; both are honest numbers.
            if not (oldest or after + 1) - 1 <= after <= max(newest or 0, self.newest):
                return None
            cursor = await connection.execute(
                self._sql(
                    "SELECT number, changes::text FROM {table} WHERE {topic} = %(topic)s AND number > %(after)s - 1000"
                    " AND (number > %(after)s OR at >= (SELECT at FROM {table} WHERE number = %(after)s)"
                    "                                  - make_interval(secs => %(gap)s))"
                    " ORDER BY number LIMIT %(limit)s"
                ),
                {"topic": topic, "after": after, "gap": _GAP_SECONDS, "limit": _MOST_MISSED + 1},
            )
            rows = await cursor.fetchall()
        if len(rows) > _MOST_MISSED:
            return None
        return [News(number, topic, json.loads(changes), len(changes)) for number, changes in rows]

    async def _follow(self) -> None:
        failures = 0
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self.source.channel)))
                    await self._find_end(connection)
                    failures = 0
                    while True:
                        await self._read_tail(connection)
                        async for _ in connection.notifies(timeout=self.poll_seconds, stop_after=1):
                            # A burst of notifications becomes one reading.
                            await asyncio.sleep(_COALESCE_SECONDS)
            except (psycopg.Error, OSError) as error:
                log.warning("live tail: %s; connecting again", type(error).__name__)
                wait = _RECONNECT_SECONDS[min(failures, len(_RECONNECT_SECONDS) - 1)]
                failures += 1
                await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 (spreads load, keeps no secret)

    async def _find_end(self, connection: psycopg.AsyncConnection[Any]) -> None:
        if not self._ready.is_set():
            cursor = await connection.execute(self._sql("SELECT coalesce(max(number), 0) FROM {table}"))
            [self.newest] = await cursor.fetchone() or [0]
            self._ready.set()

    async def _read_tail(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            cursor = await connection.execute(
                self._sql(
                    "SELECT number, {topic}::text, changes::text FROM {table}"
                    " WHERE number > %s OR number = ANY(%s) ORDER BY number LIMIT %s"
                ),
                [self.newest, list(self._gaps), _ROWS_AT_ONCE],
            )
            rows = await cursor.fetchall()
            for number, topic, changes in rows:
                self._note(number, time.monotonic())
                self._hand_out(number, topic, changes)
            if len(rows) < _ROWS_AT_ONCE:
                break
        now = time.monotonic()
        self._gaps = {number: until for number, until in self._gaps.items() if until > now}

    def _note(self, number: int, now: float) -> None:
        self._gaps.pop(number, None)
        if number > self.newest:
            first = max(self.newest + 1, number - _MOST_GAPS)
            self._gaps.update(dict.fromkeys(range(first, number), now + _GAP_SECONDS))
            self.newest = number

    def _hand_out(self, number: int, topic: str, changes: str) -> None:
        listeners = self._subscriptions.get(topic)
        if listeners:
            news = News(number, topic, json.loads(changes), len(changes))
            for each in tuple(listeners):
                each.offer(news)

    def _sql(self, statement: str) -> sql.Composed:
        names = {"table": sql.Identifier(self.source.table), "topic": sql.Identifier(self.source.topic)}
        return sql.SQL(statement).format(**names)
