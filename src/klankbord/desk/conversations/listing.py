"""The lists of conversations: views, their counts, and pages of rows. Every screen reads these, so they are written
as SQL: what the ORM spends on writing such a statement and on building its objects is most of a page's time."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from .. import rows
from ..organisations.models import Membership
from ..wall import current_organisation_id
from .models import NOBODY, Status

PAGE = 50
_STATUS_VIEWS = {
    "all": Status.OPEN,
    "pending": Status.PENDING,
    "snoozed": Status.SNOOZED,
    "resolved": Status.RESOLVED,
    "spam": Status.SPAM,
}
_NEWEST_FIRST = frozenset({Status.PENDING, Status.RESOLVED, Status.SPAM})

Keyset = tuple[bool, datetime, UUID]


@dataclass(frozen=True, slots=True)
class View:
    """One list of conversations. name: mine, unassigned, team, all, pending, snoozed, resolved, spam."""

    name: str
    team: UUID | None = None

    @classmethod
    def read(cls, slug: str) -> View | None:
        """From the word in an address; None when there is no such view."""
        if slug in {"mine", "unassigned", *_STATUS_VIEWS}:
            return cls(slug)
        found = re.fullmatch(r"team-([0-9a-f]{32})", slug)
        return cls("team", UUID(found[1])) if found else None

    @property
    def slug(self) -> str:
        return f"team-{self.team.hex}" if self.team else self.name

    @property
    def status(self) -> str:
        return str(_STATUS_VIEWS.get(self.name, Status.OPEN))

    @property
    def is_newest_first(self) -> bool:
        return self.status in _NEWEST_FIRST

    def holds(self, conversation: Listed, by: Membership) -> bool:
        """Whether a conversation stands in this list now."""
        if conversation.status != self.status:
            return False
        if self.name == "mine":
            return bool(conversation.owner_id == by.id)
        if self.name == "unassigned":
            return conversation.owner_id is None
        return self.team is None or bool(conversation.team_id == self.team)


@dataclass(frozen=True, slots=True)
class Filters:
    inbox: UUID | None = None
    visibility: str = ""
    label: UUID | None = None


@dataclass(slots=True)
class Counts:
    """How many conversations stand in each view, from the maintained counters."""

    by_view: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_team: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))

    def of(self, view: View) -> int:
        return self.by_team[view.team] if view.team else self.by_view[view.name]


class Listed(NamedTuple):
    """A conversation as a list shows it. kind: its inbox's channel; labels: their names, in order."""

    id: UUID
    number: int
    status: str
    visibility: str
    preview: str
    preview_by: str
    has_trouble: bool
    is_idle: bool
    sort_at: datetime
    waiting_since: datetime | None
    snoozed_until: datetime | None
    resolved_at: datetime | None
    last_message_at: datetime
    team_id: UUID | None
    owner_id: UUID | None
    owner_initials: str | None
    owner_name: str | None
    contact_id: UUID
    contact_name: str
    kind: str
    labels: list[str]


def page(
    view: View, *, by: Membership, inboxes: Collection[UUID], filters: Filters, after: Keyset | None = None
) -> tuple[list[Listed], Keyset | None]:
    """One page of a view and from where the next one goes on (None at the end)."""
    where, values = _in_view(view, by, inboxes, filters)
    way = "DESC" if view.is_newest_first else "ASC"
    if after is not None:
        where += f" AND (c.is_idle, c.sort_at, c.id) {'<' if view.is_newest_first else '>'} (%s, %s, %s)"
        values += after
    order = f"c.is_idle {way}, c.sort_at {way}, c.id {way}"
    shown = _listed(f"{where} ORDER BY {order} LIMIT {PAGE + 1}", values, order)
    rest = shown[PAGE - 1] if len(shown) > PAGE else None
    return shown[:PAGE], (rest.is_idle, rest.sort_at, rest.id) if rest else None


def by_ids(ids: Iterable[UUID], *, inboxes: Collection[UUID]) -> dict[UUID, Listed]:
    found = _listed("c.inbox_id = ANY(%s) AND c.id = ANY(%s)", [list(inboxes), list(ids)])
    return {each.id: each for each in found}


