"""Waking coroutines from any thread."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType


class Bell:
    """Rung when something changed. Everyone who holds an ear hears it, also when it rang just before they wait."""

    def __init__(self) -> None:
        self._ears: set[Ear] = set()
        self._lock = threading.Lock()

    def ring(self) -> None:
        with self._lock:
            for ear in self._ears:
                ear.wake()

    def ear(self) -> Ear:
        return Ear(self)

    def add(self, ear: Ear) -> None:
        with self._lock:
            self._ears.add(ear)

    def remove(self, ear: Ear) -> None:
        with self._lock:
            self._ears.discard(ear)


class Ear:
    """Use as a context: `with bell.ear() as ear`, look at the state, `await ear.wait(...)`, look again."""

    def __init__(self, bell: Bell) -> None:
        self._bell, self._event, self._loop = bell, asyncio.Event(), asyncio.get_running_loop()

    def __enter__(self) -> Ear:
        self._bell.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bell.remove(self)

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> bool:
        """True when the bell rang within so many seconds."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        self._event.clear()
        return True
