"""The lists of conversations: views, their counts, and pages of rows. Every screen reads these, so they are written
as SQL: what the ORM spends on writing such a statement and on building its objects is most of a page's time."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from .. import rows
from ..organisations.models import Membership
from ..wall import current_organisation_id
from .filters import ANY, ME, NONE, STATUSES, Condition, Filters, Keyset, Order, narrow, order_of
from .models import NOBODY, Status

PAGE = 50
UNFILTERED = Filters()
_STATUS_VIEWS = {
    "all": Status.OPEN,
    "pending": Status.PENDING,
    "snoozed": Status.SNOOZED,
    "resolved": Status.RESOLVED,
    "spam": Status.SPAM,
}
_LOOKED_THROUGH = 5000  # conversations that one page looks at when no index knows the answer
PEEK = 100  # saved views are counted up to here
_PEEKED_THROUGH = 1000


@dataclass(frozen=True, slots=True)
class View:
    """One list of conversations. name: mine, unassigned, team, all, pending, snoozed, resolved, spam."""

    name: str
    team: UUID | None = None

    @classmethod
    def read(cls, slug: str) -> View | None:
        """From the word in an address; None when there is no such view."""
        if slug in {"mine", "unassigned", "mentioned", *_STATUS_VIEWS}:
            return cls(slug)
        found = re.fullmatch(r"team-([0-9a-f]{32})", slug)
        return cls("team", UUID(found[1])) if found else None

    @property
    def slug(self) -> str:
        return f"team-{self.team.hex}" if self.team else self.name

    @property
    def status(self) -> str:
        return ANY if self.name == "mentioned" else str(_STATUS_VIEWS.get(self.name, Status.OPEN))

    def holds(self, conversation: Listed, by: Membership, filters: Filters = UNFILTERED) -> bool:
        """Whether a conversation stands in this list now, as far as its row tells."""
        wanted = filters.status or self.status
        if conversation.status != wanted and (wanted != ANY or conversation.status not in STATUSES):
            return False
        for column, chosen in ((conversation.owner_id, filters.owner), (conversation.team_id, filters.team)):
            if chosen and column != (by.id if chosen == ME else None if chosen == NONE else chosen):
                return False
        if self.name == "mine":
            return bool(conversation.owner_id == by.id)
        if self.name == "unassigned":
            return conversation.owner_id is None
        return self.team is None or bool(conversation.team_id == self.team)


@dataclass(slots=True)
class Counts:
    """How many conversations stand in each view, from the maintained counters; and what else the frame of a page says.

    unread: notices of this person. presence: what they chose to be, "" for nothing yet.
    """

    by_view: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_team: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    unread: int = 0
    presence: str = ""

    def of(self, view: View) -> int:
        return self.by_team[view.team] if view.team else self.by_view[view.name]


class Listed(NamedTuple):
    """A conversation as a list shows it. kind: its inbox's channel; labels: the digit of each colour and the name."""

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
    priority: int
    labels: list[str]
    is_vip: bool


def order(view: View, filters: Filters) -> Order:
    return order_of(filters.status or view.status, filters.sort)


def page(
    view: View,
    *,
    by: Membership,
    inboxes: Collection[UUID],
    filters: Filters,
    now: datetime,
    after: Keyset | None = None,
) -> tuple[list[Listed], Keyset | None]:
    """One page of a view and from where the next one goes on (None at the end).

    Where a filter has no index, a page looks through a bounded number of conversations and may hold fewer than it
    could; the next one goes on from there.
    """
    wanted = _in_view(view, by, inboxes, filters, now)
    shown_as = order(view, filters)
    if after is not None:
        wanted.seek(shown_as.after, *after)
    if not wanted.sifted:
        source, values = _sought(wanted, view, filters, limit=PAGE + 1)
    else:
        source, values = _sought(wanted, view, filters, limit=_LOOKED_THROUGH)
        source = f"SELECT * FROM ({source}) c WHERE {' AND '.join(wanted.sifted)}"
        source, values = f"{source} ORDER BY {shown_as.sql} LIMIT {PAGE + 1}", [*values, *wanted.sifted_values]
    shown = _listed(source, values, shown_as.sql)
    if len(shown) > PAGE:
        return shown[:PAGE], shown_as.place_of(shown[PAGE - 1])
    return shown, _last_looked_at(wanted, view, filters) if wanted.sifted else None


