"""Sets of rows in one statement: the message path never loops over save().

A batch travels as one JSON parameter that the database unfolds, so the number of statements does not depend on the
number of rows. Column types come from the models.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, models
from psycopg.types.json import JsonbLoader

Row = Mapping[str, Any]


def run(sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement with server-side parameters; gives its rows, if it has any."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.adapters.register_loader("jsonb", JsonbLoader)  # Django's connections hand JSON out as text
        cursor.execute(sql, parameters)
        has_rows = cursor.pgresult is not None and cursor.pgresult.nfields > 0  # `description` describes each column
        return cursor.fetchall() if has_rows else []


class Instances:
    """Several models in one SELECT, by the alias of each in FROM, and their instances out of its rows.

    For what every page reads: the ORM would write the same statement anew each time, which costs more than to run it.
    leave_out: columns that are not read ("inbox.credentials"); whoever asks for one makes the ORM fetch it.
    """

    def __init__(self, *, leave_out: Collection[str] = (), **joined: type[models.Model]) -> None:
        self._parts: list[tuple[type[models.Model], list[str], slice, int]] = []
        columns: list[str] = []
        for alias, model in joined.items():
            fields = [each for each in model._meta.concrete_fields if f"{alias}.{each.attname}" not in leave_out]
            part = slice(len(columns), len(columns) + len(fields))
            key = part.start + fields.index(model._meta.pk)
            self._parts.append((model, [each.attname for each in fields], part, key))
            columns += [f'"{alias}"."{each.column}"' for each in fields]
        self.columns = ", ".join(columns)

    def of(self, row: Sequence[Any]) -> list[Any]:
        """One instance for each model, in their order; None where an outer join found nothing."""
        return [
            model.from_db("default", names, row[part]) if row[key] is not None else None
            for model, names, part, key in self._parts
        ]


def packed(rows: Iterable[Row]) -> str:
    """Rows as the JSON parameter of a statement."""
    return json.dumps([dict(row) for row in rows], default=_plain, ensure_ascii=False)


def recordset(model: type[models.Model], names: Sequence[str], *, alias: str = "r") -> str:
    """`json_to_recordset(%s) AS r(…)` with the columns of a model."""
    columns = ", ".join(f'"{_column(model, name)}" {_type(model, name)}' for name in names)
    return f"json_to_recordset(%s::json) AS {alias}({columns})"


def insert(
    model: type[models.Model], rows: Sequence[Row], *, on_conflict: str = "DO NOTHING", returning: str = ""
) -> list[tuple[Any, ...]]:
    """INSERT … SELECT … ON CONFLICT for all rows, which must have the same keys (attribute names of the model)."""
    if not rows:
        return []
    names = list(rows[0])
    columns = ", ".join(f'"{_column(model, name)}"' for name in names)
    return run(
        f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {columns} FROM {recordset(model, names)}'
        f" ON CONFLICT {on_conflict}" + (f" RETURNING {returning}" if returning else ""),
        [packed(rows)],
    )


def update(
    model: type[models.Model],
    rows: Sequence[Row],
    *,
    organisation_id: UUID,
    keys: Sequence[str] = ("id",),
    where: str = "true",
    returning: str = "",
) -> list[tuple[Any, ...]]:
    """UPDATE … FROM for all rows; `keys` say which row, the other keys are set."""
    if not rows:
        return []
    names = list(rows[0])
    settings = ", ".join(f'"{_column(model, name)}" = r."{_column(model, name)}"' for name in names if name not in keys)
    match = " AND ".join(f't."{_column(model, key)}" = r."{_column(model, key)}"' for key in keys)
    return run(
        f'UPDATE "{model._meta.db_table}" t SET {settings} FROM {recordset(model, names)}'
        f" WHERE t.organisation_id = %s AND {match} AND {where}" + (f" RETURNING {returning}" if returning else ""),
        [packed(rows), organisation_id],
    )


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    return next(field for field in model._meta.local_fields if name in (field.attname, field.name))


def _column(model: type[models.Model], name: str) -> str:
    return str(_field(model, name).column)


def _type(model: type[models.Model], name: str) -> str:
    field = _field(model, name)
    kind = field.db_type(connection)
    return str(kind)


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot travel in a batch")
