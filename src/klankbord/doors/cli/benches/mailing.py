"""How fast mails become conversations, the limited parser included."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from klankbord.kernel.ids import uuid7

from . import letters, processors
from .figures import Figure
from .place import Place, place, wait_until

_MAILBOX: dict[str, Any] = {
    "address": "service@measured.example",
    "imap_host": "127.0.0.1",
    "imap_port": 1,
    "imap_security": "none",
    "imap_user": "service",
    "imap_password": "-",
    "smtp_host": "127.0.0.1",
    "smtp_port": 1,
    "smtp_security": "none",
}
_IS_WAITING = "SELECT EXISTS (SELECT FROM inboxes_delivery WHERE is_waiting)"
_WARM_UP = 100


def mail(seconds: float) -> list[Figure]:
    """Mails as the poll stores them, until they are conversations: short ones, then long ones."""
    with place() as desk:
        inbox = desk.mailbox(**_MAILBOX)
        _settle(desk, inbox, letters.long, _WARM_UP, "warm")
        return [
            _settle(desk, inbox, letters.short, 1500, "mail", at_least=300),
            _settle(desk, inbox, letters.long, 900, "long mail"),
        ]


def _settle(
    desk: Place,
    inbox: UUID,
    letter: Callable[[int, str, datetime], bytes],
    count: int,
    item: str,
    *,
    at_least: float | None = None,
) -> Figure:
    assert desk.process is not None
    now, run = datetime.now(UTC), item.replace(" ", "-")
    mails = [letter(number, run, now) for number in range(count)]
    # One connection for all looks: to open one each time takes half a processor from what is measured.
    with psycopg.connect(desk.address, autocommit=True) as watcher:
        before = processors.spent(desk.process.pid)
        _put(watcher, desk, inbox, mails)
        began = time.monotonic()
        wait_until(lambda: not watcher.execute(_IS_WAITING).fetchone()[0], "Settling the mails", seconds=120)  # type: ignore[index]
        took = time.monotonic() - began
        after = processors.spent(desk.process.pid)
        [made] = watcher.execute(
            "SELECT count(*) FROM conversations_thread WHERE place_key LIKE %s", [f"{run}-%"]
        ).fetchone() or [0]
    conditions = {
        "mails": count,
        "bytes_each": sum(map(len, mails)) // count,
        "processor_ms_each": {
            part: round((after[part] - before.get(part, 0.0)) * 1000 / count, 2) for part in sorted(after)
        },
    }
    return Figure(item, round(made / took), "conversations/s", conditions, at_least=at_least)


def _put(connection: psycopg.Connection[Any], desk: Place, inbox: UUID, mails: list[bytes]) -> None:
    now = datetime.now(UTC)
    with connection.transaction():
        connection.cursor().executemany(
            "INSERT INTO inboxes_delivery (id, organisation_id, inbox_id, lane, received_at, body, headers, query)"
            " VALUES (%s, %s, %s, 0, %s, %s, '{}', '{}')",
            [(uuid7(), desk.organisation, inbox, now, each) for each in mails],
        )
