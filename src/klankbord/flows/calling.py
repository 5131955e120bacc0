"""Webhooks, for the worker: from the events that were recorded to the systems that want to know.

events of committed transactions → one call for each event and webhook (`hand_out`, sets of rows) → claim what is due,
some of each webhook so that a slow one holds up nobody → POST, signed → arrived, or tried again for days (`Caller`).

At least once: a call whose answer was lost is made again, under the same id. An event belongs to a transaction; those
of transactions that are older than the oldest one still running are complete, so none is missed that commits late.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from klankbord import contract
from klankbord.desk.errors import NotFound
from klankbord.desk.integrations import reading
from klankbord.desk.integrations.happenings import NAMES, TEST
from klankbord.desk.integrations.models import CallState, Webhook, WebhookCall, WebhookState, WebhookTail
from klankbord.desk.organisations.models import Membership, Role
from klankbord.desk.rows import insert, run
from klankbord.desk.wall import current_organisation_id, organisation
from klankbord.kernel import standardwebhooks
from klankbord.kernel.ids import first_of, uuid7

from . import deskmail, letters, webhooks

log = logging.getLogger(__name__)

SCHEDULE = tuple(
    timedelta(seconds=each)
    for each in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)  # all together some three days
)
PAUSE_AFTER = timedelta(days=3)  # without anything that arrived
KEPT = timedelta(days=30)
_EVENTS_AT_ONCE = 1_000
_AT_ONCE, _OF_ONE = 8, 4  # calls in flight in this process, and of one webhook
_LEASE = timedelta(seconds=60)
_TIMEOUT = 15.0
_EXCERPT = 500  # characters of an answer
_LONGEST_WAIT = timedelta(days=1)  # that an answer may ask for
_RESTORED = timedelta(days=1)


def hand_out(*, now: datetime) -> int:
    """Make the calls for what happened since the last time; gives how many events were looked at."""
    done = 0
    with transaction.atomic():
        tails = list(
            WebhookTail.objects.exclude(webhooks=[]).order_by("organisation_id").select_for_update(skip_locked=True)
        )
        for tail in tails:
            with organisation(tail.organisation_id):
                done += _hand_out(tail, now)
    return done


def _hand_out(tail: WebhookTail, now: datetime) -> int:
    _begin_anew_after_a_restore(tail, now)
    events = run(
        """SELECT id, kind, transaction FROM conversations_event
            WHERE organisation_id = %s AND (transaction, id) > (%s, %s) AND id >= %s
              AND transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
            ORDER BY transaction, id LIMIT %s""",
        [tail.organisation_id, tail.transaction, tail.event_id, first_of(tail.at - _RESTORED), _EVENTS_AT_ONCE],
    )
    if not events:
        return 0
    listening = list(Webhook.objects.filter(state=WebhookState.ACTIVE))
    insert(
        WebhookCall,
        [
            {
                "id": uuid7(), "organisation_id": tail.organisation_id, "webhook_id": webhook.id, "event_id": event,
                "kind": NAMES[kind], "state": str(CallState.WAITING), "due_at": now, "attempts": 0, "reason": "",
                "asked": "", "answered": "", "created_at": now,
            }
            for event, kind, _ in events
            for webhook in listening
            if NAMES.get(kind) in webhook.events
        ],
    )  # fmt: skip
    tail.event_id, tail.transaction, tail.at = events[-1][0], events[-1][2], now
    tail.save(update_fields=["event_id", "transaction", "at"])
    return len(events)


def _begin_anew_after_a_restore(tail: WebhookTail, now: datetime) -> None:
    """A database that was restored elsewhere counts its transactions anew; ours would lie ahead of them for ever."""
    [(horizon,)] = run("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    if tail.transaction > horizon:
        tail.transaction, tail.event_id, tail.at = horizon, UUID(int=0), now + _RESTORED
        tail.save(update_fields=["transaction", "event_id", "at"])


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call that is ours for a minute. attempts: this one included."""

    id: UUID
    organisation_id: UUID
    webhook_id: UUID
    event_id: UUID
    kind: str
    attempts: int


