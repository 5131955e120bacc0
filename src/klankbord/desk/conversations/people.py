"""Contacts as the screens list and show them: with what was said, and only as far as a person may see it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, NamedTuple
from uuid import UUID

from klankbord.kernel.text import fold

from .. import access, rows
from ..organisations.models import Membership
from ..wall import current_organisation_id
from .models import MessageKind, MessageState

PAGE = 50
_MOST_HITS = 500

NameKey = tuple[str, UUID]  # where a page of the list ends
Position = tuple[datetime, UUID]  # of a message


class ListedContact(NamedTuple):
    """A contact in a list. kinds: the channels on which they are known. last_at: when they last spoke with us."""

    id: UUID
    name: str
    name_key: str
    is_vip: bool
    is_blocked: bool
    company_id: UUID | None
    company: str | None
    email: str | None
    phone: str | None
    kinds: list[str]
    last_at: datetime | None


class Said(NamedTuple):
    """One message of a contact's history over all channels. by_us: the colleague's name, for what we wrote."""

    id: UUID
    number: int
    title: str
    kind: str
    visibility: str
    inbox_kind: str
    inbox_name: str
    at: datetime
    author: str
    text: str
    is_deleted: bool


def page(
    *, by: Membership, words: str = "", company: UUID | None = None, after: NameKey | None = None, limit: int = PAGE
) -> tuple[list[ListedContact], NameKey | None]:
    """Contacts by name. words: a name, handle, address or number, or the beginning of one."""
    seen, inboxes = access.sees_contact(by), list(access.visible_inboxes(by))
    where, values = [f"p.organisation_id = %s AND p.merged_into_id IS NULL AND {seen[0]}"], [*seen[1]]
    if words:
        where.append("p.id = ANY(%s)")
        values.append(_found(words))
    if company is not None:
        where.append("p.company_id = %s")
        values.append(company)
    if after is not None:
        where.append("(p.name_key, p.id) > (%s, %s)")
        values += after
    found = rows.run(
        f"""SELECT p.id, p.name, p.name_key, p.is_vip, p.blocked_at IS NOT NULL, p.company_id, g.name, h.email, h.phone,
                   coalesce(h.kinds, '{{}}'),
                   (SELECT c.last_message_at FROM conversations_conversation c
                     WHERE c.organisation_id = p.organisation_id AND c.contact_id = p.id AND c.inbox_id = ANY(%s)
                     ORDER BY c.last_message_at DESC LIMIT 1)
              FROM (SELECT * FROM contacts_contact p WHERE {" AND ".join(where)}
                     ORDER BY p.name_key, p.id LIMIT %s) p
              LEFT JOIN contacts_company g ON g.organisation_id = p.organisation_id AND g.id = p.company_id
              LEFT JOIN LATERAL (
                   SELECT min(nullif(a.email, '')) AS email, min(nullif(a.phone, '')) AS phone,
                          array_agg(DISTINCT a.kind ORDER BY a.kind) AS kinds
                     FROM contacts_handle a WHERE a.organisation_id = p.organisation_id AND a.contact_id = p.id) h
                ON true
             ORDER BY p.name_key, p.id""",
        [inboxes, *values, limit + 1],
    )
    listed = [ListedContact(*each) for each in found]
    last = listed[limit - 1] if len(listed) > limit else None
    return listed[:limit], (last.name_key, last.id) if last else None


class SheetContact(NamedTuple):
    """A contact as a row of a file."""

    id: UUID
    name_key: str
    name: str
    email: str | None
    phone: str | None
    language: str
    company: str | None
    is_vip: bool
    values: dict[str, Any]


def sheet_page(*, by: Membership, after: NameKey | None, limit: int) -> tuple[list[SheetContact], NameKey | None]:
    """All contacts that this person may see, by name, a page at a time."""
    seen = access.sees_contact(by)
    where, values = ("AND (p.name_key, p.id) > (%s, %s)", [*after]) if after else ("", [])
    found = rows.run(
        f"""SELECT p.id, p.name_key, p.name, h.email, h.phone, p.language, g.name, p.is_vip, p.values
              FROM (SELECT * FROM contacts_contact p
                     WHERE p.organisation_id = %s AND p.merged_into_id IS NULL AND {seen[0]} {where}
                     ORDER BY p.name_key, p.id LIMIT %s) p
              LEFT JOIN contacts_company g ON g.organisation_id = p.organisation_id AND g.id = p.company_id
              LEFT JOIN LATERAL (
                   SELECT min(nullif(a.email, '')) AS email, min(nullif(a.phone, '')) AS phone FROM contacts_handle a
                    WHERE a.organisation_id = p.organisation_id AND a.contact_id = p.id) h ON true
             ORDER BY p.name_key, p.id""",
        [*seen[1], *values, limit + 1],
    )
    listed = [SheetContact(*each) for each in found]
    last = listed[limit - 1] if len(listed) > limit else None
    return listed[:limit], (last.name_key, last.id) if last else None


def timeline(
    contact: UUID, *, inboxes: Collection[UUID], before: Position | None = None, limit: int = PAGE
) -> tuple[list[Said], Position | None]:
    """What was said with a contact in all conversations that stand in these inboxes, newest first."""
    where, values = ("AND (m.at, m.id) < (%s, %s)", [*before]) if before else ("", [])
    found = rows.run(
        f"""SELECT m.id, c.number, t.title, m.kind, m.visibility, i.kind, i.name, m.at,
                   coalesce(u.name, m.author_name), left(m.text, 400), m.deleted_at IS NOT NULL
              FROM conversations_conversation c
              JOIN conversations_message m ON m.organisation_id = c.organisation_id AND m.conversation_id = c.id
              JOIN conversations_thread t ON t.organisation_id = m.organisation_id AND t.id = m.thread_id
              JOIN inboxes_inbox i ON i.organisation_id = m.organisation_id AND i.id = m.inbox_id
              LEFT JOIN organisations_membership a ON a.id = m.author_id
              LEFT JOIN organisations_user u ON u.id = a.user_id
             WHERE c.organisation_id = %s AND c.contact_id = %s AND c.inbox_id = ANY(%s)
               AND m.kind <> %s AND m.state <> %s {where}
             ORDER BY m.at DESC, m.id DESC LIMIT %s""",
        [
            current_organisation_id(), contact, list(inboxes), MessageKind.CONTEXT, MessageState.TAKEN_BACK, *values,
            limit + 1,
        ],
    )  # fmt: skip
    said = [Said(*each) for each in found]
    last = said[limit - 1] if len(said) > limit else None
    return said[:limit], (last.at, last.id) if last else None


def sees_company(company: UUID, *, by: Membership) -> bool:
    """Whether this person may see one of its people, or it has none."""
    seen = access.sees_contact(by)
    found = rows.run(
        f"SELECT {seen[0]} FROM contacts_contact p WHERE p.organisation_id = %s AND p.company_id = %s",
        [*seen[1][1:], seen[1][0], company],
    )
    return not found or any(sees for (sees,) in found)


def numbers_of_company(
    company: UUID, *, inboxes: Collection[UUID], before: Position | None = None, limit: int = PAGE
) -> tuple[list[int], Position | None]:
    """The conversations of a company's people that stand in these inboxes, newest first, by their numbers."""
    where, values = ("AND (c.last_message_at, c.id) < (%s, %s)", [*before]) if before else ("", [])
    found = rows.run(
        f"""SELECT c.number, c.last_message_at, c.id
              FROM contacts_contact p
              JOIN conversations_conversation c ON c.organisation_id = p.organisation_id AND c.contact_id = p.id
             WHERE p.organisation_id = %s AND p.company_id = %s AND p.merged_into_id IS NULL AND c.inbox_id = ANY(%s)
                   {where}
             ORDER BY c.last_message_at DESC, c.id DESC LIMIT %s""",
        [current_organisation_id(), company, list(inboxes), *values, limit + 1],
    )
    last = found[limit - 1] if len(found) > limit else None
    return [number for number, _, _ in found[:limit]], (last[1], last[2]) if last else None


