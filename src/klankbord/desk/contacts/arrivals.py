"""Find or make the people who write, as sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.contract import Person, Unreachable
from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import one_line

from ..rows import insert, packed, recordset, run, update
from ..wall import current_organisation_id
from .models import Contact, Handle

HandleKey = tuple[str, str, str]  # kind, realm, external id
_KEPT = ["name", "username", "email", "phone", "avatar_url", "profile_url", "is_proven"]


@dataclass(frozen=True, slots=True)
class KnownHandle:
    id: UUID
    contact_id: UUID
    name: str
    is_blocked: bool = False


def handle_key(kind: str, person: Person) -> HandleKey:
    return (kind, person.realm, person.external_id)


def find_or_make_handles(persons: Mapping[HandleKey, Person], *, now: datetime) -> dict[HandleKey, KnownHandle]:
    """The handles of these persons; unknown ones get a contact of their own. Newer facts replace older, absent ones
    replace nothing."""
    if not persons:
        return {}
    organisation_id = current_organisation_id()
    rows = [
        {"kind": kind, "realm": realm, "external_id": external, **_facts(person)}
        for (kind, realm, external), person in sorted(persons.items())
    ]
    found = run(
        f"""SELECT t.id, t.contact_id, t.kind, t.realm, t.external_id, {", ".join(f"t.{name}" for name in _KEPT)},
                   c.blocked_at IS NOT NULL
              FROM {recordset(Handle, ["kind", "realm", "external_id"])}
              JOIN contacts_handle t ON t.organisation_id = %s AND t.kind = r.kind AND t.realm = r.realm
               AND t.external_id = r.external_id
              JOIN contacts_contact c ON c.organisation_id = t.organisation_id AND c.id = t.contact_id""",
        [packed({key: row[key] for key in ("kind", "realm", "external_id")} for row in rows), organisation_id],
    )
    handles = {tuple(row[2:5]): KnownHandle(row[0], row[1], row[5], row[-1]) for row in found}
    known_facts = {row[0]: dict(zip(_KEPT, row[5:-1], strict=True)) for row in found}
    _refresh(rows, handles, known_facts, organisation_id)
    missing = [row for row in rows if (row["kind"], row["realm"], row["external_id"]) not in handles]
    return {**handles, **_make(missing, organisation_id, now)}


def _facts(person: Person) -> dict[str, Any]:
    return {
        "name": one_line(person.name, limit=200),
        "username": one_line(person.username, limit=250),
        "email": one_line(person.email, limit=250).lower(),
        "phone": one_line(person.phone, limit=40),
        "avatar_url": person.avatar_url[:2000],
        "profile_url": person.profile_url[:2000],
        "is_proven": person.is_proven,
    }


def _refresh(
    rows: Sequence[dict[str, Any]],
    handles: Mapping[Any, KnownHandle],
    known_facts: Mapping[UUID, Mapping[str, Any]],
    organisation_id: UUID,
) -> None:
    changed, renamed = [], []
    for row in rows:
        handle = handles.get((row["kind"], row["realm"], row["external_id"]))
        if handle is None:
            continue
        old = known_facts[handle.id]
        new = {name: row[name] or old[name] for name in _KEPT}
        if new != old:
            changed.append({"id": handle.id, **new})
        if new["name"] != old["name"]:
            renamed.append({"id": handle.contact_id, "name": new["name"], "old": old["name"]})
    update(Handle, sorted(changed, key=lambda row: row["id"]), organisation_id=organisation_id)
    if renamed:  # a contact goes by the name of its handle until an agent gives it another
        run(
            "UPDATE contacts_contact t SET name = r.name FROM json_to_recordset(%s::json) AS r(id uuid, name text,"
            " old text) WHERE t.organisation_id = %s AND t.id = r.id AND t.name = r.old",
            [packed(sorted(renamed, key=lambda row: str(row["id"]))), organisation_id],
        )


def _make(rows: Sequence[dict[str, Any]], organisation_id: UUID, now: datetime) -> dict[Any, KnownHandle]:
    contacts: dict[Any, dict[str, Any]] = {
        (row["kind"], row["realm"], row["external_id"]): {
            "id": uuid7(),
            "organisation_id": organisation_id,
            "name": row["name"] or row["username"] or row["email"] or one_line(row["external_id"], limit=60),
            "language": "",
            "notes": "",
            "facts": {},
            "created_at": now,
        }
        for row in rows
    }
    insert(Contact, list(contacts.values()))
    made = insert(
        Handle,
        [
            {
                "id": uuid7(),
                "organisation_id": organisation_id,
                "contact_id": contacts[row["kind"], row["realm"], row["external_id"]]["id"],
                **row,
                "is_reachable": True,
                "unreachable_reason": "",
                "facts": {},
            }
            for row in rows
        ],
        returning="id, contact_id, kind, realm, external_id, name",
    )
    if len(made) != len(rows):
        raise HandleRaced
    return {tuple(row[2:5]): KnownHandle(row[0], row[1], row[5]) for row in made}


class HandleRaced(RuntimeError):
    """Another transaction made one of the handles first; run the batch again."""


def note_reachability(kind: str, changes: Sequence[Unreachable]) -> None:
    """These people can, or can no longer, be written to."""
    rows = {
        (kind, change.person.realm, change.person.external_id): {
            "kind": kind,
            "realm": change.person.realm,
            "external_id": change.person.external_id,
            "is_reachable": change.is_reachable,
            "unreachable_reason": change.reason,
        }
        for change in sorted(changes, key=lambda change: change.at)
    }
    update(
        Handle,
        [rows[key] for key in sorted(rows)],
        organisation_id=current_organisation_id(),
        keys=("kind", "realm", "external_id"),
    )
