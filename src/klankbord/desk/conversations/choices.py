"""What there is to narrow a list by: the names behind the filters that are on, and all that one may choose from."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from .. import rows
from ..wall import current_organisation_id
from .filters import Filters


def names_of(filters: Filters) -> dict[UUID, str]:
    """Of the label, the team and the person that a list is narrowed by; no statement when there are none."""
    wanted = [each for each in (filters.label, filters.team, filters.owner) if isinstance(each, UUID)]
    if not wanted:
        return {}
    ours = current_organisation_id()
    found = rows.run(
        """SELECT id, name FROM conversations_label WHERE organisation_id = %s AND id = ANY(%s)
           UNION ALL SELECT id, name FROM organisations_team WHERE organisation_id = %s AND id = ANY(%s)
           UNION ALL SELECT m.id, u.name FROM organisations_membership m JOIN organisations_user u ON u.id = m.user_id
                      WHERE m.organisation_id = %s AND m.id = ANY(%s)""",
        [ours, wanted, ours, wanted, ours, wanted],
    )
    return dict(found)


@dataclass(frozen=True, slots=True)
class Choices:
    labels: list[tuple[UUID, str]]
    teams: list[tuple[UUID, str]]
    people: list[tuple[UUID, str]]
    languages: list[str]  # that conversations of the organisation are in, the most spoken first


def choices() -> Choices:
    """All that a list can be narrowed by, in one statement."""
    ours = current_organisation_id()
    found = rows.run(
        """SELECT 'label', id, name FROM conversations_label WHERE organisation_id = %s
           UNION ALL SELECT 'team', id, name FROM organisations_team WHERE organisation_id = %s
           UNION ALL SELECT 'person', m.id, u.name FROM organisations_membership m
                       JOIN organisations_user u ON u.id = m.user_id WHERE m.organisation_id = %s AND m.is_active
            ORDER BY 3, 2""",
        [ours, ours, ours],
    )
    # Of the newest conversations only: what was spoken long ago and never since need not be offered.
    languages = rows.run(
        """SELECT language FROM (SELECT language FROM conversations_conversation
                                  WHERE organisation_id = %s ORDER BY id DESC LIMIT 2000) recent
            WHERE language <> '' GROUP BY language ORDER BY count(*) DESC, language LIMIT 12""",
        [ours],
    )
    kinds: dict[str, list[tuple[UUID, str]]] = {"label": [], "team": [], "person": []}
    for kind, key, name in found:
        kinds[kind].append((key, name))
    return Choices(kinds["label"], kinds["team"], kinds["person"], [language for (language,) in languages])
