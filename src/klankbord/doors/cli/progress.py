"""One line on stderr that says how far something is; on a terminal it rewrites itself."""

from __future__ import annotations

import sys
import time

_EVERY = 0.2  # seconds, on a terminal
_STEPS = 10  # lines in all, elsewhere


class Progress:
    """total: how many there are. what: a noun, such as "messages"."""

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what = total, what
        self._began = self._said = time.monotonic()
        self._step = 0
        self._is_live = sys.stderr.isatty()

    def at(self, done: int) -> None:
        now = time.monotonic()
        if self._is_live and now - self._said >= _EVERY:
            self._said = now
            sys.stderr.write(f"\r{self._line(done, now)}\x1b[K")
            sys.stderr.flush()
        elif not self._is_live and done * _STEPS >= (self._step + 1) * self._total:
            self._step = done * _STEPS // self._total
            print(self._line(done, now), file=sys.stderr)

    def end(self) -> None:
        """Make room for what is said next."""
        if self._is_live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _line(self, done: int, now: float) -> str:
        pace = done / max(now - self._began, 0.001)
        return f"{done:,} of {self._total:,} {self._what}, {100 * done // max(self._total, 1)} %, {pace:,.0f} a second"
