"""Ending on a signal without a lock in the handler: a second signal may interrupt the first one's handler."""

from __future__ import annotations

import signal
import threading
import time

_LOOK_SECONDS = 0.1


def ended_by_signal() -> threading.Event:
    """An event that is set soon after SIGTERM or SIGINT. Call it in the main thread."""
    ended = threading.Event()
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: asked.append(received))

    def watch() -> None:
        while not asked:
            time.sleep(_LOOK_SECONDS)
        ended.set()

    threading.Thread(target=watch, name="ending", daemon=True).start()
    return ended
