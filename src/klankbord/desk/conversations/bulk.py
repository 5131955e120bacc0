"""The same deed on many conversations: as many statements for a thousand as for one, and one undo for all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.kernel.ids import uuid7

from ..organisations.models import Membership
from ..rows import insert, run, update
from ..wall import current_organisation_id
from .case import Case
from .cases import record, store_cases, tell
from .models import BulkDeed, ConversationLabel, Label, Status

Columns = Mapping[str, Any]
Change = Callable[[Case], None]

_STAMPED = ("status", "owner_id", "team_id", "message_count", "snoozed_until")
_MOMENTS = frozenset({"waiting_since", "snoozed_until", "resolved_at", "last_message_at"})
_IDS = frozenset({"owner_id", "team_id"})
_STATE = ("status", "owner_id", "team_id", "waiting_since", "snoozed_until", "resolved_at")
_SPOKEN = (*_STATE, "preview", "preview_by", "visibility", "last_message_at", "message_count")


def stamp(case: Case) -> str:
    """Changes whenever somebody does something to a conversation, or says something in it."""
    return _stamp(getattr(case, name) for name in _STAMPED)


def stamps(ids: Collection[UUID]) -> dict[UUID, str]:
    """Of conversations as they stand now, without keeping anybody from changing them."""
    found = run(
        f"SELECT id, {', '.join(_STAMPED)} FROM conversations_conversation WHERE organisation_id = %s AND id = ANY(%s)",
        [current_organisation_id(), list(ids)],
    )
    return {each: _stamp(values) for each, *values in found}


def _stamp(values: Iterable[Any]) -> str:
    text = "|".join(str(each.timestamp()) if isinstance(each, datetime) else str(each) for each in values)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# ---------------------------------------------------------------------------------------------------- the deeds


def resolve(case: Case, *, now: datetime) -> None:
    case.status, case.resolved_at, case.snoozed_until, case.waiting_since = Status.RESOLVED, now, None, None


def put_with_spam(case: Case) -> None:
    case.status, case.snoozed_until, case.waiting_since, case.resolved_at = Status.SPAM, None, None, None


def snooze(case: Case, *, until: datetime) -> None:
    case.status, case.snoozed_until, case.resolved_at = Status.SNOOZED, until, None


def begin(*, deed_id: UUID, deed: str, by: Membership, now: datetime) -> bool:
    """Note that a deed is being done; False when it was done already: a second click does nothing twice."""
    row = {"id": deed_id, "organisation_id": current_organisation_id(), "deed": deed, "by_id": by.id, "at": now}
    return bool(insert(BulkDeed, [{**row, "undone_at": None, "facts": {}}], returning="id"))


def finish(*, deed_id: UUID, facts: Mapping[str, Any]) -> None:
    """Keep what it takes to undo the deed."""
    update(BulkDeed, [{"id": deed_id, "facts": dict(facts)}], organisation_id=current_organisation_id())


def state_of(case: Case) -> dict[str, Any]:
    """What a deed changes of a case, to be put back."""
    return {name: getattr(case, name) for name in _STATE}


def state_with_words(case: Case) -> dict[str, Any]:
    """The same where the deed says something as well."""
    return {name: getattr(case, name) for name in _SPOKEN}


def change_all(
    cases: Sequence[Case], change: Change, *, kind: str, facts: Mapping[str, Any], by: Membership, now: datetime
) -> dict[str, Any]:
    """Change locked cases; gives what undoing needs."""
    before = {case.id: state_of(case) for case in cases}
    for case in cases:
        change(case)
    _store(cases, kind, facts, by, now)
    return {str(case.id): {"before": before[case.id], "after": stamp(case)} for case in cases}


def restore_all(
    cases: Sequence[Case], states: Mapping[str, Columns], *, deed: str, by: Membership, now: datetime
) -> None:
    """Put locked cases back to where they stood."""
    for case in cases:
        for name, value in states[str(case.id)].items():
            setattr(case, name, _read(name, value))
    _store(cases, "deed on many undone", {"deed": deed}, by, now)


def label_all(cases: Sequence[Case], *, name: str, by: Membership, now: datetime) -> dict[UUID, UUID]:
    """Attach a label; gives the new links by conversation. Who had it keeps it, and is not among them."""
    label, _made = Label.objects.get_or_create(name=name, defaults={"colour": sum(name.encode()) % 7 + 1})
    ours = current_organisation_id()
    links = [
        {"id": uuid7(), "organisation_id": ours, "conversation_id": each.id, "label_id": label.id} for each in cases
    ]
    new = {
        conversation: link for link, conversation in insert(ConversationLabel, links, returning="id, conversation_id")
    }
    _tell([case for case in cases if case.id in new], "label added", {"label": name}, by, now)
    return new


def unlabel_all(cases: Sequence[Case], links: Collection[UUID], *, by: Membership, now: datetime) -> None:
    run(
        "DELETE FROM conversations_conversationlabel WHERE organisation_id = %s AND id = ANY(%s)",
        [current_organisation_id(), list(links)],
    )
    _tell(cases, "deed on many undone", {"deed": "label"}, by, now)


def _store(cases: Sequence[Case], kind: str, facts: Mapping[str, Any], by: Membership, now: datetime) -> None:
    if cases:
        store_cases(cases)
        _tell(cases, kind, facts, by, now)


def _tell(cases: Sequence[Case], kind: str, facts: Mapping[str, Any], by: Membership, now: datetime) -> None:
    record(
        [
            {
                "kind": kind, "conversation_id": case.id, "message_id": None, "by_id": by.id, "by_kind": "agent",
                "at": now, "facts": dict(facts),
            }
            for case in cases
        ]
    )  # fmt: skip
    tell(
        [{"conversation": case.id, "inbox": case.inbox_id, "thread": None, "what": "state"} for case in cases], now=now
    )


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _MOMENTS:
        return datetime.fromisoformat(value)
    return UUID(value) if name in _IDS else value
