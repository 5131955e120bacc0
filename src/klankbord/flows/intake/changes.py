"""Edits, deletions, receipts, reachability and moved places: changes to what is there, or early for what is not yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.contract import Deleted, Edited, PlaceMoved, ReceiptArrived, ReceiptState, Unreachable
from klankbord.desk.contacts.arrivals import note_reachability
from klankbord.desk.conversations import arrivals
from klankbord.desk.inboxes.models import Outcome
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.text import clean

from ..notices import replies_failed
from ..safety import safe_html
from ..turns import change_cases
from .batch import Batch
from .echoes import uuid_or_none
from .reading import Entry

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

    def apply(self, *, arrived: Iterable[UUID] = ()) -> list[dict[str, Any]]:
        """Change the messages and what their cases show; gives what open screens should fetch again.

        arrived: further messages of ours of which it is now certain that they arrived.
        """
        arrivals.edit_messages(self.edits)
        arrivals.withdraw_messages(self.withdrawn)
        noted = set(arrivals.note_receipts(self.receipts))
        failed = {key for key in noted if self.receipts[key][0] == ReceiptState.FAILED}
        if failed:
            replies_failed(failed, now=max(self.receipts[key][1] for key in failed))
        reworded = {*self.edits, *self.withdrawn}
        return change_cases(
            {*reworded, *self.receipts, *arrived},
            failed=failed,
            arrived={*arrived, *(noted - failed)},
            reworded=reworded,
        )


def _rank(state: str) -> int:
    return 9 if state == ReceiptState.FAILED else _ARRIVED.index(state)


def apply_changes(entries: Sequence[Entry], batch: Batch) -> None:
    """Settle all entries that are not messages."""
    changes = Changes()
    stored = {(row["inbox_id"], row["external_id"]): row["id"] for row in batch.messages if row["external_id"]}
    stored |= batch.adopted
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
    _receipts_by_key(entries, changes, batch)
    _receipts_by_place(entries, changes)
    arrivals.keep_early_changes(early)
    batch.changes.extend(changes.apply(arrived=batch.adopted.values()))
    _unreachable(entries)
    _move_places(entries)


def _as_change(entry: Entry) -> dict[str, Any] | None:
    match entry.item:
        case Edited(text=text, html=html):
            return {"do": "edit", "text": clean(text), "html": safe_html(html)}
        case Deleted():
            return {"do": "delete"}
        case ReceiptArrived(external_id=external_id, state=state, reason=reason) if external_id:
            return {"do": "receipt", "state": str(state), "reason": clean(reason)[:500]}
    return None


def _receipts_by_key(entries: Sequence[Entry], changes: Changes, batch: Batch) -> None:
    """Receipts that name our message by the key we gave when sending: our own id. An inbox speaks only of its own."""
    named = [
        (entry, entry.item, uuid_or_none(entry.item.client_key))
        for entry in entries
        if not entry.outcome and isinstance(entry.item, ReceiptArrived) and entry.item.client_key
    ]
    if not named:
        return
    ours = dict(
        run(
            "SELECT id, inbox_id FROM conversations_message WHERE organisation_id = %s AND id = ANY(%s)",
            [current_organisation_id(), sorted({key for _, _, key in named if key is not None})],
        )
    )
    for entry, item, key in named:
        if key is None or ours.get(key) not in batch.siblings.get(entry.inbox_id, [entry.inbox_id]):
            entry.outcome, entry.reason = Outcome.IGNORED, "receipt of a stranger"
            continue
        entry.outcome = Outcome.CHANGE
        changes.add(key, {"do": "receipt", "state": str(item.state), "reason": clean(item.reason)[:500]}, item.at)


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
