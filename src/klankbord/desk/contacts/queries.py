"""What screens read of contacts."""

from __future__ import annotations

from uuid import UUID

from .models import Handle


def handles_of(contact: UUID) -> list[Handle]:
    """A person's identities on all platforms."""
    return list(Handle.objects.filter(contact_id=contact).order_by("kind", "id"))
