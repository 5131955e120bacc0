"""A hub and browsers that listen, without a server between: ASGI messages go straight to the application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from klankbord.plumbing.live import Hub, Source
from klankbord.project.native import conninfo

PATIENCE = 10.0


@asynccontextmanager
async def hub(**settings: Any) -> AsyncIterator[Hub]:
    """A started hub on the test's database, as the web process's role."""
    made = Hub(
        conninfo(), Source("conversations_liveevent", "organisation_id", "klankbord_live"),
        **{"poll_seconds": 0.2, **settings},
    )  # fmt: skip
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@dataclass
class Heard:
    event: str
    id: str
    data: Any


@dataclass(eq=False)
class Browser:
    """Somebody with a stream open. is_reading: False is a client that takes nothing any more."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    is_reading: bool = True
    raw: str = ""
    told: list[Heard] = field(default_factory=list)
    has_ended: bool = False
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        while not self.is_reading:
            await asyncio.sleep(3600)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.raw += message["body"].decode()
            *blocks, self.raw = self.raw.split("\n\n")
            self.told.extend(_parsed(block) for block in blocks)
        self._news.set()

    def leave(self) -> None:
        self._gone.set()

    async def until(self, found: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until something is so, as often as something arrives."""
        async with asyncio.timeout(patience):
            while not found():
                self._news.clear()
                await self._news.wait()

    async def hears(self, event: str, *, number: int = 1) -> Heard:
        """The nth event of a kind."""
        await self.until(lambda: len(self.events(event)) >= number)
        return self.events(event)[number - 1]

    async def ends(self, patience: float = PATIENCE) -> None:
        await self.until(lambda: self.has_ended, patience)

    def events(self, event: str) -> list[Heard]:
        return [each for each in self.told if each.event == event]

    @property
    def changes(self) -> list[dict[str, Any]]:
        return [change for each in self.events("changes") for change in each.data]


def _parsed(block: str) -> Heard:
    fields: dict[str, str] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    kind = fields.get("event") or next(iter(fields)) or "heartbeat"
    return Heard(kind, fields.get("id", ""), json.loads(fields["data"]) if "data" in fields else None)


@asynccontextmanager
async def browser(
    app: Callable[..., Awaitable[None]], *, path: str = "/live", method: str = "GET", query: str = "", **headers: str
) -> AsyncIterator[Browser]:
    """A browser with this stream open, for as long as the block lasts."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    made = Browser()

    async def run() -> None:
        try:
            await app(scope, made.receive, made.send)
        finally:
            made.has_ended = True
            made._news.set()

    task = asyncio.create_task(run())
    try:
        yield made
    finally:
        made.leave()
        made.is_reading = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
