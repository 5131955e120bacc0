"""The facts that an organisation wants to keep of its contacts: administrators define them."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.contacts import queries
from klankbord.desk.contacts.models import ContactField, FieldKind
from klankbord.desk.contacts.services import forget_values
from klankbord.desk.contacts.sheets import NAMES
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.kernel.text import fold, one_line

_MOST = 40


def define(*, name: str, kind: str, choices: str, by: Membership) -> ContactField:
    """choices: one on each line. Raises Invalid."""
    access.require(by, "define contact fields")
    name = one_line(name, limit=60)
    there = queries.fields()
    if not name or kind not in FieldKind.values or len(there) >= _MOST:
        raise Invalid
    taken = {fold(each.name) for each in there} | {word for words in NAMES.values() for word in words}
    if fold(name) in taken:
        raise Invalid(_("There is a field with this name already."))
    offered = list(dict.fromkeys(filter(None, (one_line(line, limit=60) for line in choices.splitlines()))))[:60]
    if kind == FieldKind.CHOICE and len(offered) < 2:
        raise Invalid(_("Give at least two choices, one on each line."))
    made: ContactField = ContactField.objects.create(
        name=name, kind=kind, choices=offered if kind == FieldKind.CHOICE else [], position=len(there)
    )
    return made


def rename(*, field: UUID, name: str, by: Membership) -> None:
    access.require(by, "define contact fields")
    found, name = _field(field), one_line(name, limit=60)
    if not name or fold(name) in {fold(each.name) for each in queries.fields() if each.id != found.id}:
        raise Invalid(_("There is a field with this name already.") if name else "")
    found.name = name
    found.save(update_fields=["name"])


def remove(*, field: UUID, by: Membership) -> int:
    """With what it holds. Gives of how many contacts that was."""
    access.require(by, "define contact fields")
    found = _field(field)
    lost = forget_values(found)
    found.delete()
    return lost


def _field(field: UUID) -> ContactField:
    found = ContactField.objects.filter(id=field).first()
    if found is None:
        raise NotFound
    return found
