"""Lists that people keep under a name: their own, or their team's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations import shelf
from klankbord.desk.conversations.filters import Filters
from klankbord.desk.conversations.listing import View
from klankbord.desk.conversations.models import SavedView
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations import queries as organisations
from klankbord.desk.organisations.models import Membership


def save_view(
    *, name: str, view: View, filters: Filters, team: UUID | None, by: Membership, now: datetime
) -> SavedView:
    """team: whose members get it as well; None: one's own. Raises NotAllowed, Invalid."""
    access.require(by, "read" if team is None else "answer")
    teams = {each.id for each in organisations.teams_of(by)}
    if team is not None and team not in teams:
        raise NotFound
    if len(shelf.views_of(by, teams=teams)) >= shelf.MOST:
        raise Invalid(_("There are %(count)d saved views already. Remove one first.") % {"count": shelf.MOST})
    saved: SavedView = SavedView.objects.create(
        name=_name(name), slug=view.slug, query=filters.query, member=by, team_id=team, created_at=now
    )
    return saved


def rename_view(*, saved: UUID, name: str, by: Membership) -> SavedView:
    found = _mine_to_change(saved, by)
    found.name = _name(name)
    found.save(update_fields=["name"])
    return found


def remove_view(*, saved: UUID, by: Membership) -> SavedView:
    """The conversations in it stay where they are."""
    found = _mine_to_change(saved, by)
    SavedView.objects.filter(id=found.id).delete()
    return found


def _name(text: str) -> str:
    name = " ".join(text.split())[:60]
    if not name:
        raise Invalid(_("Give the view a name."))
    return name


def _mine_to_change(saved: UUID, by: Membership) -> SavedView:
    """One's own, or one of a team that one works in."""
    found: SavedView | None = SavedView.objects.filter(id=saved).first()
    if found is None:
        raise NotFound
    access.require(by, "read" if found.team_id is None else "answer")
    if found.team_id is None and found.member_id != by.id:
        raise NotFound
    if found.team_id is not None and found.team_id not in {team.id for team in organisations.teams_of(by)}:
        raise NotFound
    return found
