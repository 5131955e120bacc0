"""What screens read of inboxes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from .ledger import ACCEPTED
from .models import Inbox, InboxMember, InboxState, LedgerLine


def members_of(inbox: UUID) -> frozenset[UUID]:
    """The memberships that were given access to an inbox that is not open to all."""
    return frozenset(InboxMember.objects.filter(inbox_id=inbox).values_list("member_id", flat=True))


def last_arrivals() -> dict[UUID, datetime]:
    """When something last came in, by inbox; an inbox that never received anything is not in it."""
    found = LedgerLine.objects.filter(outcome=ACCEPTED, last_at__isnull=False)
    newest = found.order_by("inbox_id", "-day").distinct("inbox_id")
    return {inbox: moment for inbox, moment in newest.values_list("inbox_id", "last_at") if moment is not None}


def is_unwell(inbox: Inbox) -> bool:
    """Whether the navigation should speak of it: something is wrong, and a person can do something about it."""
    if inbox.state in {InboxState.BROKEN, InboxState.PAUSED}:
        return True
    return inbox.state == InboxState.CONNECTED and inbox.health.get("state", "well") != "well"
