"""What other systems read: plain dictionaries in the shape of the API's documents, a page at a time.

SQL, as for the screens' lists: an API is asked more often than a person looks. Each function is told which inboxes may
be seen; a conversation elsewhere does not exist for it. Keysets are what the next page goes on from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from klankbord.kernel.ids import first_of

from ..rows import run
from ..wall import current_organisation_id

Document = dict[str, Any]

_CONVERSATION = (
    "id", "number", "status", "visibility", "title", "preview", "preview_by", "language", "priority", "inbox_id",
    "team_id", "owner_id", "message_count", "has_trouble", "waiting_since", "snoozed_until", "resolved_at",
    "last_message_at", "last_inbound_at", "created_at", "previous_id",
)  # fmt: skip
_COLUMNS = ", ".join(f"c.{each}" for each in _CONVERSATION)
_LABELS = """COALESCE((SELECT jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name) ORDER BY l.name)
                         FROM conversations_conversationlabel cl
                         JOIN conversations_label l ON l.organisation_id = cl.organisation_id AND l.id = cl.label_id
                        WHERE cl.organisation_id = c.organisation_id AND cl.conversation_id = c.id), '[]'::jsonb)"""
_MESSAGE = (
    "id", "thread_id", "kind", "visibility", "author_kind", "author_id", "author_name", "text", "at", "received_at",
    "external_id", "state", "state_reason", "language", "is_automatic", "is_history", "edited_at", "deleted_at",
)  # fmt: skip
_THREAD = (
    "id", "inbox_id", "visibility", "title", "url", "is_live", "last_inbound_at", "created_at",
)  # fmt: skip
_HANDLE = ("id", "kind", "realm", "external_id", "name", "username", "email", "phone", "profile_url", "is_reachable")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations. is_queue: in the order of the desk's lists (longest waiting first), for one status;
    otherwise newest first."""

    status: str | None = None
    inbox: UUID | None = None
    team: UUID | None = None
    owner: UUID | None = None
    is_unassigned: bool = False
    label: UUID | None = None
    contact: UUID | None = None
    visibility: str | None = None
    since: datetime | None = None
    is_queue: bool = False


def conversations(
    wanted: Wanted, *, inboxes: Collection[UUID], after: Sequence[Any] | None, limit: int
) -> tuple[list[Document], list[Any] | None]:
    """after: the keyset of the page before: [id], or [is_idle, sort_at, id] in the order of the queue."""
    where, values = _conditions(wanted, inboxes)
    if after is not None:
        where.append("(c.is_idle, c.sort_at, c.id) > (%s, %s, %s)" if wanted.is_queue else "c.id < %s")
        values += after
    order = "c.is_idle, c.sort_at, c.id" if wanted.is_queue else "c.id DESC"
    found = run(
        f"""SELECT {_COLUMNS}, c.is_idle, c.sort_at, p.id, p.name, {_LABELS}
              FROM (SELECT * FROM conversations_conversation c WHERE c.organisation_id = %s AND {" AND ".join(where)}
                     ORDER BY {order} LIMIT %s) c
              JOIN contacts_contact p ON p.organisation_id = c.organisation_id AND p.id = c.contact_id
             ORDER BY {order}""",
        [current_organisation_id(), *values, limit + 1],
    )
    last = found[limit - 1] if len(found) > limit else None
    width = len(_CONVERSATION)
    rest = None if last is None else [last[width], last[width + 1], last[0]] if wanted.is_queue else [last[0]]
    return [_conversation(each) for each in found[:limit]], rest


def _conditions(wanted: Wanted, inboxes: Collection[UUID]) -> tuple[list[str], list[Any]]:
    where, values = ["c.inbox_id = ANY(%s)"], [list(inboxes)]
    for column in ("status", "inbox", "team", "owner", "contact", "visibility"):
        value = getattr(wanted, column)
        if value is not None:
            where.append(f"c.{column} = %s" if column in {"status", "visibility"} else f"c.{column}_id = %s")
            values.append(value)
    if wanted.is_unassigned:
        where.append("c.owner_id IS NULL")
    if wanted.label is not None:
        where.append(
            "EXISTS (SELECT FROM conversations_conversationlabel f WHERE f.organisation_id = c.organisation_id"
            " AND f.conversation_id = c.id AND f.label_id = %s)"
        )
        values.append(wanted.label)  # type: ignore[arg-type]
    if wanted.since is not None:
        where.append("c.id >= %s")  # ids begin with the moment at which they were made
        values.append(first_of(wanted.since))  # type: ignore[arg-type]
    return where, values


def conversation(key: int | UUID, *, inboxes: Collection[UUID] | None) -> tuple[Document, str] | None:
    """One conversation, by number or id, and its version, which changes with every event in it; None when it cannot be
    seen. inboxes: None for all of the organisation.

    Events are only ever added, so their number says whether there are new ones; their moments come from several clocks.
    """
    found = run(
        f"""SELECT {_COLUMNS}, c.is_idle, c.sort_at, p.id, p.name, {_LABELS},
                   (SELECT count(*) FROM conversations_event e
                     WHERE e.organisation_id = c.organisation_id AND e.conversation_id = c.id)
              FROM conversations_conversation c
              JOIN contacts_contact p ON p.organisation_id = c.organisation_id AND p.id = c.contact_id
             WHERE c.organisation_id = %s AND (%s::uuid[] IS NULL OR c.inbox_id = ANY(%s))
               AND c.{"id" if isinstance(key, UUID) else "number"} = %s""",
        [current_organisation_id(), *[list(inboxes) if inboxes is not None else None] * 2, key],
    )
    return (_conversation(found[0]), sha256(repr(found[0]).encode()).hexdigest()[:32]) if found else None


