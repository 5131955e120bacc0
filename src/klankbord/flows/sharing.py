"""Drafts that colleagues can see: that somebody began an answer here, what it says, and going on with it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from klankbord.desk import access
from klankbord.desk.conversations.cases import record, tell
from klankbord.desk.conversations.models import Attachment, Conversation, Draft, DraftKind
from klankbord.desk.errors import NotFound
from klankbord.desk.organisations.models import Membership


def draft_for(*, draft: UUID, by: Membership) -> Draft:
    """A colleague's unsent reply in a conversation that this person may see."""
    access.require(by, "answer")
    found = Draft.objects.select_related("conversation", "member__user").filter(id=draft, kind=DraftKind.REPLY).first()
    if found is None or found.member_id == by.id:
        raise NotFound
    access.conversation_for(by, found.conversation_id)
    return found


def take_over(*, draft: UUID, by: Membership, now: datetime) -> Draft:
    """Go on with a colleague's words: they become this person's, above what that one had begun here."""
    found = draft_for(draft=draft, by=by)
    author = found.member
    begun = Draft.objects.filter(conversation_id=found.conversation_id, member=by, kind=DraftKind.REPLY)
    texts = [found.text, *begun.values_list("text", flat=True)]
    begun.delete()
    found.member, found.text, found.saved_at = by, "\n\n".join(texts), now
    found.save(update_fields=["member", "text", "saved_at"])
    unsent = Attachment.objects.filter(conversation_id=found.conversation_id, message=None, uploaded_by=author)
    unsent.update(uploaded_by=by)
    record(
        [
            {
                "kind": "draft taken over", "conversation_id": found.conversation_id, "message_id": None,
                "by_id": by.id, "by_kind": "agent", "at": now, "facts": {"whom": author.name},
            }
        ]
    )  # fmt: skip
    tell_of_drafts(found.conversation, now=now)
    return found


def tell_of_drafts(conversation: Conversation, *, now: datetime) -> None:
    """Open screens look again at what stands beside the composer."""
    change = {"conversation": conversation.id, "inbox": conversation.inbox_id, "thread": None, "what": "draft"}
    tell([change], now=now)
