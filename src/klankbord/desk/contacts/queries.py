"""What screens read of contacts."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from .models import Contact, Handle


def names_of(ids: Collection[UUID]) -> dict[UUID, str]:
    """Of the contacts that are still here."""
    return dict(Contact.objects.filter(id__in=ids).values_list("id", "name")) if ids else {}


def handles_of(contact: UUID) -> list[Handle]:
    """A person's identities on all platforms."""
    return list(Handle.objects.filter(contact_id=contact).order_by("kind", "id"))
