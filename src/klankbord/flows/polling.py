"""Polling: ask a platform for news and put what it gives into the same durable rows as a webhook's.

The cursor is stored in the transaction that stores the deliveries: what a poll returned is never lost, and asking
again after a crash yields duplicates at worst.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from klankbord.contract import ChannelError, CredentialsRejected, Polled, Transport, Unavailable
from klankbord.desk.inboxes.deliveries import put
from klankbord.desk.inboxes.models import Inbox, InboxState, Poll
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.rows import run
from klankbord.desk.wall import organisation

from . import alarms
from .accounts import Connected, open_account
from .receipts import break_inbox
from .wiring import wires

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=120)
RHYTHM = timedelta(seconds=30)  # also where a stream or IDLE wakes us: it is a hint, the poll is the truth
_LONGEST_PAUSE = 900


@dataclass(frozen=True, slots=True)
class Due:
    inbox_id: UUID
    organisation_id: UUID
    cursor: dict[str, object]
    history_cursor: dict[str, object] | None
    failures: int


def claim_due(*, now: datetime, limit: int = 8) -> list[Due]:
    """Inboxes that are to be asked now, leased so that no other worker asks too."""
    with transaction.atomic():
        rows = run(
            "UPDATE inboxes_poll SET lease_until = %s WHERE id IN (SELECT id FROM inboxes_poll WHERE due_at <= %s"
            " AND (lease_until IS NULL OR lease_until < %s) ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING inbox_id, organisation_id, cursor, history_cursor, failures",
            [now + LEASE, now, now, limit],
        )
    return [Due(*row) for row in rows]


def poll(due: Due, *, now: datetime) -> int:
    """Ask one inbox's platform. Gives how many deliveries came."""
    with organisation(due.organisation_id):
        connected = _connected(due)
    if connected is None:
        _rest(due, now + timedelta(hours=6))
        return 0
    capabilities = connected.channel.capabilities
    if not capabilities.transports & {Transport.POLL, Transport.LISTEN} and due.history_cursor is None:
        _rest(due, now + timedelta(days=1))
        return 0
    try:
        polled = connected.channel.poll(connected.account, due.cursor, wires())
        history = (
            connected.channel.backfill(connected.account, due.history_cursor, wires())
            if due.history_cursor is not None
            else None
        )
    except CredentialsRejected as error:
        with organisation(due.organisation_id):
            break_inbox(due.inbox_id, error.sentence, now=now)
        _rest(due, now + timedelta(hours=6))
        return 0
    except ChannelError as error:
        _try_later(due, error, now)
        return 0
    return _store(due, connected, polled, history, now)


def wake(inbox_id: UUID, *, now: datetime) -> None:
    """A stream said that something is new: ask soon."""
    Poll.objects.filter(inbox_id=inbox_id).update(due_at=now)


def _connected(due: Due) -> Connected | None:
    inbox = Inbox.objects.filter(id=due.inbox_id).first()
    if inbox is None or inbox.state in (InboxState.DISCONNECTED, InboxState.BROKEN):
        return None
    return open_account(inbox, Organisation.objects.get(id=due.organisation_id))


def _store(due: Due, connected: Connected, polled: Polled, history: Polled | None, now: datetime) -> int:
    inbox = connected.inbox
    deliveries = [*polled.deliveries, *(history.deliveries if history else ())]
    has_more = polled.has_more or (history is not None and history.has_more)
    with organisation(due.organisation_id):
        put([(inbox.id, inbox.lane, delivery) for delivery in deliveries])
        Poll.objects.filter(inbox_id=due.inbox_id).update(
            cursor=dict(polled.cursor),
            history_cursor=dict(history.cursor) if history is not None and history.has_more else None,
            due_at=now if has_more else now + RHYTHM,
            lease_until=None,
            failures=0,
            succeeded_at=now,
        )
        if due.failures >= alarms.UNREACHABLE_AFTER:
            alarms.platform_back(due.inbox_id, now=now)
    return len(deliveries)


def _try_later(due: Due, error: ChannelError, now: datetime) -> None:
    pause = RHYTHM.total_seconds() * 2 ** min(due.failures, 6)
    if isinstance(error, Unavailable) and error.retry_after is not None:
        pause = max(error.retry_after, 1.0)
    Poll.objects.filter(inbox_id=due.inbox_id).update(
        due_at=now + timedelta(seconds=min(pause, _LONGEST_PAUSE)), lease_until=None, failures=due.failures + 1
    )
    if due.failures + 1 == alarms.UNREACHABLE_AFTER:
        with organisation(due.organisation_id):
            alarms.platform_away(due.inbox_id, error.sentence, now=now)
    log.warning("poll failed", extra={"inbox": str(due.inbox_id), "error": error.code or type(error).__name__})


def _rest(due: Due, until: datetime) -> None:
    Poll.objects.filter(inbox_id=due.inbox_id).update(due_at=until, lease_until=None)
