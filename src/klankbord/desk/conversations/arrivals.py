"""The set-based half of intake that touches conversations: look up, open, store, change. One statement each, whatever
the number of messages. Everything here runs inside `with organisation(id):`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.kernel.ids import first_of, uuid7

from ..rows import insert, packed, recordset, run, update
from ..wall import current_organisation_id
from .index import forget_search_documents, index_again
from .models import Attachment, EarlyChange, Message, MessagePart, Thread

ExternalKey = tuple[UUID, str]  # inbox, external id


class Raced(RuntimeError):
    """Another transaction was first; run the batch again."""


@dataclass(frozen=True, slots=True)
class KnownMessage:
    id: UUID
    inbox_id: UUID
    external_id: str
    thread_id: UUID
    conversation_id: UUID
    kind: str
    state: str
    digest: str
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class KnownThread:
    id: UUID
    conversation_id: UUID
    inbox_id: UUID
    handle_id: UUID
    place_key: str
    visibility: str
    token: str
    is_live: bool


def known_messages(keys: Iterable[ExternalKey]) -> dict[ExternalKey, KnownMessage]:
    """The messages that have these ids on their platforms, parts of longer replies included."""
    rows = [{"inbox_id": inbox, "external_id": external} for inbox, external in set(keys) if external]
    if not rows:
        return {}
    organisation_id = current_organisation_id()
    columns = (
        "m.id, {0}.inbox_id, {0}.external_id, m.thread_id, m.conversation_id, m.kind, m.state,"
        " coalesce(m.facts->>'digest', ''), m.deleted_at IS NOT NULL"
    )
    wanted = recordset(Message, ["inbox_id", "external_id"])
    found = run(
        f"""SELECT {columns.format("m")} FROM {wanted}
              JOIN conversations_message m ON m.organisation_id = %s
               AND m.inbox_id = r.inbox_id AND m.external_id = r.external_id
            UNION ALL
            SELECT {columns.format("p")} FROM {wanted}
              JOIN conversations_messagepart p ON p.organisation_id = %s
               AND p.inbox_id = r.inbox_id AND p.external_id = r.external_id
              JOIN conversations_message m ON m.organisation_id = p.organisation_id AND m.id = p.message_id""",
        [packed(rows), organisation_id, packed(rows), organisation_id],
    )
    messages = [KnownMessage(*row) for row in found]
    return {(each.inbox_id, each.external_id): each for each in messages}


def known_threads(
    *, ids: Iterable[UUID], tokens: Iterable[str], places: Iterable[tuple[UUID, str]]
) -> tuple[dict[UUID, KnownThread], dict[str, KnownThread], dict[tuple[UUID, str], KnownThread]]:
    """Threads by id, by the token of a reply tag, and live ones by place."""
    organisation_id = current_organisation_id()
    columns = "t.id, t.conversation_id, t.inbox_id, t.handle_id, t.place_key, t.visibility, t.token, t.is_live"
    found = run(
        f"""SELECT {columns} FROM conversations_thread t WHERE t.organisation_id = %s AND t.id = ANY(%s)
            UNION
            SELECT {columns} FROM conversations_thread t WHERE t.organisation_id = %s AND t.token = ANY(%s)
            UNION
            SELECT {columns} FROM {recordset(Thread, ["inbox_id", "place_key"])}
              JOIN conversations_thread t ON t.organisation_id = %s AND t.inbox_id = r.inbox_id
               AND t.place_key = r.place_key AND t.is_live""",
        [
            organisation_id,
            sorted(set(ids)),
            organisation_id,
            sorted({token for token in tokens if token}),
            packed({"inbox_id": inbox, "place_key": key} for inbox, key in set(places)),
            organisation_id,
        ],
    )
    threads = [KnownThread(*row) for row in found]
    return (
        {thread.id: thread for thread in threads},
        {thread.token: thread for thread in threads},
        {(thread.inbox_id, thread.place_key): thread for thread in threads if thread.is_live},
    )


def retire_threads(ids: Sequence[UUID]) -> None:
    """These places open a new conversation next time: their old one is closed to reopening."""
    if ids:
        run(
            "UPDATE conversations_thread SET is_live = false WHERE organisation_id = %s AND conversation_id ="
            " ANY (SELECT conversation_id FROM conversations_thread WHERE organisation_id = %s AND id = ANY(%s))",
            [current_organisation_id(), current_organisation_id(), sorted(ids)],
        )


def open_threads(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raises Raced when a live thread stands in one of the places already."""
    opened = insert(Thread, rows, returning="id")
    if len(opened) != len(rows):
        raise Raced("thread")


