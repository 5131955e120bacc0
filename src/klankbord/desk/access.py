"""Who may do and see what: the one place where roles and inboxes are decided."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from .conversations.models import Attachment, Conversation, Draft, Message, Thread
from .errors import NotAllowed, NotFound
from .inboxes.models import Inbox, InboxMember
from .organisations.models import Membership, Role
from .wall import current_organisation_id

_DEEDS: dict[str, frozenset[Role]] = {
    "read": frozenset(Role),
    "answer": frozenset({Role.AGENT, Role.LEAD, Role.ADMINISTRATOR}),
    "assign others": frozenset({Role.AGENT, Role.LEAD, Role.ADMINISTRATOR}),
    "see ledger": frozenset({Role.LEAD, Role.ANALYST, Role.ADMINISTRATOR}),
    "retry dead letters": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "manage inboxes": frozenset({Role.ADMINISTRATOR}),
    "manage people": frozenset({Role.ADMINISTRATOR}),
}
SEES_EVERY_INBOX = frozenset({Role.LEAD, Role.ANALYST, Role.ADMINISTRATOR})


def may(by: Membership, deed: str) -> bool:
    return _works_here(by) and by.role in _DEEDS[deed]


def require(by: Membership, deed: str) -> None:
    """Raises NotAllowed."""
    if not may(by, deed):
        raise NotAllowed


def _works_here(by: Membership) -> bool:
    """A membership that ended, or one of another organisation, opens nothing."""
    return by.is_active and by.organisation_id == current_organisation_id()


def visible_inboxes(by: Membership) -> frozenset[UUID]:
    """The inboxes whose conversations this person may see."""
    return frozenset(_visible(by).values_list("id", flat=True))


def _visible(by: Membership) -> QuerySet[Inbox]:
    inboxes = Inbox.objects.all()
    if not _works_here(by):
        return inboxes.none()
    if by.role not in SEES_EVERY_INBOX:
        own = InboxMember.objects.filter(member=by).values("inbox_id")
        inboxes = inboxes.filter(is_open_to_all=True) | inboxes.filter(id__in=own)
    return inboxes


def inboxes_of(by: Membership) -> dict[UUID, Inbox]:
    """The inboxes that a person may see, by name, without their credentials."""
    return {inbox.id: inbox for inbox in _visible(by).defer("credentials").order_by("name")}


def conversation_for(by: Membership, key: UUID | int) -> Conversation:
    """A conversation by id or number. Raises NotFound, also when it stands in an inbox this person may not see."""
    found = Conversation.objects.filter(id=key) if isinstance(key, UUID) else Conversation.objects.filter(number=key)
    conversation = found.filter(inbox_id__in=_visible(by).values("id")).first()
    if conversation is None:
        raise NotFound
    return conversation


def thread_for(by: Membership, conversation: UUID, thread: UUID) -> Thread:
    found = Thread.objects.filter(id=thread, conversation_id=conversation_for(by, conversation).id).first()
    if found is None:
        raise NotFound
    return found


def message_for(by: Membership, message: UUID) -> Message:
    found = Message.objects.filter(id=message).first()
    if found is None:
        raise NotFound
    conversation_for(by, found.conversation_id)
    return found


def attachment_for(by: Membership, attachment: UUID) -> Attachment:
    """An attachment of a visible message, or the person's own upload that is not sent yet."""
    found = Attachment.objects.select_related("message").filter(id=attachment).first()
    if found is None:
        raise NotFound
    if found.message_id is None:
        if found.uploaded_by_id != by.id:
            raise NotFound
        return found
    conversation_for(by, found.message.conversation_id)
    return found


def inbox_for(by: Membership, inbox: UUID) -> Inbox:
    found = Inbox.objects.filter(id=inbox).first()
    if found is None or found.id not in visible_inboxes(by):
        raise NotFound
    return found


def drafts_of(by: Membership, conversation: UUID) -> list[Draft]:
    return list(Draft.objects.filter(conversation_id=conversation_for(by, conversation).id, member=by))
