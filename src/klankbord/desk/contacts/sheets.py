"""Contacts as rows of a sheet: reading files of any make, and cells that a spreadsheet cannot take for a formula."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from klankbord.kernel.text import clean, fold, one_line

from ..errors import Invalid
from .fields import Value, read_value
from .models import ContactField

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 50_000, 60, 5_000
NAMES: dict[str, tuple[str, ...]] = {
    "name": ("name", "naam", "full name", "volledige naam", "contact"),
    "email": ("e-mail", "email", "mail", "e-mailadres", "email address", "e-mail address", "mailadres"),
    "phone": ("phone", "telefoon", "telefoonnummer", "phone number", "mobile", "mobiel", "tel"),
    "language": ("language", "taal"),
    "company": ("company", "bedrijf", "organisatie", "organisation", "organization"),
    "vip": ("vip",),
    "note": ("note", "notes", "notitie", "notities", "opmerking"),
}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_FORMULA = re.compile(r"[=+\-@\t\r\n;|%]")
_ADDRESS = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]+\.[^\s@,;<>\"]{2,}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_YES, _NO = frozenset({"yes", "ja", "true", "1", "x", "vip"}), frozenset({"", "no", "nee", "false", "0"})


class Unreadable(ValueError):
    """The file as a whole cannot be read; the reason is a word for `doors`: empty, too many rows, no columns."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what. fields: place → one of the organisation's own. unused: headings nobody knows."""

    known: dict[int, str]
    fields: dict[int, ContactField]
    unused: list[str]


@dataclass(slots=True)
class SheetRow:
    """One line of a file. trouble: why it is not taken in, "" when it can be; detail: of which cell it speaks."""

    line: int
    cells: list[str]
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    company: str = ""
    is_vip: bool | None = None
    note: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    trouble: str = ""
    detail: str = ""

    @property
    def phone_key(self) -> str:
        return re.sub(r"\D", "", self.phone)[-9:]


def decoded(data: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else Windows' Latin."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return clean(data.decode(encoding, "replace"))
    try:
        return clean(data.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(data.decode("cp1252", "replace"))


def read_sheet(text: str, fields: Sequence[ContactField]) -> tuple[Columns, Iterator[SheetRow]]:
    """The columns by their headings, and the rows one by one. Raises Unreadable."""
    lines = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    heading = next((line for line in lines if any(cell.strip() for cell in line)), None)
    if heading is None:
        raise Unreadable("empty")
    columns = _columns(heading[:MOST_COLUMNS], fields)
    if not {"email", "phone"} & set(columns.known.values()):
        raise Unreadable("no columns")
    return columns, _rows(lines, columns)


def count_rows(text: str) -> int:
    """How many lines there are under the heading. Raises Unreadable when they are too many."""
    rows = sum(1 for line in csv.reader(io.StringIO(text), delimiter=_delimiter(text)) if any(map(str.strip, line))) - 1
    if rows > MOST_ROWS:
        raise Unreadable("too many rows")
    return max(rows, 0)


def harmless(cell: str) -> str:
    """A cell that stays words in a spreadsheet: what looks like a formula gets an apostrophe, which is read back."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """What `harmless` made of it, undone."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _columns(heading: Sequence[str], fields: Sequence[ContactField]) -> Columns:
    words = {word: name for name, spellings in NAMES.items() for word in spellings}
    own = {fold(each.name): each for each in fields}
    columns = Columns({}, {}, [])
    for place, cell in enumerate(heading):
        word = fold(plain(cell.strip()))
        if words.get(word) and words[word] not in columns.known.values():
            columns.known[place] = words[word]
        elif word in own and own[word] not in columns.fields.values():
            columns.fields[place] = own[word]
        elif word:
            columns.unused.append(one_line(cell, limit=60))
    return columns


def _rows(lines: Iterator[list[str]], columns: Columns) -> Iterator[SheetRow]:
    for number, line in enumerate(lines, start=2):
        if any(cell.strip() for cell in line):
            yield _row(number, line, columns)


def _row(number: int, line: list[str], columns: Columns) -> SheetRow:
    cells = [plain(cell.strip()) for cell in line[:MOST_COLUMNS]]
    row = SheetRow(number, [cell[:200] for cell in cells])
    if any(len(cell) > LONGEST_CELL for cell in cells):
        row.trouble = "too long"
        return row
    found = {name: cells[place] for place, name in columns.known.items() if place < len(cells)}
    row.name, row.company = one_line(found.get("name", "")), one_line(found.get("company", ""))
    row.email, row.phone = one_line(found.get("email", "")).lower(), one_line(found.get("phone", ""), limit=60)
    row.language, row.note = found.get("language", "").strip(), clean(found.get("note", "")).strip()
    vip = found.get("vip", "").casefold()
    row.is_vip = None if "vip" not in found or not vip else vip in _YES
    row.trouble, row.detail = _trouble(row, vip)
    for place, each in columns.fields.items():
        _read_own(row, each, cells[place] if place < len(cells) else "")
    return row


def _trouble(row: SheetRow, vip: str) -> tuple[str, str]:
    digits = len(re.sub(r"\D", "", row.phone))
    if not row.email and not row.phone:
        return "nobody", ""
    if row.email and not (_ADDRESS.fullmatch(row.email) and len(row.email) <= 250):
        return "not an address", row.email
    if row.phone and not (8 <= digits <= 15 and re.fullmatch(r"\+?[\d\s()./-]+", row.phone) and len(row.phone) <= 40):
        return "not a number", row.phone
    if row.language and not _LANGUAGE.fullmatch(row.language):
        return "not a language", row.language
    if vip not in _YES | _NO:
        return "not yes or no", vip
    return "", ""


def _read_own(row: SheetRow, each: ContactField, cell: str) -> None:
    try:
        value = read_value(each, cell)
    except Invalid:
        if not row.trouble:
            row.trouble, row.detail = "not readable", f"{each.name}: {one_line(cell, limit=80)}"
        return
    if value is not None:
        row.values[each.id.hex] = value