def claim(*, now: datetime, most: int, besides: list[UUID]) -> list[Claimed]:
    """What is due, the oldest of each webhook. besides: webhooks that are busy."""
    found = run(
        """UPDATE integrations_webhookcall u
              SET lease_until = %(lease)s, attempts = u.attempts + 1, tried_at = %(now)s
             FROM (SELECT c.organisation_id, c.id
                     FROM integrations_webhooktail t
                    CROSS JOIN LATERAL jsonb_array_elements_text(t.webhooks) AS w(id)
                    CROSS JOIN LATERAL (
                          SELECT c.organisation_id, c.id, c.due_at FROM integrations_webhookcall c
                           WHERE c.organisation_id = t.organisation_id AND c.webhook_id = w.id::uuid
                             AND c.state = 'waiting' AND c.due_at <= %(now)s
                             AND (c.lease_until IS NULL OR c.lease_until < %(now)s)
                           ORDER BY c.due_at LIMIT %(each)s FOR UPDATE SKIP LOCKED) c
                    WHERE NOT w.id::uuid = ANY(%(besides)s::uuid[])
                    ORDER BY c.due_at LIMIT %(most)s) due
            WHERE u.organisation_id = due.organisation_id AND u.id = due.id
        RETURNING u.id, u.organisation_id, u.webhook_id, u.event_id, u.kind, u.attempts""",
        {"now": now, "lease": now + _LEASE, "each": _OF_ONE, "most": most, "besides": besides},
    )
    return [Claimed(*each) for each in found]


class Flight:
    """The calls of this process that are in the air."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: Counter[UUID] = Counter()

    @property
    def room(self) -> int:
        with self._lock:
            return max(0, _AT_ONCE - self._of.total())

    def busy(self) -> list[UUID]:
        with self._lock:
            return [webhook for webhook, count in self._of.items() if count >= _OF_ONE]

    def begin(self, webhook: UUID) -> None:
        with self._lock:
            self._of[webhook] += 1

    def end(self, webhook: UUID) -> None:
        with self._lock:
            self._of[webhook] -= 1


def call_due(*, now: datetime, http: contract.Http, executor: Executor, flight: Flight) -> int:
    """Begin what is due and fits; gives how many calls were begun."""
    room = flight.room
    claimed = claim(now=now, most=room, besides=flight.busy()) if room else []
    for each in claimed:
        flight.begin(each.webhook_id)
        executor.submit(_call_in_thread, each, now, http, flight)
    return len(claimed)


def _call_in_thread(claimed: Claimed, now: datetime, http: contract.Http, flight: Flight) -> None:
    try:
        call(claimed, now=now, http=http)
    except Exception:
        log.exception(
            "a webhook's call failed", extra={"call": str(claimed.id)}
        )  # its lease ends, and it is tried again
    finally:
        flight.end(claimed.webhook_id)
        if not connection.in_atomic_block:
            connection.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt. status: None when there was no answer. wait: what the answer asked for."""

    status: int | None
    reason: str
    excerpt: str
    took_ms: int
    wait: timedelta = timedelta()

    @property
    def has_arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def call(claimed: Claimed, *, now: datetime, http: contract.Http) -> None:
    """One attempt. No transaction is open while the other side thinks."""
    with organisation(claimed.organisation_id):
        webhook = Webhook.objects.filter(id=claimed.webhook_id).first()
        if webhook is None:
            return
        try:
            document = _document(claimed)
        except NotFound:  # the conversation is gone: there is nothing to tell of any more
            _rows(claimed).update(state=CallState.GIVEN_UP, reason="gone", lease_until=None)
            return
        keys = webhooks.secrets_of(webhook, now=now)
    body = json.dumps(document, ensure_ascii=False, default=_plain, separators=(",", ":")).encode()
    named = standardwebhooks.headers(str(claimed.id), body, keys=keys, at=now)
    answer = _ask(http, webhook.url, body, {"content-type": "application/json", **named})
    with organisation(claimed.organisation_id):
        _note(claimed, answer, _without_words(document), now)


