"""Alarms: that an inbox needs a person, and that it works again.

Each administrator gets one mail for each stretch of trouble, however often it shows, and one when it is over; the
screens say so as long as it lasts. All of it runs inside `with organisation(id):`, in the transaction of the cause.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from klankbord.desk.conversations.cases import tell
from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.organisations.models import Membership, Role, User
from klankbord.desk.wall import current_organisation_id

from . import deskmail, letters

log = logging.getLogger(__name__)

UNREACHABLE_AFTER = 6  # polls that failed in a row: about a quarter of an hour
_AILING = "ailing"


def sound(inbox_id: UUID, *, now: datetime) -> None:
    """Tell administrators, unless they were told of this stretch of trouble already."""
    if Inbox.objects.filter(id=inbox_id, alarmed_at=None).update(alarmed_at=now):
        log.error("an inbox needs a person", extra={"inbox": str(inbox_id)})
        _write(inbox_id, letters.inbox_in_trouble, now)


def silence(inbox_id: UUID, *, now: datetime) -> None:
    """It works again: tell those who heard that it did not."""
    if Inbox.objects.filter(id=inbox_id, alarmed_at__isnull=False).update(alarmed_at=None):
        _write(inbox_id, letters.inbox_works_again, now)


def forget(inbox_id: UUID) -> None:
    """Somebody took it out of use on purpose: no need to tell."""
    Inbox.objects.filter(id=inbox_id).update(alarmed_at=None)


def platform_away(inbox_id: UUID, sentence: str, *, now: datetime) -> None:
    """Its platform has not answered for a while: nothing comes in. Replies are tried on, so its state stays."""
    inbox = Inbox.objects.select_for_update().filter(id=inbox_id, state=InboxState.CONNECTED, alarmed_at=None).first()
    if inbox is None:
        return
    inbox.health = {**inbox.health, "state": _AILING, "was": inbox.health.get("state", "well")}
    inbox.state_reason, inbox.state_since = sentence[:500], now
    inbox.save(update_fields=["health", "state_reason", "state_since"])
    sound(inbox_id, now=now)
    _tell(inbox_id, now)


def platform_back(inbox_id: UUID, *, now: datetime) -> None:
    inbox = Inbox.objects.select_for_update().filter(id=inbox_id, state=InboxState.CONNECTED).first()
    if inbox is None or inbox.alarmed_at is None:
        return
    inbox.health = {name: value for name, value in inbox.health.items() if name != "was"} | (
        {"state": inbox.health["was"]} if "was" in inbox.health else {}
    )
    inbox.state_reason, inbox.state_since = "", now
    inbox.save(update_fields=["health", "state_reason", "state_since"])
    silence(inbox_id, now=now)
    _tell(inbox_id, now)


def _write(inbox_id: UUID, letter: Callable[[User, Inbox], letters.Letter], now: datetime) -> None:
    inbox = Inbox.objects.get(id=inbox_id)
    for member in _administrators():
        subject, text = letter(member.user, inbox)
        deskmail.post(to=member.user.email, subject=subject, text=text, now=now)


def _administrators() -> list[Membership]:
    found = Membership.objects.filter(
        organisation_id=current_organisation_id(), role=Role.ADMINISTRATOR, is_active=True, user__is_active=True
    )
    return list(found.select_related("user").order_by("id"))


def _tell(inbox_id: UUID, now: datetime) -> None:
    tell([{"conversation": None, "inbox": inbox_id, "thread": None, "what": "inbox"}], now=now)
