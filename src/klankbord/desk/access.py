"""Who may do and see what: the one place where roles and inboxes are decided."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from . import rows
from .contacts.models import Contact, Handle
from .conversations.models import Attachment, Conversation, Draft, Message, Thread
from .errors import NotAllowed, NotFound
from .inboxes.models import Inbox
from .organisations.models import Membership, Role, User
from .wall import current_organisation_id

_INBOXES = rows.Instances(i=Inbox, leave_out={"i.credentials"})
_THREADS = rows.Instances(t=Thread, ti=Inbox, h=Handle)
_CONVERSATIONS = rows.Instances(c=Conversation)
_PEOPLE = rows.Instances(m=Membership, u=User, leave_out={"u.password"})
_DEEDS: dict[str, frozenset[Role]] = {
    "read": frozenset(Role),
    "answer": frozenset({Role.AGENT, Role.LEAD, Role.ADMINISTRATOR}),
    "assign others": frozenset({Role.AGENT, Role.LEAD, Role.ADMINISTRATOR}),
    "change contacts": frozenset({Role.AGENT, Role.LEAD, Role.ADMINISTRATOR}),
    "import contacts": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "export contacts": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "define contact fields": frozenset({Role.ADMINISTRATOR}),
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
    "see raw facts": frozenset({Role.ADMINISTRATOR}),
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


def people_who_see(inbox: UUID) -> list[Membership]:
    """Who may see the conversations of an inbox, by name."""
    found = rows.run(
        f"""SELECT {_PEOPLE.columns} FROM organisations_membership m JOIN organisations_user u ON u.id = m.user_id
             WHERE m.organisation_id = %s AND m.is_active
               AND (m.role = ANY(%s)
                    OR EXISTS (SELECT FROM inboxes_inbox i
                                WHERE i.organisation_id = m.organisation_id AND i.id = %s AND i.is_open_to_all)
                    OR EXISTS (SELECT FROM inboxes_inboxmember im
                                WHERE im.organisation_id = m.organisation_id AND im.inbox_id = %s
                                  AND im.member_id = m.id))
             ORDER BY u.name, m.id""",
        [current_organisation_id(), sorted(map(str, SEES_EVERY_INBOX)), inbox, inbox],
    )
    people: list[Membership] = []
    for each in found:
        member, member.user = _PEOPLE.of(each)
        people.append(member)
    return people


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


def sees_contact(by: Membership) -> tuple[str, list[Any]]:
    """The condition on contact `p`, and its values (the organisation first): somebody who wrote in an inbox that this
    person may see, or who has not written anywhere yet."""
    if not _works_here(by):
        return "false", [current_organisation_id()]
    if by.role in SEES_EVERY_INBOX:
        return "true", [current_organisation_id()]
    spoke = (
        "SELECT FROM conversations_conversation s WHERE s.organisation_id = p.organisation_id AND s.contact_id = p.id"
    )
    return (
        f"(EXISTS ({spoke} AND s.inbox_id = ANY(%s)) OR NOT EXISTS ({spoke}))",
        [current_organisation_id(), list(visible_inboxes(by))],
    )


def contact_for(by: Membership, contact: UUID) -> Contact:
    """A contact, or the one it was merged into. Raises NotFound, also when it only wrote where this person may not
    see."""
    where, values = sees_contact(by)
    found = rows.run(
        f"SELECT p.id, p.merged_into_id FROM contacts_contact p WHERE p.organisation_id = %s AND {where} AND p.id = %s"
        " UNION ALL SELECT p.id, p.merged_into_id FROM contacts_contact p WHERE p.organisation_id = %s AND p.id = %s"
        " AND p.merged_into_id IS NOT NULL",
        [*values, contact, current_organisation_id(), contact],
    )
    if not found:
        raise NotFound
    if found[0][1] is not None:
        return contact_for(by, found[0][1])
    chosen: Contact = Contact.objects.select_related("company").get(id=contact)
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
