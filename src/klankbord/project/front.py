"""The front of a web process: webhooks and live streams natively, screens as WSGI in a thread pool.

Django's own ASGI handler gives a fraction of the pages of its WSGI handler, so it is not used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import psycopg
from a2wsgi import WSGIMiddleware
from django.db import DatabaseError, InterfaceError, connection
from psycopg_pool import PoolTimeout

from klankbord.doors.health.asgi import PATHS as HEALTH
from klankbord.doors.health.asgi import answer_health
from klankbord.doors.hooks.asgi import PREFIX as HOOKS
from klankbord.doors.hooks.asgi import answer_hook
from klankbord.doors.live.stream import stream_changes
from klankbord.doors.widget.stream import stream_answers
from klankbord.flows.doorway import ROUTES_CHANGED, Doorway
from klankbord.flows.readings import READINGS
from klankbord.plumbing.live import Hub, Source
from klankbord.plumbing.vanished import give_up_on_vanished_clients

from .native import conninfo

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)
_THREADS = 12


class Front:
    """One port; what a path is decides which engine answers."""

    def __init__(self, screens: Any) -> None:
        self.doorway = Doorway(conninfo())
        self.hub = Hub(conninfo(), Source("conversations_liveevent", "organisation_id", "klankbord_live"))
        self.pages = WSGIMiddleware(screens, workers=_THREADS)
        self._forgetter: asyncio.Task[None] | None = None
        self._asker: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith(HOOKS):
            await answer_hook(self.doorway, scope, receive, send)
        elif scope["path"] in HEALTH:
            await answer_health(self.hub, scope, send)
        elif scope["path"] == "/live":
            await stream_changes(self.hub, scope, receive, send)
        elif scope["path"] == "/widget/v1/events":
            await stream_answers(self.hub, scope, receive, send)
        else:
            await self.pages(scope, _as_coroutine(receive), _as_coroutine(send))  # type: ignore[arg-type]

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.doorway.open()
                self._asker = asyncio.create_task(give_up_on_vanished_clients())
                self._forgetter = asyncio.create_task(self._forget_routes())
                self._writer = asyncio.create_task(_write_readings())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._forgetter is not None:
                    self._forgetter.cancel()
                if self._writer is not None:
                    self._writer.cancel()
                    await asyncio.to_thread(_write_down)
                await self.hub.stop()
                await self.doorway.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _forget_routes(self) -> None:
        """Drop cached routes when one changes; after a lost connection, drop them all to be safe."""
        while True:
            with contextlib.suppress(psycopg.Error):
                async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {ROUTES_CHANGED}")
                    self.doorway.forget_routes()
                    async for _ in connection.notifies():
                        self.doorway.forget_routes()
            self.doorway.forget_routes()
            await asyncio.sleep(2)


async def _write_readings() -> None:
    """Who read what, once a second; when the database is away it waits."""
    while True:
        await asyncio.sleep(1)
        await asyncio.to_thread(_write_down)


def _write_down() -> None:
    try:
        READINGS.write()
    except (DatabaseError, InterfaceError, PoolTimeout) as error:
        log.warning("readings are not written yet", extra={"error": type(error).__name__})
    finally:
        connection.close()


def _as_coroutine(call: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """The server's own awaitables are not coroutines, which a thread needs to hand them to the event loop."""

    async def called(*given: Any) -> Any:
        return await call(*given)

    return called
