"""Replaying an archive: one inbox of the `api` channel per brand, and what the desk made of what came in there.

The command posts signed events to the inboxes' own addresses, as any other system would; here are only the inboxes,
and afterwards the counts with which it checks itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import random_token

from . import ledger
from .accounts import unseal
from .connect import make_inbox

KIND = "api"
_MARK = "archive"  # among the facts of an inbox that we made
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class BrandInbox:
    """token: the last part of its address. secret: signs what is posted there."""

    id: UUID
    name: str
    token: str
    secret: str


def inbox_of_brand(brand: str, *, now: datetime) -> BrandInbox:
    """The brand's inbox, found or made. An inbox of the same name that is not ours is left alone."""
    found = Inbox.objects.filter(kind=KIND, **{f"facts__{_MARK}": brand}).first()
    if found is None:
        is_taken = Inbox.objects.filter(name=brand).exists()
        found = make_inbox(
            kind=KIND,
            name=f"{brand} (archive)" if is_taken else brand,
            credentials={"secret": random_token(200)},
            by=None,
            now=now,
            imports_history=False,
        )
        found.facts = {**found.facts, _MARK: brand}
        found.save(update_fields=["facts"])
    opened = unseal(found.credentials)
    return BrandInbox(found.id, found.name, opened["hook_token"], opened["credentials"]["secret"])


def counted(inboxes: Collection[UUID]) -> dict[str, int]:
    """The ledger's sums over all days of these inboxes; see `ledger.totals`."""
    return ledger.totals(ledger.rows(inboxes=inboxes, since=date(1970, 1, 1)))


def stored(ids: Mapping[UUID, Sequence[str]]) -> int:
    """How many of these platform ids (by inbox) stand in the desk as a message."""
    total = 0
    for inbox, wanted in sorted(ids.items()):
        for start in range(0, len(wanted), _AT_ONCE):
            [(count,)] = run(
                "SELECT count(*) FROM conversations_message"
                " WHERE organisation_id = %s AND inbox_id = %s AND external_id = ANY(%s)",
                [current_organisation_id(), inbox, list(wanted[start : start + _AT_ONCE])],
            )
            total += count
    return total
