"""What screens read of people and teams."""

from __future__ import annotations

from uuid import UUID

from ..wall import current_organisation_id
from .models import Membership, Team, TeamMember


def memberships_of(user: UUID) -> list[Membership]:
    """Where somebody works, oldest first. Entrance tables only: no organisation needs to be open."""
    found = Membership.objects.filter(user_id=user, is_active=True).select_related("user", "organisation")
    return list(found.order_by("organisation__created_at", "id"))


def colleagues() -> list[Membership]:
    """Everybody who works in the open organisation, by name."""
    found = Membership.objects.filter(organisation_id=current_organisation_id(), is_active=True)
    return list(found.select_related("user").order_by("user__name", "id"))


def teams() -> list[Team]:
    return list(Team.objects.order_by("name"))


def teams_of(by: Membership) -> list[Team]:
    return list(Team.objects.filter(id__in=TeamMember.objects.filter(member=by).values("team_id")).order_by("name"))


def members_of_teams() -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for team, member in TeamMember.objects.values_list("team_id", "member_id"):
        found.setdefault(team, []).append(member)
    return found
