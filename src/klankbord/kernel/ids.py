"""Identifiers: time-ordered UUIDs made by the application, and random tokens."""

from __future__ import annotations

import os
import secrets
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

# The 32 letters eight times over: a random byte becomes one of them, each as likely as the others.
_LETTERS = b"abcdefghijkmnpqrstuvwxyz23456789" * 8
_lock = threading.Lock()
_last_ms = 0
_counter = 0


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562 §5.7, method 1: a 12-bit counter keeps the order within a millisecond)."""
    global _last_ms, _counter
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _counter = now_ms, secrets.randbits(8)
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        stamp, counter = _last_ms, _counter
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=stamp << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | tail)


def moment_of(identifier: UUID) -> datetime:
    """When a version 7 UUID was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def first_of(moment: datetime) -> UUID:
    """Smaller than every version 7 UUID that was made at this moment or later, larger than those made before."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def random_token(bits: int = 160) -> str:
    """An unguessable token of letters and digits that survives case-folding, as mail systems may do."""
    return os.urandom(-(-bits // 5)).translate(_LETTERS).decode()
