"""What screens read of inboxes."""

from __future__ import annotations

from uuid import UUID

from .models import Inbox, InboxMember, InboxState


def members_of(inbox: UUID) -> frozenset[UUID]:
    """The memberships that were given access to an inbox that is not open to all."""
    return frozenset(InboxMember.objects.filter(inbox_id=inbox).values_list("member_id", flat=True))


def is_unwell(inbox: Inbox) -> bool:
    """Whether the navigation should speak of it: something is wrong, and a person can do something about it."""
    if inbox.state in {InboxState.BROKEN, InboxState.PAUSED}:
        return True
    return inbox.state == InboxState.CONNECTED and inbox.health.get("state", "well") != "well"
