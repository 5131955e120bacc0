"""The roles under which tests speak to the database: the product's two, and the owner for setting up."""

from __future__ import annotations

from django.conf import settings
from django.db import connection


def become(role: str) -> None:
    """Reopen the connection in a role."""
    from klankbord.project.settings import _ROLE_OPTIONS

    connection.close()
    settings.DATABASE_ROLE = role
    connection.settings_dict["OPTIONS"] = {"options": _ROLE_OPTIONS[role]} if _ROLE_OPTIONS[role] else {}


def become_within(role: str) -> None:
    """Change role inside the running transaction (tests only: the product's processes keep one role for life)."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(f"SET LOCAL ROLE klankbord_{role}")
        cursor.execute("SET LOCAL klankbord.organisation = ''")
        cursor.execute("SET LOCAL klankbord.organisations = ''")
    settings.DATABASE_ROLE = role
