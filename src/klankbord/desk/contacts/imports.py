"""Rows of a sheet against the contacts that there are: what would happen, and doing it. As sets, a batch at a time."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import fold

from ..rows import insert, packed, run, update
from ..wall import current_organisation_id
from .arrivals import HandleRaced
from .models import Company, Contact, ContactNote, Handle
from .sheets import SheetRow

BATCH = 500


@dataclass(slots=True)
class Known:
    """A contact that a row speaks of, as it stands."""

    id: UUID
    name: str
    language: str
    company: str
    company_id: UUID | None
    is_vip: bool
    values: dict[str, Any]
    emails: set[str]
    phones: set[str]
    notes: set[str]


@dataclass(slots=True)
class Plan:
    """What a row would do. outcome: new, changes, same, wrong. changed: the names of what would differ."""

    row: SheetRow
    outcome: str
    known: Known | None = None
    changed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Seen:
    """Who stood in the file before: address or number → the line."""

    lines: dict[str, int] = field(default_factory=dict)

    def earlier(self, row: SheetRow) -> int | None:
        """The line of the same person; remembers this one when there is none."""
        keys = [key for key in (row.email, row.phone_key and f"tel:{row.phone_key}") if key]
        found = next((self.lines[key] for key in keys if key in self.lines), None)
        if found is None:
            self.lines.update(dict.fromkeys(keys, row.line))
        return found


def plan(rows: Sequence[SheetRow], seen: Seen) -> list[Plan]:
    """What these rows would do, in their order. Three statements, whatever their number."""
    sound = [row for row in rows if not row.trouble]
    by_email, by_phone, contacts = _known(sound)
    plans = []
    for row in rows:
        if not row.trouble and (line := seen.earlier(row)) is not None:
            row.trouble, row.detail = "twice", str(line)
        found = sorted({*by_email.get(row.email, ()), *by_phone.get(row.phone_key, ())}) if not row.trouble else []
        if len(found) > 1:
            row.trouble, row.detail = "several", ", ".join(contacts[each].name for each in found[:3])
        if row.trouble:
            plans.append(Plan(row, "wrong"))
        elif not found:
            plans.append(Plan(row, "new"))
        else:
            changed = _changed(row, contacts[found[0]])
            plans.append(Plan(row, "changes" if changed else "same", contacts[found[0]], changed))
    return plans


def outcomes(plans: Iterable[Plan]) -> Counter[str]:
    return Counter(each.outcome for each in plans)


def take_in(plans: Sequence[Plan], *, by: UUID, now: datetime) -> None:
    """Do what was planned, in the same transaction. Raises HandleRaced when somebody wrote to us at this moment under
    one of the addresses: plan again."""
    ours = current_organisation_id()
    acting = [each for each in plans if each.outcome in ("new", "changes")]
    companies = _companies([each.row.company for each in acting if each.row.company], now=now)
    made = [(each, uuid7()) for each in acting if each.outcome == "new"]
    insert(Contact, [_contact(each.row, key, ours, companies, now) for each, key in made])
    update(
        Contact,
        sorted((_renewed(each, companies) for each in acting if each.known), key=lambda row: str(row["id"])),
        organisation_id=ours,
    )
    whose = [*made, *((each, each.known.id) for each in acting if each.known)]
    handles = [handle for each, contact in whose for handle in _handles(each, contact, ours)]
    if len(insert(Handle, handles, returning="id")) != len(handles):
        raise HandleRaced
    insert(
        ContactNote,
        [
            {
                "id": uuid7(), "organisation_id": ours, "contact_id": contact, "text": each.row.note, "by_id": by,
                "at": now,
            }
            for each, contact in whose
            if each.row.note and (each.known is None or each.row.note not in each.known.notes)
        ],
    )  # fmt: skip


def _known(rows: Sequence[SheetRow]) -> tuple[dict[str, set[UUID]], dict[str, set[UUID]], dict[UUID, Known]]:
    """By address and by number (only those that are sure), and the contacts themselves."""
    ours = current_organisation_id()
    found = run(
        """SELECT h.contact_id, h.email, '' FROM json_to_recordset(%s::json) AS r(email varchar)
             JOIN contacts_handle h ON h.organisation_id = %s AND h.email = r.email
            WHERE h.kind = 'email' OR h.is_proven
           UNION
           SELECT h.contact_id, '', h.phone_key FROM json_to_recordset(%s::json) AS r(phone text)
             JOIN contacts_handle h ON h.organisation_id = %s AND h.phone_key = r.phone
            WHERE h.phone_key <> '' AND (h.kind = 'phone' OR h.is_proven)""",
        [
            packed({"email": row.email} for row in rows if row.email), ours,
            packed({"phone": row.phone_key} for row in rows if row.phone_key), ours,
        ],
    )  # fmt: skip
    by_email: defaultdict[str, set[UUID]] = defaultdict(set)
    by_phone: defaultdict[str, set[UUID]] = defaultdict(set)
    for contact, email, phone in found:
        (by_email[email] if email else by_phone[phone]).add(contact)
    return by_email, by_phone, _contacts({contact for contact, _, _ in found})


def _contacts(ids: set[UUID]) -> dict[UUID, Known]:
    found = run(
        """SELECT c.id, c.name, c.language, coalesce(g.key, ''), c.company_id, c.is_vip, c.values,
                  ARRAY(SELECT h.email FROM contacts_handle h
                         WHERE h.organisation_id = c.organisation_id AND h.contact_id = c.id),
                  ARRAY(SELECT h.phone_key FROM contacts_handle h
                         WHERE h.organisation_id = c.organisation_id AND h.contact_id = c.id),
                  ARRAY(SELECT n.text FROM contacts_contactnote n
                         WHERE n.organisation_id = c.organisation_id AND n.contact_id = c.id)
             FROM contacts_contact c
             LEFT JOIN contacts_company g ON g.organisation_id = c.organisation_id AND g.id = c.company_id
            WHERE c.organisation_id = %s AND c.id = ANY(%s)""",
        [current_organisation_id(), sorted(ids)],
    )
    return {row[0]: Known(*row[:7], *map(set, row[7:])) for row in found} if ids else {}


def _changed(row: SheetRow, known: Known) -> list[str]:
    """What would differ. An empty cell changes nothing."""
    differs = {
        "name": bool(row.name) and row.name != known.name,
        "email": bool(row.email) and row.email not in known.emails,
        "phone": bool(row.phone) and row.phone_key not in known.phones,
        "language": bool(row.language) and row.language != known.language,
        "company": bool(row.company) and fold(row.company)[:250] != known.company,
        "vip": row.is_vip is not None and row.is_vip != known.is_vip,
        "note": bool(row.note) and row.note not in known.notes,
        "fields": any(known.values.get(key) != value for key, value in row.values.items()),
    }
    return [name for name, does in differs.items() if does]


def _companies(names: Sequence[str], *, now: datetime) -> dict[str, UUID]:
    """Companies by key; unknown ones are made, as they are spelt first."""
    if not names:
        return {}
    ours = current_organisation_id()
    spelt = {fold(name)[:250]: name for name in reversed(names)}
    rows = {
        key: {"id": uuid7(), "organisation_id": ours, "name": name, "key": key, "created_at": now}
        for key, name in spelt.items()
    }
    insert(Company, [rows[key] for key in sorted(rows)])
    return dict(Company.objects.filter(key__in=rows).values_list("key", "id"))


def _contact(row: SheetRow, key: UUID, ours: UUID, companies: dict[str, UUID], now: datetime) -> dict[str, Any]:
    return {
        "id": key, "organisation_id": ours, "name": row.name or row.email or row.phone, "language": row.language,
        "notes": "", "facts": {}, "company_id": companies.get(fold(row.company)[:250]), "is_vip": bool(row.is_vip),
        "values": row.values, "created_at": now,
    }  # fmt: skip


def _renewed(each: Plan, companies: dict[str, UUID]) -> dict[str, Any]:
    """What an update sets: what the row says, and what stood there where it says nothing."""
    row, known = each.row, each.known
    assert known is not None
    return {
        "id": known.id,
        "name": row.name or known.name,
        "language": row.language or known.language,
        "is_vip": known.is_vip if row.is_vip is None else row.is_vip,
        "values": known.values | row.values,
        "company_id": companies[fold(row.company)[:250]] if row.company else known.company_id,
    }


def _handles(each: Plan, contact: UUID, ours: UUID) -> list[dict[str, Any]]:
    """The addresses and numbers that the contact does not have yet."""
    row, known = each.row, each.known
    wanted = []
    if row.email and (known is None or row.email not in known.emails):
        wanted.append(("email", row.email, {"email": row.email, "phone": ""}))
    if row.phone and (known is None or row.phone_key not in known.phones):
        wanted.append(("phone", re.sub(r"\D", "", row.phone), {"email": "", "phone": row.phone}))
    return [
        {
            "id": uuid7(), "organisation_id": ours, "contact_id": contact, "kind": kind, "realm": "",
            "external_id": external, "name": row.name, "username": "", "avatar_url": "", "profile_url": "",
            "is_proven": False, "is_reachable": True, "unreachable_reason": "", "facts": {}, **more,
        }
        for kind, external, more in wanted
    ]  # fmt: skip