def _found(words: str) -> list[UUID]:
    """Ids of the contacts that go by these words; at most some hundreds, so more words are needed to find one."""
    digits = re.sub(r"[\s().+/-]", "", words)
    # A number is kept in full and by its last nine digits, so the nought that people put before it is left out.
    terms: Sequence[str] = [digits.lstrip("0")] if digits.isdecimal() else re.findall(r"\w+", fold(words))[:8]
    terms = [term for part in terms for term in part.split("_") if term]
    if not terms:
        return []
    found: list[tuple[Any, ...]] = rows.run(
        "SELECT contact_id FROM klankbord_find_contacts(to_tsquery('simple', %s), %s)",
        [" & ".join(f"{term}:*" for term in terms), _MOST_HITS],
    )
    return [contact for (contact,) in found]


# ------------------------------------------------------------------------------------------ blocking, merging


def to_put_aside(contact: UUID) -> list[UUID]:
    """The conversations of a contact that are not spam yet, nor done."""
    found = rows.run(
        "SELECT id FROM conversations_conversation WHERE organisation_id = %s AND contact_id = %s"
        " AND status NOT IN ('spam', 'resolved')",
        [current_organisation_id(), contact],
    )
    return [conversation for (conversation,) in found]


def put_aside_by_block(contact: UUID, *, since: datetime) -> list[UUID]:
    """The conversations that are spam because their contact was blocked then: put there at once, or by what the
    contact wrote since."""
    found = rows.run(
        """SELECT c.id FROM conversations_conversation c
            WHERE c.organisation_id = %s AND c.contact_id = %s AND c.status = 'spam'
              AND (c.created_at >= %s
                   OR EXISTS (SELECT FROM conversations_event e
                               WHERE e.organisation_id = c.organisation_id AND e.conversation_id = c.id
                                 AND e.kind = 'conversation marked as spam' AND e.at >= %s
                                 AND e.facts ? 'by_block'))""",
        [current_organisation_id(), contact, since, since],
    )
    return [conversation for (conversation,) in found]


