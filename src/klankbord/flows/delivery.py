"""Delivery: from an outbox row to the platform's receipt.

claim (one transaction: the head of each lane, within what its inbox may send; "sending" and a lease are committed) →
channel.send, outside any transaction, many lanes in parallel → receipt (one transaction: sent, failed, later again or
uncertain) → open screens. A lane is a thread: it sends nothing further while a row is sending or uncertain.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from klankbord.contract import (
    ChannelError,
    CredentialsRejected,
    Outgoing,
    Receipt,
    Refused,
    Unavailable,
    Uncertain,
    Unsupported,
    Wires,
)
from klankbord.desk.conversations.models import Outbox, OutboxState
from klankbord.desk.rows import run
from klankbord.desk.wall import organisation

from .accounts import Connected
from .outgoing import outgoing_of
from .receipts import arrived, credentials_rejected, failed, later, uncertain
from .sendgate import allow

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
_AT_ONCE = 32
_MOST_ATTEMPTS = 12
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, claimed and ready to be handed over."""

    message_id: UUID
    organisation_id: UUID
    attempts: int
    outgoing: Outgoing
    connected: Connected


def deliver(*, now: datetime, wires: Wires, executor: Executor) -> int:
    """One turn of a delivery worker: claim, send in parallel, write the receipts. Gives how many were tried."""
    parcels = claim(now=now)
    list(executor.map(lambda parcel: _hand_over(parcel, wires), parcels))
    return len(parcels)


def claim(*, now: datetime) -> list[Parcel]:
    """The due heads of lanes of one organisation, marked "sending" before anything leaves."""
    with transaction.atomic():
        rows = _due_heads(now)
        if not rows:
            return []
        organisation_id = rows[0][1]
        ours = allow([(row[0], row[2]) for row in rows if row[1] == organisation_id], now=now)
        if not ours:
            return []
        with organisation(organisation_id):
            claimed = run(
                "UPDATE conversations_outbox SET state = 'sending', lease_until = %s, attempts = attempts + 1"
                " WHERE organisation_id = %s AND id = ANY(%s) RETURNING id, attempts",
                [now + LEASE, organisation_id, sorted(ours)],
            )
            run(
                "UPDATE conversations_message SET state = 'sending', state_at = %s"
                " WHERE organisation_id = %s AND id = ANY(%s)",
                [now, organisation_id, sorted(ours)],
            )
            return [Parcel(message, organisation_id, attempts, *outgoing_of(message)) for message, attempts in claimed]


def _due_heads(now: datetime) -> list[tuple[UUID, UUID, UUID]]:
    """(message, organisation, inbox) of rows that are due and first in their lane, oldest first."""
    return run(
        """SELECT o.id, o.organisation_id, o.inbox_id
             FROM conversations_outbox o
             JOIN inboxes_sendgate g ON g.inbox_id = o.inbox_id AND g.is_open
              AND (g.closed_until IS NULL OR g.closed_until <= %s)
             JOIN organisations_organisation n ON n.id = o.organisation_id AND NOT n.sends_are_held
            WHERE o.state = 'queued' AND o.due_at <= %s
              AND NOT EXISTS (SELECT 1 FROM conversations_outbox before
                               WHERE before.thread_id = o.thread_id AND before.id <> o.id
                                 AND (before.state <> 'queued' OR before.id < o.id))
            ORDER BY o.due_at, o.id LIMIT %s
              FOR UPDATE OF o SKIP LOCKED""",
        [now, now, _AT_ONCE],
    )


