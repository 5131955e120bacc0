"""What a measurement gives, and sums over several."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. at_least, at_most: what it should be; None: no demand."""

    item: str
    value: float
    unit: str
    conditions: dict[str, Any] = field(default_factory=dict)
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def demand(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    def as_json(self) -> str:
        return json.dumps(
            {name: value for name, value in asdict(self).items() if value is not None}, ensure_ascii=False
        )


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many (0-1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def median_of(runs: Sequence[Figure]) -> Figure:
    """Several runs of one measurement as one figure: the median, with all values beside it."""
    values = [each.value for each in runs]
    first = runs[0]
    conditions = {**first.conditions, "runs": values} if len(runs) > 1 else first.conditions
    return Figure(
        first.item, round(statistics.median(values), 2), first.unit, conditions, first.at_least, first.at_most
    )