def _last_looked_at(wanted: Condition, view: View, filters: Filters) -> Keyset | None:
    """Where looking through stopped; None when it came to the end."""
    shown_as = order(view, filters)
    source, values = _sought(wanted, view, filters, limit=_LOOKED_THROUGH)
    columns = ", ".join(each.sql for each in shown_as.columns)
    found = rows.run(
        f"SELECT {columns} FROM ({source}) c ORDER BY {shown_as.sql} OFFSET {_LOOKED_THROUGH - 1} LIMIT 1", values
    )
    return found[0] if found else None


def peek(
    views: Sequence[tuple[View, Filters]], *, by: Membership, inboxes: Collection[UUID], now: datetime
) -> list[tuple[int, bool]]:
    """How many conversations stand in each, and whether there may be more: looks no further than `PEEK`."""
    if not views:
        return []
    parts: list[str] = []
    values: list[Any] = []
    for place, (view, filters) in enumerate(views):
        wanted = _in_view(view, by, inboxes, filters, now)
        limit = _PEEKED_THROUGH if wanted.sifted else PEEK
        source, sought = _sought(wanted, view, filters, limit=limit, is_ordered=False)
        sifted = f" FILTER (WHERE {' AND '.join(wanted.sifted)})" if wanted.sifted else ""
        parts.append(f"(SELECT {place}, count(*){sifted}, count(*) >= {limit} FROM ({source}) c)")
        values += [*wanted.sifted_values, *sought]
    found = rows.run(" UNION ALL ".join(parts) + " ORDER BY 1", values)
    return [(count, has_more or count >= PEEK) for _place, count, has_more in found]


def by_ids(ids: Iterable[UUID], *, inboxes: Collection[UUID]) -> dict[UUID, Listed]:
    found = _listed(f"{_OURS} AND c.inbox_id = ANY(%s) AND c.id = ANY(%s)", _ours(list(inboxes), list(ids)))
    return {each.id: each for each in found}


def by_numbers(numbers: Iterable[int], *, inboxes: Collection[UUID]) -> dict[int, Listed]:
    found = _listed(f"{_OURS} AND c.inbox_id = ANY(%s) AND c.number = ANY(%s)", _ours(list(inboxes), list(numbers)))
    return {each.number: each for each in found}


def newest_arrivals(
    view: View, *, by: Membership, inboxes: Collection[UUID], filters: Filters, since: datetime, now: datetime
) -> list[int]:
    """Numbers of the conversations of a view in which something came after a moment, at most a page of them."""
    wanted = _in_view(view, by, inboxes, filters, now)
    status = filters.status or view.status
    found = rows.run(
        f"SELECT c.number FROM conversations_conversation c"
        f" WHERE c.organisation_id = %s AND c.status = ANY(%s) AND c.last_message_at > %s"
        f" AND {' AND '.join([*wanted.sought, *wanted.sifted])}"
        f" ORDER BY c.last_message_at DESC, c.id DESC LIMIT {PAGE}",
        [
            current_organisation_id(),
            list(STATUSES) if status == ANY else [status],
            since,
            *wanted.sought_values,
            *wanted.sifted_values,
        ],
    )
    return [number for (number,) in found]


# A person's own numbers, in the statement of the counters: no page asks the database once more for them. What has not
# been read or done yet is little, and is counted no further than anybody would read.
_OWN = """
    UNION ALL SELECT 'mentioned', NULL, NULL, count(*) FROM (
        SELECT FROM notices_mention m JOIN conversations_conversation c
                    ON c.organisation_id = m.organisation_id AND c.id = m.conversation_id
         WHERE m.organisation_id = %s AND m.member_id = %s AND m.done_at IS NULL AND c.inbox_id = ANY(%s) LIMIT 1000) m
    UNION ALL SELECT 'unread', NULL, NULL, count(*) FROM (
        SELECT FROM notices_notification n JOIN conversations_conversation c
                    ON c.organisation_id = n.organisation_id AND c.id = n.conversation_id
         WHERE n.organisation_id = %s AND n.member_id = %s AND n.read_at IS NULL AND c.inbox_id = ANY(%s) LIMIT 100) n
    UNION ALL SELECT 'presence', p.chosen, NULL, 0 FROM notices_presence p
               WHERE p.organisation_id = %s AND p.member_id = %s"""


