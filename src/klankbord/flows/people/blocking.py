"""Blocking somebody: what they write is kept, but stands with the spam and wakes nobody.

block → their conversations go to the spam; what comes in later goes there too (flows/intake) → unblock → what went
there because of the block is resolved, so that a next message opens it again.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from klankbord.desk import access
from klankbord.desk.contacts import services
from klankbord.desk.contacts.models import Contact
from klankbord.desk.conversations.case import Case, let_back, put_aside
from klankbord.desk.conversations.cases import lock_cases, record, store_cases, tell
from klankbord.desk.conversations.people import put_aside_by_block, to_put_aside
from klankbord.desk.organisations.models import AuditLine, Membership


def block(*, contact: UUID, by: Membership, now: datetime) -> Contact:
    found = _lock(contact, by)
    if found.blocked_at is None:
        services.set_blocked(found, at=now)
        cases = list(lock_cases(to_put_aside(found.id)).values())
        for case in cases:
            put_aside(case)
        _store(cases, "conversation marked as spam", by=by, now=now)
        _write_down("contact blocked", found, by=by, now=now)
    return found


def unblock(*, contact: UUID, by: Membership, now: datetime) -> Contact:
    found = _lock(contact, by)
    if found.blocked_at is not None:
        cases = list(lock_cases(put_aside_by_block(found.id, since=found.blocked_at)).values())
        services.set_blocked(found, at=None)
        for case in cases:
            let_back(case, at=now)
        _store(cases, "conversation cleared of spam", by=by, now=now)
        _write_down("contact unblocked", found, by=by, now=now)
    return found


def _lock(contact: UUID, by: Membership) -> Contact:
    access.require(by, "change contacts")
    return services.lock_contact(access.contact_for(by, contact).id)


def _store(cases: list[Case], kind: str, *, by: Membership, now: datetime) -> None:
    store_cases(cases)
    record(
        [
            {
                "kind": kind, "conversation_id": case.id, "message_id": None, "by_id": by.id, "by_kind": "agent",
                "at": now, "facts": {"by_block": True},
            }
            for case in cases
        ]
    )  # fmt: skip
    tell(
        [{"conversation": case.id, "inbox": case.inbox_id, "thread": None, "what": "state"} for case in cases], now=now
    )


def _write_down(deed: str, contact: Contact, *, by: Membership, now: datetime) -> None:
    AuditLine.objects.create(
        at=now, by=by, deed=deed, subject="contact", subject_id=contact.id, facts={"name": contact.name}
    )
