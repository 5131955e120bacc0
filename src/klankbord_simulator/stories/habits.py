"""Human habits: how long people read and type, and the slips they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

_WORD = re.compile(r"\{\w+\}|[a-zë]{5,}")


@dataclass(frozen=True, slots=True)
class Tempo:
    """How the crowd behaves, in seconds of story time unless said.

    arrivals: between two new stories, shortest and longest. at_once: stories that open at the very start.
    most_open: no new story begins while so many are going on. filler: share of template stories after the first round.
    listens_every: how soon an answer is noticed. letters_per_second: typing. longest_typing: even a letter takes no
    longer. longest_pause: keeps "two days later" within a demonstration; None plays it at full length.
    """

    arrivals: tuple[float, float] = (20.0, 40.0)
    at_once: int = 6
    most_open: int = 40
    filler: float = 0.4
    listens_every: float = 2.0
    reads: tuple[float, float] = (3.0, 11.0)
    letters_per_second: float = 7.0
    longest_typing: float = 45.0
    longest_pause: float | None = None


def typing_seconds(text: str, *, tempo: Tempo, draw: Random) -> float:
    """Seconds between deciding to write this and sending it."""
    return min(1.0 + len(text) / tempo.letters_per_second * draw.uniform(0.7, 1.4), tempo.longest_typing)


def misspell(text: str, *, draw: Random, chance: float = 0.15) -> str:
    """Swap or drop a letter in one word now and then; {placeholders} stay whole."""
    if draw.random() >= chance:
        return text
    words = [found for found in _WORD.finditer(text) if not found[0].startswith("{")]
    if not words:
        return text
    word = draw.choice(words)
    place = word.start() + draw.randrange(1, len(word[0]) - 2)
    if draw.random() < 0.5 and text[place] != text[place + 1]:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + text[place + 1 :]
