"""The facts that an organisation defines for its contacts: reading what somebody typed, by kind."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from klankbord.kernel.text import one_line

from ..errors import Invalid
from .models import ContactField, FieldKind

Value = str | bool
_YES, _NO = frozenset({"yes", "ja", "true", "1", "y", "j"}), frozenset({"no", "nee", "false", "0", "n"})
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")


def read_value(field: ContactField, text: str) -> Value | None:
    """What is kept of these words; None for nothing. Numbers and dates as text: 12.5, 2026-11-23. Raises Invalid."""
    text = one_line(text, limit=500)
    if not text:
        return None
    match field.kind:
        case FieldKind.NUMBER:
            return _number(text)
        case FieldKind.DATE:
            return _date(text)
        case FieldKind.CHOICE:
            found = next((each for each in field.choices if each.casefold() == text.casefold()), None)
            if found is None:
                raise Invalid
            return str(found)
        case FieldKind.YES_NO:
            if text.casefold() in _YES | _NO:
                return text.casefold() in _YES
            raise Invalid
    return text


def _number(text: str) -> str:
    plain = text.replace(" ", "")
    if "," in plain:  # as the Dutch write it: 1.250,50
        plain = plain.replace(".", "").replace(",", ".")
    try:
        number = Decimal(plain)
    except InvalidOperation as error:
        raise Invalid from error
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise Invalid
    return f"{number.normalize():f}"


def _date(text: str) -> str:
    day_first = _DAY_FIRST.fullmatch(text)
    try:
        if day_first:
            return date(int(day_first[3]), int(day_first[2]), int(day_first[1])).isoformat()
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise Invalid from error
