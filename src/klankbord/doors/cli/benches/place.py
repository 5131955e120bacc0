"""A desk to measure: `klankbord run` in a folder of its own, with an organisation, a person and an inbox."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg

from klankbord.plumbing.postgres import EmbeddedPostgres

from ..machine import SETTINGS, this_program
from ..main import CommandError
from ..pulse import free_ports, workers_listening
from .load import Target

_OWN_PORTS = 8700
_START_SECONDS = 90.0
_SECRET = "a-secret-of-the-measurement"  # noqa: S105 (of a desk that lives for seconds)


def wait_until(is_so: Callable[[], bool], what: str, *, seconds: float = 60.0, pause: float = 0.02) -> None:
    """Raises CommandError when it does not become so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise CommandError(f"{what} did not happen within {seconds:.0f} s.")
        time.sleep(pause)


@dataclass(slots=True)
class Place:
    """folder: its data. port: of its web process. process: the supervisor, or server: the database alone."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    server: EmbeddedPostgres | None = None
    organisation: UUID | None = None
    person: UUID | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return str(EmbeddedPostgres(self.folder / "postgres").dsn())

    def start(self) -> float:
        """Start everything; gives the seconds until the first page."""
        began = time.monotonic()
        with open(self.folder / "run.log", "ab") as log:
            self.process = subprocess.Popen(
                this_program("run", "--port", str(self.port)),
                env=self._environment(),
                stdout=log,
                stderr=log,
            )
        wait_until(self._shows_a_page, "The first page", seconds=_START_SECONDS)
        took = time.monotonic() - began
        wait_until(lambda: workers_listening(self.address) > 0, "The worker's start")
        return took

    def start_server(self) -> None:
        """Only the database, brought up to date: for what this process does itself."""
        self.server = EmbeddedPostgres(self.folder / "postgres")
        address = str(self.server.start())
        environment = {**self._environment(), "DATABASE_URL": address, "KLANKBORD_ROLE": "owner"}
        subprocess.run(this_program("migrate", "--quiet"), env=environment, check=True)

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
            self.process = None

    def _environment(self) -> dict[str, str]:
        """Ours without what would lead to somebody's own desk."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("KLANKBORD_")}
        own.pop("DATABASE_URL", None)
        return {
            **own,
            "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
            "KLANKBORD_DATA_DIR": str(self.folder),
            "KLANKBORD_ALLOW_LOOPBACK": "1",
        }

    def enter(self) -> None:
        """Set Django up in this process, as the app, and make the organisation with its person."""
        os.environ.update(
            DATABASE_URL=self.address, KLANKBORD_ROLE="app", DJANGO_SETTINGS_MODULE=SETTINGS,
            KLANKBORD_DATA_DIR=str(self.folder), KLANKBORD_ALLOW_LOOPBACK="1",
        )  # fmt: skip
        import django

        django.setup()
        from klankbord.desk.organisations.models import Role
        from klankbord.flows.founding import add_person, found_organisation

        found = found_organisation(name="Measured", slug="measured", now=datetime.now(UTC))
        found.undo_seconds, found.is_demo = 0, True  # no second factor, replies leave at once
        found.save(update_fields=["undo_seconds", "is_demo"])
        member = add_person(
            organisation=found, email="noor@measured.example", name="Noor", password=_SECRET, role=Role.ADMINISTRATOR
        )
        self.organisation, self.person = found.id, member.user_id

    def inbox(self, name: str = "Webshop", **credentials: Any) -> tuple[UUID, Target]:
        """A new inbox of the api channel: its id and the way in."""
        from klankbord.desk.wall import organisation
        from klankbord.flows.accounts import unseal
        from klankbord.flows.connect import make_inbox

        assert self.organisation is not None
        with organisation(self.organisation):
            made = make_inbox(
                kind="api",
                name=name,
                credentials={"secret": _SECRET, **credentials},
                by=None,
                now=datetime.now(UTC),
                imports_history=False,
            )
        return made.id, Target(self.port, unseal(made.credentials)["hook_token"], _SECRET)

    def mailbox(self, **credentials: Any) -> UUID:
        """An inbox of the e-mail channel that is never asked for news: its server need not be there."""
        from klankbord.desk.inboxes.models import Inbox
        from klankbord.desk.wall import organisation
        from klankbord.flows.accounts import seal

        made, target = self.inbox("Mail")
        assert self.organisation is not None
        with organisation(self.organisation):
            sealed = seal(credentials, hook_token=target.token, hook_secret=_SECRET)
            Inbox.objects.filter(id=made).update(kind="email", credentials=sealed)
        return made

    def become_worker(self) -> None:
        """From here on this process works in the worker's role."""
        from django.conf import settings
        from django.db import connection

        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        settings.DATABASE_ROLE = "worker"
        connection.settings_dict.update(import_module(SETTINGS).database(self.address, "worker", 4))

    def cookie(self) -> str:
        """The cookie of a signed-in session of the person."""
        assert self.person is not None
        from django.conf import settings
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

        from klankbord.desk.organisations.models import User

        user = User.objects.get(pk=self.person)
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"

    def value(self, sql: str, *parameters: Any) -> Any:
        """One value from the database, as its owner."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            row = connection.execute(sql.encode(), parameters).fetchone()
        return row[0] if row else None

    def _shows_a_page(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise CommandError(f"klankbord run ended: {(self.folder / 'run.log').read_text()[-600:]}")
        try:
            return httpx.get(f"{self.base_url}/accounts/login/", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """A started desk in a fresh folder, with Django set up on it; all of it goes with the block."""
    with empty_place() as found:
        found.start()
        found.enter()
        yield found


@contextlib.contextmanager
def database_place() -> Iterator[Place]:
    """Only a database, with Django set up on it."""
    with empty_place() as found:
        found.start_server()
        found.enter()
        yield found


@contextlib.contextmanager
def empty_place() -> Iterator[Place]:
    """A fresh folder and a free port; nothing runs yet."""
    parent = Path("/var/lib") if os.geteuid() == 0 else Path(tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix="klankbord-bench-", dir=parent))
    folder.chmod(0o755)  # the database server's account must pass
    found = Place(folder, free_ports(1, starting_at=_OWN_PORTS))
    try:
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)
