"""What an inbox may send now: a token bucket, a circuit breaker, and the governor that stops storms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from klankbord import channels
from klankbord.desk.inboxes.models import Poll, SendGate

BREAKER_FAILURES = 5
BREAKER_PAUSE = timedelta(seconds=60)


def allow(wanted: Sequence[tuple[UUID, UUID]], *, now: datetime) -> list[UUID]:
    """Of (message, inbox) pairs, oldest first, the messages for which their inbox has a token left. Takes the tokens.

    Runs in the claiming transaction: the gate's row is locked, so that all workers share one bucket.
    """
    allowed: list[UUID] = []
    inboxes = sorted({inbox for _, inbox in wanted})
    gates = {
        gate.inbox_id: gate for gate in SendGate.objects.select_for_update().filter(inbox_id__in=inboxes).order_by("id")
    }
    kinds = dict(Poll.objects.filter(inbox_id__in=inboxes).values_list("inbox_id", "kind"))
    for inbox in inboxes:
        gate, rate = gates[inbox], channels.channel(kinds[inbox]).capabilities.rate
        passed = max(0.0, (now - gate.refilled_at).total_seconds())
        gate.tokens = min(float(rate.burst), gate.tokens + passed * rate.per_second)
        gate.refilled_at = now
        for message, owner in wanted:
            if owner == inbox and gate.tokens >= 1:
                gate.tokens -= 1
                allowed.append(message)
        gate.save(update_fields=["tokens", "refilled_at"])
    return allowed


def note_success(inbox: UUID) -> None:
    SendGate.objects.filter(inbox_id=inbox, failures__gt=0).update(failures=0, closed_until=None)


def note_failure(inbox: UUID, *, pause: timedelta | None, now: datetime) -> None:
    """The platform is ill, or asked for a pause: after some failures in a row the whole inbox waits."""
    gate = SendGate.objects.select_for_update().get(inbox_id=inbox)
    gate.failures += 1
    if pause is not None:
        gate.closed_until = now + pause
    elif gate.failures >= BREAKER_FAILURES:
        gate.closed_until = now + BREAKER_PAUSE
    gate.save(update_fields=["failures", "closed_until"])


def shut(inbox: UUID) -> None:
    SendGate.objects.filter(inbox_id=inbox).update(is_open=False)


def open_again(inbox: UUID) -> None:
    SendGate.objects.filter(inbox_id=inbox).update(is_open=True, failures=0, closed_until=None)
