"""Conversations that have to do with each other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from ..organisations.models import Membership
from .models import Conversation, ConversationLink


def link(first: UUID, second: UUID, *, by: Membership, now: datetime) -> bool:
    """False when they were linked already."""
    one, other = sorted((first, second))
    _, is_new = ConversationLink.objects.get_or_create(one_id=one, other_id=other, defaults={"by": by, "at": now})
    return is_new


def unlink(first: UUID, second: UUID) -> bool:
    one, other = sorted((first, second))
    return bool(ConversationLink.objects.filter(one_id=one, other_id=other).delete()[0])


def linked_to(conversation: UUID, *, inboxes: Collection[UUID]) -> list[Conversation]:
    """Those in these inboxes, newest first; one that was merged is shown where it went on."""
    pairs = ConversationLink.objects.filter(Q(one_id=conversation) | Q(other_id=conversation))
    ids = {each for pair in pairs.values_list("one_id", "other_id") for each in pair} - {conversation}
    gone = Conversation.objects.filter(id__in=ids, merged_into__isnull=False)
    ids |= set(gone.values_list("merged_into_id", flat=True)) - {conversation}
    found = Conversation.objects.filter(id__in=ids, merged_into=None, inbox_id__in=inboxes)
    return list(found.select_related("contact").order_by("-last_message_at")[:50])
