"""What screens and flows read of saved replies and business facts."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from ..organisations.models import Membership
from ..organisations.queries import teams_of
from .models import BusinessFact, SavedReply

_MOST = 1000  # saved replies of one person; beyond this nobody finds one by its name


def replies_for(by: Membership) -> list[SavedReply]:
    """Everybody's, those of one's teams and one's own: the ones used most first."""
    teams = [team.id for team in teams_of(by)]
    visible = Q(owner=None, team=None) | Q(owner=by) | Q(team__in=teams)
    return list(SavedReply.objects.filter(visible).select_related("team").order_by("-uses", "name", "id")[:_MOST])


def reply_for(by: Membership, reply: UUID) -> SavedReply | None:
    return next((each for each in replies_for(by) if each.id == reply), None)


def facts() -> list[BusinessFact]:
    """What the business says of itself, by name."""
    return list(BusinessFact.objects.order_by("name"))


def facts_in(language: str) -> dict[str, str]:
    """Name → value, in this language where there is one."""
    return {fact.name: fact.value_in(language) for fact in facts()}