def store_messages(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raises Raced when one of the external ids exists already: the UNIQUE decides, not our look-up."""
    stored = insert(Message, rows, returning="id")
    if len(stored) != len(rows):
        raise Raced("message")


def store_attachments(rows: Sequence[Mapping[str, Any]]) -> None:
    insert(Attachment, rows)


def touch_threads(heard: Mapping[UUID, tuple[datetime, str]]) -> None:
    """Remember the newest customer message of each thread: thread → (its moment, its external id)."""
    update(
        Thread,
        [
            {"id": thread, "last_inbound_at": at, "last_inbound_id": external}
            for thread, (at, external) in sorted(heard.items())
        ],
        organisation_id=current_organisation_id(),
        where="(t.last_inbound_at IS NULL OR t.last_inbound_at <= r.last_inbound_at)",
    )


def edit_messages(edits: Mapping[UUID, tuple[str, str, datetime]]) -> None:
    """message → (text, html, moment). Older edits than the newest known are skipped; what it said is kept."""
    if not edits:
        return
    organisation_id = current_organisation_id()
    rows = [{"id": key, "text": text, "html": html, "edited_at": at} for key, (text, html, at) in sorted(edits.items())]
    newer = "(t.edited_at IS NULL OR t.edited_at < r.edited_at) AND t.deleted_at IS NULL AND t.text <> r.text"
    run(
        f"INSERT INTO conversations_messageversion (id, organisation_id, message_id, text, html, replaced_at)"
        f" SELECT gen_random_uuid(), t.organisation_id, t.id, t.text, t.html, r.edited_at"
        f" FROM {recordset(Message, ['id', 'text', 'html', 'edited_at'])}"
        f" JOIN conversations_message t ON t.organisation_id = %s AND t.id = r.id WHERE {newer} ON CONFLICT DO NOTHING",
        [packed(rows), organisation_id],
    )
    changed = update(Message, rows, organisation_id=organisation_id, where=newer, returning="t.id")
    index_again([message for (message,) in changed])


def withdraw_messages(withdrawn: Mapping[UUID, datetime]) -> None:
    """The author or the platform took them away: the content goes into the versions, a tombstone stays."""
    if not withdrawn:
        return
    organisation_id = current_organisation_id()
    rows = [
        {"id": key, "deleted_at": at, "text": "", "html": "", "quoted": ""} for key, at in sorted(withdrawn.items())
    ]
    insert_from = recordset(Message, ["id", "deleted_at", "text", "html", "quoted"])
    run(
        f"INSERT INTO conversations_messageversion (id, organisation_id, message_id, text, html, replaced_at)"
        f" SELECT gen_random_uuid(), t.organisation_id, t.id, t.text, t.html, r.deleted_at FROM {insert_from}"
        f" JOIN conversations_message t ON t.organisation_id = %s AND t.id = r.id WHERE t.deleted_at IS NULL"
        f" ON CONFLICT DO NOTHING",
        [packed(rows), organisation_id],
    )
    update(Message, rows, organisation_id=organisation_id, where="t.deleted_at IS NULL")
    forget_search_documents(withdrawn)


def note_receipts(receipts: Mapping[UUID, tuple[str, datetime, str]]) -> list[UUID]:
    """message → (state, moment, reason). A receipt never takes a message back from read to delivered.

    What the platform speaks of is not on its way any more, whatever became of our call. Gives the messages that
    changed.
    """
    changed = update(
        Message,
        [
            {"id": key, "state": state, "state_at": at, "state_reason": reason}
            for key, (state, at, reason) in sorted(receipts.items())
        ],
        organisation_id=current_organisation_id(),
        where="""t.kind = 'outbound' AND (r.state = 'failed' OR
            array_position(ARRAY['sent','delivered','read']::varchar[], r.state) >
            coalesce(array_position(ARRAY['sent','delivered','read']::varchar[], t.state), 0))""",
        returning="t.id",
    )
    ids = sorted(message for (message,) in changed)
    if ids:
        run(
            "DELETE FROM conversations_outbox WHERE organisation_id = %s AND id = ANY(%s)",
            [current_organisation_id(), ids],
        )
    return ids


def messages_up_to(places: Sequence[tuple[UUID, str, datetime]]) -> list[tuple[UUID, UUID, str, datetime]]:
    """Our messages in these places (inbox, place key) until a moment: (id, inbox, place key, that moment)."""
    if not places:
        return []
    return run(
        """SELECT m.id, t.inbox_id, t.place_key, r.up_to
             FROM json_to_recordset(%s::json) AS r(inbox_id uuid, place_key text, up_to timestamptz)
             JOIN conversations_thread t ON t.organisation_id = %s AND t.inbox_id = r.inbox_id
              AND t.place_key = r.place_key AND t.is_live
             JOIN conversations_message m ON m.organisation_id = t.organisation_id AND m.thread_id = t.id
              AND m.at <= r.up_to AND m.kind = 'outbound' AND m.state IN ('sent', 'delivered')""",
        [
            packed({"inbox_id": inbox, "place_key": key, "up_to": up_to} for inbox, key, up_to in places),
            current_organisation_id(),
        ],
    )


def keep_early_changes(rows: Sequence[Mapping[str, Any]]) -> None:
    """Changes of messages that have not come yet: dicts with inbox_id, external_id, change, at."""
    insert(EarlyChange, [{"id": uuid7(), "organisation_id": current_organisation_id(), **row} for row in rows])


def take_early_changes(keys: Iterable[ExternalKey]) -> list[tuple[UUID, str, dict[str, Any], datetime]]:
    """The changes that waited for these messages, oldest first; they wait no longer."""
    rows = [{"inbox_id": inbox, "external_id": external} for inbox, external in sorted(set(keys), key=str)]
    if not rows:
        return []
    found = run(
        f"DELETE FROM conversations_earlychange t USING {recordset(EarlyChange, ['inbox_id', 'external_id'])}"
        " WHERE t.organisation_id = %s AND t.inbox_id = r.inbox_id AND t.external_id = r.external_id"
        " RETURNING t.inbox_id, t.external_id, t.change, t.at",
        [packed(rows), current_organisation_id()],
    )
    return sorted(found, key=lambda row: row[3])


def forget_early_changes(*, before: datetime) -> int:
    """Those that were kept before this moment: their message does not come any more. Gives how many.

    By our own clock, which is in their ids: the platform's moment of a change may be years ago when history comes in.
    """
    return int(EarlyChange.objects.filter(id__lt=first_of(before)).delete()[0])


def add_parts(message_id: UUID, inbox_id: UUID, external_ids: Sequence[str]) -> None:
    """Remember the platform ids of the second and later parts of a reply of ours."""
    insert(
        MessagePart,
        [
            {
                "id": uuid7(),
                "organisation_id": current_organisation_id(),
                "message_id": message_id,
                "inbox_id": inbox_id,
                "external_id": external,
                "position": place,
            }
            for place, external in enumerate(external_ids)
        ],
    )
