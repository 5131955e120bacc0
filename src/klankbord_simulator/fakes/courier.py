"""Posting webhooks to the shop: in order per lane, again after a growing pause, until they are taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

import httpx

from ..faults import Mischief
from .loop import LoopThread

PATIENCE = 15.0  # seconds the shop has to answer

Errand = Callable[[], Awaitable[bool]]


class Courier:
    """first_pause, longest_pause: seconds between tries; it doubles. tries: then the errand is given up."""

    def __init__(
        self,
        *,
        loop: LoopThread,
        mischief: Mischief,
        first_pause: float = 0.5,
        longest_pause: float = 30.0,
        tries: int = 200,
        at_once: int = 8,
    ) -> None:
        self.first_pause, self.longest_pause, self.tries = first_pause, longest_pause, tries
        self._loop, self._mischief, self._at_once = loop, mischief, asyncio.Semaphore(at_once)
        self._lanes: dict[str, deque[Errand]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """One try, on a connection that may be kept. Raises httpx.HTTPError."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)
        return await self._client.post(url, content=body, headers=dict(headers))

    def put(self, lane: str, errand: Errand) -> None:
        """Take on an errand, from any thread. An errand tells whether it was done; it may be run twice."""
        self._loop.loop.call_soon_threadsafe(self._put, lane, errand)

    def _put(self, lane: str, errand: Errand) -> None:
        waiting = self._lanes.get(lane)
        if waiting is not None:
            waiting.extend(self._mischief.dealt([errand]))
            return
        self._lanes[lane] = deque(self._mischief.dealt([errand]))
        task = asyncio.get_running_loop().create_task(self._walk(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _walk(self, lane: str) -> None:
        waiting = self._lanes[lane]
        while waiting:
            errand = waiting[place := self._mischief.pick(len(waiting))]
            del waiting[place]
            if lateness := self._mischief.lateness():
                self._loop.loop.call_later(lateness, self._put, lane, errand)
                continue
            pause = self.first_pause
            for _ in range(self.tries):
                async with self._at_once:
                    is_done = await errand()
                if is_done:
                    break
                await asyncio.sleep(pause)
                pause = min(pause * 2, self.longest_pause)
        del self._lanes[lane]

    async def shut(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lanes.clear()
        if self._client:
            await self._client.aclose()
            self._client = None
