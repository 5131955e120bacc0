"""What colleagues know of a contact: name, company, the organisation's own fields, notes, consent, VIP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.contacts import queries, services
from klankbord.desk.contacts.fields import Value, read_value
from klankbord.desk.contacts.models import Company, Contact, ContactConsent, ContactNote, Purpose
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import Membership, Role
from klankbord.kernel.text import clean, one_line

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")


def change_profile(
    *, contact: UUID, name: str, language: str, company: str, values: Mapping[str, str], by: Membership, now: datetime
) -> Contact:
    """values: what was typed, by the field's id in hexadecimal. An unknown company is made. Raises Invalid."""
    found = _mine_to_change(contact, by)
    name, language = one_line(name), language.strip()
    if not name:
        raise Invalid(_("A contact needs a name."))
    if language and not LANGUAGE.fullmatch(language):
        raise Invalid(_("A language is written as two letters, such as nl or en."))
    services.change_profile(
        found, name=name, language=language, company=_company(company, now=now), values=_values(found, values)
    )
    return found


def set_vip(*, contact: UUID, is_vip: bool, by: Membership, now: datetime) -> Contact:
    found = _mine_to_change(contact, by)
    services.set_vip(found, is_vip=is_vip)
    return found


def add_note(*, contact: UUID, text: str, by: Membership, now: datetime) -> ContactNote:
    text = clean(text).strip()[:5000]
    if not text:
        raise Invalid(_("Write something first."))
    return services.add_note(_mine_to_change(contact, by).id, text=text, by=by, now=now)


def remove_note(*, contact: UUID, note: UUID, by: Membership) -> None:
    """One's own; who leads may remove anybody's."""
    found = _mine_to_change(contact, by)
    is_lead = by.role in (Role.LEAD, Role.ADMINISTRATOR)
    if not services.remove_note(note, contact=found.id, by=None if is_lead else by):
        raise NotFound


def record_consent(
    *, contact: UUID, purpose: str, is_given: bool, source: str, by: Membership, now: datetime
) -> ContactConsent:
    """Given or withdrawn, with how we know. Raises Invalid."""
    found, source = _mine_to_change(contact, by), one_line(source)
    if purpose not in Purpose.values:
        raise Invalid
    if not source:
        raise Invalid(_("Say how you know: a form, a call, a message."))
    return services.record_consent(found.id, purpose=purpose, is_given=is_given, source=source, by=by, now=now)


def rename_company(*, company: UUID, name: str, by: Membership) -> None:
    """Raises Invalid when there is no name, or when another company goes by it."""
    access.require(by, "change contacts")
    name = one_line(name)
    if not name or not services.rename_company(company, name):
        raise Invalid(_("Another company goes by this name already.") if name else _("A company needs a name."))


def _mine_to_change(contact: UUID, by: Membership) -> Contact:
    access.require(by, "change contacts")
    return services.lock_contact(access.contact_for(by, contact).id)


def _company(name: str, *, now: datetime) -> Company | None:
    name = one_line(name)
    return services.find_or_make_company(name, now=now) if name else None


def _values(contact: Contact, typed: Mapping[str, str]) -> dict[str, Value]:
    """What was kept before, with what was typed now; fields that were not on the form stay as they are."""
    values = dict(contact.values)
    for field in queries.fields():
        if field.id.hex not in typed:
            continue
        try:
            value = read_value(field, typed[field.id.hex])
        except Invalid as error:
            raise Invalid(_("“%(name)s” cannot be read as it was typed.") % {"name": field.name}) from error
        values.pop(field.id.hex, None)
        if value is not None:
            values[field.id.hex] = value
    return values
