"""Threads that go from one conversation to another: the rows that move, and how the two cases stand afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.kernel.text import one_line

from ..rows import run
from ..wall import current_organisation_id
from .arrivals import KnownThread, Raced
from .case import Case
from .models import Status, Thread

_STANDING = ("status", "team_id", "owner_id")
_MOMENTS = ("waiting_since", "snoozed_until", "resolved_at")


@dataclass(frozen=True, slots=True)
class Found:
    """What the messages of a conversation say about its case. waiting_since: over its threads, each by itself."""

    message_count: int
    last_message_at: datetime | None
    last_inbound_at: datetime | None
    waiting_since: datetime | None
    answered_at: datetime | None
    has_trouble: bool
    preview: str = ""
    preview_by: str = ""
    visibility: str = ""


def threads_in(conversation: UUID) -> list[Thread]:
    return list(Thread.objects.filter(conversation_id=conversation).order_by("created_at", "id"))


def hold_outbox(threads: Collection[UUID]) -> None:
    """Receipts of replies under way wait until the threads have moved; they read anew where their message stands."""
    run(
        "SELECT id FROM conversations_outbox WHERE organisation_id = %s AND thread_id = ANY(%s) ORDER BY id FOR UPDATE",
        [current_organisation_id(), sorted(threads)],
    )


def check_places(threads: Iterable[KnownThread]) -> None:
    """Raises Raced when one of them went to another conversation between our look and our lock."""
    known = {thread.id: thread.conversation_id for thread in threads}
    found = run(
        "SELECT id, conversation_id FROM conversations_thread WHERE organisation_id = %s AND id = ANY(%s)",
        [current_organisation_id(), sorted(known)],
    )
    if dict(found) != known:
        raise Raced("rearranged")


def move_threads(threads: Collection[UUID], *, origin: UUID, to: UUID) -> None:
    """With their messages, files, words to search by and unsent words. Events stay: they tell what happened there."""
    ours, moved = current_organisation_id(), sorted(threads)
    run(
        "UPDATE conversations_thread SET conversation_id = %s WHERE organisation_id = %s AND id = ANY(%s)",
        [to, ours, moved],
    )
    run(
        "UPDATE conversations_message SET conversation_id = %s WHERE organisation_id = %s AND thread_id = ANY(%s)",
        [to, ours, moved],
    )
    for table in ("conversations_attachment", "conversations_searchdocument"):
        run(
            f"UPDATE {table} t SET conversation_id = %s FROM conversations_message m WHERE t.organisation_id = %s"
            " AND m.organisation_id = t.organisation_id AND m.id = t.message_id AND m.thread_id = ANY(%s)",
            [to, ours, moved],
        )
    run(
        "UPDATE conversations_draft d SET conversation_id = %s WHERE d.organisation_id = %s AND d.conversation_id = %s"
        " AND d.thread_id = ANY(%s) AND NOT EXISTS (SELECT FROM conversations_draft o WHERE"
        " o.organisation_id = d.organisation_id AND o.conversation_id = %s AND o.member_id = d.member_id"
        " AND o.kind = d.kind)",
        [to, ours, origin, moved, to],
    )


def found_in(conversation: UUID) -> Found:
    ours = current_organisation_id()
    [counted] = run(
        """WITH said AS (
               SELECT m.*, max(m.at) FILTER (WHERE m.kind = 'outbound' AND m.author_kind = 'agent'
                                               AND m.state <> 'failed') OVER (PARTITION BY m.thread_id) AS answered
                 FROM conversations_message m
                WHERE m.organisation_id = %s AND m.conversation_id = %s AND m.kind IN ('inbound', 'outbound')
                  AND m.state <> 'taken back')
           SELECT count(*), max(at), max(at) FILTER (WHERE kind = 'inbound'),
                  min(at) FILTER (WHERE kind = 'inbound' AND NOT is_automatic AND NOT is_history
                                    AND at > coalesce(answered, '-infinity'::timestamptz)),
                  max(answered), coalesce(bool_or(state IN ('failed', 'uncertain')), false)
             FROM said""",
        [ours, conversation],
    )
    newest = run(
        """SELECT text, author_kind, visibility FROM conversations_message
            WHERE organisation_id = %s AND conversation_id = %s AND kind IN ('inbound', 'outbound')
              AND state <> 'taken back' ORDER BY at DESC, id DESC LIMIT 1""",
        [ours, conversation],
    )
    text, by, visibility = newest[0] if newest else ("", "", "")
    said = {"preview": one_line(text, limit=200), "preview_by": by, "visibility": visibility}
    return Found(*counted, **said)


def recount(case: Case, found: Found) -> None:
    """What the messages say, as far as it does not depend on what people decided."""
    case.message_count, case.has_trouble = found.message_count, found.has_trouble
    case.last_inbound_at = found.last_inbound_at
    case.last_message_at = found.last_message_at or case.last_message_at
    if found.visibility:
        case.preview, case.preview_by, case.visibility = found.preview, found.preview_by, found.visibility


def standing(case: Case) -> dict[str, Any]:
    """Where a case stands by people's decisions, as JSON, to be put back by `stand_again`."""
    moments = {name: getattr(case, name) for name in _MOMENTS}
    return {
        **{name: str(getattr(case, name) or "") for name in _STANDING},
        **{name: moment.isoformat() if moment else "" for name, moment in moments.items()},
    }


