"""Edits, deletions, receipts, reachability and moved places: changes to what is there, or early for what is not yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from klankbord.contract import Deleted, Edited, PlaceMoved, ReceiptArrived, ReceiptState, Unreachable
from klankbord.desk.contacts.arrivals import note_reachability
from klankbord.desk.conversations import arrivals
from klankbord.desk.inboxes.models import Outcome
from klankbord.desk.rows import packed, run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.text import clean

from ..safety import safe_html
from . import rows
from .reading import Entry

if TYPE_CHECKING:
    from .settling import Batch

_ARRIVED = ("sent", "delivered", "read")


class Changes:
    """What is to be changed, gathered from items and from changes that had waited for their message."""

    def __init__(self) -> None:
        self.edits: dict[UUID, tuple[str, str, datetime]] = {}
        self.withdrawn: dict[UUID, datetime] = {}
        self.receipts: dict[UUID, tuple[str, datetime, str]] = {}

    def add(self, message: UUID, change: dict[str, Any], at: datetime) -> None:
        match change["do"]:
            case "edit":
                if message not in self.edits or self.edits[message][2] < at:
                    self.edits[message] = (change["text"], change["html"], at)
            case "delete":
                self.withdrawn.setdefault(message, at)
            case "receipt":
                former = self.receipts.get(message)
                if former is None or _rank(former[0]) < _rank(change["state"]):
                    self.receipts[message] = (change["state"], at, change["reason"])

    def apply(self) -> None:
        arrivals.edit_messages(self.edits)
        arrivals.withdraw_messages(self.withdrawn)
        arrivals.note_receipts(self.receipts)

    @property
    def messages(self) -> set[UUID]:
        return {*self.edits, *self.withdrawn, *self.receipts}


def _rank(state: str) -> int:
    return 9 if state == ReceiptState.FAILED else _ARRIVED.index(state)


def apply_changes(entries: Sequence[Entry], batch: Batch) -> None:
    """Settle all entries that are not messages."""
    changes = Changes()
    stored = {(row["inbox_id"], row["external_id"]): row["id"] for row in batch.messages if row["external_id"]}
    early: list[dict[str, Any]] = []
    for entry in entries:
        change = _as_change(entry)
        if change is None or entry.outcome:
            continue
        external_id = entry.item.external_id  # type: ignore[union-attr]
        known = batch.find(entry.inbox_id, external_id)
        message = known.id if known else stored.get((entry.inbox_id, external_id))
        entry.outcome = Outcome.CHANGE
        if message is not None:
            changes.add(message, change, entry.at)
        else:
            early.append({"inbox_id": entry.inbox_id, "external_id": external_id, "change": change, "at": entry.at})
    for inbox_id, external_id, change, at in arrivals.take_early_changes(stored):
        changes.add(stored[inbox_id, external_id], change, at)
    _receipts_by_key(entries, changes)
    _receipts_by_place(entries, changes)
    arrivals.keep_early_changes(early)
    changes.apply()
    _unreachable(entries)
    _move_places(entries)
    _tell_of(changes, batch)


def _as_change(entry: Entry) -> dict[str, Any] | None:
    match entry.item:
        case Edited(text=text, html=html):
            return {"do": "edit", "text": clean(text), "html": safe_html(html)}
        case Deleted():
            return {"do": "delete"}
        case ReceiptArrived(external_id=external_id, state=state, reason=reason) if external_id:
            return {"do": "receipt", "state": str(state), "reason": clean(reason)[:500]}
    return None


def _receipts_by_key(entries: Sequence[Entry], changes: Changes) -> None:
    """Receipts that name our message by the key we gave when sending: our own id."""
    for entry in entries:
        item = entry.item
        if entry.outcome or not isinstance(item, ReceiptArrived) or not item.client_key:
            continue
        entry.outcome = Outcome.CHANGE
        try:
            message = UUID(item.client_key)
        except ValueError:
            entry.outcome, entry.reason = Outcome.IGNORED, "receipt of a stranger"
            continue
        changes.add(message, {"do": "receipt", "state": str(item.state), "reason": clean(item.reason)[:500]}, item.at)


def _receipts_by_place(entries: Sequence[Entry], changes: Changes) -> None:
    """ "Read until 14:02": a receipt for all our messages in a place."""
    found: dict[tuple[UUID, str, datetime], ReceiptArrived] = {}
    for entry in entries:
        item = entry.item
        if isinstance(item, ReceiptArrived) and not entry.outcome:
            entry.outcome = Outcome.CHANGE
            if item.place_key:
                found[entry.inbox_id, item.place_key, item.up_to or item.at] = item
    for message, inbox, place_key, up_to in arrivals.messages_up_to(list(found)):
        item = found[inbox, place_key, up_to]
        changes.add(message, {"do": "receipt", "state": str(item.state), "reason": item.reason}, item.at)


def _unreachable(entries: Sequence[Entry]) -> None:
    by_kind: dict[str, list[Unreachable]] = {}
    for entry in entries:
        if isinstance(entry.item, Unreachable) and not entry.outcome:
            entry.outcome = Outcome.CHANGE
            by_kind.setdefault(entry.connected.inbox.kind, []).append(entry.item)
    for kind in sorted(by_kind):
        note_reachability(kind, by_kind[kind])


def _move_places(entries: Sequence[Entry]) -> None:
    for entry in entries:
        item = entry.item
        if isinstance(item, PlaceMoved) and not entry.outcome:
            entry.outcome = Outcome.CHANGE
            run(
                "UPDATE conversations_thread t SET place_key = %s, target = %s WHERE organisation_id = %s"
                " AND inbox_id = %s AND place_key = %s AND is_live AND NOT EXISTS (SELECT 1 FROM conversations_thread u"
                " WHERE u.organisation_id = t.organisation_id AND u.inbox_id = t.inbox_id AND u.place_key = %s"
                " AND u.is_live)",
                [item.new_key, item.target, current_organisation_id(), entry.inbox_id, item.old_key, item.new_key],
            )


def _tell_of(changes: Changes, batch: Batch) -> None:
    """Screens hear of changed messages; a message that failed after all becomes an agent's work again."""
    if not changes.messages:
        return
    failed = sorted(key for key, (state, _, _) in changes.receipts.items() if state == ReceiptState.FAILED)
    found = run(
        """WITH changed AS (
               SELECT m.id, m.conversation_id, m.inbox_id, m.thread_id
                 FROM json_to_recordset(%s::json) AS r(id uuid)
                 JOIN conversations_message m ON m.organisation_id = %s AND m.id = r.id),
             trouble AS (
               UPDATE conversations_conversation c SET has_trouble = true FROM changed
                WHERE c.organisation_id = %s AND c.id = changed.conversation_id AND changed.id = ANY(%s))
           SELECT conversation_id, inbox_id, thread_id FROM changed""",
        [packed({"id": key} for key in sorted(changes.messages)), *[current_organisation_id()] * 2, failed],
    )
    batch.changes.extend(
        rows.change({"conversation_id": conversation, "inbox_id": inbox, "thread_id": thread}, "state")
        for conversation, inbox, thread in found
    )
