"""What a fake accepted, in order: the platform's side of the truth, readable after everything else was killed."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted act.

    kind, of the shop's acts: "sent", "edited", "deleted", "liked", "unliked", "uploaded", "repeated" (the same
    idempotency key again; nothing new was made). Of people's: "said", "changed", "withdrawn". Of ours: "delivered"
    (the shop's webhook was answered 2xx), "undelivered" (it was not).
    key: the caller's idempotency key or message id, empty where the platform has none. place: chat, account or
    address on the other side. ref: the platform's id of what was made.
    """

    number: int
    at: str  # ISO 8601, UTC
    fake: str
    kind: str
    key: str = ""
    place: str = ""
    ref: str = ""
    text: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class Log:
    """Append-only. With a file, an entry is on the disk before the platform answers."""

    def __init__(self, path: Path | None = None, *, now: Callable[[], datetime] | None = None) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()
        self._now = now or (lambda: datetime.now(UTC))
        self._file = open(path, "a", encoding="utf-8") if path else None  # noqa: SIM115 (closed by close)

    def append(
        self, fake: str, kind: str, *, key: str = "", place: str = "", ref: str = "", text: str = "", **facts: Any
    ) -> Entry:
        with self._lock:
            entry = Entry(len(self._entries) + 1, self._now().isoformat(), fake, kind, key, place, ref, text, facts)
            self._entries.append(entry)
            if self._file:
                self._file.write(json.dumps(asdict(entry), ensure_ascii=True, default=str) + "\n")
                self._file.flush()
                os.fsync(self._file.fileno())
        return entry

    def entries(self, *, fake: str = "", kind: str = "", place: str = "", key: str = "", after: int = 0) -> list[Entry]:
        """The entries that match everything given, in order. after: a number of an entry."""
        with self._lock:
            known = self._entries[after:]
        return [
            entry
            for entry in known
            if (not fake or entry.fake == fake)
            and (not kind or entry.kind == kind)
            and (not place or entry.place == place)
            and (not key or entry.key == key)
        ]

    def close(self) -> None:
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None


def read_log(path: Path) -> Iterator[Entry]:
    """The entries of a log file; a last line that a kill cut in half is left out."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield Entry(**json.loads(line))
