"""The saved views that somebody has before them: their own, and those of their teams."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from .. import rows
from ..organisations.models import Membership
from ..wall import current_organisation_id
from .saved import SavedView

MOST = 30  # shown to one person
_VIEWS = rows.Instances(v=SavedView)


def views_of(by: Membership, *, teams: Collection[UUID]) -> list[SavedView]:
    """One's own first, then those of one's teams, each by name."""
    found = rows.run(
        f"""SELECT {_VIEWS.columns} FROM conversations_savedview v
             WHERE v.organisation_id = %s AND ((v.member_id = %s AND v.team_id IS NULL) OR v.team_id = ANY(%s))
             ORDER BY v.team_id IS NOT NULL, v.name, v.id LIMIT {MOST}""",
        [current_organisation_id(), by.id, list(teams)],
    )
    return [_VIEWS.of(each)[0] for each in found]
