"""Lock, read and store cases: always as sets, always in the order of their ids so that two writers cannot deadlock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.kernel.ids import uuid7

from ..rows import insert, packed, run, update
from ..wall import current_organisation_id
from .case import Case, counter_changes
from .models import Conversation, Event, ViewCounter

_COLUMNS = [each.name for each in fields(Case) if each.name != "before"]


def lock_cases(ids: Iterable[UUID]) -> dict[UUID, Case]:
    """The cases, locked until the transaction ends."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = run(
        f"SELECT {', '.join(_COLUMNS)} FROM conversations_conversation"
        " WHERE organisation_id = %s AND id = ANY(%s) ORDER BY id FOR UPDATE",
        [current_organisation_id(), wanted],
    )
    cases = [Case(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]
    for case in cases:
        case.before = case.counter_key
    return {case.id: case for case in cases}


def store_cases(cases: Sequence[Case], *, also_count: Sequence[Case] = ()) -> None:
    """Write changed cases back and keep the counters right. also_count: cases that were just opened."""
    update(
        Conversation,
        [case.row() for case in sorted(cases, key=lambda case: case.id)],
        organisation_id=current_organisation_id(),
    )
    count(counter_changes([*cases, *also_count]))
    for case in [*cases, *also_count]:
        case.before = case.counter_key


def open_cases(cases: Sequence[Case], *, previous: Mapping[UUID, UUID], now: datetime) -> dict[UUID, int]:
    """Insert new conversations and give each its number; `store_cases` counts them. previous: linked forerunner."""
    if not cases:
        return {}
    organisation_id = current_organisation_id()
    [(last,)] = run(
        "INSERT INTO organisations_numberseries (id, organisation_id, name, last) VALUES (%s, %s, 'conversation', %s)"
        " ON CONFLICT (organisation_id, name) DO UPDATE SET last = organisations_numberseries.last + EXCLUDED.last"
        " RETURNING last",
        [uuid7(), organisation_id, len(cases)],
    )
    numbers = {case.id: last - len(cases) + 1 + place for place, case in enumerate(cases)}
    insert(
        Conversation,
        [
            {
                **case.row(),
                "organisation_id": organisation_id,
                "number": numbers[case.id],
                "previous_id": previous.get(case.id),
                "created_at": now,
            }
            for case in cases
        ],
    )
    return numbers


def count(changes: Mapping[tuple[UUID, UUID, UUID, str], int]) -> None:
    """Add to the view counters, in key order."""
    insert(
        ViewCounter,
        [
            {
                "id": uuid7(),
                "organisation_id": current_organisation_id(),
                "inbox_id": inbox,
                "team_id": team,
                "owner_id": owner,
                "status": status,
                "count": change,
            }
            for (inbox, team, owner, status), change in changes.items()
        ],
        on_conflict="(organisation_id, inbox_id, team_id, owner_id, status)"
        " DO UPDATE SET count = conversations_viewcounter.count + EXCLUDED.count",
    )


def give_to_contact(conversations: Iterable[UUID], *, contact: UUID) -> list[UUID]:
    """From now on these are this contact's. Gives those that moved."""
    found = run(
        "UPDATE conversations_conversation SET contact_id = %s"
        " WHERE organisation_id = %s AND id = ANY(%s) RETURNING id",
        [contact, current_organisation_id(), list(lock_cases(conversations))],
    )
    return sorted(conversation for (conversation,) in found)


def record(events: Sequence[Mapping[str, Any]]) -> None:
    """Append events: dicts with kind, conversation_id, message_id, by_id, by_kind, at, facts."""
    organisation_id = current_organisation_id()
    insert(Event, [{"id": uuid7(), "organisation_id": organisation_id, **event} for event in events])


def tell(changes: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Let open screens know, once the transaction commits: ids only. See `LiveEvent.changes`."""
    if changes:
        run(
            "WITH told AS (INSERT INTO conversations_liveevent (organisation_id, at, changes) VALUES (%s, %s, %s)"
            " RETURNING organisation_id, number)"
            " SELECT pg_notify('klankbord_live', organisation_id || ' ' || number) FROM told",
            [current_organisation_id(), now, packed(changes)],
        )