def _ask(http: contract.Http, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    began = time.monotonic()
    try:
        found = http.request("POST", url, headers=headers, content=body, timeout=_TIMEOUT, max_bytes=100_000)
    except (contract.Unavailable, contract.Uncertain) as error:
        return Answer(None, str(error)[:200], "", round((time.monotonic() - began) * 1000))
    asked = found.headers.get("retry-after", "")
    return Answer(
        found.status,
        "",
        found.body[: _EXCERPT * 4].decode("utf-8", "replace").replace("\0", "")[:_EXCERPT],
        round((time.monotonic() - began) * 1000),
        timedelta(seconds=min(int(asked), 86_400)) if asked.isdecimal() and len(asked) < 9 else timedelta(),
    )


def _note(claimed: Claimed, answer: Answer, asked: str, now: datetime) -> None:
    state, due_at = CallState.ARRIVED, now
    if not answer.has_arrived:
        is_last = claimed.attempts > len(SCHEDULE) or claimed.kind == TEST
        state = CallState.GIVEN_UP if is_last else CallState.WAITING
        due_at = now + (timedelta() if is_last else _pause_before(claimed.attempts, answer.wait))
    _rows(claimed).update(
        state=state, due_at=due_at, lease_until=None, took_ms=answer.took_ms, status=answer.status,
        reason=answer.reason, asked=asked, answered=answer.excerpt,
    )  # fmt: skip
    webhook = Webhook.objects.select_for_update().filter(id=claimed.webhook_id).first()
    if webhook is None:
        return
    if answer.has_arrived:
        Webhook.objects.filter(id=webhook.id).update(succeeded_at=now, failing_since=None)
        return
    Webhook.objects.filter(id=webhook.id, failing_since=None).update(failing_since=now)
    has_failed_for_days = webhook.failing_since is not None and now - webhook.failing_since >= PAUSE_AFTER
    if webhook.state == WebhookState.ACTIVE and (answer.status == 410 or has_failed_for_days):
        webhooks.stop(webhook, reason="gone" if answer.status == 410 else "days", by=None, now=now)
        _tell_administrators(webhook, now)


def _pause_before(attempt: int, wait: timedelta) -> timedelta:
    """With a fifth more or less, so that calls which failed together do not come back together."""
    planned = SCHEDULE[min(attempt, len(SCHEDULE)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
    return max(planned, min(wait, _LONGEST_WAIT))


def _tell_administrators(webhook: Webhook, now: datetime) -> None:
    members = Membership.objects.filter(
        organisation_id=current_organisation_id(), is_active=True, role=Role.ADMINISTRATOR
    )
    for member in members.select_related("user"):
        subject, text = letters.webhook_paused(member.user, webhook.name, str(webhook.id))
        deskmail.post(to=member.user.email, subject=subject, text=text, now=now)


def _document(claimed: Claimed) -> dict[str, Any]:
    """What is told, as it stands now: what was withdrawn since then is not told any more. Raises NotFound."""
    if claimed.kind == TEST:
        return {"type": TEST, "data": {"sentence": "Klankbord can reach you."}}
    found = run(
        """SELECT e.at, e.conversation_id, e.message_id, e.by_kind, e.by_id, u.name, e.facts FROM conversations_event e
             LEFT JOIN organisations_membership m ON m.id = e.by_id
             LEFT JOIN organisations_user u ON u.id = m.user_id
            WHERE e.organisation_id = %s AND e.id = %s""",
        [current_organisation_id(), claimed.event_id],
    )
    if not found:
        raise NotFound
    at, conversation_id, message_id, by_kind, by_id, by_name, facts = found[0]
    conversation = reading.conversation(conversation_id, inboxes=None)
    if conversation is None:
        raise NotFound
    shown = {name: value for name, value in conversation[0].items() if name != "preview"}
    message = reading.message(message_id) if message_id else None
    return {
        "type": claimed.kind,
        "timestamp": at,
        "data": {
            "event_id": claimed.event_id,
            "conversation": {**shown, "url": f"{settings.PUBLIC_URL}/conversations/{shown['number']}"},
            "message": message,
            "by": {"kind": by_kind, "member_id": by_id, "name": by_name},
            "facts": {name: value for name, value in facts.items() if name in {"owner", "team", "until", "label"}},
        },
    }


def _without_words(document: Mapping[str, Any]) -> str:
    """What the log keeps: what people wrote is in the conversation, and nowhere else."""
    data = dict(document["data"])
    if data.get("message"):
        data["message"] = {
            **data["message"],
            "text": "…",
            "author_name": "…",
            "attachments": len(data["message"]["attachments"]),
        }
    if data.get("conversation"):
        data["conversation"] = {
            **data["conversation"],
            "title": "…",
            "contact": {"id": data["conversation"]["contact"]["id"]},
        }
    return json.dumps({**document, "data": data}, ensure_ascii=False, default=_plain, indent=1)[:4_000]


def forget_calls(*, now: datetime) -> None:
    """Hourly upkeep: what arrived or was given up a month ago."""
    WebhookCall.objects.filter(~Q(state=CallState.WAITING), created_at__lt=now - KEPT).delete()


def _rows(claimed: Claimed) -> Any:
    return WebhookCall.objects.filter(organisation_id=claimed.organisation_id, id=claimed.id)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
