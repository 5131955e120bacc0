"""Webhooks, for those who look after them: make, change, pause, test, and send again what did not arrive.

administrator → webhook with a sealed secret → `calling` tells it what happens from then on. What happened while it was
paused, or could not be delivered, can be sent afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.integrations.happenings import HAPPENINGS, TEST
from klankbord.desk.integrations.models import CallState, Webhook, WebhookCall, WebhookState, WebhookTail
from klankbord.desk.organisations.models import AuditLine, Membership
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7
from klankbord.kernel.standardwebhooks import new_secret
from klankbord.kernel.text import one_line

DEED = "manage integrations"
OVERLAP = timedelta(hours=24)  # how long the former secret still signs
FURTHEST_BACK = timedelta(days=7)
_MOST_AGAIN = 10_000
_LAST = UUID(int=2**128 - 1)


def add(*, name: str, url: str, events: Iterable[str], by: Membership, now: datetime) -> tuple[Webhook, str]:
    """A webhook and its secret, which is shown once. Raises Invalid."""
    access.require(by, DEED)
    name, url, wanted = _checked(name, url, events)
    if Webhook.objects.filter(name=name).exists():
        raise Invalid(_("There is one with this name already."))
    made, secret = Webhook(id=uuid7(), name=name, url=url, events=wanted, created_by=by, created_at=now), new_secret()
    made.secrets = _sealed(made.id, [{"secret": secret, "until": None}])
    made.save(force_insert=True)
    _listen(now)
    _audit("webhook made", made, by, now)
    return made, secret


def change(*, webhook: UUID, name: str, url: str, events: Iterable[str], by: Membership, now: datetime) -> Webhook:
    found = webhook_for(by, webhook)
    found.name, found.url, found.events = _checked(name, url, events)
    if Webhook.objects.filter(name=found.name).exclude(id=found.id).exists():
        raise Invalid(_("There is one with this name already."))
    found.save(update_fields=["name", "url", "events"])
    _audit("webhook changed", found, by, now)
    return found


def rotate(*, webhook: UUID, by: Membership, now: datetime) -> str:
    """A new secret, shown once. The former one signs along for a day, so that nothing is refused meanwhile."""
    found = webhook_for(by, webhook)
    secret = new_secret()
    former = [{"secret": each, "until": (now + OVERLAP).isoformat()} for each in secrets_of(found, now=now)[:1]]
    found.secrets = _sealed(found.id, [{"secret": secret, "until": None}, *former])
    found.save(update_fields=["secrets"])
    _audit("webhook secret changed", found, by, now)
    return secret


def secrets_of(webhook: Webhook, *, now: datetime) -> list[str]:
    """Those that count now, the newest first."""
    kept = json.loads(settings.VAULT.open(bytes(webhook.secrets), bound_to=str(webhook.id)))
    return [each["secret"] for each in kept if each["until"] is None or datetime.fromisoformat(each["until"]) > now]


def pause(*, webhook: UUID, by: Membership, now: datetime) -> None:
    stop(webhook_for(by, webhook), reason="", by=by, now=now)


def stop(webhook: Webhook, *, reason: str, by: Membership | None, now: datetime) -> None:
    """Paused by a person, or (without one) because nothing arrives. What waits stays as it is."""
    webhook.state, webhook.state_reason, webhook.state_since = WebhookState.PAUSED, reason[:300], now
    webhook.save(update_fields=["state", "state_reason", "state_since"])
    _listen(now)
    _audit("webhook paused", webhook, by, now)


def resume(*, webhook: UUID, by: Membership, now: datetime) -> None:
    """It is told again what happens from now on, and at once what waited."""
    found = webhook_for(by, webhook)
    found.state, found.state_reason, found.state_since = WebhookState.ACTIVE, "", now
    found.failing_since = None
    found.save(update_fields=["state", "state_reason", "state_since", "failing_since"])
    _calls(found.id).filter(state=CallState.WAITING).update(due_at=now)
    _listen(now)
    _audit("webhook resumed", found, by, now)


def remove(*, webhook: UUID, by: Membership, now: datetime) -> None:
    found = webhook_for(by, webhook)
    _calls(found.id).delete()
    _audit("webhook removed", found, by, now)
    found.delete()
    _listen(now)


def send_test(*, webhook: UUID, by: Membership, now: datetime) -> WebhookCall:
    """A call that says nothing happened; it is on its way within a second."""
    found = webhook_for(by, webhook)
    if found.state != WebhookState.ACTIVE:
        raise Invalid(_("It is paused. Let it go on first."))
    made: WebhookCall = WebhookCall.objects.create(
        id=uuid7(), organisation_id=current_organisation_id(), webhook_id=found.id, event_id=uuid7(), kind=TEST,
        due_at=now, created_at=now,
    )  # fmt: skip
    return made


def send_again(*, webhook: UUID, call: UUID, by: Membership, now: datetime) -> None:
    """One call again, whatever became of it; under the same id, so that who had it already can tell."""
    found = webhook_for(by, webhook)
    if not _calls(found.id).filter(id=call).update(state=CallState.WAITING, due_at=now, lease_until=None, attempts=0):
        raise NotFound


def send_failed_again(*, webhook: UUID, by: Membership, now: datetime) -> int:
    """Everything that was given up; gives how much that is."""
    found = webhook_for(by, webhook)
    given_up = _calls(found.id).filter(state=CallState.GIVEN_UP)
    return int(given_up.update(state=CallState.WAITING, due_at=now, lease_until=None, attempts=0))


def send_since(*, webhook: UUID, since: datetime, by: Membership, now: datetime) -> int:
    """What happened since a moment and was not sent, as during a pause; gives how much that is. Raises Invalid."""
    found = webhook_for(by, webhook)
    if not now - FURTHEST_BACK <= since <= now:
        raise Invalid(_("Choose a moment within the last seven days."))
    kinds = {HAPPENINGS[name]: name for name in found.events if name in HAPPENINGS}
    events = run(
        """SELECT e.id, e.kind FROM conversations_event e
            WHERE e.organisation_id = %(ours)s AND e.kind = ANY(%(kinds)s) AND e.at >= %(since)s
              AND NOT EXISTS (SELECT FROM integrations_webhookcall c WHERE c.organisation_id = e.organisation_id
                                 AND c.webhook_id = %(webhook)s AND c.event_id = e.id)
            ORDER BY e.at, e.id LIMIT %(most)s""",
        {
            "ours": current_organisation_id(), "kinds": list(kinds), "since": since, "webhook": found.id,
            "most": _MOST_AGAIN,
        },
    )  # fmt: skip
    WebhookCall.objects.bulk_create(
        [
            WebhookCall(
                id=uuid7(), organisation_id=current_organisation_id(), webhook_id=found.id, event_id=event,
                kind=kinds[kind], due_at=now, created_at=now,
            )
            for event, kind in events
        ],
        ignore_conflicts=True,
        batch_size=1_000,
    )  # fmt: skip
    return len(events)


def webhooks(by: Membership) -> list[Webhook]:
    access.require(by, DEED)
    return list(Webhook.objects.order_by("name"))


def webhook_for(by: Membership, webhook: UUID) -> Webhook:
    access.require(by, DEED)
    found: Webhook | None = Webhook.objects.filter(id=webhook).first()
    if found is None:
        raise NotFound
    return found


def log(
    *, webhook: UUID, by: Membership, state: str = "", before: datetime | None = None, limit: int = 50
) -> list[WebhookCall]:
    """The newest calls. state: a `CallState`, "" for all."""
    found = _calls(webhook_for(by, webhook).id)
    if state:
        found = found.filter(state=state)
    if before is not None:
        found = found.filter(created_at__lt=before)
    return list(found.order_by("-created_at", "-id")[:limit])


def counts(*, webhook: UUID, by: Membership) -> dict[str, int]:
    found = _calls(webhook_for(by, webhook).id)
    return {state.value: found.filter(state=state).count() for state in (CallState.WAITING, CallState.GIVEN_UP)}


def _calls(webhook: UUID) -> Any:
    return WebhookCall.objects.filter(organisation_id=current_organisation_id(), webhook_id=webhook)


def _listen(now: datetime) -> None:
    """Say who listens. An organisation nobody listened to begins at this transaction."""
    active = Webhook.objects.filter(state=WebhookState.ACTIVE).order_by("id").values_list("id", flat=True)
    listed = [str(each) for each in active]
    tail = WebhookTail.objects.select_for_update().filter(organisation_id=current_organisation_id()).first()
    [(transaction,)] = run("SELECT pg_current_xact_id()::text::bigint")
    if tail is None:
        WebhookTail.objects.create(
            organisation_id=current_organisation_id(), transaction=transaction, event_id=_LAST, at=now, webhooks=listed
        )
        return
    if not tail.webhooks:
        tail.transaction, tail.event_id, tail.at = transaction, _LAST, now
    tail.webhooks = listed
    tail.save()


def _checked(name: str, url: str, events: Iterable[str]) -> tuple[str, str, list[str]]:
    name, asked = one_line(name, limit=80), set(events)
    wanted = [each for each in HAPPENINGS if each in asked]
    if not name:
        raise Invalid(_("Give it a name, so that you know later what uses it."))
    if not wanted:
        raise Invalid(_("Choose what it should be told."))
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_good = bool(parts.hostname) and not parts.username and len(url) <= 1000 and url.isprintable()
    except ValueError:
        is_good = False
    if not is_good or parts.scheme not in ({"https", "http"} if settings.ENVIRONMENT.allow_loopback else {"https"}):
        raise Invalid(_("The address must begin with https://."))
    return name, url, wanted


def _sealed(webhook: UUID, kept: list[dict[str, Any]]) -> bytes:
    return bytes(settings.VAULT.seal(json.dumps(kept), bound_to=str(webhook)))


def _audit(deed: str, webhook: Webhook, by: Membership | None, now: datetime) -> None:
    facts = {"name": webhook.name, "host": urlsplit(webhook.url).hostname or ""}
    AuditLine.objects.create(at=now, by=by, deed=deed, subject="webhook", subject_id=webhook.id, facts=facts)
