"""Contacts from a file.

upload → read and counted without changing anything → a person looks at the first rows and the sums → a job takes the
rows in, some hundreds at a time, each time in one transaction → the sums as they became, and the rows that were not
taken in with the reason of each. The same file again changes nothing.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.contacts import queries
from klankbord.desk.contacts.imports import BATCH, Plan, Seen, outcomes, plan, take_in
from klankbord.desk.contacts.models import ContactImport, ImportState
from klankbord.desk.contacts.sheets import MOST_ROWS, Columns, SheetRow, Unreadable, count_rows, decoded, read_sheet
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import AuditLine, Membership
from klankbord.desk.wall import organisation
from klankbord.kernel.text import one_line

from ..jobs import later

LARGEST_FILE = 10_000_000  # bytes
PREVIEWED = 20
_MOST_TROUBLES = 5_000


def check(*, name: str, data: bytes, by: Membership, now: datetime) -> ContactImport:
    """Read a file and say what it would do; nothing changes. Raises Invalid when it cannot be read at all."""
    access.require(by, "import contacts")
    if len(data) > LARGEST_FILE:
        raise Invalid(_("This file is too large: %(limit)d MB at most.") % {"limit": LARGEST_FILE // 1_000_000})
    text = decoded(data)
    counts: Counter[str] = Counter()
    troubles: list[list[object]] = []
    try:
        rows = count_rows(text)
        for plans in _planned(text, Seen()):
            counts += outcomes(plans)
            troubles += _troubles(plans)
    except Unreadable as error:
        raise Invalid(_refusal(str(error))) from error
    if not rows:
        raise Invalid(_refusal("empty"))
    made: ContactImport = ContactImport.objects.create(
        name=one_line(name) or "csv",
        text=text,
        rows=rows,
        counts=counts,
        troubles=troubles[:_MOST_TROUBLES],
        by=by,
        at=now,
    )
    return made


def start(*, contact_import: UUID, by: Membership, now: datetime) -> None:
    """Let a worker take it in. A second click does nothing."""
    found = import_for(by, contact_import)
    is_first = ContactImport.objects.filter(id=found.id, state=ImportState.CHECKED).update(
        state=ImportState.WAITING, counts={}, troubles=[], rows_done=0
    )
    if is_first:
        AuditLine.objects.create(
            at=now, by=by, deed="contacts imported", subject="import", subject_id=found.id, facts={"name": found.name}
        )
        later("import contacts", ids=[found.id])


def import_for(by: Membership, contact_import: UUID) -> ContactImport:
    access.require(by, "import contacts")
    found = ContactImport.objects.select_related("by__user").filter(id=contact_import).first()
    if found is None:
        raise NotFound
    return found


def imports(by: Membership) -> list[ContactImport]:
    """The newest, without their texts."""
    access.require(by, "import contacts")
    return list(ContactImport.objects.select_related("by__user").defer("text", "troubles").order_by("-at")[:20])


def preview(found: ContactImport) -> tuple[Columns, list[Plan]]:
    """The columns, and what the first rows would do now."""
    columns, rows = read_sheet(found.text, queries.fields())
    return columns, plan(list(itertools.islice(rows, PREVIEWED)), Seen())


def run(*, organisation_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    """The job. Goes on where an earlier attempt stopped."""
    for each in ids:
        with organisation(organisation_id):
            found = ContactImport.objects.get(id=each)
            columns_and_rows = read_sheet(found.text, queries.fields()) if found.text else None
        if columns_and_rows is not None:
            _take_in_all(organisation_id, found, columns_and_rows[1], now)


def _take_in_all(organisation_id: UUID, found: ContactImport, rows: Iterator[SheetRow], now: datetime) -> None:
    seen, place = Seen(), 0
    for batch in _batches(rows):
        place += len(batch)
        if place <= found.rows_done:
            for row in batch:  # taken in before: who stood there is known
                if not row.trouble:
                    seen.earlier(row)
            continue
        with organisation(organisation_id):
            plans = plan(batch, seen)
            take_in(plans, by=found.by_id, now=now)
            _note_progress(found, plans, place)
    with organisation(organisation_id):
        ContactImport.objects.filter(id=found.id).update(state=ImportState.DONE, text="")


def _note_progress(found: ContactImport, plans: Sequence[Plan], place: int) -> None:
    found.counts = dict(Counter(found.counts) + outcomes(plans))
    found.troubles = [*found.troubles, *_troubles(plans)][:_MOST_TROUBLES]
    found.rows_done, found.state = place, ImportState.RUNNING
    found.save(update_fields=["counts", "troubles", "rows_done", "state"])


def _planned(text: str, seen: Seen) -> Iterator[list[Plan]]:
    for batch in _batches(read_sheet(text, queries.fields())[1]):
        yield plan(batch, seen)


def _batches(rows: Iterator[SheetRow]) -> Iterator[list[SheetRow]]:
    while batch := list(itertools.islice(rows, BATCH)):
        yield batch


def _troubles(plans: Sequence[Plan]) -> list[list[object]]:
    return [
        [each.row.line, each.row.trouble, each.row.detail, each.row.cells] for each in plans if each.outcome == "wrong"
    ]


def _refusal(reason: str) -> str:
    return {
        "empty": _("There are no rows in this file."),
        "too many rows": _("This file has too many rows: %(most)d at most.") % {"most": MOST_ROWS},
        "no columns": _("No column is called e-mail or phone, so nobody in this file could be told from another."),
    }[reason]
