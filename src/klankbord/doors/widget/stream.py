"""`GET /widget/v1/events`: a visitor's event stream, native ASGI. It says that something in their own place changed;
what, they fetch.

    event: changes
    data: [{"what":"message"}]

The token comes in the Authorization header, so the page reads the stream with fetch(); a token in an address would end
up in logs. Which visitor a changed thread belongs to is looked up once per conversation and process, not per stream.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from klankbord.flows.accounts import hash_token
from klankbord.plumbing.eventstream import (
    Changes,
    Doorkeeper,
    Receive,
    Scope,
    Seat,
    Send,
    headers_of,
    refuse,
    serve,
)
from klankbord.plumbing.live import Hub, Subscription

_VISITS = """
    SELECT s.token_hash, s.organisation_id, s.inbox_id::text, s.visitor
      FROM inboxes_visitorsession s
      JOIN inboxes_inboxroute r ON r.inbox_id = s.inbox_id AND r.organisation_id = s.organisation_id AND r.is_connected
     WHERE s.token_hash = ANY(%s)"""
_TOLD = {"message": "message", "state": "message", "receipt": "message", "typing": "typing"}
_KNOWN_SECONDS = 30.0
_MOST_KNOWN = 5_000


@dataclass(frozen=True, slots=True)
class Visitor:
    organisation_id: UUID
    inbox_id: str
    visitor: str


async def stream_answers(hub: Hub, scope: Scope, receive: Receive, send: Send) -> None:
    """One request to `/widget/v1/events`."""
    await _stream_of(hub)(scope, receive, send)


@cache
def _stream_of(hub: Hub) -> VisitorStream:
    return VisitorStream(hub)


class VisitorStream:
    """One per process, beside its hub."""

    def __init__(self, hub: Hub, *, look_again_seconds: float = 6.0) -> None:
        self._hub = hub
        self._places = Places(hub)
        self._doorkeeper: Doorkeeper[str, Visitor] = Doorkeeper(self._visitors, look_again_seconds, most_seats_each=10)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await refuse(send, 405)
            return
        headers = headers_of(scope)
        kind, _, token = headers.named.get("authorization", "").partition(" ")
        token_hash = hash_token(token.strip() if kind.lower() == "bearer" else "")
        try:
            async with self._doorkeeper.seat(token_hash) as seat:
                if seat is None:
                    await refuse(send, 404)
                else:
                    await self._serve(seat, headers.last_event_id, receive, send)
        except (psycopg.Error, PoolTimeout):
            await refuse(send, 503)

    async def _serve(self, seat: Seat[str, Visitor], last_event_id: str, receive: Receive, send: Send) -> None:
        visitor = seat.value

        async def choose(changes: Changes) -> Changes:
            mine = {
                _TOLD[change["what"]]
                for change in changes
                if change.get("what") in _TOLD
                and change.get("inbox") == visitor.inbox_id
                and visitor.visitor in await self._places.of(visitor, change)
            }
            return [{"what": what} for what in sorted(mine)]

        def watch(subscription: Subscription) -> None:
            seat.subscription = subscription

        await serve(
            self._hub,
            str(visitor.organisation_id),
            last_event_id=last_event_id,
            choose=choose,
            receive=receive,
            send=send,
            subscribed=watch,
        )

    async def _visitors(self, token_hashes: list[str]) -> dict[str, Visitor]:
        async with self._hub.connection() as connection:
            cursor = await connection.execute(_VISITS, [token_hashes])
            return {token_hash: Visitor(*facts) for token_hash, *facts in await cursor.fetchall()}


class Places:
    """Which places of an inbox a conversation has: remembered for a little while, for all streams of the process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: OrderedDict[tuple[str, str], tuple[float, dict[str, str]]] = OrderedDict()
        self._lock = asyncio.Lock()

    async def of(self, visitor: Visitor, change: dict[str, Any]) -> frozenset[str]:
        """The visitors that a change concerns: that of its thread, or all of its conversation when it names none."""
        key, thread = (visitor.inbox_id, str(change.get("conversation", ""))), change.get("thread")
        async with self._lock:  # so that many streams that hear the same ask once
            until, threads = self._known.get(key, (0.0, {}))
            if until < time.monotonic() or (thread and thread not in threads):
                threads = await self._read(visitor, key[1])
                self._known[key] = (time.monotonic() + _KNOWN_SECONDS, threads)
                self._known.move_to_end(key)
                if len(self._known) > _MOST_KNOWN:
                    self._known.popitem(last=False)
        return frozenset(place for known, place in threads.items() if not thread or known == thread)

    async def _read(self, visitor: Visitor, conversation: str) -> dict[str, str]:
        async with self._hub.connection() as connection:
            # The pool's connection is in a transaction here, so the setting ends with it.
            await connection.execute(f"SET LOCAL klankbord.organisation = '{UUID(str(visitor.organisation_id))}'")
            cursor = await connection.execute(
                "SELECT id::text, place_key FROM conversations_thread"
                " WHERE organisation_id = %s AND conversation_id = %s AND inbox_id = %s",
                [visitor.organisation_id, conversation, visitor.inbox_id],
            )
            return dict(await cursor.fetchall())
