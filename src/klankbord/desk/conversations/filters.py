"""What a list can be narrowed by, as it stands in addresses and as SQL, and the orders it can be shown in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from ..organisations.models import Membership
from .models import Status

ANY = "any"  # status: whatever it is
ME, NONE = "me", "none"
STATUSES = tuple(map(str, (Status.OPEN, Status.PENDING, Status.SNOOZED, Status.RESOLVED, Status.SPAM)))
AGES = {
    "under-1h": timedelta(hours=1),
    "under-1d": timedelta(days=1),
    "under-7d": timedelta(days=7),
    "over-1d": timedelta(days=1),
    "over-7d": timedelta(days=7),
    "over-30d": timedelta(days=30),
}
SORTS = ("waiting", "newest", "oldest", "priority")
# In these nobody waits and the moment a list sorts by is that of the last message.
_IDLE = frozenset({Status.PENDING, Status.RESOLVED, Status.SPAM})
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,4})?")


@dataclass(frozen=True, slots=True)
class Filters:
    """All of it together must hold. owner: an id, "me" or "none"; team: an id or "none"; status: one, or "any"; "" and
    None: not narrowed. sort: "" is the order that fits the list."""

    inbox: UUID | None = None
    kind: str = ""
    visibility: str = ""
    label: UUID | None = None
    status: str = ""
    team: UUID | str | None = None
    owner: UUID | str | None = None
    language: str = ""
    priority: int | None = None
    age: str = ""
    has_files: bool = False
    is_unanswered: bool = False
    sort: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Filters:
        """From an address; what makes no sense narrows nothing."""
        return cls(**{name: read(given.get(word, "").strip()) for word, name, read, _write in _WORDS})

    @classmethod
    def of_query(cls, query: str) -> Filters:
        return cls.read(dict(parse_qsl(query)))

    @property
    def query(self) -> str:
        """As an address holds it, always in the same order, without "?"."""
        return urlencode(self.words())

    def words(self) -> dict[str, str]:
        """What is narrowed, by its word in addresses."""
        written = ((word, write(getattr(self, name))) for word, name, _read, write in _WORDS)
        return {word: text for word, text in written if text}

    @property
    def is_narrow(self) -> bool:
        return bool(replace(self, sort="").words())


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _id_or(*words: str) -> Callable[[str], UUID | str | None]:
    return lambda text: text if text in words else _id(text)


def _one_of(words: Any) -> Callable[[str], str]:
    return lambda text: text if text in words else ""


def _written(value: Any) -> str:
    return value.hex if isinstance(value, UUID) else "" if value is None else str(value)


def _level(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d", text) else None


def _flag(text: str) -> bool:
    return text == "1"


def _written_flag(value: bool) -> str:
    return "1" if value else ""


# The word in an address, the field, and how the one becomes the other and back.
_WORDS: tuple[tuple[str, str, Callable[[str], Any], Callable[[Any], str]], ...] = (
    ("inbox", "inbox", _id, _written),
    ("kind", "kind", lambda text: text if re.fullmatch(r"[a-z0-9_-]{1,40}", text) else "", _written),
    ("visibility", "visibility", _one_of({"public", "private"}), _written),
    ("label", "label", _id, _written),
    ("status", "status", _one_of((*STATUSES, ANY)), _written),
    ("team", "team", _id_or(NONE), _written),
    ("owner", "owner", _id_or(ME, NONE), _written),
    ("language", "language", lambda text: text if _LANGUAGE.fullmatch(text) else "", _written),
    ("priority", "priority", _level, _written),
    ("age", "age", _one_of(AGES), _written),
    ("files", "has_files", _flag, _written_flag),
    ("unanswered", "is_unanswered", _flag, _written_flag),
    ("sort", "sort", _one_of(SORTS), _written),
)


# ------------------------------------------------------------------------------------------------------ as SQL


@dataclass(slots=True)
class Condition:
    """On conversation `c`. sought: what an index leads to. sifted: what can only be told by looking at each; a page
    looks at a bounded number of them."""

    sought: list[str] = field(default_factory=list)
    sought_values: list[Any] = field(default_factory=list)
    sifted: list[str] = field(default_factory=list)
    sifted_values: list[Any] = field(default_factory=list)

    def seek(self, condition: str, *values: Any) -> None:
        self.sought.append(condition)
        self.sought_values += values

    def sift(self, condition: str, *values: Any) -> None:
        self.sifted.append(condition)
        self.sifted_values += values


_LABELLED = (
    "EXISTS (SELECT FROM conversations_conversationlabel f WHERE f.organisation_id = c.organisation_id"
    " AND f.conversation_id = c.id AND f.label_id = %s)"
)
_WITH_FILES = (
    "EXISTS (SELECT FROM conversations_message f JOIN conversations_attachment a"
    " ON a.organisation_id = f.organisation_id AND a.message_id = f.id"
    " WHERE f.organisation_id = c.organisation_id AND f.conversation_id = c.id)"
)


def narrow(condition: Condition, filters: Filters, *, status: str, by: Membership, now: datetime) -> None:
    """Add the filters to a condition that holds the view's status (one, or "any")."""
    if filters.inbox:
        condition.seek("c.inbox_id = %s", filters.inbox)
    if filters.kind:
        condition.seek(
            "c.inbox_id IN (SELECT k.id FROM inboxes_inbox k WHERE k.organisation_id = c.organisation_id"
            " AND k.kind = %s)",
            filters.kind,
        )
    if filters.label:
        condition.seek(_LABELLED, filters.label)
    for column, wanted in (("owner_id", filters.owner), ("team_id", filters.team)):
        if wanted == NONE:
            condition.seek(f"c.{column} IS NULL")
        elif wanted:
            condition.seek(f"c.{column} = %s", by.id if wanted == ME else wanted)
    if filters.age:
        way = "<" if filters.age.startswith("over-") else ">="
        moment = now - AGES[filters.age]
        condition.seek(
            f"c.is_idle AND c.sort_at {way} %s" if status in _IDLE else f"c.last_message_at {way} %s", moment
        )
    if filters.is_unanswered:
        condition.seek("NOT c.is_idle" if status == Status.OPEN else "c.waiting_since IS NOT NULL")
    if filters.visibility:
        condition.sift("c.visibility = %s", filters.visibility)
    if filters.language:
        condition.sift("c.language = %s", filters.language)
    if filters.priority is not None:
        condition.sift("c.priority = %s", filters.priority)
    if filters.has_files:
        condition.sift(_WITH_FILES)


