"""Hand a shift over: all of one's conversations to a colleague or a team, or back to everybody.

preview → `hand_over`: owners and teams, one note in each, one notice, all as sets in one transaction → `take_back`
within the hour, for what nobody has given to somebody else since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.contract import Visibility
from klankbord.desk import access
from klankbord.desk.conversations.case import Case
from klankbord.desk.conversations.cases import lock_cases, record, store_cases, tell
from klankbord.desk.conversations.models import Conversation, Message, MessageKind, MessageState, Status
from klankbord.desk.errors import Invalid, NotFound, TooLate
from klankbord.desk.notices.models import NoticeKind, Shift
from klankbord.desk.organisations.models import Membership, Team
from klankbord.desk.rows import insert, run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import clean

from .notices import notify

UNDO_FOR = timedelta(hours=1)
_MOST = 2000  # conversations that change hands at once
_HANDED = (Status.OPEN, Status.PENDING, Status.SNOOZED)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who takes over: a person, a team, or (neither) everybody."""

    owner: Membership | None = None
    team: Team | None = None

    @property
    def name(self) -> str:
        return self.owner.name if self.owner else self.team.name if self.team else ""


@dataclass(frozen=True, slots=True)
class Preview:
    """moves: what would change hands, the longest waiting first. stays: what the receiver may not see."""

    moves: list[Conversation]
    stays: list[Conversation]


def receiver(*, owner: UUID | None = None, team: UUID | None = None) -> Receiver:
    """Raises Invalid for somebody who cannot answer here, or a team that is not there."""
    if owner is not None:
        people = Membership.objects.select_related("user")
        found = people.filter(id=owner, organisation_id=current_organisation_id(), is_active=True).first()
        if found is None or not access.may(found, "answer"):
            raise Invalid(_("This person cannot take over."))
        return Receiver(owner=found)
    if team is not None:
        group = Team.objects.filter(id=team).first()
        if group is None:
            raise Invalid
        return Receiver(team=group)
    return Receiver()


def preview(*, by: Membership, to: Receiver) -> Preview:
    """What is mine and not finished: would it move?"""
    access.require(by, "answer")
    mine = list(
        Conversation.objects.filter(owner=by, status__in=_HANDED)
        .select_related("contact")
        .order_by("is_idle", "sort_at", "id")[:_MOST]
    )
    seen = access.visible_inboxes(to.owner) if to.owner else None
    return Preview(
        moves=[each for each in mine if seen is None or each.inbox_id in seen],
        stays=[each for each in mine if seen is not None and each.inbox_id not in seen],
    )


def hand_over(*, to: Receiver, note: str, by: Membership, now: datetime) -> Shift:
    """Everything that the preview says moves. note: kept in each conversation, none when empty.

    Raises Invalid when there is nothing to hand over, or it is handed to oneself.
    """
    if to.owner == by:
        raise Invalid(_("That is you."))
    note = clean(note).strip()
    cases = lock_cases(each.id for each in preview(by=by, to=to).moves)
    moving = [case for _id, case in sorted(cases.items()) if case.owner_id == by.id]
    if not moving:
        raise Invalid(_("There is nothing to hand over."))
    notes = _write_notes(moving, note, by, now) if note else {}
    moved = [
        {"conversation": str(case.id), "team": case.team_id and str(case.team_id), "note": notes.get(case.id)}
        for case in moving
    ]
    for case in moving:
        case.owner_id = to.owner.id if to.owner else None
        case.team_id = to.team.id if to.team else case.team_id
    _store(moving, by, now)
    if to.owner is not None:
        notify(
            kind=NoticeKind.SHIFT, conversation=moving[0].id, members=[to.owner.id], by=by, times=len(moving), now=now
        )
    shift: Shift = Shift.objects.create(by=by, to_owner=to.owner, to_team=to.team, at=now, moved=moved)
    return shift


def last_shift(*, by: Membership, now: datetime) -> Shift | None:
    """The newest that can still be taken back."""
    found: Shift | None = (
        Shift.objects.filter(by=by, undone_at=None, at__gt=now - UNDO_FOR)
        .select_related("to_owner__user", "to_team")
        .order_by("-at")
        .first()
    )
    return found


def take_back(*, shift: UUID, by: Membership, now: datetime) -> int:
    """Mine again, as far as nobody gave it to somebody else; the notes go. Gives how many came back. Raises TooLate."""
    access.require(by, "answer")
    found = Shift.objects.select_for_update().filter(id=shift, by=by).first()
    if found is None:
        raise NotFound
    if found.undone_at is not None or found.at <= now - UNDO_FOR:
        raise TooLate
    before = {UUID(each["conversation"]): each for each in found.moved}
    cases = lock_cases(before)
    returning = []
    for key, case in sorted(cases.items()):
        given_team = found.to_team_id or _uuid(before[key]["team"])
        if (case.owner_id, case.team_id) == (found.to_owner_id, given_team):
            case.owner_id, case.team_id = by.id, _uuid(before[key]["team"])
            returning.append(case)
    if returning:
        _store(returning, by, now)
    run(
        "DELETE FROM conversations_message WHERE organisation_id = %s AND kind = 'note' AND id = ANY(%s)",
        [current_organisation_id(), [each["note"] for each in found.moved if each["note"]]],
    )
    found.undone_at = now
    found.save(update_fields=["undone_at"])
    return len(returning)


def _write_notes(cases: Sequence[Case], text: str, by: Membership, now: datetime) -> dict[UUID, str]:
    """One in each, in the thread that spoke last. Gives the note of each conversation."""
    threads = run(
        "SELECT DISTINCT ON (conversation_id) conversation_id, id FROM conversations_thread"
        " WHERE organisation_id = %s AND conversation_id = ANY(%s)"
        " ORDER BY conversation_id, last_inbound_at DESC NULLS LAST, id DESC",
        [current_organisation_id(), [case.id for case in cases]],
    )
    thread_of = dict(threads)
    rows = [
        {
            "id": uuid7(),
            "organisation_id": current_organisation_id(),
            "conversation_id": case.id,
            "thread_id": thread_of[case.id],
            "inbox_id": case.inbox_id,
            "kind": str(MessageKind.NOTE),
            "visibility": str(Visibility.PRIVATE),
            "author_kind": "agent",
            "author_id": by.id,
            "author_name": by.name,
            "text": text,
            "html": "",
            "quoted": "",
            "at": now,
            "received_at": now,
            "in_reply_to": "",
            "state": str(MessageState.RECEIVED),
            "state_reason": "",
            "language": "",
            "is_automatic": False,
            "is_history": False,
            "keeps_open": False,
            "remarks": [],
            "also_to": [],
            "facts": {},
        }
        for case in cases
    ]
    insert(Message, rows)
    return {row["conversation_id"]: str(row["id"]) for row in rows}


def _store(cases: Sequence[Case], by: Membership, now: datetime) -> None:
    store_cases(cases)
    record([_event(case, by, now) for case in cases])
    tell(
        [{"conversation": case.id, "inbox": case.inbox_id, "thread": None, "what": "state"} for case in cases], now=now
    )


def _event(case: Case, by: Membership, now: datetime) -> dict[str, Any]:
    return {
        "kind": "conversation assigned",
        "conversation_id": case.id,
        "message_id": None,
        "by_id": by.id,
        "by_kind": "agent",
        "at": now,
        "facts": {
            "owner": case.owner_id and str(case.owner_id),
            "team": case.team_id and str(case.team_id),
        },
    }


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
