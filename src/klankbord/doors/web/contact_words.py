"""Consents and own fields of a contact in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from klankbord.desk.contacts.models import ContactConsent, ContactField, FieldKind, Purpose


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """A purpose, what holds for it now (None: never asked), and what was said before."""

    purpose: str
    title: str
    newest: ContactConsent | None
    earlier: list[ContactConsent]


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field with what it holds. typed: as it stands in a form; shown: as it is read."""

    field: ContactField
    typed: str
    shown: str


def consent_lines(lines: Iterable[ContactConsent]) -> list[ConsentLine]:
    """lines: newest first."""
    titles = {
        Purpose.NEWS: _("News and offers in writing"),
        Purpose.CALLS: _("Being called with offers"),
        Purpose.SURVEYS: _("Questions about how it went"),
        Purpose.NAMING: _("Being named in public as a fan"),
    }
    lines = list(lines)
    found = []
    for purpose, title in titles.items():
        of_purpose = [line for line in lines if line.purpose == purpose]
        found.append(ConsentLine(str(purpose), title, of_purpose[0] if of_purpose else None, of_purpose[1:6]))
    return found


def field_lines(fields: Iterable[ContactField], values: Mapping[str, Any]) -> list[FieldLine]:
    return [
        FieldLine(field, typed_value(field, values.get(field.id.hex)), shown_value(field, values.get(field.id.hex)))
        for field in fields
    ]


def typed_value(field: ContactField, value: Any) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if field.kind == FieldKind.YES_NO else str(value)


def shown_value(field: ContactField, value: Any) -> str:
    if value is None:
        return ""
    if field.kind == FieldKind.YES_NO:
        return _("yes") if value else _("no")
    if field.kind == FieldKind.DATE:
        return date_format(date.fromisoformat(str(value)), "j F Y")
    if field.kind == FieldKind.NUMBER:
        whole, _point, rest = str(value).partition(".")
        return number_format(whole, force_grouping=True) + (number_format(f"0.{rest}", len(rest))[1:] if rest else "")
    return str(value)


def kind_words() -> dict[str, str]:
    return {
        str(FieldKind.TEXT): _("Text"),
        str(FieldKind.NUMBER): _("Number"),
        str(FieldKind.DATE): _("Date"),
        str(FieldKind.CHOICE): _("Choice"),
        str(FieldKind.YES_NO): _("Yes or no"),
    }
