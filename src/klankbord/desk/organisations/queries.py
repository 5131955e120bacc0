"""What screens read of people and teams."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from .. import rows
from ..wall import current_organisation_id
from .models import Membership, Organisation, Team, TeamMember, User

_PLACES = rows.Instances(m=Membership, u=User, o=Organisation)
_TEAMS = rows.Instances(g=Team)


def memberships_of(user: UUID) -> list[Membership]:
    """Where somebody works, oldest first. Entrance tables only: no organisation needs to be open."""
    found = rows.run(
        f"""SELECT {_PLACES.columns} FROM organisations_membership m
              JOIN organisations_user u ON u.id = m.user_id
              JOIN organisations_organisation o ON o.id = m.organisation_id
             WHERE m.user_id = %s AND m.is_active ORDER BY o.created_at, m.id""",
        [user],
    )
    return [_membership(*_PLACES.of(each)) for each in found]


def _membership(member: Any, user: Any, organisation: Any) -> Membership:
    member.user, member.organisation = user, organisation
    found: Membership = member
    return found


def colleagues() -> list[Membership]:
    """Everybody who works in the open organisation, by name."""
    found = Membership.objects.filter(organisation_id=current_organisation_id(), is_active=True)
    return list(found.select_related("user").order_by("user__name", "id"))


def everybody() -> list[Membership]:
    """Those of the open organisation and those who left it: what they did stays theirs."""
    found = Membership.objects.filter(organisation_id=current_organisation_id())
    return list(found.select_related("user").order_by("user__name", "id"))


def teams() -> list[Team]:
    return list(Team.objects.filter(is_gone=False).order_by("name"))


def teams_of(by: Membership) -> list[Team]:
    found = rows.run(
        f"""SELECT {_TEAMS.columns} FROM organisations_teammember tm
              JOIN organisations_team g ON g.organisation_id = tm.organisation_id AND g.id = tm.team_id
             WHERE tm.organisation_id = %s AND tm.member_id = %s ORDER BY g.name""",
        [current_organisation_id(), by.id],
    )
    return [_TEAMS.of(each)[0] for each in found]


def members_of_teams() -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for team, member in TeamMember.objects.values_list("team_id", "member_id"):
        found.setdefault(team, []).append(member)
    return found
