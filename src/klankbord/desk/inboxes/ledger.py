"""The ledger: every item that arrived has exactly one outcome, and the sums are kept as they happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from klankbord.kernel.ids import uuid7

from ..rows import insert
from ..wall import current_organisation_id
from .models import DeadLetter, LedgerLine, Outcome

ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one item. position: within its delivery, -1 for the delivery as a whole."""

    inbox_id: UUID
    delivery_id: UUID
    position: int
    received_at: datetime
    outcome: Outcome
    reason: str = ""


def note(settled: Iterable[Settled]) -> None:
    """Add items to the ledger of the day on which they arrived."""
    counts: Counter[tuple[UUID, Any, str, str]] = Counter()
    newest: dict[UUID, datetime] = {}
    for each in settled:
        day = each.received_at.astimezone(UTC).date()
        counts[each.inbox_id, day, str(each.outcome), _short(each)] += 1
        counts[each.inbox_id, day, ACCEPTED, ""] += 1
        newest[each.inbox_id] = max(each.received_at, newest.get(each.inbox_id, each.received_at))
    _add(counts, newest)


def take_back(settled: Settled) -> None:
    """This item gets another outcome: `note` follows."""
    day = settled.received_at.astimezone(UTC).date()
    _add(
        Counter(
            {
                (settled.inbox_id, day, str(settled.outcome), _short(settled)): -1,
                (settled.inbox_id, day, ACCEPTED, ""): -1,
            }
        ),
        {},
    )


def _add(counts: Counter[tuple[UUID, Any, str, str]], newest: Mapping[UUID, datetime]) -> None:
    """(inbox, day, outcome, reason) → how many more (or fewer); inbox → when the newest of them arrived."""
    organisation_id = current_organisation_id()
    insert(
        LedgerLine,
        [
            {
                "id": uuid7(),
                "organisation_id": organisation_id,
                "inbox_id": inbox,
                "day": day,
                "outcome": outcome,
                "reason": reason,
                "count": count,
                "last_at": newest.get(inbox) if outcome == ACCEPTED else None,
            }
            for (inbox, day, outcome, reason), count in sorted(counts.items(), key=lambda item: str(item[0]))
        ],
        on_conflict="(organisation_id, inbox_id, day, outcome, reason)"
        " DO UPDATE SET count = inboxes_ledgerline.count + EXCLUDED.count,"
        " last_at = GREATEST(inboxes_ledgerline.last_at, EXCLUDED.last_at)",
    )


def _short(each: Settled) -> str:
    """Reasons are machine words in the ledger; the dead letter itself holds the whole sentence."""
    return each.reason.split(":")[0][:80] if each.outcome in (Outcome.IGNORED, Outcome.DEAD) else ""


def bury(letters: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Keep items that failed: dicts with the columns of `DeadLetter` except id, organisation and failed_at.

    One by one: dead letters are rare, and their bodies are bytes. The body is kept once per delivery, with the first
    of its items, so that a thousand bad items of one delivery do not keep a thousand copies.
    """
    kept: set[Any] = set()
    for letter in sorted(letters, key=lambda letter: letter["position"]):
        if letter["delivery_id"] in kept:
            letter = {**letter, "body": b""}
        kept.add(letter["delivery_id"])
        DeadLetter.objects.update_or_create(
            delivery_id=letter["delivery_id"],
            position=letter["position"],
            defaults={**letter, "failed_at": now, "settled_at": None, "settled_as": ""},
        )