def by_numbers(numbers: Iterable[int], *, inboxes: Collection[UUID]) -> dict[int, Listed]:
    found = _listed("c.inbox_id = ANY(%s) AND c.number = ANY(%s)", [list(inboxes), list(numbers)])
    return {each.number: each for each in found}


def newest_arrivals(
    view: View, *, by: Membership, inboxes: Collection[UUID], filters: Filters, since: datetime
) -> list[int]:
    """Numbers of the conversations of a view in which something came after a moment, at most a page of them."""
    where, values = _in_view(view, by, inboxes, filters)
    found = rows.run(
        f"SELECT c.number FROM conversations_conversation c WHERE c.organisation_id = %s AND {where}"
        f" AND c.last_message_at > %s ORDER BY c.is_idle, c.sort_at, c.id LIMIT {PAGE}",
        [current_organisation_id(), *values, since],
    )
    return [number for (number,) in found]


def counts(*, by: Membership, inboxes: Collection[UUID]) -> Counts:
    found = Counts()
    lines = rows.run(
        "SELECT status, CASE owner_id WHEN %s THEN 'mine' WHEN %s THEN 'unassigned' END AS whose, team_id, sum(count)"
        " FROM conversations_viewcounter WHERE organisation_id = %s AND inbox_id = ANY(%s) GROUP BY 1, 2, 3",
        [by.id, NOBODY, current_organisation_id(), list(inboxes)],
    )
    for status, whose, team, total in lines:
        for view, wanted in _STATUS_VIEWS.items():
            if status == wanted:
                found.by_view[view] += int(total)
        if status == Status.OPEN:
            if whose:
                found.by_view[whose] += int(total)
            if team != NOBODY:
                found.by_team[team] += int(total)
    return found


def _listed(where: str, values: list[Any], order: str = "") -> list[Listed]:
    """The rows that are wanted first, then what belongs to each of them."""
    ours = current_organisation_id()
    found = rows.run(
        f"""SELECT c.id, c.number, c.status, c.visibility, c.preview, c.preview_by, c.has_trouble, c.is_idle, c.sort_at,
                   c.waiting_since, c.snoozed_until, c.resolved_at, c.last_message_at, c.team_id, c.owner_id,
                   o.initials, u.name, c.contact_id, p.name, i.kind,
                   ARRAY(SELECT l.name FROM conversations_conversationlabel cl
                           JOIN conversations_label l ON l.organisation_id = cl.organisation_id AND l.id = cl.label_id
                          WHERE cl.organisation_id = c.organisation_id AND cl.conversation_id = c.id
                          ORDER BY l.name)
              FROM (SELECT * FROM conversations_conversation c WHERE c.organisation_id = %s AND {where}) c
              JOIN contacts_contact p ON p.organisation_id = c.organisation_id AND p.id = c.contact_id
              JOIN inboxes_inbox i ON i.organisation_id = c.organisation_id AND i.id = c.inbox_id
              LEFT JOIN organisations_membership o ON o.id = c.owner_id
              LEFT JOIN organisations_user u ON u.id = o.user_id
              {"ORDER BY " + order if order else ""}""",
        [ours, *values],
    )
    return [Listed(*each) for each in found]


def _in_view(view: View, by: Membership, inboxes: Collection[UUID], filters: Filters) -> tuple[str, list[Any]]:
    """The condition of a view on conversation `c`, and its values."""
    where, values = ["c.status = %s", "c.inbox_id = ANY(%s)"], [view.status, list(inboxes)]

    def also(condition: str, value: object) -> None:
        where.append(condition)
        values.append(value)  # type: ignore[arg-type]

    if view.name == "mine":
        also("c.owner_id = %s", by.id)
    elif view.name == "unassigned":
        where.append("c.owner_id IS NULL")
    elif view.team:
        also("c.team_id = %s", view.team)
    if filters.inbox:
        also("c.inbox_id = %s", filters.inbox)
    if filters.visibility:
        also("c.visibility = %s", filters.visibility)
    if filters.label:
        also(
            "EXISTS (SELECT FROM conversations_conversationlabel f WHERE f.organisation_id = c.organisation_id"
            " AND f.conversation_id = c.id AND f.label_id = %s)",
            filters.label,
        )
    return " AND ".join(where), values