def _conversation(row: Sequence[Any]) -> Document:
    document = dict(zip(_CONVERSATION, row, strict=False))
    _, _, contact, name, labels = row[len(_CONVERSATION) : len(_CONVERSATION) + 5]
    document["contact"] = {"id": contact, "name": name}
    document["labels"] = labels
    return document


def threads(conversation_id: UUID) -> list[Document]:
    found = run(
        f"""SELECT {", ".join(f"t.{each}" for each in _THREAD)}, {", ".join(f"h.{each}" for each in _HANDLE)}
              FROM conversations_thread t
              JOIN contacts_handle h ON h.organisation_id = t.organisation_id AND h.id = t.handle_id
             WHERE t.organisation_id = %s AND t.conversation_id = %s ORDER BY t.created_at, t.id""",
        [current_organisation_id(), conversation_id],
    )
    width = len(_THREAD)
    return [
        dict(zip(_THREAD, row, strict=False)) | {"handle": dict(zip(_HANDLE, row[width:], strict=True))}
        for row in found
    ]


def messages(
    conversation_id: UUID, *, before: Sequence[Any] | None, limit: int
) -> tuple[list[Document], list[Any] | None]:
    """Newest first. What a person took back before it left is no message; what was deleted has no words any more."""
    where, values = ("AND (m.at, m.id) < (%s, %s)", list(before)) if before is not None else ("", [])
    found = run(
        f"""SELECT {", ".join(f"m.{each}" for each in _MESSAGE)},
                   COALESCE((SELECT jsonb_agg(jsonb_build_object(
                                 'id', a.id, 'name', a.name, 'content_type', a.content_type, 'size', a.size,
                                 'state', a.state) ORDER BY a.id)
                               FROM conversations_attachment a
                              WHERE a.organisation_id = m.organisation_id AND a.message_id = m.id), '[]'::jsonb)
              FROM conversations_message m
             WHERE m.organisation_id = %s AND m.conversation_id = %s AND m.state <> 'taken back' {where}
             ORDER BY m.at DESC, m.id DESC LIMIT %s""",
        [current_organisation_id(), conversation_id, *values, limit + 1],
    )
    documents = [_message(row) for row in found]
    last = documents[limit - 1] if len(documents) > limit else None
    return documents[:limit], [last["at"], last["id"]] if last else None


def message(message_id: UUID) -> Document | None:
    found = run(
        f"SELECT {', '.join(f'm.{each}' for each in _MESSAGE)}, '[]'::jsonb FROM conversations_message m"
        " WHERE m.organisation_id = %s AND m.id = %s",
        [current_organisation_id(), message_id],
    )
    return _message(found[0]) if found else None


def _message(row: Sequence[Any]) -> Document:
    document = dict(zip(_MESSAGE, row, strict=False)) | {"attachments": row[-1]}
    if document["deleted_at"] is not None:
        document |= {"text": "", "attachments": []}
    return document


def contacts(
    *, inboxes: Collection[UUID] | None, email: str | None, after: UUID | None, limit: int, only: UUID | None = None
) -> tuple[list[Document], UUID | None]:
    """Those who wrote to one of the inboxes (None: to any), newest first, with their handles. email: of a handle."""
    where, values = ["p.organisation_id = %s", "p.merged_into_id IS NULL"], [current_organisation_id()]
    conditions: list[tuple[str, Any]] = []
    if only is not None:
        conditions.append(("p.id = %s", only))
    if inboxes is not None:
        conditions.append(
            (
                "EXISTS (SELECT FROM conversations_conversation c WHERE c.organisation_id = p.organisation_id"
                " AND c.contact_id = p.id AND c.inbox_id = ANY(%s))",
                list(inboxes),
            )
        )
    if email is not None:
        conditions.append(
            (
                "EXISTS (SELECT FROM contacts_handle h WHERE h.organisation_id = p.organisation_id"
                " AND h.contact_id = p.id AND h.email = %s)",
                email.strip().lower(),
            )
        )
    if after is not None:
        conditions.append(("p.id < %s", after))
    found = run(
        f"""SELECT p.id, p.name, p.language, p.created_at,
                   COALESCE((SELECT jsonb_agg(jsonb_build_object(
                                 {", ".join(f"'{each}', h.{each}" for each in _HANDLE)}) ORDER BY h.id)
                               FROM contacts_handle h
                              WHERE h.organisation_id = p.organisation_id AND h.contact_id = p.id), '[]'::jsonb)
              FROM contacts_contact p
             WHERE {" AND ".join(where + [condition for condition, _ in conditions])}
             ORDER BY p.id DESC LIMIT %s""",
        [*values, *(value for _, value in conditions), limit + 1],
    )
    names = ("id", "name", "language", "created_at", "handles")
    documents = [dict(zip(names, row, strict=True)) for row in found]
    return documents[:limit], documents[limit - 1]["id"] if len(documents) > limit else None
