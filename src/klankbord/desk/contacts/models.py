"""People who write to us, and their identities on platforms."""

from __future__ import annotations

from django.db import models

from ..wall import OrganisationKey, Owned


class Contact(Owned):
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=8, blank=True)
    notes = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Handle(Owned):
    """A person's opaque id on one platform. Names, addresses and numbers are attributes: they change or are absent.

    realm: where the id is unique when the kind alone is not enough (a Mastodon server).
    """

    contact = OrganisationKey(Contact, related_name="handles")
    kind = models.CharField(max_length=40)
    realm = models.CharField(max_length=254, blank=True)
    external_id = models.CharField(max_length=512)
    name = models.CharField(max_length=200, blank=True)
    username = models.CharField(max_length=254, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    avatar_url = models.TextField(blank=True)
    profile_url = models.TextField(blank=True)
    is_proven = models.BooleanField(default=False)
    is_reachable = models.BooleanField(default=True)
    unreachable_reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind", "realm", "external_id"], name="handle_once")
        ]
        indexes = [
            models.Index(fields=["organisation", "contact"], name="handle_by_contact"),
            models.Index(fields=["organisation", "email"], name="handle_by_email"),
        ]

    def __str__(self) -> str:
        return self.username or self.email or self.name or self.external_id
