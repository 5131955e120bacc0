"""A whole conversation, oldest first, some messages at a time: for printing, however long it is."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Q

from .models import Attachment, Message, MessageKind, MessageState

AT_ONCE = 200


def stretches(conversation: UUID, *, with_notes: bool) -> Iterator[tuple[list[Message], dict[UUID, list[Attachment]]]]:
    """Messages with their authors and threads, and their files."""
    wanted = Message.objects.filter(conversation_id=conversation).exclude(state=MessageState.TAKEN_BACK)
    if not with_notes:
        wanted = wanted.exclude(kind=MessageKind.NOTE)
    wanted = wanted.select_related("author__user", "handle", "thread__inbox").order_by("at", "id")
    last: Message | None = None
    while True:
        rest = wanted.filter(Q(at__gt=last.at) | Q(at=last.at, id__gt=last.id)) if last else wanted
        found = list(rest[:AT_ONCE])
        if not found:
            return
        files: dict[UUID, list[Attachment]] = {}
        for file in Attachment.objects.filter(message_id__in=[each.id for each in found]).order_by("id"):
            if file.message_id is not None:
                files.setdefault(file.message_id, []).append(file)
        yield found, files
        last = found[-1]