def absorb(target: Case, source: Case) -> None:
    """All of a case becomes part of another: whoever waited in either goes on waiting."""
    was_open = [case for case in (target, source) if case.status == Status.OPEN]
    waiting = [case.waiting_since for case in was_open if case.waiting_since]
    if was_open:
        target.status, target.snoozed_until, target.resolved_at = Status.OPEN, None, None
        target.waiting_since = min(waiting, default=None)
    elif target.status in (Status.RESOLVED, Status.SPAM) and source.status in (Status.PENDING, Status.SNOOZED):
        target.status, target.resolved_at = Status.PENDING, None
    target.owner_id = target.owner_id or source.owner_id
    target.team_id = target.team_id or source.team_id
    target.priority = max(target.priority, source.priority)


def vanish(source: Case, target: Case) -> None:
    source.status, source.merged_into_id = Status.MERGED, target.id
    source.waiting_since = source.snoozed_until = source.resolved_at = None
    source.message_count, source.has_trouble = 0, False


def stand_again(case: Case, before: Mapping[str, str], found: Found, *, since: datetime, now: datetime) -> None:
    """A case as it stood before it was merged, with what its own people said since."""
    status = before["status"]
    waiting, snoozed, resolved = (_moment(before[name]) for name in _MOMENTS)
    if found.answered_at is not None and found.answered_at > since and status == Status.OPEN:
        waiting, status = found.waiting_since, status if found.waiting_since else Status.PENDING
    elif found.last_inbound_at is not None and found.last_inbound_at > since and found.waiting_since:
        waiting, status = waiting or found.waiting_since, Status.OPEN
    if status == Status.SNOOZED and (snoozed is None or snoozed <= now):
        status = Status.OPEN
    case.status, case.merged_into_id = status, None
    case.waiting_since = waiting if status == Status.OPEN else None
    case.snoozed_until = snoozed if status == Status.SNOOZED else None
    case.resolved_at = resolved if status == Status.RESOLVED else None
    case.owner_id, case.team_id = _id(before["owner_id"]), _id(before["team_id"])


def divide(rest: Case, apart: Case, found_rest: Found, found_apart: Found) -> None:
    """A part of a case becomes a case of its own: each waits for what stands in it."""
    apart.status, apart.resolved_at, apart.snoozed_until = rest.status, rest.resolved_at, rest.snoozed_until
    if rest.status == Status.OPEN:
        waited = rest.waiting_since
        rest.waiting_since = found_rest.waiting_since if waited else None
        apart.waiting_since = found_apart.waiting_since if waited else None
        for case in (rest, apart):
            if waited and case.waiting_since is None:
                case.status = Status.PENDING


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None
