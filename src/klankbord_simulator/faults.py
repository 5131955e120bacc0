"""What can go wrong on a platform's side, drawn from seeded chance or planned call by call."""

from __future__ import annotations

import enum
import random
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

T = TypeVar("T")


class Fault(enum.StrEnum):
    TOO_MANY = "too_many"  # 429, nothing done
    BROKEN = "broken"  # 503, nothing done
    CUT = "cut"  # connection closed before anything is done
    SILENT = "silent"  # done, but no answer ever comes
    CUT_AFTER = "cut_after"  # done, then the connection is closed without an answer
    SLOW = "slow"  # done, the answer trickles
    HTML = "html"  # 200 with an error page for people; done only with `ill_answers_accept`
    EMPTY = "empty"  # 200 without a body; likewise
    REVOKED = "revoked"  # the credentials are refused, nothing done


@dataclass(frozen=True, slots=True)
class Odds:
    """The mood of a platform. Shares are 0-1, times in seconds.

    duplicates: share of the deliveries to the shop that come twice. shuffle: how many neighbours may change places.
    late, late_by: share of the deliveries held back, and how long. delay: before each answer.
    retry_after: what a 429 names; None: nothing. revoke_at_call: from this call on (1 is the first) the credentials
    are refused, until set to None again. only: a pattern of "METHOD /path" that limits the faults of answers.
    """

    duplicates: float = 0.0
    shuffle: int = 0
    late: float = 0.0
    late_by: float = 1.0
    delay: float = 0.0
    too_many: float = 0.0
    retry_after: int | None = 1
    broken: float = 0.0
    cut: float = 0.0
    silent: float = 0.0
    cut_after: float = 0.0
    slow: float = 0.0
    bytes_per_second: float = 1.0
    html: float = 0.0
    empty: float = 0.0
    ill_answers_accept: bool = False
    revoke_at_call: int | None = None
    unknown_fields: bool = False
    only: str = ""


DRAWN = (
    Fault.TOO_MANY,
    Fault.BROKEN,
    Fault.CUT,
    Fault.SILENT,
    Fault.CUT_AFTER,
    Fault.SLOW,
    Fault.HTML,
    Fault.EMPTY,
)


@dataclass(slots=True)
class Planned:
    fault: Fault
    times: int
    only: str
    retry_after: int | None


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one call. done: whether the platform does what was asked before it misbehaves."""

    fault: Fault | None
    done: bool
    delay: float
    retry_after: int | None
    bytes_per_second: float


class Mischief:
    """The adjustable source of faults of one fake. Safe to use from several threads."""

    def __init__(self, *, seed: int = 1, odds: Odds | None = None) -> None:
        self._lock = threading.Lock()
        self._chance = random.Random(seed)
        self._odds = odds or Odds()
        self._planned: list[Planned] = []
        self._calls = 0

    @property
    def odds(self) -> Odds:
        return self._odds

    def set(self, **values: Any) -> None:
        """Change some odds. Raises ValueError for an unknown name."""
        unknown = set(values) - {each.name for each in fields(Odds)}
        if unknown:
            raise ValueError(f"Unknown odds: {', '.join(sorted(unknown))}.")
        with self._lock:
            self._odds = replace(self._odds, **values)
            if values.get("revoke_at_call") is not None:
                self._calls = 0

    def calm(self) -> None:
        """Be well again: no odds, no plans."""
        with self._lock:
            self._odds, self._planned, self._calls = Odds(), [], 0

    def next(self, fault: Fault | str, *, times: int = 1, only: str = "", retry_after: int | None = 1) -> None:
        """Plan a fault for exactly the next calls that match `only`, a pattern of "METHOD /path"."""
        with self._lock:
            self._planned.append(Planned(Fault(fault), times, only, retry_after))

    def fate(self, call: str) -> Fate:
        """Decide about one call, named "METHOD /path". Draws are made in order of arrival."""
        with self._lock:
            odds = self._odds
            retry_after = odds.retry_after
            fault: Fault | None = None
            if not odds.only or re.search(odds.only, call):
                self._calls += 1
                if odds.revoke_at_call is not None and self._calls >= odds.revoke_at_call:
                    fault = Fault.REVOKED
                fault = fault or self._draw(odds)
            for plan in self._planned:
                if not plan.only or re.search(plan.only, call):
                    fault, retry_after = plan.fault, plan.retry_after
                    plan.times -= 1
                    break
            self._planned = [plan for plan in self._planned if plan.times > 0]
        is_done = fault in {None, Fault.SILENT, Fault.CUT_AFTER, Fault.SLOW} or (
            fault in {Fault.HTML, Fault.EMPTY} and odds.ill_answers_accept
        )
        return Fate(fault, is_done, odds.delay, retry_after, odds.bytes_per_second)

    def _draw(self, odds: Odds) -> Fault | None:
        shares = asdict(odds)
        point = self._chance.random()
        for fault in DRAWN:
            point -= shares[fault.value]
            if point < 0:
                return fault
        return None

    def dealt(self, items: Sequence[T]) -> list[T]:
        """The same items with some of them twice and neighbours in another order."""
        with self._lock:
            odds = self._odds
            twice = [item for item in items for _ in range(1 + (self._chance.random() < odds.duplicates))]
            if not odds.shuffle:
                return twice
            places = [place + self._chance.uniform(0, odds.shuffle + 1) for place in range(len(twice))]
        return [twice[place] for place in sorted(range(len(twice)), key=places.__getitem__)]

    def lateness(self) -> float:
        """Seconds to hold a delivery back."""
        with self._lock:
            return self._odds.late_by if self._chance.random() < self._odds.late else 0.0

    def pick(self, waiting: int) -> int:
        """Which of so many waiting deliveries goes first: 0 unless we shuffle."""
        with self._lock:
            return self._chance.randrange(min(waiting, self._odds.shuffle + 1)) if waiting else 0

    def with_news(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The same object, with fields that no client knows yet when the mood is such."""
        if not self._odds.unknown_fields:
            return dict(value)
        return {
            **value,
            "brand_new_field": {"since": 2031, "values": [None, "\u2603", 1.5]},
            "x_flags": 9007199254740993,
        }
