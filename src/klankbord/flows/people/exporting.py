"""Contacts as a file: what the list shows to this person, streamed, and written down each time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.contacts import queries
from klankbord.desk.contacts.fields import Value
from klankbord.desk.contacts.models import ContactField
from klankbord.desk.contacts.sheets import harmless
from klankbord.desk.conversations import people
from klankbord.desk.errors import DeskError
from klankbord.desk.organisations.models import AuditLine, Membership
from klankbord.desk.wall import organisation

_MOST_AN_HOUR = 5
_PAGE = 1000


def export(*, by: Membership, now: datetime) -> Iterator[bytes]:
    """The file, part by part. Raises DeskError when this person takes one too often."""
    access.require(by, "export contacts")
    recent = AuditLine.objects.filter(deed="contacts exported", by=by, at__gt=now - timedelta(hours=1)).count()
    if recent >= _MOST_AN_HOUR:
        raise DeskError(_("You exported all contacts several times this hour already. Try again later."))
    AuditLine.objects.create(at=now, by=by, deed="contacts exported", subject="contacts")
    return _parts(by, translation.get_language() or "nl")


def _parts(by: Membership, language: str) -> Iterator[bytes]:
    """Runs after the request, so it opens the organisation itself, once for each page."""
    with organisation(by.organisation_id), translation.override(language):
        fields = queries.fields()
        heading = [
            _("Name"), _("E-mail"), _("Phone"), _("Language"), _("Company"), "VIP", *(each.name for each in fields)
        ]  # fmt: skip
    yield "\N{BYTE ORDER MARK}".encode() + _line(heading)
    after: people.NameKey | None = None
    while True:
        with organisation(by.organisation_id), translation.override(language):
            page, after = people.sheet_page(by=by, after=after, limit=_PAGE)
            part = b"".join(_line(_cells(each, fields)) for each in page)
        yield part
        if after is None:
            return


def _cells(each: people.SheetContact, fields: list[ContactField]) -> list[str]:
    own = [_word(each.values.get(field.id.hex)) for field in fields]
    return [each.name, each.email or "", each.phone or "", each.language, each.company or "", _word(each.is_vip), *own]


def _word(value: Value | None) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value or ""


def _line(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue().encode()
