"""Volume for measurements: many conversations at once, every message numbered, so that loss and order can be seen.

A message carries a tag such as `[load·17·3/10]`: run, conversation, place in it. `drive` writes them, each conversation
from one thread and in order; `judge` compares what arrived with what was sent.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from ..stage import Actor, Stage
from .cast import cast, fill
from .filler import make_filler
from .model import Say

_TAG = re.compile(r"\[(?P<run>[a-z0-9-]+)·(?P<conversation>\d+)·(?P<place>\d+)/(?P<of>\d+)\]")


@dataclass(frozen=True, slots=True, order=True)
class Number:
    """Place of a message: counts from 1 in its conversation, `of` in all."""

    run: str
    conversation: int
    place: int
    of: int

    def __str__(self) -> str:
        return f"[{self.run}·{self.conversation}·{self.place}/{self.of}]"


def read_number(text: str) -> Number | None:
    """The tag in a message, None when it has none."""
    found = _TAG.search(text)
    if found is None:
        return None
    return Number(found["run"], int(found["conversation"]), int(found["place"]), int(found["of"]))


@dataclass(frozen=True, slots=True)
class Load:
    """What to write.

    run: lower-case letters and digits. per_second: of all writers together; None: as fast as it goes.
    """

    run: str
    conversations: int
    messages_each: int
    writers: int = 4
    per_second: float | None = None
    public: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Driven:
    """What was written. seconds: real time. failed: messages whose `say` raised, by number, with the reason."""

    sent: frozenset[Number]
    seconds: float
    failed: dict[Number, str]


def drive(stage: Stage, load: Load, *, stop: threading.Event) -> Driven:
    """Write the whole load to one stage and return when it is written or `stop` is set."""
    sent: set[Number] = set()
    failed: dict[Number, str] = {}
    began = time.monotonic()

    def write(writer: int) -> None:
        mine = [_Writer(stage, load, number) for number in range(writer, load.conversations, load.writers)]
        pause = load.writers / load.per_second if load.per_second else 0.0
        due = time.monotonic()
        for place in range(1, load.messages_each + 1):
            for each in mine:
                due += pause
                if stop.wait(max(0.0, due - time.monotonic()) if pause else 0):
                    return
                number = Number(load.run, each.conversation, place, load.messages_each)
                try:
                    each.write(number)
                except Exception as error:  # a stage under test may fail in any way; the caller judges
                    failed[number] = f"{type(error).__name__}: {error}"
                else:
                    sent.add(number)

    threads = [
        threading.Thread(target=write, args=(writer,), name=f"writer-{writer}") for writer in range(load.writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Driven(frozenset(sent), time.monotonic() - began, failed)


class _Writer:
    """A person with one conversation."""

    def __init__(self, stage: Stage, load: Load, conversation: int) -> None:
        self.conversation = conversation
        self._stage, self._public = stage, load.public
        self._draw = Random(f"{load.seed}:{load.run}:{conversation}")
        self._story = make_filler(number=conversation, draw=self._draw)
        role = cast(self._story, number=conversation, draw=self._draw)
        self._facts = role.facts
        self._actor = Actor(
            role.name, f"{load.run}_{role.username}", f"{load.run}_{role.email}", role.language, role.colour
        )
        self._latest: str | None = None

    def write(self, number: Number) -> None:
        act = self._story.opening[0]
        assert isinstance(act, Say)
        self._latest = self._stage.say(
            self._actor,
            f"{fill(act.text, self._facts)} {number}",
            public=self._public,
            in_reply_to=self._latest if self._stage.kind in {"email", "mastodon", "api"} else None,
            title=fill(self._story.subject, self._facts) if self._stage.kind in {"email", "api"} else "",
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the numbered messages. out_of_order: those that stand before an earlier one in their thread."""

    lost: frozenset[Number]
    doubled: frozenset[Number]
    out_of_order: frozenset[Number]
    strangers: int  # messages without a number, or of another run

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order)


def judge(sent: Iterable[Number], threads: Iterable[Iterable[str]], *, run: str) -> Verdict:
    """Compare. threads: the texts of each thread, in the order in which the desk shows them."""
    seen: set[Number] = set()
    doubled: set[Number] = set()
    out_of_order: set[Number] = set()
    strangers = 0
    for texts in threads:
        highest: dict[int, int] = {}
        for text in texts:
            number = read_number(text)
            if number is None or number.run != run:
                strangers += 1
                continue
            if number in seen:
                doubled.add(number)
                continue
            seen.add(number)
            if number.place < highest.get(number.conversation, 0):
                out_of_order.add(number)
            highest[number.conversation] = max(number.place, highest.get(number.conversation, 0))
    return Verdict(frozenset(sent) - seen, frozenset(doubled), frozenset(out_of_order), strangers)
