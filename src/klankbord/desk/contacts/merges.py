"""Two contacts become one, and part again. Every row that moves is remembered; the contact that goes stays as a row
that stands aside, so that nothing that names it breaks and all of it comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime

from ..organisations.models import Membership
from ..rows import run
from ..wall import current_organisation_id
from .models import Contact, ContactMerge

_TABLES = ("contacts_handle", "contacts_contactnote", "contacts_contactconsent")


def lock_pair(one: UUID, other: UUID) -> dict[UUID, Contact]:
    """Both, locked in the order of their ids."""
    return {each.id: each for each in Contact.objects.select_for_update().filter(id__in=[one, other]).order_by("id")}


def move_rows(*, source: UUID, target: UUID, only: Mapping[str, Sequence[str]] | None = None) -> dict[str, list[str]]:
    """Give what hangs on one contact to another: all of it, or only these. One statement a table."""
    moved = {}
    for table in _TABLES:
        where, values = "", []
        if only is not None:
            where, values = " AND id = ANY(%s)", [[UUID(each) for each in only.get(table, ())]]
        found = run(
            f"UPDATE {table} SET contact_id = %s WHERE organisation_id = %s AND contact_id = %s{where} RETURNING id",
            [target, current_organisation_id(), source, *values],
        )
        moved[table] = sorted(str(each) for (each,) in found)
    return moved


def fill(kept: Contact, gone: Contact) -> dict[str, Any]:
    """Let `kept` take over what it lacks. Gives column → [before, after]; of values, field → after."""
    filled: dict[str, Any] = {}
    for name in ("language", "company_id", "is_vip", "blocked_at"):
        before, after = getattr(kept, name), getattr(gone, name)
        if after and not before:
            setattr(kept, name, after)
            filled[name] = [_written(before), _written(after)]
    taken = {key: value for key, value in gone.values.items() if key not in kept.values}
    if taken:
        kept.values = kept.values | taken
        filled["values"] = taken
    _save(kept)
    return filled


def unfill(kept: Contact, filled: Mapping[str, Any]) -> None:
    """Take back what a merge filled in, unless somebody changed it since."""
    for name, change in filled.items():
        if name == "values":
            kept.values = {key: value for key, value in kept.values.items() if change.get(key) != value}
        elif _written(getattr(kept, name)) == change[1]:
            setattr(kept, name, _read(name, change[0]))
    _save(kept)


def stand_aside(gone: Contact, *, kept: Contact | None) -> None:
    gone.merged_into = kept
    gone.save(update_fields=["merged_into"])


def remember(
    *, kept: Contact, gone: Contact, moved: Mapping[str, Any], filled: Mapping[str, Any], by: Membership, now: datetime
) -> ContactMerge:
    merge: ContactMerge = ContactMerge.objects.create(kept=kept, gone=gone, moved=moved, filled=filled, by=by, at=now)
    return merge


def _save(contact: Contact) -> None:
    contact.save(update_fields=["language", "company", "is_vip", "blocked_at", "values"])


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "blocked_at":
        return parse_datetime(value)
    return UUID(value) if name == "company_id" else value
