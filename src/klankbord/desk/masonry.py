"""Builds the organisation wall in the database: roles, composite keys, row-level security, grants.

A step of `klankbord migrate` and of test set-up, run by the tables' owner. Idempotent: it looks, then does only what
is missing. Not a post_migrate signal: each flush of a test database would fire it as the app's role.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from .wall import OrganisationKey, Owned, Queued

APP, WORKER = "klankbord_app", "klankbord_worker"
_SEES_OPEN_ORGANISATION = "organisation_id = current_setting('klankbord.organisation')::uuid"
_SEES_DECLARED_ORGANISATIONS = "organisation_id = ANY (current_setting('klankbord.organisations')::uuid[])"


_FIND = (
    "klankbord_find(tsquery, uuid[], integer, timestamptz, uuid, timestamptz, timestamptz, text[], text, uuid[])"
)


class WallBroken(RuntimeError):
    """The database does not keep organisations apart; nothing may run on it."""


def walled_models() -> list[type[Owned]]:
    return [model for model in apps.get_models() if issubclass(model, Owned)]


def queue_models() -> list[type[Queued]]:
    return [model for model in apps.get_models() if issubclass(model, Queued)]


def build_wall() -> None:
    """Make roles, keys, policies and grants as the models want them. Needs the owner's connection."""
    with connection.cursor() as cursor:
        _make_roles(cursor)
        for model in walled_models():
            _make_primary_key(cursor, model._meta.db_table)
        for model in walled_models():
            for key in _organisation_keys(model):
                _make_foreign_key(cursor, model._meta.db_table, key)
        for model in walled_models():
            _make_policies(cursor, model._meta.db_table, worker_sees=_SEES_DECLARED_ORGANISATIONS)
        for queue in queue_models():
            _make_policies(cursor, queue._meta.db_table, worker_sees="true")
        _make_grants(cursor)


def check_wall() -> None:
    """Refuse to run on a database whose wall would not hold for this connection. Raises WallBroken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        role, passes_walls = cursor.fetchone() or ("", True)
        if passes_walls:
            raise WallBroken(f"The role {role} sees through row-level security.")
        for model in [*walled_models(), *queue_models()]:
            cursor.execute("SELECT row_security_active(%s)", [model._meta.db_table])
            if cursor.fetchone() != (True,):
                raise WallBroken(f"Row-level security is not active on {model._meta.db_table} for {role}.")


def _make_roles(cursor: CursorWrapper) -> None:
    for role in (APP, WORKER):
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE ROLE {role} NOLOGIN")
        cursor.execute("SELECT pg_has_role(current_user, %s, 'SET')", [role])
        if cursor.fetchone() != (True,):
            cursor.execute(f"GRANT {role} TO CURRENT_USER")


def _make_primary_key(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(
        """SELECT conname, (SELECT array_agg(attname::text ORDER BY position)
                              FROM unnest(conkey) WITH ORDINALITY AS k(number, position)
                              JOIN pg_attribute ON attrelid = conrelid AND attnum = k.number)
             FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'""",
        [table],
    )
    name, columns = cursor.fetchone() or ("", [])
    if columns != ["organisation_id", "id"]:
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" PRIMARY KEY (organisation_id, id)')


def _organisation_keys(model: type[models.Model]) -> Iterator[OrganisationKey]:
    for field in model._meta.local_fields:
        if isinstance(field, OrganisationKey):
            yield field


def _make_foreign_key(cursor: CursorWrapper, table: str, key: OrganisationKey) -> None:
    name = f"wall_{table}_{key.column}"[:63]
    cursor.execute("SELECT 1 FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s", [table, name])
    if cursor.fetchone() is not None:
        return
    remote = key.remote_field.model._meta.db_table
    cascade = " ON DELETE CASCADE" if key.remote_field.on_delete is models.CASCADE else ""
    cursor.execute(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (organisation_id, "{key.column}")'
        f' REFERENCES "{remote}" (organisation_id, id){cascade}'
    )


def _make_policies(cursor: CursorWrapper, table: str, *, worker_sees: str) -> None:
    cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    for role, sees in ((APP, _SEES_OPEN_ORGANISATION), (WORKER, worker_sees)):
        cursor.execute("SELECT 1 FROM pg_policies WHERE tablename = %s AND policyname = %s", [table, role])
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE POLICY {role} ON "{table}" TO {role} USING ({sees}) WITH CHECK ({sees})')


def _make_grants(cursor: CursorWrapper) -> None:
    """Least rights: a table says by `rights` (both roles) or `worker_rights` what it allows; nobody may TRUNCATE."""
    for role in (APP, WORKER):
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
    for model in apps.get_models(include_auto_created=True):
        rights = getattr(model, "rights", "SELECT, INSERT, UPDATE, DELETE")
        for role, granted in ((APP, rights), (WORKER, getattr(model, "worker_rights", rights))):
            cursor.execute(f'REVOKE ALL ON "{model._meta.db_table}" FROM {role}')
            cursor.execute(f'GRANT {granted} ON "{model._meta.db_table}" TO {role}')
    cursor.execute(f"GRANT EXECUTE ON FUNCTION {_FIND} TO {APP}")
    cursor.execute(f"GRANT EXECUTE ON FUNCTION klankbord_find_contacts(tsquery, integer) TO {APP}")
    cursor.execute(f"GRANT EXECUTE ON FUNCTION klankbord_gauges() TO {APP}")
    cursor.execute(f"GRANT EXECUTE ON FUNCTION klankbord_make_delivery_partitions(date, integer) TO {WORKER}")
    cursor.execute(f"GRANT EXECUTE ON FUNCTION klankbord_drop_delivery_partitions(date) TO {WORKER}")
    _grant_library(cursor, "procrastinate%")


def _grant_library(cursor: CursorWrapper, pattern: str) -> None:
    """The job library's own tables and functions: used by both roles, no organisation's data in them but ids."""
    cursor.execute(
        "SELECT relname, relkind FROM pg_class WHERE relname LIKE %s AND relkind IN ('r', 'S')"
        " AND relnamespace = 'public'::regnamespace",
        [pattern],
    )
    for name, kind in cursor.fetchall():
        rights = "SELECT, INSERT, UPDATE, DELETE" if kind == "r" else "USAGE, SELECT"
        on = "SEQUENCE " if kind == "S" else ""
        cursor.execute(f'GRANT {rights} ON {on}"{name}" TO {APP}, {WORKER}')


def explain_wall() -> list[dict[str, Any]]:
    """What the database says of each walled table, for the tests that walk them all."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname, relrowsecurity, relforcerowsecurity,
                      (SELECT array_agg(policyname::text ORDER BY 1) FROM pg_policies WHERE tablename = relname)
                 FROM pg_class
                WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
                  AND EXISTS (SELECT 1 FROM pg_attribute
                               WHERE attrelid = pg_class.oid AND attname = 'organisation_id' AND NOT attisdropped)"""
        )
        return [
            {"table": table, "is_walled": walled, "is_forced": forced, "policies": policies}
            for table, walled, forced, policies in cursor.fetchall()
        ]
