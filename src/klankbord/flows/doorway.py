"""The doorway: from a webhook's bytes to one durable row, and only then 2xx.

The door (native ASGI) hands over bytes; the route's account verifies them without a query (cached, at most a minute
old, dropped when a route changes); rows of many requests are inserted together every few milliseconds, so that the
price of a commit is shared. What cannot be stored is never accepted: the platform is asked to come again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from klankbord.contract import Account, Answer, BadSignature, Channel, Delivery
from klankbord.desk.inboxes.deliveries import INSERT_DELIVERIES, WORK, delivery_parameters
from klankbord.desk.inboxes.models import InboxRoute
from klankbord.kernel.ids import uuid7

from .accounts import hash_token, open_route

log = logging.getLogger(__name__)

ROUTES_CHANGED = "klankbord_routes"  # NOTIFY channel: forget what you know of routes
_ROUTE_SECONDS = 60.0
_GROUP_SECONDS = 0.005
_GROUP_ROWS = 400
_WAITING_ROWS = 20_000
_STORE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Route:
    organisation_id: UUID
    inbox_id: UUID
    lane: int
    is_connected: bool
    channel: Channel
    account: Account[Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the door answers. sentence: for the log and the curious, never about whose inbox it is."""

    status: int
    sentence: str = ""
    answer: Answer | None = None


Row = tuple[UUID, UUID, UUID, int, Delivery]


class Doorway:
    """One per web process, living in its event loop."""

    def __init__(self, conninfo: str) -> None:
        self._pool = AsyncConnectionPool(
            conninfo, min_size=1, max_size=3, open=False, timeout=3.0, kwargs={"autocommit": True}
        )
        self._routes: dict[str, tuple[float, Route | None]] = {}
        self._rows: asyncio.Queue[tuple[Row, asyncio.Future[None]]] = asyncio.Queue(_WAITING_ROWS)
        self._writers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        await self._pool.open(wait=False)
        self._writers = [asyncio.create_task(self._write()) for _ in range(2)]

    async def close(self) -> None:
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        await self._pool.close()

    def forget_routes(self) -> None:
        self._routes.clear()

    async def accept(self, token: str, *, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Verdict:
        """Verify and store one delivery. 200 only once it is durable; 503 when it could not be stored."""
        delivery = Delivery(body, datetime.now(UTC), headers=headers, query=query)
        try:
            route = await self._route(token)
            if route is None:
                return Verdict(404, "There is no inbox at this address.")
            if not route.is_connected:
                return Verdict(200, "This inbox is disconnected: nothing is done with deliveries.")
            try:
                route.channel.verify(delivery, route.account)
            except BadSignature as refusal:
                log.warning("delivery refused", extra={"inbox": str(route.inbox_id), "reason": refusal.sentence})
                return Verdict(401, refusal.sentence)
            await self._store((uuid7(), route.organisation_id, route.inbox_id, route.lane, delivery))
        except (psycopg.Error, PoolTimeout, asyncio.QueueFull, TimeoutError) as error:
            log.error("delivery not stored", extra={"error": type(error).__name__})
            return Verdict(503, "Could not be stored just now. Send it again.")
        return Verdict(200)

    async def shake_hands(self, token: str, *, headers: Mapping[str, str], query: Mapping[str, str]) -> Verdict:
        """Answer a platform's verification request."""
        delivery = Delivery(b"", datetime.now(UTC), headers=headers, query=query)
        try:
            route = await self._route(token)
        except (psycopg.Error, PoolTimeout):
            return Verdict(503, "Ask again in a moment.")
        if route is None or not route.is_connected:
            return Verdict(404, "There is no inbox at this address.")
        try:
            answer = route.channel.handshake(delivery, route.account)
        except BadSignature as refusal:
            return Verdict(403, refusal.sentence)
        return Verdict(405, "Deliveries come by POST.") if answer is None else Verdict(answer.status, answer=answer)

    async def _route(self, token: str) -> Route | None:
        key = hash_token(token)
        known = self._routes.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT token_hash, organisation_id, inbox_id, kind, lane, is_connected, account"
                " FROM inboxes_inboxroute WHERE token_hash = %s",
                [key],
            )
            row = await cursor.fetchone()
        route = None
        if row is not None:
            names = ("token_hash", "organisation_id", "inbox_id", "kind", "lane", "is_connected", "account")
            entrance = InboxRoute(**dict(zip(names, row, strict=True)))
            channel, account = open_route(entrance)
            route = Route(row[1], row[2], row[4], row[5], channel, account)
        if len(self._routes) > 10_000:
            self._routes.clear()
        self._routes[key] = (time.monotonic() + _ROUTE_SECONDS, route)
        return route

    async def _store(self, row: Row) -> None:
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rows.put_nowait((row, stored))
        async with asyncio.timeout(_STORE_SECONDS):
            await stored

    async def _write(self) -> None:
        """Insert waiting rows in groups, for ever."""
        while True:
            group = [await self._rows.get()]
            await asyncio.sleep(_GROUP_SECONDS)
            while len(group) < _GROUP_ROWS and not self._rows.empty():
                group.append(self._rows.get_nowait())
            try:
                await self._insert([row for row, _ in group])
            except Exception as error:
                for _, stored in group:
                    if not stored.done():
                        stored.set_exception(
                            error if isinstance(error, psycopg.Error) else psycopg.OperationalError(str(error))
                        )
            else:
                for _, stored in group:
                    if not stored.done():
                        stored.set_result(None)

    async def _insert(self, rows: list[Row]) -> None:
        """All rows in one transaction; each organisation's behind its own wall."""
        per_organisation: dict[UUID, list[Row]] = {}
        for row in rows:
            per_organisation.setdefault(row[1], []).append(row)
        async with self._pool.connection() as connection, connection.transaction():
            for organisation_id in sorted(per_organisation):
                await connection.execute(f"SET LOCAL klankbord.organisation = '{UUID(str(organisation_id))}'")
                await connection.execute(INSERT_DELIVERIES, delivery_parameters(per_organisation[organisation_id]))
            await connection.execute(f"NOTIFY {WORK}, 'intake'")
