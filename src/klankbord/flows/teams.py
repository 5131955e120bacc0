"""Teams: people who take conversations together."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.handover import hand_over, held_by
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import AuditLine, Membership, Team, TeamMember
from klankbord.kernel.text import one_line


def team(team: UUID, *, by: Membership) -> Team:
    """Raises NotFound."""
    access.require(by, "manage people")
    found = Team.objects.filter(id=team, is_gone=False).first()
    if found is None:
        raise NotFound
    return found


def make(*, name: str, by: Membership, now: datetime) -> Team:
    access.require(by, "manage people")
    made, _is_new = Team.objects.update_or_create(name=_free_name(name), defaults={"is_gone": False})
    _write_down("team made", made, by=by, now=now)
    return made


def change(*, team_id: UUID, name: str, members: Collection[UUID], by: Membership, now: datetime) -> Team:
    """Its name and who belongs to it."""
    found = team(team_id, by=by)
    with transaction.atomic():
        if one_line(name, limit=80) != found.name:
            found.name = _free_name(name)
            Team.objects.filter(name=found.name, is_gone=True).update(
                name=f"{found.name} ({now:%Y-%m-%d %H:%M:%S})"[-80:]
            )
            found.save(update_fields=["name"])
        ours = set(
            Membership.objects.filter(
                organisation_id=by.organisation_id, id__in=members, is_active=True
            ).values_list("id", flat=True)
        )  # fmt: skip
        # Who left stays a member in name, for the day that they come back; the form does not show them.
        shown = TeamMember.objects.filter(team=found, member__is_active=True)
        shown.exclude(member_id__in=ours).delete()
        for member in sorted(ours - set(shown.values_list("member_id", flat=True))):
            TeamMember.objects.create(team=found, member_id=member)
        _write_down("team changed", found, by=by, now=now)
    return found


def holdings(team_id: UUID, *, by: Membership, now: datetime) -> int:
    """How many conversations would need another team, or none."""
    return len(held_by(team=team(team_id, by=by).id, now=now))


def remove(*, team_id: UUID, to_team: UUID | None, by: Membership, now: datetime) -> tuple[Team, int]:
    """Its conversations go to another team or to none; owners keep theirs. Gives the team that was, and how many."""
    found = team(team_id, by=by)
    if to_team is not None and (to_team == team_id or not Team.objects.filter(id=to_team, is_gone=False).exists()):
        raise Invalid
    with transaction.atomic():
        handed = hand_over(team=found.id, to_owner=None, to_team=to_team, by=by, now=now)
        TeamMember.objects.filter(team=found).delete()
        found.is_gone = True
        found.save(update_fields=["is_gone"])
        _write_down("team removed", found, by=by, now=now, conversations=handed)
    return found, handed


def _free_name(name: str) -> str:
    """Raises Invalid."""
    name = one_line(name, limit=80)
    if not name:
        raise Invalid(_("Give the team a name."))
    if Team.objects.filter(name=name, is_gone=False).exists():
        raise Invalid(_("There is already a team called %(name)s.") % {"name": name})
    return name


def _write_down(deed: str, found: Team, *, by: Membership, now: datetime, **facts: Any) -> None:
    AuditLine.objects.create(
        at=now, by=by, deed=deed, subject="team", subject_id=found.id, facts={"name": found.name, **facts}
    )
