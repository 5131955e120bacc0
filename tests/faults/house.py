"""Real processes on a database of their own: started, killed and started again by the tests of faults."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg

IS_FULL = os.environ.get("KLANKBORD_FAULTS") == "full"
MESSAGES = 100_000 if IS_FULL else 2_000
REPLIES = 2_000 if IS_FULL else 200  # platforms take 20 or 30 a second, and that is kept to
KILLS = 50 if IS_FULL else 5
SECRET = "een-geheim-van-ons-samen"


def wait_until(is_so: Callable[[], object], what: str, *, seconds: float = 60.0, pause: float = 0.05) -> None:
    """Fails the test when it does not become so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(pause)


def free_port() -> int:
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        port: int = attempt.getsockname()[1]
        return port


@dataclass
class Target:
    """An inbox and its way in."""

    inbox: UUID
    token: str
    secret: str = SECRET


@dataclass
class House:
    """A desk: its database (as owner), its web and worker processes, and hands inside it."""

    address: str
    data: Path
    unblock: Callable[[], Any]
    port: int = field(default_factory=free_port)
    organisation: UUID | None = None
    noor: Any = None
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------ processes

    def start(self, *names: str) -> None:
        """Start processes: "web", "worker", or "worker-2" and so on; returns when they are of use."""
        for name in names:
            command = ["web", "--port", str(self.port)] if name == "web" else ["worker"]
            environment = {
                **os.environ,
                "DATABASE_URL": self.address,
                "KLANKBORD_ROLE": "app" if name == "web" else "worker",
                "DJANGO_SETTINGS_MODULE": "klankbord.project.settings",
                "KLANKBORD_DATA_DIR": str(self.data),
                "KLANKBORD_ALLOW_LOOPBACK": "1",
                "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
            }
            with open(self.log(name), "ab") as log:
                self._children[name] = subprocess.Popen(
                    [sys.executable, "-m", "klankbord.doors.cli.main", *command],
                    env=environment, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
        for name in names:
            wait_until(lambda name=name: self._is_of_use(name), f"{name} starting")  # type: ignore[misc]

    def kill(self, *names: str) -> None:
        """kill -9, its own children included."""
        for name in names:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._children[name].pid, signal.SIGKILL)
        for name in names:
            self._children.pop(name).wait()

    def terminate(self, name: str) -> float:
        """SIGTERM, as a deployment does; gives the seconds until it was gone."""
        began = time.monotonic()
        child = self._children.pop(name)
        child.terminate()
        child.wait(timeout=60)
        return time.monotonic() - began

    def end(self) -> None:
        self.kill(*self._children)

    def log(self, name: str) -> Path:
        return self.data / f"{self.address.split('dbname=')[1].split()[0]}-{name}.log"

    def pid(self, name: str) -> int:
        return self._children[name].pid

    def _is_of_use(self, name: str) -> bool:
        assert self._children[name].poll() is None, f"{name} ended: {self.log(name).read_text()[-800:]}"
        if name == "web":
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).status_code == 200
            return False
        listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        workers = sum(each.startswith("worker") for each in self._children)
        with contextlib.suppress(psycopg.Error):
            return int(self.one(f"{listening} AND query = 'LISTEN klankbord_work'")) >= workers
        return False

    # ------------------------------------------------------------------------------------------ the database

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """As the owner, in a connection of its own."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, sql: str, *parameters: Any) -> Any:
        return self.rows(sql, *parameters)[0][0]

    def is_settled(self) -> bool:
        return not self.rows("SELECT 1 FROM inboxes_delivery WHERE is_waiting LIMIT 1")

    def is_sent(self) -> bool:
        """Nothing is on its way any more; what is uncertain waits for a person."""
        return not self.rows("SELECT 1 FROM conversations_outbox WHERE state <> 'uncertain' LIMIT 1")

    def let_leases_run_out(self) -> None:
        """As if the time of a lease had passed since the process that held it was killed."""
        self.rows("UPDATE conversations_outbox SET lease_until = now() WHERE state = 'sending'")

    # ------------------------------------------------------------------------------------------ hands inside

    @contextlib.contextmanager
    def hands(self) -> Iterator[None]:
        """Django in this process, on this house's database, as the app."""
        from django.conf import settings
        from django.db import connection

        from klankbord.project.settings import database

        before, role = dict(connection.settings_dict), settings.DATABASE_ROLE
        with self.unblock():
            connection.close()
            settings.DATABASE_ROLE = "app"
            connection.settings_dict.update(database(self.address, "app", 4))
            connection.settings_dict["OPTIONS"].pop("pool")
            try:
                yield
            finally:
                connection.close()
                connection.settings_dict.update(before)
                settings.DATABASE_ROLE = role

    def found(self) -> None:
        """The organisation, with one agent."""
        from klankbord.desk.organisations.models import Role
        from klankbord.flows.founding import add_person, found_organisation

        with self.hands():
            ours = found_organisation(name="Wolk", slug="wolk", now=datetime.now(UTC))
            ours.undo_seconds = 0
            ours.save(update_fields=["undo_seconds"])
            self.organisation = ours.id
            self.noor = add_person(
                organisation=ours, email="noor@wolk.example", name="Noor", password="een-lang-wachtwoord",
                role=Role.ADMINISTRATOR,
            )  # fmt: skip

    def inbox(self, name: str = "Webshop", *, kind: str = "api", facts: Any = None, **credentials: Any) -> Target:
        from klankbord.desk.wall import organisation
        from klankbord.flows.accounts import unseal
        from klankbord.flows.connect import make_inbox

        if kind == "api":
            credentials = {"secret": SECRET, **credentials}
        with self.hands(), organisation(self.organisation):  # type: ignore[arg-type]
            made = make_inbox(
                kind=kind, name=name, credentials=credentials, by=None, now=datetime.now(UTC), imports_history=False
            )
            if facts:
                made.facts = facts
                made.save(update_fields=["facts"])
            return Target(made.id, unseal(made.credentials)["hook_token"])

    def mailbox(self, **credentials: Any) -> Target:
        """A mailbox that is never asked for news: its server need not be there."""
        from klankbord.desk.inboxes.models import Inbox
        from klankbord.desk.wall import organisation
        from klankbord.flows.accounts import seal

        target = self.inbox("Mail")
        with self.hands(), organisation(self.organisation):  # type: ignore[arg-type]
            sealed = seal(credentials, hook_token=target.token, hook_secret=SECRET)
            Inbox.objects.filter(id=target.inbox).update(kind="email", credentials=sealed)
        return target

    def reply(self, target: Target, texts: Callable[[int, int], str], *, each: int, lanes: int) -> int:
        """Queue replies of the agent in the first threads of an inbox, thread by thread in turn; gives how many.

        texts: from lane (from 0) and place (from 1) to the words.
        """
        from klankbord.desk.conversations.models import Thread
        from klankbord.desk.wall import organisation
        from klankbord.flows.reply import send_reply

        with self.hands(), organisation(self.organisation):  # type: ignore[arg-type]
            threads = list(Thread.objects.filter(inbox_id=target.inbox).order_by("place_key")[:lanes])
            assert len(threads) == lanes
            for place in range(1, each + 1):
                for lane, thread in enumerate(threads):
                    send_reply(
                        conversation=thread.conversation_id, thread=thread.id, text=texts(lane, place), by=self.noor,
                        now=datetime.now(UTC), client_key=f"{target.inbox.hex[:8]}-{lane}-{place}", confirmed=True,
                    )  # fmt: skip
        return lanes * each
