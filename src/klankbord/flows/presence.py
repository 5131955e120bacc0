"""Who is looking at a conversation now, and who is typing: short-lived facts, so that two people do not answer one."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from klankbord.desk import access
from klankbord.desk.conversations.cases import tell
from klankbord.desk.conversations.models import Viewing
from klankbord.desk.organisations.models import Membership

_SEEN_FOR = timedelta(seconds=30)
_TYPING_FOR = timedelta(seconds=8)


def seen(*, conversation: UUID, by: Membership, now: datetime, is_typing: bool = False) -> None:
    """This person has the conversation on screen; said again every quarter minute."""
    found = access.conversation_for(by, conversation)
    before = Viewing.objects.filter(conversation_id=found.id, member=by).first()
    typed_at = now if is_typing else before.typed_at if before else None
    Viewing.objects.update_or_create(
        conversation_id=found.id, member=by, defaults={"seen_at": now, "typed_at": typed_at}
    )
    was_here = before is not None and before.seen_at > now - _SEEN_FOR
    was_typing = before is not None and before.typed_at is not None and before.typed_at > now - _TYPING_FOR
    if not was_here or is_typing != was_typing:
        what = "typing" if is_typing else "viewing"
        tell([{"conversation": found.id, "inbox": found.inbox_id, "thread": None, "what": what}], now=now)


def others(*, conversation: UUID, by: Membership, now: datetime) -> list[tuple[Membership, bool]]:
    """Colleagues who have it on screen, and whether they are typing."""
    found = (
        Viewing.objects.select_related("member__user")
        .filter(conversation_id=conversation, seen_at__gt=now - _SEEN_FOR)
        .exclude(member=by)
        .order_by("seen_at")
    )
    return [(each.member, bool(each.typed_at and each.typed_at > now - _TYPING_FOR)) for each in found]
