"""Django's PostgreSQL backend, faster in two things.

Moments are read with the driver's compiled loader. Django's own is Python: a list of fifty conversations holds some
four hundred moments, and reading them took a tenth of the page's time. The server speaks UTC to every connection
(Django asks it to), so the moments are the same.

Statements that a connection repeats are prepared: planning the joins of a screen takes longer than running them
(measured: eight tables, 10 of 12 ms). This concerns server-side parameters only, so `desk.rows` and not the ORM.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from psycopg.adapt import AdaptersMap
from psycopg.types.datetime import TimestamptzLoader

_REPEATED = 5  # times


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        adapters = AdaptersMap(get_adapters_template(True, self.timezone))
        adapters.register_loader("timestamptz", TimestamptzLoader)
        return {**parameters, "context": adapters, "prepare_threshold": _REPEATED}

    def create_cursor(self, name: str | None = None) -> Any:
        """As Django's, without its look at its own loader's time zone, which a compiled one does not have."""
        if name is None:
            return self.connection.cursor()
        return self.connection.cursor(name, scrollable=False, withhold=self.connection.autocommit)
