"""How often somebody may knock at the widget's door, counted in the database: the same for one web process and for ten.

Each rate is a bucket of which only one moment is kept: when it will be full again. One statement takes from all the
buckets of a request, so that a flood meets one small write and no queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

from klankbord.desk.inboxes.models import Knock
from klankbord.desk.rows import run

# A bucket that is full again by now counts from now. One that has no room keeps its moment, so that knocking on does
# not make the wait longer. Sorted, so that two requests never wait for each other's rows.
_TAKE = """
    WITH asked AS (
        SELECT * FROM unnest(%(who)s::text[], %(gap)s::interval[], %(room)s::interval[]) AS a(who, gap, room)),
    taken AS (
        INSERT INTO inboxes_knock AS k (who, free_at) SELECT who, %(now)s + gap FROM asked ORDER BY who
        ON CONFLICT (who) DO UPDATE
           SET free_at = GREATEST(k.free_at, %(now)s) + (EXCLUDED.free_at - %(now)s)
         WHERE GREATEST(k.free_at, %(now)s) + (EXCLUDED.free_at - %(now)s)
               <= %(now)s + (SELECT room FROM asked WHERE asked.who = k.who)
        RETURNING who)
    SELECT EXTRACT(EPOCH FROM k.free_at + asked.gap - asked.room - %(now)s)::float8
      FROM asked LEFT JOIN inboxes_knock k USING (who)
     WHERE NOT EXISTS (SELECT 1 FROM taken WHERE taken.who = asked.who)"""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, `per_minute` on the long run. name: of what is done, the same for all who do it."""

    name: str
    burst: int
    per_minute: float


def knock(*rates: tuple[Rate, str], now: datetime) -> int:
    """Take one from each bucket: 0, or the whole seconds until the emptiest has one. A string says whose it is."""
    rows = run(
        _TAKE,
        {
            "who": [_name(rate, who) for rate, who in rates],
            "gap": [_gap(rate) for rate, _ in rates],
            "room": [_gap(rate) * rate.burst for rate, _ in rates],
            "now": now,
        },
    )
    return max((max(ceil(wait or 0), 1) for (wait,) in rows), default=0)


def forget_knocks(*, now: datetime) -> int:
    """Remove what says nothing any more; gives how many."""
    return Knock.objects.filter(free_at__lt=now).delete()[0]


def _name(rate: Rate, who: str) -> str:
    return sha256(f"{rate.name} {who}".encode()).hexdigest()


def _gap(rate: Rate) -> timedelta:
    return timedelta(minutes=1) / rate.per_minute
