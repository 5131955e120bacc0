"""Who may do and see what: the one place where roles and inboxes are decided."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from . import rows
from .contacts.models import Handle
from .conversations.models import Attachment, Conversation, Draft, Message, Thread
from .errors import NotAllowed, NotFound
from .inboxes.models import Inbox
from .organisations.models import Membership, Role
from .wall import current_organisation_id

_INBOXES = rows.Instances(i=Inbox, leave_out={"i.credentials"})
_THREADS = rows.Instances(t=Thread, ti=Inbox, h=Handle)
_CONVERSATIONS = rows.Instances(c=Conversation)
_DEEDS: dict[str, frozenset[Role]] = {
    "read": frozenset(Role),
    "answer": frozenset({Role.AGENT, Role.LEAD, Role.ADMINISTRATOR}),
    "assign others": frozenset({Role.AGENT, Role.LEAD, Role.ADMINISTRATOR}),
    "see ledger": frozenset({Role.LEAD, Role.ANALYST, Role.ADMINISTRATOR}),
    "retry dead letters": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "hear alarms": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "manage library": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "approve replies": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "manage inboxes": frozenset({Role.ADMINISTRATOR}),
    "manage people": frozenset({Role.ADMINISTRATOR}),
    "manage labels": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "manage organisation": frozenset({Role.ADMINISTRATOR}),
    "see audit": frozenset({Role.ADMINISTRATOR}),
    "manage integrations": frozenset({Role.ADMINISTRATOR}),
    "use tokens": frozenset(Role),
}
SEES_EVERY_INBOX = frozenset({Role.LEAD, Role.ANALYST, Role.ADMINISTRATOR})


def may(by: Membership, deed: str) -> bool:
    return _works_here(by) and role_may(by.role, deed)


def role_may(role: str, deed: str) -> bool:
    """Of somebody's work in an organisation that is not open now, such as the one they are about to go to."""
    return role in _DEEDS[deed]


def require(by: Membership, deed: str) -> None:
    """Raises NotAllowed."""
    if not may(by, deed):
        raise NotAllowed


def _works_here(by: Membership) -> bool:
    """A membership that ended, or one of another organisation, opens nothing."""
    return by.is_active and by.organisation_id == current_organisation_id()


def visible_inboxes(by: Membership) -> frozenset[UUID]:
    """The inboxes whose conversations this person may see."""
    where, values = _visible(by)
    return frozenset(each for (each,) in rows.run(f"SELECT i.id FROM inboxes_inbox i WHERE {where}", values))


def _visible(by: Membership) -> tuple[str, list[Any]]:
    """The condition on inbox `i`, and its values. SQL, because every page asks it."""
    where, values = "i.organisation_id = %s", [current_organisation_id()]
    if not _works_here(by):
        return "false", []
    if by.role in SEES_EVERY_INBOX:
        return where, values
    return (
        f"{where} AND (i.is_open_to_all OR EXISTS (SELECT FROM inboxes_inboxmember im"
        " WHERE im.organisation_id = i.organisation_id AND im.inbox_id = i.id AND im.member_id = %s))",
        [*values, by.id],
    )


def inboxes_of(by: Membership) -> dict[UUID, Inbox]:
    """The inboxes that a person may see, by name, without their credentials."""
    where, values = _visible(by)
    found = rows.run(f"SELECT {_INBOXES.columns} FROM inboxes_inbox i WHERE {where} ORDER BY i.name", values)
    return {inbox.id: inbox for (inbox,) in map(_INBOXES.of, found)}


def conversation_for(by: Membership, key: UUID | int) -> Conversation:
    """A conversation by id or number. Raises NotFound, also when it stands in an inbox this person may not see."""
    where, values = _visible(by)
    found = rows.run(
        f"""SELECT {_CONVERSATIONS.columns} FROM conversations_conversation c
              JOIN inboxes_inbox i ON i.organisation_id = c.organisation_id AND i.id = c.inbox_id
             WHERE {where} AND c.{"id" if isinstance(key, UUID) else "number"} = %s""",
        [*values, key],
    )
    if not found:
        raise NotFound
    conversation: Conversation = _CONVERSATIONS.of(found[0])[0]
    return conversation


def thread_for(by: Membership, conversation: UUID, thread: UUID) -> Thread:
    """A thread of a visible conversation, with its handle, its inbox and the organisation."""
    where, values = _visible(by)
    found = rows.run(
        f"""SELECT {_THREADS.columns} FROM conversations_thread t
              JOIN conversations_conversation c ON c.organisation_id = t.organisation_id AND c.id = t.conversation_id
              JOIN inboxes_inbox i ON i.organisation_id = c.organisation_id AND i.id = c.inbox_id
              JOIN inboxes_inbox ti ON ti.organisation_id = t.organisation_id AND ti.id = t.inbox_id
              JOIN contacts_handle h ON h.organisation_id = t.organisation_id AND h.id = t.handle_id
             WHERE {where} AND t.conversation_id = %s AND t.id = %s""",
        [*values, conversation, thread],
    )
    if not found:
        raise NotFound
    chosen: Thread
    chosen, chosen.inbox, chosen.handle = _THREADS.of(found[0])
    chosen.organisation = by.organisation
    return chosen


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
