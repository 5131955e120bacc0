"""What colleagues write down about a contact. Each changes one thing; who may, is the flow's question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from klankbord.kernel.text import fold

from ..errors import NotFound
from ..organisations.models import Membership
from ..rows import run
from ..wall import current_organisation_id
from .fields import Value
from .models import Company, Contact, ContactConsent, ContactField, ContactNote, DifferentPeople


def lock_contact(contact: UUID) -> Contact:
    """Locked until the transaction ends. Raises NotFound."""
    found = Contact.objects.select_for_update().filter(id=contact).first()
    if found is None:
        raise NotFound
    return found


def change_profile(
    contact: Contact, *, name: str, language: str, company: Company | None, values: Mapping[str, Value]
) -> None:
    contact.name, contact.language, contact.company, contact.values = name, language, company, dict(values)
    contact.save(update_fields=["name", "language", "company", "values"])


def find_or_make_company(name: str, *, now: datetime) -> Company:
    key = fold(name)[:250]
    found, _ = Company.objects.get_or_create(key=key, defaults={"name": name, "created_at": now})
    return found


def rename_company(company: UUID, name: str) -> bool:
    """False when another goes by that name."""
    key = fold(name)[:250]
    if Company.objects.filter(key=key).exclude(id=company).exists():
        return False
    Company.objects.filter(id=company).update(name=name, key=key)
    return True


def set_vip(contact: Contact, *, is_vip: bool) -> None:
    contact.is_vip = is_vip
    contact.save(update_fields=["is_vip"])


def set_blocked(contact: Contact, *, at: datetime | None) -> None:
    contact.blocked_at = at
    contact.save(update_fields=["blocked_at"])


def forget_values(field: ContactField) -> int:
    """What contacts hold of this field; gives of how many."""
    forgotten = run(
        "UPDATE contacts_contact SET values = values - %s::text WHERE organisation_id = %s AND values ? %s"
        " RETURNING id",
        [field.id.hex, current_organisation_id(), field.id.hex],
    )
    return len(forgotten)


def add_note(contact: UUID, *, text: str, by: Membership, now: datetime) -> ContactNote:
    note: ContactNote = ContactNote.objects.create(contact_id=contact, text=text, by=by, at=now)
    return note


def remove_note(note: UUID, *, contact: UUID, by: Membership | None) -> bool:
    """by: only when it is theirs; None for anybody's."""
    found = ContactNote.objects.filter(id=note, contact_id=contact)
    return bool((found.filter(by=by) if by else found).delete()[0])


def record_consent(
    contact: UUID, *, purpose: str, is_given: bool, source: str, by: Membership, now: datetime
) -> ContactConsent:
    line: ContactConsent = ContactConsent.objects.create(
        contact_id=contact, purpose=purpose, is_given=is_given, source=source, by=by, at=now
    )
    return line


def tell_apart(one: UUID, other: UUID) -> None:
    """These two are not the same person."""
    first, second = sorted((one, other))
    DifferentPeople.objects.get_or_create(organisation_id=current_organisation_id(), first_id=first, second_id=second)
