"""What people read of what they should know, and of who is there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from .. import rows
from ..organisations.models import Membership
from ..wall import current_organisation_id
from .models import NoticeChoices

PAGE = 40
Place = tuple[datetime, UUID]  # of a notice among the others


class Told(NamedTuple):
    """A notice as people read it. words: the beginning of the message it is about."""

    id: UUID
    kind: str
    times: int
    at: datetime
    is_read: bool
    number: int
    contact: str
    contact_id: UUID
    by: str | None
    by_id: UUID | None
    by_initials: str | None
    words: str
    is_open_mention: bool


def told(
    by: Membership,
    *,
    inboxes: Collection[UUID],
    before: Place | None = None,
    only_unmailed: bool = False,
    limit: int = PAGE,
) -> list[Told]:
    """Newest first, of conversations that this person may see now. only_unmailed: unread and in no mail yet."""
    where, values = "", []
    if before is not None:
        where, values = " AND (n.at, n.id) < (%s, %s)", list(before)
    if only_unmailed:
        where += " AND n.read_at IS NULL AND n.mailed_at IS NULL"
    found = rows.run(
        f"""SELECT n.id, n.kind, n.times, n.at, n.read_at IS NOT NULL, c.number, p.name, p.id, u.name, b.id, b.initials,
                   coalesce(left(m.text, 300), ''),
                   n.kind = 'mentioned' AND EXISTS (
                     SELECT FROM notices_mention o WHERE o.organisation_id = n.organisation_id AND o.done_at IS NULL
                        AND o.conversation_id = n.conversation_id AND o.member_id = n.member_id)
              FROM notices_notification n
              JOIN conversations_conversation c ON c.organisation_id = n.organisation_id AND c.id = n.conversation_id
              JOIN contacts_contact p ON p.organisation_id = c.organisation_id AND p.id = c.contact_id
              LEFT JOIN conversations_message m ON m.organisation_id = n.organisation_id AND m.id = n.message_id
                                               AND m.deleted_at IS NULL
              LEFT JOIN organisations_membership b ON b.id = n.by_id
              LEFT JOIN organisations_user u ON u.id = b.user_id
             WHERE n.organisation_id = %s AND n.member_id = %s AND c.inbox_id = ANY(%s){where}
             ORDER BY n.at DESC, n.id DESC LIMIT {limit}""",
        [current_organisation_id(), by.id, list(inboxes), *values],
    )
    return [Told(*each) for each in found]


def unread(by: Membership, *, inboxes: Collection[UUID]) -> int:
    [(count,)] = rows.run(
        """SELECT count(*) FROM (
             SELECT FROM notices_notification n JOIN conversations_conversation c
                         ON c.organisation_id = n.organisation_id AND c.id = n.conversation_id
              WHERE n.organisation_id = %s AND n.member_id = %s AND n.read_at IS NULL AND c.inbox_id = ANY(%s)
              LIMIT 100) n""",
        [current_organisation_id(), by.id, list(inboxes)],
    )
    return int(count)


def choices_of(member: UUID) -> NoticeChoices:
    """What they chose, or what holds until they do."""
    found: NoticeChoices | None = NoticeChoices.objects.filter(member_id=member).first()
    return found or NoticeChoices(member_id=member)
