"""Other systems: who they are here, the tokens with which they ask, and the webhooks by which they are told."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from ..organisations.models import Membership
from ..wall import OrganisationKey, Owned, Queued


class Integration(Owned):
    """Another system that works here, with a role like a person's.

    member: what it writes is written under. No person sits behind it: the membership is not active, so nobody signs in
    with it, it is nobody's colleague, and only a token of its own makes it act.
    """

    member = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class ApiToken(Owned):
    """What people see of a token. The token itself is shown once and kept nowhere; see `TokenRoute`."""

    name = models.CharField(max_length=80)
    member = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    integration = OrganisationKey(Integration, on_delete=models.PROTECT, null=True, related_name="+")
    scopes = models.JSONField(default=list)
    ending = models.CharField(max_length=4)  # its last characters, to tell it from others
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "member"], name="token_by_member")]


class TokenRoute(models.Model):
    """Entrance: from a token to who asks and what they may ask, without opening the wall. Revoking removes the row.

    used_at: to some minutes.
    """

    worker_rights: ClassVar[str] = "SELECT"

    token_hash = models.CharField(max_length=64, primary_key=True)  # SHA-256, hexadecimal
    organisation_id = models.UUIDField()
    token_id = models.UUIDField(unique=True)
    member_id = models.UUIDField()
    is_integration = models.BooleanField()
    scopes = models.JSONField()
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)


class StoredAnswer(Owned):
    """What a request with an Idempotency-Key was answered, so that asking again does nothing again. Kept for a day.

    request_hash: SHA-256, hexadecimal, of method, address and body.
    """

    token_id = models.UUIDField()
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.SmallIntegerField(default=0)  # 0: being worked on, in the transaction that made the row
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "token_id", "key"], name="answer_once_per_key")]
        indexes = [models.Index(fields=["organisation", "created_at"], name="answer_by_age")]


class WebhookState(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"  # a person, or days of failure; events of that time can be sent afterwards


class Webhook(Owned):
    """Where we tell another system what happened.

    events: the names it wants, of `integrations.happenings`. secrets: sealed JSON, the newest first, each with the
    moment until which it signs. failing_since: nothing arrived since then.
    """

    name = models.CharField(max_length=80)
    url = models.CharField(max_length=1000)
    events = models.JSONField(default=list)
    secrets = models.BinaryField()
    state = models.CharField(max_length=8, choices=WebhookState.choices, default=WebhookState.ACTIVE)
    state_reason = models.CharField(max_length=300, blank=True)
    state_since = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="webhook_name_once")]


class WebhookTail(Queued):
    """How far an organisation's events were handed to its webhooks: the last transaction and event that were.

    webhooks: ids of those that are active, as text. at: when it came this far.
    """

    transaction = models.BigIntegerField()
    event_id = models.UUIDField()
    at = models.DateTimeField()
    webhooks = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation_id"], name="one_tail_per_organisation")]


class CallState(models.TextChoices):
    WAITING = "waiting"  # due_at says when it is tried
    ARRIVED = "arrived"
    GIVEN_UP = "given up"  # tried for days; a person can send it again


class WebhookCall(Queued):
    """One event on its way to one webhook, and what became of it. Its id is the webhook-id of every attempt."""

    webhook_id = models.UUIDField()
    event_id = models.UUIDField()
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=8, choices=CallState.choices, default=CallState.WAITING)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    took_ms = models.IntegerField(null=True)
    status = models.SmallIntegerField(null=True)  # of the answer
    reason = models.CharField(max_length=200, blank=True)
    asked = models.TextField(blank=True)  # what was sent, without what people wrote
    answered = models.TextField(blank=True)  # how the answer began
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation_id", "webhook_id", "event_id"], name="one_call_per_event")
        ]
        indexes = [
            models.Index(
                fields=["organisation_id", "webhook_id", "due_at"],
                name="webhook_call_due",
                condition=models.Q(state="waiting"),
            ),
            models.Index(fields=["organisation_id", "webhook_id", "-created_at"], name="webhook_call_log"),
        ]
