"""What screens read of contacts."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from .models import Company, Contact, ContactConsent, ContactField, ContactMerge, ContactNote, Handle


def names_of(ids: Collection[UUID]) -> dict[UUID, str]:
    """Of the contacts that are still here."""
    return dict(Contact.objects.filter(id__in=ids).values_list("id", "name")) if ids else {}


def handles_of(contact: UUID) -> list[Handle]:
    """A person's identities on all platforms."""
    return list(Handle.objects.filter(contact_id=contact).order_by("kind", "id"))


def notes_of(contact: UUID) -> list[ContactNote]:
    """Newest first."""
    return list(ContactNote.objects.select_related("by__user").filter(contact_id=contact).order_by("-at", "-id")[:100])


def consents_of(contact: UUID) -> list[ContactConsent]:
    """All that was ever said of it, newest first; the first of each purpose holds."""
    found = ContactConsent.objects.select_related("by__user").filter(contact_id=contact)
    return list(found.order_by("-at", "-id")[:200])


def fields() -> list[ContactField]:
    return list(ContactField.objects.order_by("position", "name"))


def company(company_id: UUID) -> Company | None:
    found: Company | None = Company.objects.filter(id=company_id).first()
    return found


def company_names() -> list[str]:
    """To choose from while typing; the first thousand."""
    return list(Company.objects.order_by("key").values_list("name", flat=True)[:1000])


def merges_of(contact: UUID) -> list[ContactMerge]:
    """The merges into this contact that still stand, newest first."""
    found = ContactMerge.objects.select_related("gone", "by__user").filter(kept_id=contact, undone_at=None)
    return list(found.order_by("-at", "-id")[:20])
