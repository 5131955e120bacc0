"""What an inbox may send now: a token bucket, a pace per place, a circuit breaker, and pauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from klankbord import channels
from klankbord.desk.conversations.cases import tell
from klankbord.desk.inboxes.models import Inbox, InboxState, Poll, SendGate
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id

BREAKER_FAILURES = 5
BREAKER_PAUSE = timedelta(seconds=30)  # within the minute in which all must move again after a fault


def allow(wanted: Sequence[tuple[UUID, UUID]], *, now: datetime) -> dict[UUID, float]:
    """Of (message, inbox) pairs, oldest first, the messages for which their inbox has a token left. Takes the tokens.

    Gives message → seconds that the platform wants between two in one place, for `keep_pace`.
    Runs in the claiming transaction: the gate's row is locked, so that all workers share one bucket.
    """
    allowed: dict[UUID, float] = {}
    inboxes = sorted({inbox for _, inbox in wanted})
    gates = {
        gate.inbox_id: gate for gate in SendGate.objects.select_for_update().filter(inbox_id__in=inboxes).order_by("id")
    }
    kinds = dict(Poll.objects.filter(inbox_id__in=inboxes).values_list("inbox_id", "kind"))
    for inbox in inboxes:
        if kinds[inbox] not in channels.kinds():
            continue  # its package is not installed: its replies wait, and hold up nobody's
        gate, rate = gates[inbox], channels.channel(kinds[inbox]).capabilities.rate
        if gate.closed_until is not None and gate.closed_until > now:
            continue  # another worker was first, and it closed the gate behind it
        is_trial = gate.failures >= BREAKER_FAILURES  # it had its rest: one message tells whether it is well again
        passed = max(0.0, (now - gate.refilled_at).total_seconds())
        gate.tokens = min(float(rate.burst), gate.tokens + passed * rate.per_second)
        gate.refilled_at = now
        theirs = [message for message, owner in wanted if owner == inbox]
        for message in theirs[:1] if is_trial else theirs:
            if gate.tokens >= 1:
                gate.tokens -= 1
                allowed[message] = rate.per_place
        if is_trial:
            gate.closed_until = now + BREAKER_PAUSE
        elif gate.tokens < 1:
            # Not looked at until there is a token again: a long queue must not hide what others may send.
            gate.closed_until = now + timedelta(seconds=(1 - gate.tokens) / rate.per_second)
        gate.save(update_fields=["tokens", "refilled_at", "closed_until"])
    return allowed


def keep_pace(allowed: Mapping[UUID, float], *, now: datetime) -> list[UUID]:
    """Of messages that `allow` let through, those whose place was left alone long enough; the others wait until it is.

    Costs nothing where no platform asks for it. Runs inside `with organisation(id):`, the outbox rows locked.
    """
    paced = {message: seconds for message, seconds in allowed.items() if seconds > 0}
    if not paced:
        return sorted(allowed)
    parameters = [sorted(paced), [paced[message] for message in sorted(paced)], current_organisation_id()]
    free = run(
        "UPDATE conversations_thread t SET sent_at = %s FROM conversations_outbox o"
        " JOIN unnest(%s::uuid[], %s::float[]) AS p(id, seconds) ON p.id = o.id"
        " WHERE t.organisation_id = %s AND t.id = o.thread_id"
        " AND (t.sent_at IS NULL OR t.sent_at + make_interval(secs => p.seconds) <= %s) RETURNING o.id",
        [now, *parameters, now],
    )
    held = paced.keys() - {message for (message,) in free}
    if held:
        run(
            "UPDATE conversations_outbox o SET due_at = t.sent_at + make_interval(secs => p.seconds)"
            " FROM conversations_thread t, unnest(%s::uuid[], %s::float[]) AS p(id, seconds)"
            " WHERE p.id = o.id AND t.organisation_id = %s AND t.id = o.thread_id AND o.id = ANY(%s)",
            [*parameters, sorted(held)],
        )
    return sorted(allowed.keys() - held)


def note_success(inbox: UUID) -> None:
    """The platform took one: it is well, and the others follow at once."""
    SendGate.objects.filter(inbox_id=inbox, failures__gt=0).update(failures=0, closed_until=None)


def note_failure(inbox: UUID, *, pause: timedelta | None, was_asked: bool, now: datetime) -> None:
    """The platform is ill, or asked for a pause: after some failures in a row the whole inbox rests.

    A pause that was asked for is no failure, so that the success of a call that was under way does not end it. None
    makes another shorter: of several that fail at once, each may want its own.
    """
    gate = SendGate.objects.select_for_update().get(inbox_id=inbox)
    gate.failures = 0 if was_asked else gate.failures + 1
    rest = BREAKER_PAUSE if gate.failures >= BREAKER_FAILURES else None
    ends = [now + each for each in (pause, rest) if each is not None]
    gate.closed_until = max([*ends, *([gate.closed_until] if gate.closed_until else [])], default=None)
    gate.save(update_fields=["failures", "closed_until"])


def shut(inbox: UUID) -> None:
    SendGate.objects.filter(inbox_id=inbox).update(is_open=False)


def open_again(inbox: UUID) -> None:
    SendGate.objects.filter(inbox_id=inbox).update(is_open=True, by_hand_only=False, failures=0, closed_until=None)


def pause(inbox: Inbox, *, reason: str, now: datetime, sends_by_hand: bool = False) -> None:
    """Keep receiving, send nothing, or only what people typed: the rest waits in order.

    Runs inside `with organisation(id):`.
    """
    inbox.state, inbox.state_reason, inbox.state_since = InboxState.PAUSED, reason[:500], now
    inbox.sends_by_hand = sends_by_hand
    inbox.save(update_fields=["state", "state_reason", "state_since", "sends_by_hand"])
    SendGate.objects.filter(inbox_id=inbox.id).update(is_open=sends_by_hand, by_hand_only=sends_by_hand)
    tell([{"conversation": None, "inbox": inbox.id, "thread": None, "what": "inbox"}], now=now)
