"""The crowd: customers of the shop who begin stories, hear the desk's answers and react, at a human pace.

`Customers.run` is one thread that holds all open performances in order of their next moment. The clock is a parameter:
real (any number of times faster than life) for a demonstration, virtual for tests, where a year costs nothing.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Protocol

from .ending import ended_by_signal
from .stage import Stage
from .stories import ALL_STORIES, FIRST_STORIES
from .stories.cast import cast
from .stories.far import read_addresses
from .stories.filler import make_filler
from .stories.habits import Tempo
from .stories.model import Story
from .stories.performance import Ending, Performance, spots_on

_log = logging.getLogger(__name__)
_LONGEST_NAP = 0.5  # seconds of real time: how soon a stop is noticed by a crowd without an event


class Clock(Protocol):
    """Seconds of story time."""

    def now(self) -> float: ...

    def wait_until(self, moment: float, stop: threading.Event) -> None:
        """Return at that moment, or soon after `stop` is set."""
        ...


class RealClock:
    """pace: how many times faster than life; 1.0 is life."""

    def __init__(self, pace: float = 1.0) -> None:
        if pace <= 0:
            raise ValueError("The pace must be above zero.")
        self._pace, self._began = pace, time.monotonic()

    def now(self) -> float:
        return (time.monotonic() - self._began) * self._pace

    def wait_until(self, moment: float, stop: threading.Event) -> None:
        stop.wait(max(0.0, (moment - self.now()) / self._pace))


class VirtualClock:
    """Time that passes only by waiting for it."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wait_until(self, moment: float, stop: threading.Event) -> None:
        self._now = max(self._now, moment)


class Customers:
    """All customers together.

    stages: one of each kind at most. stories: what is told, each once a round; then mixed with filler. seed: the same
    seed gives the same people, words and waits. lasts: stop by itself after so many stories; None goes on for ever.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        clock: Clock | None = None,
        seed: int = 1,
        tempo: Tempo | None = None,
        stories: Sequence[Story] = ALL_STORIES,
        lasts: int | None = None,
    ) -> None:
        self.endings: Counter[Ending] = Counter()
        self.broken = 0  # stories that ended because a stage failed
        self.finished: deque[Performance] = deque(maxlen=500)
        self._stages = {stage.kind: stage for stage in stages}
        self._clock, self._seed, self._tempo = clock or RealClock(), seed, tempo or Tempo()
        self._draw = Random(f"{seed}:crowd")
        self._numbers, self._fillers = itertools.count(1), itertools.count(1)
        self._open: list[tuple[float, int, Performance]] = []
        self._busy: set[int] = set()  # numbers of open performances that are not dormant
        self._programme = itertools.islice(self._stories(stories), lasts)
        self._next_arrival: float | None = 0.0

    @property
    def open_count(self) -> int:
        """Stories going on now; those who will come back later are not counted."""
        return len(self._busy)

    def begin(self, story: Story, *, now: float) -> Performance:
        """Let somebody begin this story. Raises LookupError when none of its spots is there."""
        spots = spots_on(self._stages, story)
        if not spots:
            raise LookupError(f"No stage for {story.id}.")
        number = next(self._numbers)
        draw = Random(f"{self._seed}:{number}:{story.id}")
        role = cast(story, number=number, draw=draw)
        # Mostly where the story feels at home, sometimes on its second or third choice.
        spot = spots[0] if draw.random() < 0.6 else draw.choice(spots)
        performance = Performance(story, role, spot, self._stages, draw=draw, tempo=self._tempo, now=now)
        heapq.heappush(self._open, (now, number, performance))
        self._busy.add(number)
        return performance

    def run(self, stop: threading.Event) -> None:
        """Play until `stop` is set, or until the last story has ended where there is a last one."""
        for _ in range(self._tempo.at_once):
            self._welcome(self._clock.now())
        while not stop.is_set() and (self._open or self._next_arrival is not None):
            now = self._clock.now()
            while self._open and self._open[0][0] <= now and not stop.is_set():
                self._step(now)
            if self._next_arrival is not None and now >= self._next_arrival and self.open_count < self._tempo.most_open:
                self._welcome(now)
            self._clock.wait_until(self._next_moment(now), stop)

    def _next_moment(self, now: float) -> float:
        moments = [self._open[0][0]] if self._open else []
        if self._next_arrival is not None and self.open_count < self._tempo.most_open:
            moments.append(self._next_arrival)
        return min(moments, default=now + _LONGEST_NAP)

    def _welcome(self, now: float) -> None:
        story = next(self._programme, None)
        if story is None:
            self._next_arrival = None
            return
        self.begin(story, now=now)
        self._next_arrival = now + self._draw.uniform(*self._tempo.arrivals)

    def _step(self, now: float) -> None:
        _, number, performance = heapq.heappop(self._open)
        try:
            moment = performance.step(now)
        except Exception:
            # One platform that fails in an unforeseen way ends this person's story, not everybody's.
            _log.exception("The story %s broke off.", performance.story.id)
            self.broken += 1
            self._busy.discard(number)
            return
        if moment is not None:
            heapq.heappush(self._open, (moment, number, performance))
        if moment is None or performance.is_dormant:
            self._busy.discard(number)
        else:
            self._busy.add(number)
        if performance.ending is not None:
            self.endings[performance.ending] += 1
            self.finished.append(performance)

    def _stories(self, stories: Sequence[Story]) -> Iterator[Story]:
        """First the openers, then the rest in a drawn order, then rounds without end with filler among them."""
        playable = [story for story in stories if spots_on(self._stages, story)]
        round_one = sorted(playable, key=lambda story: self._draw.random())
        yield from sorted(round_one, key=_first_ones)
        while True:
            for story in sorted(playable, key=lambda story: self._draw.random()):
                while self._draw.random() < self._tempo.filler:
                    yield self._filler()
                yield story
            if not playable:
                yield self._filler()

    def _filler(self) -> Story:
        while True:
            story = make_filler(number=next(self._fillers), draw=self._draw)
            if spots_on(self._stages, story):
                return story


def _first_ones(story: Story) -> int:
    return FIRST_STORIES.index(story.id) if story.id in FIRST_STORIES else len(FIRST_STORIES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Let customers write to the platforms of an address file until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="customers", description=main.__doc__)
    parser.add_argument("--platforms", type=Path, required=True, help="JSON: kind -> {url} of each simulated platform")
    parser.add_argument("--pace", type=float, default=1.0, help="how many times faster than life")
    parser.add_argument("--seed", type=int, default=1, help="the same seed brings the same crowd")
    parser.add_argument("--at-once", type=int, default=6, help="stories that begin at the very start")
    parser.add_argument("--most-open", type=int, default=40, help="no new story begins while so many are going on")
    chosen = parser.parse_args(arguments)
    tempo = Tempo(at_once=chosen.at_once, most_open=chosen.most_open, longest_pause=15 * 60.0)
    customers = Customers(read_addresses(chosen.platforms), clock=RealClock(chosen.pace), seed=chosen.seed, tempo=tempo)
    stop = ended_by_signal()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s customers %(message)s")
    customers.run(stop)
    _log.info("Left: %s still waiting, %s", customers.open_count, dict(customers.endings))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
