"""Fixtures for all tests. Those that touch the database get PostgreSQL under the app's role, behind the wall.

A database is made and migrated by its owner; tests run as `klankbord_app`. `as_worker` runs a block as the other role.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roles import become, become_within

_DATA = Path(tempfile.mkdtemp(prefix="klankbord-test-"))
os.environ.setdefault("KLANKBORD_DATA_DIR", str(_DATA))
os.environ["KLANKBORD_ALLOW_LOOPBACK"] = "1"
os.environ.pop("KLANKBORD_ROLE", None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """The embedded server, in a folder of its own for this run; or the one that TEST_DATABASE_URL names."""
    from klankbord.plumbing.postgres import EmbeddedPostgres

    root = Path("/var/lib/klankbord-test") if os.geteuid() == 0 else _DATA
    folder = root / f"run-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        root.chmod(0o755)
        folder.chmod(0o755)
    with EmbeddedPostgres(folder / "postgres") as server:
        yield server
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(postgres: Any, django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """A fresh database: migrated and walled by its owner, then used as the app's role."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import TransactionTestCase

    from klankbord.desk.masonry import build_wall
    from klankbord.project.settings import database

    owner = str(postgres.create_database("test_desk"))
    connection.settings_dict.update(database(owner, "owner", 4))
    with django_db_blocker.unblock():
        become("owner")
        call_command("migrate", verbosity=0, interactive=False)
        build_wall()
        become("app")
    # The app's role may not TRUNCATE, so what a transactional test leaves is cleared by the owner.
    TransactionTestCase._fixture_teardown = lambda self: clear(owner)  # type: ignore[method-assign]
    yield
    with django_db_blocker.unblock():
        connection.close()


def clear(owner: str) -> None:
    """Empty all tables but the ones that migrations filled."""
    import psycopg

    with psycopg.connect(owner, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
            " AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')"
        ).fetchall()
        tables = ", ".join(f'"{name}"' for (name,) in rows)
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


@pytest.fixture
def as_worker(db: None) -> Iterator[None]:
    """The test's statements run as the worker's role: SET ROLE within the test's transaction."""
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
    become_within("worker")
    yield
    become_within("app")
    settings.DATABASE_ROLE = "app"


@pytest.fixture(scope="session", autouse=True)
def quick_settings() -> None:
    """What differs from the product: quick passwords, and static files that were not collected."""
    from django.conf import settings

    # Argon2 takes a tenth of a second for each of thousands of people; that it is the product's is tested by itself.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs a Debian package is skipped with its reason; under KLANKBORD_REQUIRE_ALL a skip is a failure."""
    needs = {"browser": "/usr/bin/chromium", "mailservers": "/usr/sbin/postfix"}
    for item in items:
        for mark, program in needs.items():
            if (
                item.get_closest_marker(mark)
                and not Path(program).exists()
                and not os.environ.get("KLANKBORD_REQUIRE_ALL")
            ):
                item.add_marker(pytest.mark.skip(reason=f"needs {program} (a Debian package)"))


@pytest.fixture
def desk(db: None) -> Any:
    """A fresh organisation behind the wall; see `desk_builder.Desk`."""
    from desk_builder import Desk

    return Desk()
