"""The door's rows: claimed by lane, finished in the transaction that stores what they said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord import contract
from klankbord.kernel.ids import uuid7

from ..rows import packed, run
from ..wall import current_organisation_id

WORK = "klankbord_work"  # NOTIFY channel: something waits; a hint, the workers look every half second anyway
_LANE_LOCKS = 0x4B4C41  # the first key of our advisory locks; the second is the lane
_COLUMNS = "id, organisation_id, inbox_id, received_at, body, headers, query, is_history, attempts"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A waiting delivery, locked until the transaction ends."""

    id: UUID
    organisation_id: UUID
    inbox_id: UUID
    received_at: datetime
    body: bytes
    headers: dict[str, str]
    query: dict[str, str]
    is_history: bool
    attempts: int

    @property
    def delivery(self) -> contract.Delivery:
        return contract.Delivery(
            bytes(self.body), self.received_at, headers=self.headers, query=self.query, is_history=self.is_history
        )


def waiting_lanes() -> list[int]:
    """The lanes in which something waits. Hops over the index: the cost is in lanes, not in waiting rows."""
    rows = run(
        """WITH RECURSIVE lanes(lane) AS (
               (SELECT lane FROM inboxes_delivery WHERE is_waiting ORDER BY lane LIMIT 1)
               UNION ALL
               SELECT (SELECT d.lane FROM inboxes_delivery d WHERE d.is_waiting AND d.lane > lanes.lane
                        ORDER BY d.lane LIMIT 1)
                 FROM lanes WHERE lanes.lane IS NOT NULL)
           SELECT lane FROM lanes WHERE lane IS NOT NULL"""
    )
    return [lane for (lane,) in rows]


def claim(lane: int, *, limit: int, now: datetime) -> list[Claimed]:
    """The oldest waiting deliveries of a lane, or none when another worker holds the lane.

    The lane is locked before its rows are read: what the former holder committed is then seen.
    """
    [(is_ours,)] = run("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LANE_LOCKS, lane])
    if not is_ours:
        return []
    rows = run(
        f"SELECT {_COLUMNS} FROM inboxes_delivery"
        " WHERE is_waiting AND lane = %s AND (not_before IS NULL OR not_before <= %s)"
        " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
        [lane, now, limit],
    )
    return [Claimed(*row) for row in rows]


def finish(outcomes: Mapping[UUID, Sequence[Sequence[str]]], received: Mapping[UUID, datetime]) -> None:
    """Deliveries that wait no longer, with what became of each item: delivery → [(outcome, reason), …]."""
    rows = [
        {"id": key, "received_at": received[key], "items": len(items), "outcomes": [list(item) for item in items]}
        for key, items in sorted(outcomes.items())
    ]
    if rows:
        run(
            "UPDATE inboxes_delivery t SET is_waiting = false, items = r.items, outcomes = r.outcomes"
            " FROM json_to_recordset(%s::json) AS r(id uuid, received_at timestamptz, items integer, outcomes jsonb)"
            " WHERE t.id = r.id AND t.received_at = r.received_at",
            [packed(rows)],
        )


def put_off(claimed: Sequence[Claimed], *, until: datetime, lane: int | None = None) -> None:
    """Try these again later, in another lane when they held up their own."""
    for each in claimed:
        run(
            "UPDATE inboxes_delivery SET attempts = attempts + 1, not_before = %s, lane = coalesce(%s, lane)"
            " WHERE id = %s AND received_at = %s",
            [until, lane, each.id, each.received_at],
        )


def put(
    rows: Sequence[tuple[UUID, int, contract.Delivery]],
) -> list[UUID]:
    """Store deliveries of the open organisation: (inbox, lane, delivery). Gives their ids."""
    organisation_id = current_organisation_id()
    ids = [uuid7() for _ in rows]
    if rows:
        run(
            INSERT_DELIVERIES,
            delivery_parameters(
                [
                    (key, organisation_id, inbox, lane, delivery)
                    for key, (inbox, lane, delivery) in zip(ids, rows, strict=True)
                ]
            ),
        )
        run("SELECT pg_notify(%s, 'intake')", [WORK])
    return ids


# Parameters travel in binary: a body written out in hexadecimal cost the door a quarter of its time.
INSERT_DELIVERIES = """
    INSERT INTO inboxes_delivery (id, organisation_id, inbox_id, lane, received_at, body, headers, query, is_history)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::smallint[], %b::timestamptz[], %b::bytea[],
                         %b::text[]::jsonb[], %b::text[]::jsonb[], %b::boolean[])"""


def delivery_parameters(rows: Sequence[tuple[UUID, UUID, UUID, int, contract.Delivery]]) -> list[list[Any]]:
    """Parameters of INSERT_DELIVERIES: (id, organisation, inbox, lane, delivery) per row."""
    return [
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        [row[4].received_at for row in rows],
        [row[4].body for row in rows],
        [_words(row[4].headers) for row in rows],
        [_words(row[4].query) for row in rows],
        [row[4].is_history for row in rows],
    ]


def _words(words: Mapping[str, str]) -> str:
    # jsonb refuses NUL and lone surrogates; a header that holds them is evidence of nothing we need.
    return json.dumps(
        {key: value.replace("\x00", "").encode("utf-8", "replace").decode() for key, value in words.items()}
    )
