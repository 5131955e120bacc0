"""Posts that run away: new comments under them are kept, shown, and wake nobody until somebody lets them again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from klankbord.desk import access
from klankbord.desk.conversations.cases import record, tell
from klankbord.desk.conversations.models import Conversation, Thread
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership


def mute(*, conversation: UUID, thread: UUID, by: Membership, now: datetime) -> Conversation:
    """The post of this thread, or its place where there is none."""
    return _set(conversation, thread, by, now, is_muted=True)


def unmute(*, conversation: UUID, thread: UUID, by: Membership, now: datetime) -> Conversation:
    return _set(conversation, thread, by, now, is_muted=False)


def _set(conversation: UUID, thread: UUID, by: Membership, now: datetime, *, is_muted: bool) -> Conversation:
    access.require(by, "answer")
    found = access.thread_for(by, conversation, thread)
    inbox = Inbox.objects.select_for_update().get(id=found.inbox_id)
    changes = (found.muted_as in inbox.muted) != is_muted
    if changes:
        inbox.muted = [each for each in inbox.muted if each != found.muted_as] + ([found.muted_as] if is_muted else [])
        inbox.save(update_fields=["muted"])
        _note(found, "post muted" if is_muted else "post unmuted", by, now)
    return access.conversation_for(by, conversation)


def _note(thread: Thread, kind: str, by: Membership, now: datetime) -> None:
    record(
        [
            {
                "kind": kind,
                "conversation_id": thread.conversation_id,
                "message_id": None,
                "by_id": by.id,
                "by_kind": "agent",
                "at": now,
                "facts": {"thread": str(thread.id), "as": thread.muted_as},
            }
        ]
    )
    change = {"conversation": thread.conversation_id, "inbox": thread.inbox_id, "thread": thread.id, "what": "state"}
    tell([change], now=now)
