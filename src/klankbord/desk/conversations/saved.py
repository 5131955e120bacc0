"""What people keep of their lists: views under a name, and deeds on many conversations that can be undone at once."""

from __future__ import annotations

from django.db import models

from ..organisations.models import Membership, Team
from ..wall import OrganisationKey, Owned


class SavedView(Owned):
    """A list and its filters under a name: one person's, or a team's when `team` is set."""

    name = models.CharField(max_length=60)
    slug = models.CharField(max_length=60)  # the list it starts from, as in addresses
    query = models.TextField(blank=True)  # the filters as they stand in addresses, in their fixed order, without "?"
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_index=False)  # its maker
    team = OrganisationKey(Team, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        indexes = [
            models.Index(fields=["organisation", "member"], name="saved_view_by_member"),
            models.Index(fields=["organisation", "team"], name="saved_view_by_team"),
        ]

    def __str__(self) -> str:
        return self.name


class BulkDeed(Owned):
    """Something done to many conversations at once, with what it takes to undo all of it."""

    deed = models.CharField(max_length=20)
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    # {"cases": {conversation id: {"before": columns, "after": stamp}}, and what the deed made: "links", "messages"}
    facts = models.JSONField(default=dict)

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["organisation", "by", "-at"], name="bulk_deed_by_person")]
