"""What people did with their own way in, written down in every organisation where they work."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.desk.organisations import queries
from klankbord.desk.organisations.models import AuditLine, User
from klankbord.desk.wall import organisation

from . import errands

_LONGEST_ADDRESS = 254


def write_down(deed: str, *, user: UUID, now: datetime, **facts: Any) -> None:
    """One line in each organisation of this person; none of them may be open."""
    for member in queries.memberships_of(user):
        with organisation(member.organisation_id):
            AuditLine.objects.create(at=now, by=member, deed=deed, subject="person", subject_id=member.id, facts=facts)


def report_attempt(deed: str, *, address: str, origin: str, now: datetime) -> None:
    """Somebody could not sign in under this address. Whether it is known here is found out off the request."""
    errands.leave("attempt", deed=deed, address=address[:_LONGEST_ADDRESS], origin=origin, at=now.isoformat(), now=now)


def note_attempt(*, deed: str, address: str, origin: str, at: str, errand: UUID, now: datetime) -> None:
    """The errand. An unknown address leaves no line: there is no organisation to tell."""
    user = User.objects.filter(email=User.objects.normalise(address)).first()
    if user is not None:
        write_down(deed, user=user.id, now=datetime.fromisoformat(at), origin=origin)
