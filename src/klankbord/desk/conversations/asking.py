"""What somebody types into the search box, read: words, "phrases", and filters such as `from:anouk`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from klankbord.kernel.text import fold

from .models import Status

LONGEST = 200  # characters of the box that are read
_MOST_TERMS = 8
_SHORTEST_BEGINNING = 3  # "a" as the beginning of a word would be half of the index

# Dutch beside English: whoever types one of them is understood, whatever the language of the screen.
FILTERS = {
    "from": "from", "van": "from",
    "inbox": "inbox", "postvak": "inbox",
    "label": "label",
    "before": "before", "voor": "before",
    "after": "after", "since": "after", "na": "after", "sinds": "after",
    "is": "is",
    "in": "in",
}  # fmt: skip
STATUSES = {
    "open": Status.OPEN,
    "pending": Status.PENDING, "wacht": Status.PENDING,
    "snoozed": Status.SNOOZED, "sluimert": Status.SNOOZED,
    "resolved": Status.RESOLVED, "afgerond": Status.RESOLVED,
    "spam": Status.SPAM,
}  # fmt: skip
PLACES = {"public": "public", "openbaar": "public", "private": "private", "prive": "private"}
_MEANINGS: Mapping[str, Mapping[str, str]] = {"is": STATUSES, "in": PLACES}
_DAYS = {"today": 0, "vandaag": 0, "yesterday": 1, "gisteren": 1}

_TERM = re.compile(r'(?:(?P<name>\w+):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S+))|(?P<bare>\w+):')
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\s*(#?)(\d{1,18})\s*")


@dataclass(frozen=True, slots=True)
class Question:
    """words, phrases, senders: folded. since, until: aware, half open. unread: filters nobody could read, as typed."""

    words: tuple[str, ...] = ()
    beginning: str = ""  # the last word, which may go on
    phrases: tuple[tuple[str, ...], ...] = ()
    senders: tuple[str, ...] = ()
    inboxes: tuple[str, ...] = ()  # as typed, folded
    labels: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    visibility: str = ""
    since: datetime | None = None
    until: datetime | None = None
    number: int | None = None
    is_number_only: bool = False
    unread: tuple[str, ...] = ()

    @property
    def has_words(self) -> bool:
        return bool(self.words or self.beginning or self.phrases or self.senders)

    @property
    def is_empty(self) -> bool:
        return not (
            self.has_words
            or self.inboxes
            or self.labels
            or self.statuses
            or self.visibility
            or self.since
            or self.until
        )

    @property
    def all_words(self) -> tuple[str, ...]:
        """Every single word, for marking where it occurs."""
        said = (*self.words, *([self.beginning] if self.beginning else []))
        return (*said, *(word for phrase in self.phrases for word in phrase))


def words_of(text: str) -> list[str]:
    """The words of a text as the index and a question divide it: folded, letters and digits only."""
    return _WORD.findall(fold(text))


def read(text: str, *, zone: tzinfo, today: date) -> Question:
    """today: in that zone, for "yesterday" and for a month without a year."""
    text = text[:LONGEST]
    if number := _NUMBER.fullmatch(text):
        return Question(beginning="" if number[1] else number[2], number=int(number[2]), is_number_only=bool(number[1]))
    terms: list[tuple[str, bool]] = []  # a word or a phrase, in order
    found: dict[str, list[str]] = {}
    unread: list[str] = []
    since: datetime | None = None
    until: datetime | None = None
    for term in _TERM.finditer(text):
        name = FILTERS.get(fold(term["name"] or term["bare"] or ""), "")
        is_quoted = term["quoted"] is not None
        value = (term["quoted"] if is_quoted else term["plain"]) or ""
        if not name:
            whole = value if is_quoted else term.group()
            terms.append((whole, is_quoted))
            continue
        said = " ".join(fold(value).split())
        if not said:
            continue  # somebody is still typing
        if name in ("before", "after"):
            start = _start_of(said, zone, today)
            if start is None:
                unread.append(term.group())
            elif name == "before":
                until = min(until, start) if until else start
            else:
                since = max(since, start) if since else start
            continue
        known = _MEANINGS.get(name)
        if known is not None and said not in known:
            unread.append(term.group())
            continue
        found.setdefault(name, []).append(str(known[said]) if known is not None else said)
    words, phrases, beginning = _divided(terms)
    return Question(
        words=words,
        beginning=beginning,
        phrases=phrases,
        senders=tuple(word for said in found.get("from", ()) for word in words_of(said))[:_MOST_TERMS],
        inboxes=tuple(found.get("inbox", ())),
        labels=tuple(found.get("label", ())),
        statuses=tuple(found.get("is", ())),
        visibility=found.get("in", [""])[-1],
        since=since,
        until=until,
        unread=tuple(unread),
    )


def _divided(terms: list[tuple[str, bool]]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], str]:
    """Single words, phrases, and the last word when it may go on."""
    words: list[str] = []
    phrases: list[tuple[str, ...]] = []
    for said, is_quoted in terms:
        parts = words_of(said)
        if is_quoted and len(parts) > 1:
            phrases.append(tuple(parts[:_MOST_TERMS]))
        else:
            words += parts
    words = words[:_MOST_TERMS]
    is_open = bool(terms) and not terms[-1][1] and bool(words)
    if is_open and (len(words[-1]) >= _SHORTEST_BEGINNING or not words[-1].isascii()):
        return tuple(words[:-1]), tuple(phrases[:4]), words[-1]
    return tuple(words), tuple(phrases[:4]), ""


def _start_of(said: str, zone: tzinfo, today: date) -> datetime | None:
    """The first moment of "2026-11-22", "22-11-2026", "22-11", "2026-11", "2026", "yesterday", "7d"."""
    day = _day(said, today)
    return datetime.combine(day, time(), tzinfo=zone) if day else None


def _day(said: str, today: date) -> date | None:
    if said in _DAYS:
        return today - timedelta(days=_DAYS[said])
    if match := re.fullmatch(r"(\d{1,3})d", said):
        return today - timedelta(days=int(match[1]))
    if not re.fullmatch(r"\d{1,4}([-/.]\d{1,4}){0,2}", said, re.ASCII):
        return None
    try:
        match [int(each) for each in re.split(r"[-/.]", said)]:
            case [year] if year >= 1000:
                return date(year, 1, 1)
            case [year, month] if year >= 1000:
                return date(year, month, 1)
            case [day, month]:  # the newest one there was
                found = date(today.year, month, day)
                return found if found <= today else date(today.year - 1, month, day)
            case [year, month, day] if year >= 1000:
                return date(year, month, day)
            case [day, month, year]:
                return date(year, month, day)
    except ValueError:
        return None
    return None
