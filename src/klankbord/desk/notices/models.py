"""What colleagues tell each other through the desk: mentions, notices, who is there, a shift handed over."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ..conversations.models import Conversation
from ..organisations.models import Membership, Team
from ..wall import OrganisationKey, Owned


class Mention(Owned):
    """Somebody was named in a note. Done once they wrote something there, or put it away themselves."""

    conversation = OrganisationKey(Conversation, related_name="+")
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)
    message_id = models.UUIDField()  # the newest note that names them
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "conversation", "member"], name="mention_once")]
        indexes = [
            models.Index(fields=["organisation", "member"], name="mention_open", condition=Q(done_at__isnull=True))
        ]


class NoticeKind(models.TextChoices):
    MENTIONED = "mentioned"  # a colleague named me in a note
    ASSIGNED = "assigned"  # a colleague gave me a conversation
    ANSWERED = "answered"  # a customer wrote in a conversation of mine
    FAILED = "failed"  # a reply of mine did not arrive, or nobody knows
    RETURNED = "returned"  # a reply that I proposed came back
    SHIFT = "shift"  # a colleague handed me a whole shift


class Notification(Owned):
    """What one person should hear of. Unread ones of a kind about the same conversation are one line that counts."""

    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=NoticeKind.choices)
    conversation = OrganisationKey(Conversation, related_name="+")
    message_id = models.UUIDField(null=True)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    times = models.IntegerField(default=1)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "member", "kind", "conversation"],
                name="one_unread_notification",
                condition=Q(read_at__isnull=True),
            )
        ]
        indexes = [models.Index(fields=["organisation", "member", "-at", "id"], name="notification_newest")]


class Digest(models.TextChoices):
    OFF = "off"
    HOURLY = "hourly"
    DAILY = "daily"


class NoticeChoices(Owned):
    """What a person wants to hear of, and how. No row: everything in the page, nothing by mail."""

    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)
    unwanted = ArrayField(models.CharField(max_length=12), default=list)  # kinds
    digest = models.CharField(max_length=8, choices=Digest.choices, default=Digest.OFF)
    has_previews = models.BooleanField(default=False)  # whether the mail holds the beginning of what was written

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "member"], name="notice_choices_once")]


class PresenceState(models.TextChoices):
    AVAILABLE = "available"
    BUSY = "busy"  # here, but do not give me more
    AWAY = "away"


class Presence(Owned):
    """Whether somebody is at the desk: what they said of themselves, and when they last did something."""

    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)
    chosen = models.CharField(max_length=10, choices=PresenceState.choices, default=PresenceState.AVAILABLE)
    active_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "member"], name="presence_once")]


class Shift(Owned):
    """Conversations that changed hands together, kept so that it can be undone."""

    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    to_owner = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    to_team = OrganisationKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    moved = models.JSONField(default=list)  # [{"conversation": id, "team": id or null, "note": id or null}]
    undone_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "by", "-at"], name="shift_newest")]
