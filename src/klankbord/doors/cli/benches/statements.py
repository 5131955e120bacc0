"""How many SQL statements the message path needs, counted in this process where the driver hands them over."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from klankbord.kernel.ids import uuid7

from . import load
from .figures import Figure
from .place import Place, database_place

_SIZES = (1, 50, 500)
_SCOPE = re.compile(r"SAVEPOINT|RELEASE|SET LOCAL")  # the transaction and the wall around it


@contextlib.contextmanager
def counted_statements() -> Iterator[list[str]]:
    """All statements that this process sends while the block lasts, in order."""
    sent: list[str] = []
    original = psycopg.Cursor.execute

    def execute(cursor: Any, query: Any, *given: Any, **named: Any) -> Any:
        sent.append(str(query))
        return original(cursor, query, *given, **named)

    psycopg.Cursor.execute = execute  # type: ignore[method-assign, assignment]
    try:
        yield sent
    finally:
        psycopg.Cursor.execute = original  # type: ignore[method-assign]


def statements(seconds: float) -> list[Figure]:
    """Of one batch of one organisation, whatever its size; half of its messages go on in known conversations."""
    with database_place() as desk:
        from klankbord.flows.intake import take_in_lane

        inbox, _target = desk.inbox()
        desk.become_worker()
        _put(desk, inbox, load.messages(250, run="known"))
        take_in_lane(0, now=datetime.now(UTC))
        needed = {}
        for size in _SIZES:
            fresh = load.messages(size, run=f"fresh{size}")
            for event in fresh[::2]:
                event["place"] = event["person"] = {"id": "known-1", "visibility": "private"}
            _put(desk, inbox, fresh)
            with counted_statements() as sent:
                take_in_lane(0, now=datetime.now(UTC))
            needed[size] = len([each for each in sent if not _SCOPE.match(each)])
    conditions = {f"batch of {size}": count for size, count in needed.items()}
    return [
        Figure("statements a batch", max(needed.values()), "statements", conditions, at_most=25),
        Figure("statements a message", round(needed[50] / 50, 2), "statements", {"batch": 50}, at_most=0.5),
    ]


def _put(desk: Place, inbox: UUID, events: list[dict[str, Any]]) -> None:
    now = datetime.now(UTC)
    with psycopg.connect(desk.address) as connection:
        connection.cursor().executemany(
            "INSERT INTO inboxes_delivery (id, organisation_id, inbox_id, lane, received_at, body, headers, query)"
            " VALUES (%s, %s, %s, 0, %s, %s, '{}', '{}')",
            [(uuid7(), desk.organisation, inbox, now, json.dumps(event).encode()) for event in events],
        )