def counts(*, by: Membership, inboxes: Collection[UUID]) -> Counts:
    found = Counts()
    lines = rows.run(
        "SELECT status, CASE owner_id WHEN %s THEN 'mine' WHEN %s THEN 'unassigned' END AS whose, team_id, sum(count)"
        f" FROM conversations_viewcounter WHERE organisation_id = %s AND inbox_id = ANY(%s) GROUP BY 1, 2, 3{_OWN}",
        [by.id, NOBODY, *_ours(list(inboxes)), *_ours(by.id, list(inboxes)) * 2, *_ours(by.id)],
    )
    for status, whose, team, total in lines:
        if status == "mentioned":
            found.by_view[status] = int(total)
        elif status == "unread":
            found.unread = int(total)
        elif status == "presence":
            found.presence = whose
        for view, wanted in _STATUS_VIEWS.items():
            if status == wanted:
                found.by_view[view] += int(total)
        if status == Status.OPEN:
            if whose:
                found.by_view[whose] += int(total)
            if team != NOBODY:
                found.by_team[team] += int(total)
    return found


_OURS = "SELECT c.* FROM conversations_conversation c WHERE c.organisation_id = %s"


def _ours(*values: Any) -> list[Any]:
    return [current_organisation_id(), *values]


def _listed(source: str, values: list[Any], order: str = "") -> list[Listed]:
    """The rows that are wanted first (source: a SELECT of conversations), then what belongs to each of them."""
    found = rows.run(
        f"""SELECT c.id, c.number, c.status, c.visibility, c.preview, c.preview_by, c.has_trouble, c.is_idle, c.sort_at,
                   c.waiting_since, c.snoozed_until, c.resolved_at, c.last_message_at, c.team_id, c.owner_id,
                   o.initials, u.name, c.contact_id, p.name, i.kind, c.priority,
                   ARRAY(SELECT l.colour || l.name FROM conversations_conversationlabel cl
                           JOIN conversations_label l ON l.organisation_id = cl.organisation_id AND l.id = cl.label_id
                          WHERE cl.organisation_id = c.organisation_id AND cl.conversation_id = c.id
                          ORDER BY l.name),
                   p.is_vip
              FROM ({source}) c
              JOIN contacts_contact p ON p.organisation_id = c.organisation_id AND p.id = c.contact_id
              JOIN inboxes_inbox i ON i.organisation_id = c.organisation_id AND i.id = c.inbox_id
              LEFT JOIN organisations_membership o ON o.id = c.owner_id
              LEFT JOIN organisations_user u ON u.id = o.user_id
              {"ORDER BY " + order if order else ""}""",
        values,
    )
    return [Listed(*each) for each in found]


def _sought(
    wanted: Condition, view: View, filters: Filters, *, limit: int, is_ordered: bool = True
) -> tuple[str, list[Any]]:
    """The first conversations that an index leads to, as a SELECT and its values."""
    status = filters.status or view.status
    end = f" ORDER BY {order_of(status, filters.sort).sql}" * is_ordered + f" LIMIT {limit}"
    where = "".join(f" AND {each}" for each in wanted.sought)
    if status != ANY:
        # The status is one of our own words and not a value, so that indexes of some statuses only can serve.
        return f"{_OURS} AND c.status = '{status}'{where}{end}", _ours(*wanted.sought_values)
    # Each status has its own stretch of the index: the first of each, and of those the first.
    each = f"{_OURS} AND c.status = s.status{where}{end}"
    return f"SELECT c.* FROM unnest(%s::text[]) s(status), LATERAL ({each}) c{end}", [
        list(STATUSES),
        *_ours(*wanted.sought_values),
    ]


def _in_view(view: View, by: Membership, inboxes: Collection[UUID], filters: Filters, now: datetime) -> Condition:
    """The condition of a view on conversation `c`, beside its status."""
    wanted = Condition()
    wanted.seek("c.inbox_id = ANY(%s)", list(inboxes))
    if view.name == "mine":
        wanted.seek("c.owner_id = %s", by.id)
    elif view.name == "unassigned":
        wanted.seek("c.owner_id IS NULL")
    elif view.name == "mentioned":
        wanted.seek(
            "c.id = ANY(ARRAY(SELECT m.conversation_id FROM notices_mention m"
            " WHERE m.organisation_id = %s AND m.member_id = %s AND m.done_at IS NULL))",
            *_ours(by.id),
        )
    elif view.team:
        wanted.seek("c.team_id = %s", view.team)
    narrow(wanted, filters, status=filters.status or view.status, by=by, now=now)
    return wanted
