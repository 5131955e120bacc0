"""Inboxes (one connected account each), what arrived at their doors, and the ledger of what became of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from ..organisations.models import Membership
from ..wall import OrganisationKey, Owned, Queued


class InboxState(models.TextChoices):
    CONNECTED = "connected"  # receives and sends
    PAUSED = "paused"  # receives; sends wait (the send governor, or a person, stopped them)
    BROKEN = "broken"  # the platform refused our credentials: nothing goes until reconnected
    DISCONNECTED = "disconnected"  # deliveries are accepted and ignored


class Inbox(Owned):
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=254, blank=True)  # what customers know: @name, e-mail address, site
    state = models.CharField(max_length=16, choices=InboxState.choices, default=InboxState.CONNECTED)
    state_reason = models.TextField(blank=True)
    state_since = models.DateTimeField(null=True)
    sends_by_hand = models.BooleanField(default=False)  # while paused: what people type goes out, the rest waits
    alarmed_at = models.DateTimeField(null=True)  # administrators were told that it needs a person; None: it does not
    credentials = models.BinaryField()  # sealed JSON of the channel's Credentials and the webhook secret
    facts = models.JSONField(default=dict)  # what `connect` found
    health = models.JSONField(default=dict)  # last check list
    lane = models.SmallIntegerField(default=0)
    reopen_days = models.PositiveSmallIntegerField(default=14)
    is_open_to_all = models.BooleanField(default=True)  # else only its members (leads and administrators always)
    acknowledges = models.BooleanField(default=False)
    acknowledgement = models.TextField(blank=True)
    signature = models.TextField(blank=True)
    signs_with_initials = models.BooleanField(default=False)  # ^JV behind each reply, by whom it is
    muted = models.JSONField(default=list)  # posts (see Thread.muted_as) under which new comments wake nobody
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="inbox_name_once")]

    def __str__(self) -> str:
        return self.name


class InboxMember(Owned):
    inbox = OrganisationKey(Inbox, related_name="members")
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "inbox", "member"], name="inbox_member_once")]


class InboxRoute(models.Model):
    """Entrance: from the token in a webhook's address (or a widget's public key) to an inbox, without opening the wall.

    account: sealed JSON of all that the door needs to verify a delivery.
    """

    token_hash = models.CharField(max_length=64, primary_key=True)  # SHA-256, hexadecimal
    organisation_id = models.UUIDField()
    inbox_id = models.UUIDField(unique=True)
    kind = models.CharField(max_length=40)
    lane = models.SmallIntegerField()
    is_connected = models.BooleanField(default=True)
    account = models.BinaryField()


class Delivery(Queued):
    """What arrived, byte for byte, durable before the platform hears 2xx. Partitioned by received_at."""

    inbox_id = models.UUIDField()
    lane = models.SmallIntegerField()
    received_at = models.DateTimeField()
    body = models.BinaryField()
    headers = models.JSONField(default=dict)
    query = models.JSONField(default=dict)
    is_history = models.BooleanField(default=False)
    is_waiting = models.BooleanField(default=True)
    not_before = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    items = models.IntegerField(null=True)  # fixed by parsing; None: one waiting item
    outcomes = models.JSONField(null=True)  # per item, in order: what became of it

    class Meta:
        managed = False  # partitioned: made by the migration's own SQL
        db_table = "inboxes_delivery"


class Poll(Queued):
    """When an inbox is asked for news next, and from where it goes on."""

    inbox_id = models.UUIDField(unique=True)
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    cursor = models.JSONField(default=dict)
    history_cursor = models.JSONField(null=True)  # None: history is imported, or was not asked for
    failures = models.IntegerField(default=0)
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="poll_due")]


class SendGate(Queued):
    """What an inbox may send now: its token bucket, its circuit breaker, and whether it may send at all.

    tokens: messages it may still send at once, as of refilled_at. closed_until: no token before, or the platform
    asked for a pause.
    """

    inbox_id = models.UUIDField(unique=True)
    is_open = models.BooleanField(default=True)  # false: paused, broken or disconnected; replies wait in order
    by_hand_only = models.BooleanField(default=False)  # the governor stopped what is automatic
    tokens = models.FloatField(default=1)
    refilled_at = models.DateTimeField()
    closed_until = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)  # in a row


class DeadLetter(Owned):
    """An item whose processing failed: kept whole, with the reason, until a person retries or dismisses it."""

    inbox = OrganisationKey(Inbox, related_name="+")
    delivery_id = models.UUIDField()
    position = models.IntegerField()  # -1: the delivery as a whole
    received_at = models.DateTimeField()
    reason = models.TextField()
    body = models.BinaryField()
    headers = models.JSONField(default=dict)
    query = models.JSONField(default=dict)
    is_history = models.BooleanField(default=False)
    failed_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_as = models.CharField(max_length=20, blank=True)  # retried, dismissed

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "delivery_id", "position"], name="dead_letter_once")
        ]
        indexes = [
            models.Index(
                fields=["organisation", "inbox", "-failed_at"],
                name="dead_letter_open",
                condition=models.Q(settled_at=None),
            )
        ]


class Outcome(models.TextChoices):
    MESSAGE = "message"
    CHANGE = "change"  # an edit, deletion or receipt of a message
    DUPLICATE = "duplicate"
    IGNORED = "ignored"  # rightly nothing for the desk; the reason says why
    DEAD = "dead"  # processing failed; in the dead letters


class LedgerLine(Owned):
    """How many items of an inbox and day had an outcome. accepted = all outcomes + what still waits.

    outcome: an `Outcome`, or "accepted". day: of arrival, in UTC.
    """

    inbox = OrganisationKey(Inbox, related_name="+")
    day = models.DateField()
    outcome = models.CharField(max_length=20)
    reason = models.CharField(max_length=80, blank=True)
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField(null=True)  # when the newest of them arrived

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "inbox", "day", "outcome", "reason"], name="ledger_once")
        ]


class SendHabit(Owned):
    """How many automatic messages an inbox sent in an hour: what the send governor compares with. hour: start, UTC.

    confirmed: how many of them a person has seen and let through.
    """

    inbox = OrganisationKey(Inbox, related_name="+")
    hour = models.DateTimeField()
    count = models.IntegerField(default=0)
    confirmed = models.IntegerField(default=0)
    is_automatic = models.BooleanField(default=False)

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "inbox", "hour", "is_automatic"], name="send_habit_once")
        ]


class VisitorSession(models.Model):
    """Entrance: from the token in a visitor's browser to who they are in which chat inbox. Hashes and ids only."""

    worker_rights: ClassVar[str] = "SELECT, DELETE"

    token_hash = models.CharField(max_length=64, primary_key=True)  # SHA-256, hexadecimal
    organisation_id = models.UUIDField()
    inbox_id = models.UUIDField()
    visitor = models.CharField(max_length=200)  # external id of the person, and key of the place where they chat
    is_proven = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["last_seen_at"], name="visitor_session_age")]


