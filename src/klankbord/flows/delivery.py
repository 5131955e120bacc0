"""Delivery: from an outbox row to the platform's receipt.

claim (one transaction: the head of each lane, within what its inbox may send; "sending" and a lease are committed) →
channel.send, outside any transaction, many lanes in parallel → receipt (one transaction: sent, failed, later again or
uncertain) → open screens. A lane is a thread: it sends nothing further while a row is sending or uncertain.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg_pool import PoolTimeout

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

from . import governor
from .accounts import Connected
from .outgoing import outgoing_of
from .receipts import arrived, credentials_rejected, failed, later, uncertain
from .sendgate import allow, keep_pace
from .turns import change_cases

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
_AT_ONCE = 32
_WRITING_SECONDS = 40.0  # how long a database that is away is waited for with a receipt in hand; within the lease
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


class Flight:
    """What this process is handing over now. A platform that hangs holds its own share of the senders, never all.

    ended: called in the sender's thread after each. Safe to use from several threads.
    """

    def __init__(
        self, *, most: int = _AT_ONCE, most_per_inbox: int = _AT_ONCE, ended: Callable[[], None] = lambda: None
    ) -> None:
        self.most_per_inbox, self._most, self._ended = most_per_inbox, most, ended
        self._lock = threading.Lock()
        self._inboxes: Counter[UUID] = Counter()

    @property
    def room(self) -> int:
        with self._lock:
            return self._most - self._inboxes.total()

    def per_inbox(self) -> dict[UUID, int]:
        with self._lock:
            return {inbox: count for inbox, count in self._inboxes.items() if count}

    def begin(self, inbox: UUID) -> None:
        with self._lock:
            self._inboxes[inbox] += 1

    def end(self, inbox: UUID) -> None:
        with self._lock:
            self._inboxes[inbox] -= 1
        self._ended()


def deliver(*, now: datetime, wires: Wires, executor: Executor, flight: Flight | None = None) -> int:
    """One turn of a delivery worker: claim what there is room for and let the executor send it. Gives how many."""
    flight = flight or Flight()
    parcels = claim(now=now, flight=flight)
    for parcel in parcels:
        flight.begin(parcel.connected.inbox.id)
        executor.submit(_fly, parcel, wires, flight)
    return len(parcels)


def claim(*, now: datetime, flight: Flight) -> list[Parcel]:
    """The due heads of lanes, no more than can be sent at once, marked "sending" before anything leaves."""
    if flight.room <= 0:
        return []
    with transaction.atomic():
        rows = _due_heads(now, flight)
        allowed = allow([(message, inbox) for message, _, inbox in rows], now=now) if rows else {}
        ours: dict[UUID, dict[UUID, float]] = {}
        for message, organisation_id, _ in rows:
            if message in allowed:
                ours.setdefault(organisation_id, {})[message] = allowed[message]
        return [parcel for each in sorted(ours) for parcel in _claim_of(each, ours[each], now)]


def _claim_of(organisation_id: UUID, allowed: Mapping[UUID, float], now: datetime) -> list[Parcel]:
    with organisation(organisation_id):
        messages = governor.admit(keep_pace(allowed, now=now), now=now)
        claimed = run(
            "UPDATE conversations_outbox SET state = 'sending', lease_until = %s, attempts = attempts + 1"
            " WHERE organisation_id = %s AND id = ANY(%s) RETURNING id, attempts",
            [now + LEASE, organisation_id, messages],
        )
        run(
            "UPDATE conversations_message SET state = 'sending', state_at = %s"
            " WHERE organisation_id = %s AND id = ANY(%s)",
            [now, organisation_id, messages],
        )
        return [Parcel(message, organisation_id, attempts, *outgoing_of(message)) for message, attempts in claimed]


def _due_heads(now: datetime, flight: Flight) -> list[tuple[UUID, UUID, UUID]]:
    """(message, organisation, inbox) of rows that are due and first in their lane, oldest first.

    Of each inbox only as many as it may still send at once: a long queue of one never hides its neighbours. Automatic
    messages that the governor stopped hold up no reply by hand, not even in their own lane: a person wrote that one
    knowing what has left.
    """
    flying = flight.per_inbox()
    return run(
        """WITH heads AS (
               SELECT o.id, row_number() OVER (PARTITION BY o.inbox_id ORDER BY o.due_at, o.id)
                            + coalesce(f.count, 0) AS place
                 FROM conversations_outbox o
                 JOIN inboxes_sendgate g ON g.inbox_id = o.inbox_id AND g.is_open
                  AND (g.closed_until IS NULL OR g.closed_until <= %s)
                 JOIN organisations_organisation n ON n.id = o.organisation_id AND NOT n.sends_are_held
                 LEFT JOIN unnest(%s::uuid[], %s::integer[]) AS f(inbox_id, count) ON f.inbox_id = o.inbox_id
                WHERE o.state = 'queued' AND o.due_at <= %s AND NOT (g.by_hand_only AND o.is_automatic)
                  AND NOT EXISTS (SELECT 1 FROM conversations_outbox before
                                   WHERE before.thread_id = o.thread_id AND before.id <> o.id
                                     AND (before.state <> 'queued' OR before.id < o.id
                                          AND NOT (g.by_hand_only AND before.is_automatic))))
           SELECT o.id, o.organisation_id, o.inbox_id FROM conversations_outbox o
            WHERE o.state = 'queued' AND o.due_at <= %s AND o.id IN (SELECT id FROM heads WHERE place <= %s)
            ORDER BY o.due_at, o.id LIMIT %s
              FOR UPDATE OF o SKIP LOCKED""",
        [now, list(flying), list(flying.values()), now, now, flight.most_per_inbox, flight.room],
    )


def _fly(parcel: Parcel, wires: Wires, flight: Flight) -> None:
    try:
        _write_down(_hand_over(parcel, wires))
    except Exception:
        # The lease runs out, and the sweep finds the row.
        log.exception("receipt not written", extra={"message_id": str(parcel.message_id)})
    finally:
        flight.end(parcel.connected.inbox.id)


def _write_down(outcome: Callable[[], None]) -> None:
    """Write what came of it; a database that is away, or that asks to try again, is waited for within the lease."""
    deadline = time.monotonic() + _WRITING_SECONDS
    while True:
        try:
            outcome()
        except (OperationalError, InterfaceError, PoolTimeout):
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.25)
        else:
            return


def _hand_over(parcel: Parcel, wires: Wires) -> Callable[[], None]:
    """Send one; gives how to write down what came of it. Every way out leaves a state that a person can read."""
    channel, account = parcel.connected.channel, parcel.connected.account
    whose = (parcel.message_id, parcel.organisation_id)
    try:
        receipt = channel.send(parcel.outgoing, account, wires)
    except CredentialsRejected as error:
        return partial(credentials_rejected, *whose, error.sentence, now=wires.now())
    except Refused as error:
        return partial(failed, *whose, error.sentence, is_gone=error.place_is_gone, now=wires.now())
    except Unavailable as error:
        return partial(_later_or_failed, parcel, error, wires)
    except Uncertain as error:
        return partial(settle_doubt, parcel, error.sentence, wires, parts_done=error.parts_done)
    except (Unsupported, ChannelError) as error:
        return partial(failed, *whose, error.sentence, now=wires.now())
    except Exception as error:
        log.exception("sending failed", extra={"message_id": str(parcel.message_id)})
        return partial(uncertain, *whose, type(error).__name__, now=wires.now())
    return partial(arrived, *whose, receipt, now=wires.now())


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
        was_asked=error.retry_after is not None,
        parts_done=error.parts_done,
        now=wires.now(),
    )


def settle_doubt(
    parcel: Parcel, sentence: str, wires: Wires, *, parts_done: Sequence[str] = (), is_last_look: bool = False
) -> None:
    """It may have arrived. Send again only where the platform knows our key; look where one can; else ask a person.

    is_last_look: the lease ran out. Before that, a platform that does not have it may still be at work on it: the row
    keeps its lease, and the sweep looks once more.
    """
    capabilities, whose = parcel.connected.channel.capabilities, (parcel.message_id, parcel.organisation_id)
    if capabilities.takes_idempotency_key and parcel.attempts < _MOST_ATTEMPTS:
        later(
            *whose,
            sentence,
            seconds=back_off(parcel.attempts),
            is_inbox_wide=False,
            was_asked=False,
            parts_done=tuple(parts_done),
            now=wires.now(),
        )
        return
    found, is_told = _look_up(parcel, wires)
    is_whole = not parts_done and not parcel.outgoing.parts_done  # what arrived in part cannot simply be sent again
    if found is not None:
        arrived(*whose, found, now=wires.now())
    elif is_told and is_whole and is_last_look:
        failed(*whose, _("It was not delivered: the platform does not have it. Try again."), now=wires.now())
    elif not is_told or not is_whole:
        uncertain(*whose, sentence, parts_done=tuple(parts_done), now=wires.now())


def _look_up(parcel: Parcel, wires: Wires) -> tuple[Receipt | None, bool]:
    """What the platform says became of it, and whether it says anything: (None, True) is a plain "not here"."""
    if not parcel.connected.channel.capabilities.can_look_up:
        return None, False
    try:
        return parcel.connected.channel.look_up(parcel.outgoing, parcel.connected.account, wires), True
    except ChannelError:
        return None, False


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
        settle_doubt(parcel, "The connection broke while sending.", wires, is_last_look=True)
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
        change_cases(ids, failed=ids)
    return len(ids)
