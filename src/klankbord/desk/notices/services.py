"""Let people know: notices and mentions, always as sets, one statement each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from klankbord.kernel.ids import uuid7

from ..rows import insert, packed, recordset, run
from ..wall import current_organisation_id
from .models import Mention, Notification

_COLUMNS = ("id", "organisation_id", "member_id", "kind", "conversation_id", "message_id", "by_id", "times", "at")
DIGEST = "digest"  # the kind of timer


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that one person should hear of."""

    member_id: UUID
    kind: str
    conversation_id: UUID
    message_id: UUID | None = None
    by_id: UUID | None = None
    times: int = 1


def tell_people(notices: Sequence[Notice], *, now: datetime) -> None:
    """Nothing to tell costs nothing; anything else is one statement, whatever the number of people.

    Leaves out kinds that somebody does not want. Whoever wants a digest gets a timer for the next full hour, unless
    there is one already.
    """
    if not notices:
        return
    organisation_id = current_organisation_id()
    rows = [
        {
            "id": uuid7(),
            "organisation_id": organisation_id,
            "member_id": each.member_id,
            "kind": each.kind,
            "conversation_id": each.conversation_id,
            "message_id": each.message_id,
            "by_id": each.by_id,
            "times": each.times,
            "at": now,
        }
        for each in _gathered(notices)
    ]
    columns = ", ".join(_COLUMNS)
    run(
        f"""WITH told AS (
              INSERT INTO notices_notification ({columns})
              SELECT {", ".join(f"r.{each}" for each in _COLUMNS)} FROM {recordset(Notification, _COLUMNS)}
                LEFT JOIN notices_noticechoices c ON c.organisation_id = %s AND c.member_id = r.member_id
               WHERE c.id IS NULL OR NOT r.kind = ANY(c.unwanted)
              ON CONFLICT (organisation_id, member_id, kind, conversation_id) WHERE read_at IS NULL
              DO UPDATE SET message_id = EXCLUDED.message_id, by_id = EXCLUDED.by_id, at = EXCLUDED.at,
                            times = notices_notification.times + EXCLUDED.times, mailed_at = NULL
              RETURNING member_id)
            INSERT INTO conversations_timer (id, organisation_id, kind, subject_id, key, due_at)
            SELECT gen_random_uuid(), %s, '{DIGEST}', c.member_id, '', %s FROM notices_noticechoices c
             WHERE c.organisation_id = %s AND c.digest <> 'off' AND c.member_id IN (SELECT member_id FROM told)
            ON CONFLICT (organisation_id, kind, subject_id, key) DO NOTHING""",
        [packed(rows), organisation_id, organisation_id, _next_hour(now), organisation_id],
    )


def mention_people(members: Collection[UUID], *, conversation: UUID, message: UUID, now: datetime) -> None:
    """They were named in a note: it stands in their list until they have done something about it."""
    insert(
        Mention,
        [
            {
                "id": uuid7(),
                "organisation_id": current_organisation_id(),
                "conversation_id": conversation,
                "member_id": member,
                "message_id": message,
                "at": now,
            }
            for member in sorted(members)
        ],
        on_conflict="(organisation_id, conversation_id, member_id)"
        " DO UPDATE SET message_id = EXCLUDED.message_id, at = EXCLUDED.at, done_at = NULL",
    )


def settle_mentions(*, conversation: UUID, member: UUID | None, now: datetime) -> None:
    """Of one person, or of everybody (None)."""
    run(
        "UPDATE notices_mention SET done_at = %s WHERE organisation_id = %s AND conversation_id = %s"
        " AND done_at IS NULL AND (%s::uuid IS NULL OR member_id = %s)",
        [now, current_organisation_id(), conversation, member, member],
    )


def reopen_mentions(*, conversation: UUID, done_at: datetime) -> None:
    """What settled them at that moment is taken back."""
    run(
        "UPDATE notices_mention SET done_at = NULL"
        " WHERE organisation_id = %s AND conversation_id = %s AND done_at = %s",
        [current_organisation_id(), conversation, done_at],
    )


def mark_read(*, member: UUID, now: datetime, notice: UUID | None = None, conversation: UUID | None = None) -> None:
    """One notice, those of a conversation, or all that are unread."""
    run(
        "UPDATE notices_notification SET read_at = %s WHERE organisation_id = %s AND member_id = %s"
        " AND read_at IS NULL AND (%s::uuid IS NULL OR id = %s) AND (%s::uuid IS NULL OR conversation_id = %s)",
        [now, current_organisation_id(), member, notice, notice, conversation, conversation],
    )


def set_digest(*, member: UUID, due_at: datetime) -> None:
    """Look again at that moment whether there is something to mail."""
    run(
        "INSERT INTO conversations_timer (id, organisation_id, kind, subject_id, key, due_at)"
        f" VALUES (%s, %s, '{DIGEST}', %s, '', %s)"
        " ON CONFLICT (organisation_id, kind, subject_id, key) DO UPDATE SET due_at = EXCLUDED.due_at",
        [uuid7(), current_organisation_id(), member, due_at],
    )


def forget_read(*, before: datetime) -> None:
    """Notices that were read long ago are of no use to anybody."""
    run(
        "DELETE FROM notices_notification WHERE organisation_id = %s AND read_at < %s",
        [current_organisation_id(), before],
    )


def _gathered(notices: Sequence[Notice]) -> list[Notice]:
    """One for each person, kind and conversation: the newest, with how many there are. In the order of the key."""
    found: dict[tuple[UUID, str, UUID], Notice] = {}
    for each in notices:
        key = (each.member_id, each.kind, each.conversation_id)
        times = each.times + (found[key].times if key in found else 0)
        found[key] = Notice(*key, message_id=each.message_id, by_id=each.by_id, times=times)
    return [found[key] for key in sorted(found)]


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
