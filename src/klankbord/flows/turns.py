"""What becomes of a case when something becomes known of its messages: whose turn it is, and what the list shows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from klankbord.desk.conversations.case import Case, recover, stumble
from klankbord.desk.conversations.cases import lock_cases, store_cases
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.text import one_line

_CHANGED = """
    SELECT m.id, m.conversation_id, m.inbox_id, m.thread_id, m.author_kind, m.keeps_open, m.at, m.text,
           m.facts->'before'->>'waiting_since', c.has_trouble,
           m.id = (SELECT n.id FROM conversations_message n
                    WHERE n.organisation_id = m.organisation_id AND n.conversation_id = m.conversation_id
                      AND n.kind IN ('inbound', 'outbound') AND n.state <> 'taken back'
                    ORDER BY n.at DESC, n.id DESC LIMIT 1),
           EXISTS (SELECT 1 FROM conversations_message n
                    WHERE n.organisation_id = m.organisation_id AND n.conversation_id = m.conversation_id
                      AND n.id <> m.id AND n.state IN ('failed', 'uncertain'))
      FROM conversations_message m
      JOIN conversations_conversation c ON c.organisation_id = m.organisation_id AND c.id = m.conversation_id
     WHERE m.organisation_id = %s AND m.id = ANY(%s) ORDER BY m.at, m.id"""


class _Changed(NamedTuple):
    message: UUID
    conversation: UUID
    inbox: UUID
    thread: UUID
    author_kind: str
    keeps_open: bool
    at: datetime
    text: str
    waiting_since: str | None
    has_trouble: bool
    is_newest: bool
    has_other_trouble: bool


def change_cases(
    messages: Collection[UUID],
    *,
    failed: Collection[UUID] = (),
    arrived: Collection[UUID] = (),
    reworded: Collection[UUID] = (),
) -> list[dict[str, Any]]:
    """The cases of messages that changed. Gives what open screens should fetch again (see `LiveEvent.changes`).

    failed: replies that will not, or may not, have arrived: the case is ours again and shows why.
    arrived: replies that are well after all: a case that was in trouble for them is answered.
    reworded: messages that were edited or withdrawn: the list shows what they say now.
    """
    if not messages:
        return []
    found = [_Changed(*row) for row in run(_CHANGED, [current_organisation_id(), sorted(messages)])]
    moved = [
        each
        for each in found
        if each.message in failed
        or (each.message in arrived and each.has_trouble)
        or (each.message in reworded and each.is_newest)
    ]
    cases = lock_cases(each.conversation for each in moved)
    for each in moved:
        _move(cases[each.conversation], each, failed, arrived, reworded)
    store_cases([cases[key] for key in sorted(cases)])
    return [
        {"conversation": each.conversation, "inbox": each.inbox, "thread": each.thread, "what": "state"}
        for each in found
    ]


def _move(
    case: Case,
    changed: _Changed,
    failed: Collection[UUID],
    arrived: Collection[UUID],
    reworded: Collection[UUID],
) -> None:
    if changed.message in failed:
        waiting_since = changed.waiting_since
        stumble(case, waiting_since=datetime.fromisoformat(waiting_since) if waiting_since else None)
    elif changed.message in arrived:
        recover(
            case,
            answered_at=changed.at if changed.author_kind == "agent" else None,
            keeps_open=changed.keeps_open,
            has_other_trouble=changed.has_other_trouble,
        )
    if changed.message in reworded and changed.is_newest:
        case.preview = one_line(changed.text)
