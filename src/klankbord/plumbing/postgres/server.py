"""The embedded server's life: made once, started by one process, attached to by others, ended with its owner.

The owner holds a lock on the data folder as long as it lives. A server that runs under a free lock has lost its owner:
it is ended and started again. Nothing here has a time limit, because recovery after a crash takes as long as it takes;
what is being waited for is reported instead.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ..lifeline import end_with_parent
from .binaries import EmbeddedPostgresError
from .configuration import write_configuration
from .folder import OWNER, SYSTEM_HOME, Report, ServerFolder, as_account


@dataclass(frozen=True, slots=True)
class Dsn:
    """Where a database is. str() is a libpq connection string; the fields serve Django (HOST, USER, NAME, PORT).

    host: the folder of the socket.
    """

    host: str
    dbname: str
    user: str = OWNER
    port: int = 5432

    def __str__(self) -> str:
        return make_conninfo(host=self.host, port=self.port, user=self.user, dbname=self.dbname)


def environment_default_data_dir() -> Path:
    """The application's data folder; the server's own goes into its `postgres` folder.

    KLANKBORD_DATA_DIR, or /var/lib/klankbord for root, or the folder for data of the desktop convention (XDG).
    """
    if chosen := os.environ.get("KLANKBORD_DATA_DIR"):
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return SYSTEM_HOME
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "klankbord"


class EmbeddedPostgres:
    """A PostgreSQL server in a folder of its own.

    data_dir: belongs to the server alone; made when absent. Started as root, the server runs under an account without
    rights, so all folders above must let others pass (mode o+x); they are never changed here.
    binaries: the folder with bin/, lib/ and share/; by default the ones in the wheel that fit the data.
    """

    def __init__(self, data_dir: Path, binaries: Path | None = None) -> None:
        self._folder = ServerFolder(data_dir, binaries)
        self._lock: IO[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._stopping = threading.Event()
        self._was_ready = False
        self._failure = ""
        self._report: Report = _silent

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ------------------------------------------------------------------------------------------ for everyone

    def start(self, report: Report | None = None) -> Dsn:
        """Start the server, or attach to the one that runs, and return its first database once it answers.

        report: receives a sentence now and then while something takes long; later from another thread, when the server
        died and is started again.   Raises: EmbeddedPostgresError, BinariesMissingError.
        """
        self._report = report or _silent
        patience = _Patience(self._report)
        self._folder.prepare()
        while not self._is_owner():
            if self.is_running():
                break
            patience.say("Waiting for the process that starts PostgreSQL")
            time.sleep(0.05)
        else:
            self._start_own(patience)
        return self.create_database(OWNER)

    def stop(self) -> None:
        """Stop the server if this object started it; open transactions are rolled back."""
        if self._lock is None:
            return
        self._stopping.set()
        while self._keeper is not None and self._keeper.is_alive():  # again: it may just have been starting a new one
            self._folder.cluster().end_all(lambda waited: None)
            self._keeper.join(timeout=0.05)
        self._keeper = None
        self._lock.close()
        self._lock = None

    def is_running(self) -> bool:
        """Whether a server answers for this data folder, whoever started it."""
        if not self._folder.cluster_path.exists():
            return False
        cluster = self._folder.cluster()
        return cluster.written_state()[1] == "ready" and cluster.postmaster() is not None

    def dsn(self, dbname: str = OWNER) -> Dsn:
        """Where a database of this server is, also before it runs."""
        return Dsn(host=str(self._folder.sockets), dbname=dbname)

    def binary(self, name: str) -> Path:
        """The path of one of the server's programs, for example pg_dump."""
        return self._folder.binary(name)

    def create_database(self, name: str, template: str | None = None) -> Dsn:
        """Make a database unless it exists, as a copy of another when asked (nobody may be connected to that one)."""
        with self._connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute(
                        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                            sql.Identifier(name), sql.Identifier(template or "template1")
                        )
                    )
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Remove a database if it exists, and whoever is connected to it."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    # ------------------------------------------------------------------------------------------ for the owner

    def _is_owner(self) -> bool:
        if self._lock is None:
            self._lock = self._folder.take_lock()
        return self._lock is not None

    def _start_own(self, patience: _Patience) -> None:
        if self._keeper is not None and not self._keeper.is_alive():
            self._keeper = None
        if self._keeper is None:
            try:
                self._folder.make_cluster(self._report)
                self._folder.clear_the_way(patience.say)  # before looking for "ready": an ownerless server says so too
                self._stopping.clear()
                self._was_ready, self._failure = False, ""
                self._keeper = threading.Thread(target=self._keep_running, name="postgres-keeper", daemon=True)
                self._keeper.start()
            except BaseException:
                self.stop()
                raise
        try:
            while not self.is_running():
                if self._failure:
                    raise EmbeddedPostgresError(self._failure)
                patience.say(f"PostgreSQL is starting: {self._folder.last_log_line()}")
                time.sleep(0.01)
        except BaseException:
            self.stop()
            raise
        self._was_ready = True

    def _keep_running(self) -> None:
        """Start the server and start it again when it dies unasked.

        In a thread that lives as long as the server: the kernel ties a child to the thread that made it.
        """
        pause = 0.1
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._folder.clear_the_way(_Patience(self._report).say)
                ending = self._run_once()
            except (OSError, EmbeddedPostgresError) as error:  # a full disk, for example: it may have room later
                ending = str(error)
            if self._stopping.is_set():
                return
            if not self._was_ready:
                self._failure = f"PostgreSQL could not start ({ending}): {self._folder.last_log_line()}"
                return
            pause = 0.1 if time.monotonic() - began > 60 else min(pause * 2, 30)
            self._report(f"PostgreSQL ended unexpectedly ({ending}) and is started again")
            self._stopping.wait(pause)

    def _run_once(self) -> str:
        folder, cluster = self._folder, self._folder.cluster()
        configuration = write_configuration(
            folder.path, cluster=cluster.folder, sockets=folder.sockets, name=folder.name
        )
        # -D comes last: that is how the process is recognised where the system shows one line of text.
        command = [str(self.binary("postgres")), "-c", f"config_file={configuration}", "-D", str(cluster.folder)]
        with folder.open_log() as log:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the owner, who lets the workers finish first
                preexec_fn=end_with_parent(signal.SIGINT),
                **as_account(cluster.uid),
            )
        while True:
            with suppress(subprocess.TimeoutExpired):
                code = server.wait(timeout=60)
                return f"signal {-code}" if code < 0 else f"exit code {code}"
            folder.turn_log()

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(str(self.dsn("postgres")), autocommit=True)


class _Patience:
    """Says what is being waited for: after one second, then every five."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._began = time.monotonic()
        self._next = 1.0

    def say(self, what: str) -> None:
        waited = time.monotonic() - self._began
        if waited >= self._next:
            self._next = waited + 5
            self._report(f"{what} ({waited:.0f} s)")


def _silent(_: str) -> None:
    """No one asked to be told."""