class Knock(models.Model):
    """Entrance: how much of what the widget's door allows was used, for all web processes together. Unlogged: after a
    crash everybody starts anew.

    who: SHA-256, hexadecimal, of the rate and of the network or visitor it holds for; nobody's name or address.
    free_at: from then on nothing is used any more, and the row says nothing.
    """

    rights: ClassVar[str] = "SELECT, INSERT, UPDATE"
    worker_rights: ClassVar[str] = "SELECT, DELETE"

    who = models.CharField(max_length=64, primary_key=True)
    free_at = models.DateTimeField()


class Visitor(Owned):
    """Someone who chats on a site: what they left us, and how far they have read.

    seen_at: when their browser last asked for news. mailed_up_to: what was answered until then went to their e-mail.
    """

    inbox = OrganisationKey(Inbox, related_name="+")
    external_id = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=8, blank=True)
    seen_at = models.DateTimeField()
    typed_at = models.DateTimeField(null=True)
    read_up_to = models.DateTimeField(null=True)
    mailed_up_to = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "inbox", "external_id"], name="visitor_once"),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "inbox", "seen_at"], name="visitor_to_mail", condition=~models.Q(email="")
            )
        ]


class VisitorUpload(Owned):
    """A file that a visitor chose; one that is not sent is removed after a day.

    sent_as: the message it went with, so that a second attempt at that message, and no other, may name it again.
    """

    inbox = OrganisationKey(Inbox, related_name="+")
    visitor = models.CharField(max_length=200)
    key = models.CharField(max_length=120)  # in the file store
    name = models.CharField(max_length=300)
    content_type = models.CharField(max_length=120)
    size = models.BigIntegerField()
    sent_as = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "inbox", "visitor", "created_at"], name="upload_by_visitor")]
