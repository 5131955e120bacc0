"""Conversations that became one, or that have to do with each other."""

from __future__ import annotations

from django.db import models

from ..organisations.models import Membership
from ..wall import OrganisationKey, Owned


class Merge(Owned):
    """Threads of one conversation that went on in another: what came from where, so that it can be undone."""

    source = OrganisationKey("conversations.Conversation", related_name="+")
    target = OrganisationKey("conversations.Conversation", related_name="+")
    threads = models.JSONField()  # ids of what moved
    labels = models.JSONField(default=list)  # ids of what the target had not yet
    before = models.JSONField()  # where both stood: {"source": {…}, "target": {…}}
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        indexes = [
            models.Index(fields=["organisation", "target", "-at"], name="merge_by_target"),
            models.Index(fields=["organisation", "source"], name="merge_by_source"),
        ]


class ConversationLink(Owned):
    """Two conversations that have to do with each other; `one` has the smaller id."""

    one = OrganisationKey("conversations.Conversation", related_name="+")
    other = OrganisationKey("conversations.Conversation", related_name="+")
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "one", "other"], name="conversation_link_once")]
        indexes = [models.Index(fields=["organisation", "other"], name="link_by_other")]