Keyset = tuple[Any, ...]


class Sortable(Protocol):
    """What an order needs to know of a row."""

    @property
    def id(self) -> UUID: ...
    @property
    def is_idle(self) -> bool: ...
    @property
    def sort_at(self) -> datetime: ...
    @property
    def last_message_at(self) -> datetime: ...
    @property
    def priority(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Column:
    sql: str
    of: Callable[[Any], Any]
    write: Callable[[Any], str]
    read: Callable[[str], Any]  # raises ValueError


_RANK = _Column("(c.priority * -1)", lambda row: -row.priority, str, int)
_IS_IDLE = _Column("c.is_idle", lambda row: row.is_idle, lambda value: str(int(value)), lambda text: bool(int(text)))
_SORT_AT = _Column("c.sort_at", lambda row: row.sort_at, datetime.isoformat, datetime.fromisoformat)
_SPOKEN_AT = _Column("c.last_message_at", lambda row: row.last_message_at, datetime.isoformat, datetime.fromisoformat)
_ID = _Column("c.id", lambda row: row.id, lambda value: str(value.hex), UUID)


@dataclass(frozen=True, slots=True)
class Order:
    """columns: the last one is unique. All go one way, so that "after this row" is one comparison that an index
    serves."""

    columns: tuple[_Column, ...]
    is_downward: bool

    @property
    def sql(self) -> str:
        return ", ".join(f"{each.sql} {'DESC' if self.is_downward else 'ASC'}" for each in self.columns)

    @property
    def after(self) -> str:
        names, blanks = ", ".join(each.sql for each in self.columns), ", ".join("%s" for _ in self.columns)
        return f"({names}) {'<' if self.is_downward else '>'} ({blanks})"

    def place_of(self, row: Sortable) -> Keyset:
        return tuple(each.of(row) for each in self.columns)

    def write(self, place: Keyset) -> str:
        """A place as an address holds it."""
        return "_".join(each.write(value) for each, value in zip(self.columns, place, strict=True))

    def read(self, text: str) -> Keyset | None:
        try:
            place = tuple(each.read(part) for each, part in zip(self.columns, text.split("_"), strict=True))
        except (ValueError, OverflowError):
            return None
        return None if any(isinstance(each, datetime) and each.tzinfo is None for each in place) else place


_KEPT = (_IS_IDLE, _SORT_AT, _ID)


def sorts_of(status: str) -> tuple[str, ...]:
    """The orders that make sense in a list of this status; the first is the one it has by itself."""
    return ("newest", "oldest") if status == ANY or status in _IDLE else SORTS


def order_of(status: str, sort: str) -> Order:
    sort = sort if sort in sorts_of(status) else sorts_of(status)[0]
    if sort == "waiting":
        return Order(_KEPT, is_downward=False)
    if sort == "priority":
        return Order((_RANK, *_KEPT), is_downward=False)
    return Order(_KEPT if status in _IDLE else (_SPOKEN_AT, _ID), is_downward=sort == "newest")