def _hand_over(parcel: Parcel, wires: Wires) -> None:
    """Send one and write down what came of it. Every way out leaves a state that a person can read."""
    channel, account = parcel.connected.channel, parcel.connected.account
    try:
        receipt = channel.send(parcel.outgoing, account, wires)
    except CredentialsRejected as error:
        credentials_rejected(parcel.message_id, parcel.organisation_id, error.sentence, now=wires.now())
    except Refused as error:
        failed(parcel.message_id, parcel.organisation_id, error.sentence, is_gone=error.place_is_gone, now=wires.now())
    except Unavailable as error:
        _later_or_failed(parcel, error, wires)
    except Uncertain as error:
        settle_doubt(parcel, error.sentence, wires, parts_done=error.parts_done)
    except (Unsupported, ChannelError) as error:
        failed(parcel.message_id, parcel.organisation_id, error.sentence, now=wires.now())
    except Exception as error:
        log.exception("sending failed", extra={"message": str(parcel.message_id)})
        uncertain(parcel.message_id, parcel.organisation_id, type(error).__name__, now=wires.now())
    else:
        arrived(parcel.message_id, parcel.organisation_id, receipt, now=wires.now())


def _later_or_failed(parcel: Parcel, error: Unavailable, wires: Wires) -> None:
    if parcel.attempts >= _MOST_ATTEMPTS:
        failed(parcel.message_id, parcel.organisation_id, error.sentence, now=wires.now())
        return
    pause = error.retry_after if error.retry_after is not None else back_off(parcel.attempts)
    later(
        parcel.message_id,
        parcel.organisation_id,
        error.sentence,
        seconds=pause,
        is_inbox_wide=error.is_inbox_wide or error.retry_after is None,
        parts_done=error.parts_done,
        now=wires.now(),
    )


def settle_doubt(parcel: Parcel, sentence: str, wires: Wires, *, parts_done: Sequence[str] = ()) -> None:
    """It may have arrived. Send again only where the platform knows our key; look where one can; else ask a person."""
    capabilities = parcel.connected.channel.capabilities
    if capabilities.takes_idempotency_key and parcel.attempts < _MOST_ATTEMPTS:
        later(
            parcel.message_id,
            parcel.organisation_id,
            sentence,
            seconds=back_off(parcel.attempts),
            is_inbox_wide=False,
            parts_done=tuple(parts_done),
            now=wires.now(),
        )
        return
    found: Receipt | None = None
    if capabilities.can_look_up:
        try:
            found = parcel.connected.channel.look_up(parcel.outgoing, parcel.connected.account, wires)
        except ChannelError:
            found = None
    if found is not None:
        arrived(parcel.message_id, parcel.organisation_id, found, now=wires.now())
    else:
        uncertain(parcel.message_id, parcel.organisation_id, sentence, parts_done=tuple(parts_done), now=wires.now())


def sweep(*, now: datetime, wires: Wires) -> int:
    """Rows whose lease ran out: the process that sent them is gone. They may have arrived."""
    with transaction.atomic():
        rows = run(
            "UPDATE conversations_outbox SET lease_until = %s WHERE id IN (SELECT id FROM conversations_outbox"
            " WHERE state = 'sending' AND lease_until < %s LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING id, organisation_id, attempts",
            [now + LEASE, now, _AT_ONCE],
        )
    for message, organisation_id, attempts in rows:
        with organisation(organisation_id):
            parcel = Parcel(message, organisation_id, attempts, *outgoing_of(message))
        settle_doubt(parcel, "The connection broke while sending.", wires)
    return len(rows)


def back_off(attempts: int) -> float:
    """Seconds until the next try: doubling from two seconds, with full jitter, an hour at most."""
    ceiling = min(_LONGEST_WAIT, 2.0 * 2 ** min(attempts, 12))
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter is no secret


def hold_everything(*, organisation_id: UUID) -> int:
    """The restore fence: whatever had not left when the backup was made is uncertain until a person confirms."""
    with organisation(organisation_id):
        rows = Outbox.objects.filter(organisation_id=organisation_id).exclude(state=OutboxState.UNCERTAIN)
        ids = list(rows.values_list("id", flat=True))
        rows.update(state=OutboxState.UNCERTAIN, lease_until=None)
        run(
            "UPDATE conversations_message SET state = 'uncertain' WHERE organisation_id = %s AND id = ANY(%s)",
            [organisation_id, ids],
        )
    return len(ids)