def of_contact(contact: UUID) -> list[UUID]:
    found = rows.run(
        "SELECT id FROM conversations_conversation WHERE organisation_id = %s AND contact_id = %s",
        [current_organisation_id(), contact],
    )
    return [conversation for (conversation,) in found]


def opened_since_by(contact: UUID, *, handles: Collection[UUID], since: datetime) -> list[UUID]:
    """Conversations of a contact that were opened after a moment, in which only these handles speak."""
    found = rows.run(
        """SELECT c.id FROM conversations_conversation c
             JOIN conversations_thread t ON t.organisation_id = c.organisation_id AND t.conversation_id = c.id
            WHERE c.organisation_id = %s AND c.contact_id = %s AND c.created_at > %s
            GROUP BY c.id HAVING bool_and(t.handle_id = ANY(%s))""",
        [current_organisation_id(), contact, since, list(handles)],
    )
    return [conversation for (conversation,) in found]


class Alike(NamedTuple):
    """Somebody who may be the same person, and why: email, phone, name."""

    id: UUID
    name: str
    why: str
    shared: str


def alike(contact: UUID, *, by: Membership, limit: int = 5) -> list[Alike]:
    """Contacts that may be the same person: by an address that is proven on both sides, a number, or nearly the same
    name in an inbox or company that they share. Never those who were told apart."""
    seen, ours = access.sees_contact(by), current_organisation_id()
    found = rows.run(
        f"""WITH me AS (SELECT * FROM contacts_contact WHERE organisation_id = %s AND id = %s),
                 mine AS (SELECT * FROM contacts_handle WHERE organisation_id = %s AND contact_id = %s),
                 likely AS (
                   SELECT h.contact_id, 'email' AS why, h.email AS shared FROM mine
                     JOIN contacts_handle h ON h.organisation_id = %s AND h.email = mine.email
                    WHERE mine.email <> '' AND (mine.is_proven OR mine.kind = 'email')
                      AND (h.is_proven OR h.kind = 'email')
                   UNION ALL
                   SELECT h.contact_id, 'phone', h.phone FROM mine
                     JOIN contacts_handle h ON h.organisation_id = %s AND h.phone_key = mine.phone_key
                    WHERE length(mine.phone_key) >= 8
                   UNION ALL
                   (SELECT c.id, 'name', c.name FROM me
                      JOIN contacts_contact c ON c.organisation_id = %s
                       AND c.name_key >= left(me.name_key, 4) AND c.name_key < left(me.name_key, 4) || U&'\\FFFF'
                       AND c.merged_into_id IS NULL
                     WHERE position(' ' IN me.name_key) > 0 AND position(' ' IN c.name_key) > 0
                     LIMIT 300))
            SELECT p.id, p.name, likely.why, likely.shared, p.name_key, me.name_key,
                   likely.why <> 'name' OR p.company_id = me.company_id OR EXISTS (
                     SELECT FROM conversations_conversation a
                       JOIN conversations_conversation b ON b.organisation_id = a.organisation_id
                        AND b.contact_id = p.id AND b.inbox_id = a.inbox_id
                      WHERE a.organisation_id = p.organisation_id AND a.contact_id = me.id)
              FROM likely CROSS JOIN me
              JOIN contacts_contact p ON p.organisation_id = %s AND p.id = likely.contact_id
             WHERE p.id <> me.id AND p.merged_into_id IS NULL AND {seen[0]}
               AND NOT EXISTS (SELECT FROM contacts_differentpeople d WHERE d.organisation_id = p.organisation_id
                                AND d.first_id = least(p.id, me.id) AND d.second_id = greatest(p.id, me.id))""",
        [ours, contact, ours, contact, ours, ours, ours, *seen[1]],
    )
    alike: dict[UUID, Alike] = {}
    for other, name, why, shared, key, my_key, shares_place in found:
        if why == "name" and not (shares_place and _is_nearly(my_key, key)):
            continue
        alike.setdefault(other, Alike(other, name, why, shared))
    return list(alike.values())[:limit]


def _is_nearly(one: str, other: str) -> bool:
    """Whether two names differ by no more than a slip of the pen, in whatever order their parts stand."""
    one, other = (" ".join(sorted(each.split())) for each in (one, other))
    return SequenceMatcher(None, one, other).ratio() >= 0.9
