"""Where this machine keeps its database, and how the program's own children and commands are told."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from klankbord.plumbing.postgres import EmbeddedPostgres, environment_default_data_dir

SETTINGS = "klankbord.project.settings"


def data_dir() -> Path:
    return environment_default_data_dir()


@contextlib.contextmanager
def database() -> Iterator[str]:
    """The database's address: DATABASE_URL, or the embedded server, started (or attached to) while the block runs."""
    given = os.environ.get("DATABASE_URL", "")
    if given:
        yield given
        return
    server = EmbeddedPostgres(data_dir() / "postgres")
    dsn = server.start(lambda line: print(line, file=sys.stderr, flush=True))
    try:
        yield str(dsn)
    finally:
        server.stop()


def child_environment(address: str, *, role: str = "owner", **more: str) -> dict[str, str]:
    """The whole environment of a child process."""
    return {
        **os.environ,
        "DATABASE_URL": address,
        "KLANKBORD_ROLE": role,
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def this_program(*words: str) -> list[str]:
    """The argv of a child that runs another of our commands."""
    return [sys.executable, "-m", "klankbord.doors.cli.main", *words]


@contextlib.contextmanager
def desk(*, role: str = "worker") -> Iterator[None]:
    """Django, set up on this machine's database in a role: for commands that read or write the desk."""
    with database() as address:
        os.environ.update(child_environment(address, role=role))
        import django

        django.setup()
        yield
