"""The embedded server's life: made once, started by one process, attached to by others, ended with its owner.

The owner holds a lock on the data folder as long as it lives. A server that runs under a free lock has lost its owner:
it is ended and started again. Nothing here has a time limit, because recovery after a crash takes as long as it takes;
what is being waited for is reported instead.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, TypeAlias

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ..folders import can_reach, make_folder
from ..lifeline import end_with_parent
from .binaries import EmbeddedPostgresError, copy_for, find_binaries
from .configuration import write_configuration
from .processes import Cluster

OWNER = "klankbord"  # the superuser inside the server, and the name of the database it starts with
SYSTEM_HOME = Path("/var/lib/klankbord")

_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 107  # bytes, of the kernel
_LOG_LIMIT = 20_000_000  # bytes; then the log moves to server.log.1
# An account for the server alone when we are root. It needs no name: distributions and systemd leave this number free,
# and it fits into containers that map only 65,536 accounts. `nobody` may not have the data: other services run as
# nobody, and whoever has the number can read the folder.
_SERVER_UID = 61000

Report: TypeAlias = Callable[[str], None]


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
        self.data_dir = data_dir.expanduser().resolve()
        self._given_binaries = binaries
        self._prefix: Path | None = None
        self._name = "klankbord-" + hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
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
        try:
            make_folder(self.data_dir)
            self._check_folder()
            (self.data_dir / "lock").touch(mode=0o600)
        except PermissionError as error:
            raise EmbeddedPostgresError(f"{error.filename} belongs to another account: start as that one") from error
        while not self._take_lock():
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
            self._cluster().end_all(lambda waited: None)
            self._keeper.join(timeout=0.05)
        self._keeper = None
        self._lock.close()
        self._lock = None

    def is_running(self) -> bool:
        """Whether a server answers for this data folder, whoever started it."""
        if not self._cluster_folder.exists():
            return False
        cluster = self._cluster()
        return cluster.written_state()[1] == "ready" and cluster.postmaster() is not None

    def dsn(self, dbname: str = OWNER) -> Dsn:
        """Where a database of this server is, also before it runs."""
        return Dsn(host=str(self._sockets), dbname=dbname)

    def binary(self, name: str) -> Path:
        """The path of one of the server's programs, for example pg_dump."""
        return self._programs() / "bin" / name

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

    def _start_own(self, patience: _Patience) -> None:
        if self._keeper is not None and not self._keeper.is_alive():
            self._keeper = None
        if self._keeper is None:
            try:
                self._make_cluster()
                self._clear_the_way(patience)
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
                patience.say(f"PostgreSQL is starting: {self._last_log_line()}")
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
                ending = self._run_once()
            except OSError as error:
                ending = str(error)
            if self._stopping.is_set():
                return
            if not self._was_ready:
                self._failure = f"PostgreSQL could not start ({ending}): {self._last_log_line()}"
                return
            pause = 0.1 if time.monotonic() - began > 60 else min(pause * 2, 30)
            self._report(f"PostgreSQL ended unexpectedly ({ending}) and is started again")
            self._clear_the_way(_Patience(self._report))
            self._stopping.wait(pause)

    def _run_once(self) -> str:
        cluster = self._cluster()
        configuration = write_configuration(
            self.data_dir, cluster=cluster.folder, sockets=self._sockets, name=self._name
        )
        # -D comes last: that is how the process is recognised where the system shows one line of text.
        command = [str(self.binary("postgres")), "-c", f"config_file={configuration}", "-D", str(cluster.folder)]
        with open(self._log, "ab", opener=_open_privately) as log:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the owner, who lets the workers finish first
                preexec_fn=end_with_parent(signal.SIGINT),
                **_as_account(cluster.uid),
            )
        while True:
            with suppress(subprocess.TimeoutExpired):
                code = server.wait(timeout=60)
                return f"signal {-code}" if code < 0 else f"exit code {code}"
            self._turn_log()

    def _make_cluster(self) -> None:
        """initdb beside the final place, then a rename: an interrupted attempt leaves nothing that looks finished."""
        if self._cluster_folder.exists():
            return
        self._report("Making a new PostgreSQL data folder")
        unfinished = self.data_dir / "cluster.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        # initdb, unlike the server, insists on an account with a name.
        maker = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
        owner = _SERVER_UID if os.geteuid() == 0 else os.geteuid()
        os.chown(unfinished, maker, -1)
        command = [
            str(self.binary("initdb")),
            "--username",
            OWNER,
            "--auth=trust",
            "--encoding=UTF8",
            "--data-checksums",
        ]
        # The locale is built in, so that sorting never changes with the machine's C library (and indexes stay right).
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--data-checksums", "-D", str(unfinished)]
        made = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **_as_account(maker))
        if made.returncode != 0:
            raise EmbeddedPostgresError(f"The data folder for PostgreSQL could not be made: {made.stderr.strip()}")
        if owner != maker:
            for path in (unfinished, *unfinished.rglob("*")):
                os.chown(path, owner, owner, follow_symlinks=False)
        unfinished.rename(self._cluster_folder)

    def _clear_the_way(self, patience: _Patience) -> None:
        """End what is left of an earlier server, then remove the marks it can no longer remove itself."""
        cluster = self._cluster()
        cluster.end_all(lambda waited: patience.say("Waiting for the previous PostgreSQL to end"))
        cluster.forget_dead_postmaster()
        sockets = self._sockets
        with suppress(FileExistsError):
            sockets.mkdir(mode=0o700)
            os.chown(sockets, cluster.uid, -1)
        found = sockets.lstat()
        if found.st_uid != cluster.uid or found.st_mode & 0o777 != 0o700 or sockets.is_symlink():
            raise EmbeddedPostgresError(f"{sockets} must be a folder for the server's account alone (0700)")
        for name in (_SOCKET, f"{_SOCKET}.lock"):
            (sockets / name).unlink(missing_ok=True)

    # ------------------------------------------------------------------------------------------ help

    @property
    def _cluster_folder(self) -> Path:
        return self.data_dir / "cluster"

    @property
    def _log(self) -> Path:
        return self.data_dir / "server.log"

    @property
    def _sockets(self) -> Path:
        beside = self.data_dir / "socket"
        if len(os.fsencode(beside / _SOCKET)) <= _SOCKET_PATH_LIMIT:
            return beside
        # Not $TMPDIR or $XDG_RUNTIME_DIR: every process must come to the same place, whatever its environment.
        return Path("/tmp") / self._name  # noqa: S108 (its owner and mode are checked before use)

    def _cluster(self) -> Cluster:
        return Cluster(self._cluster_folder, self._name, uid=self._cluster_folder.stat().st_uid)

    def _programs(self) -> Path:
        if self._prefix is None:
            version = self._cluster_folder / "PG_VERSION"
            major = int(version.read_text()) if version.exists() else None
            prefix = self._given_binaries or find_binaries(major=major)
            if os.geteuid() == 0:
                prefix = copy_for(prefix, uid=_SERVER_UID, home=SYSTEM_HOME / "binaries")
            self._prefix = prefix
        return self._prefix

    def _check_folder(self) -> None:
        if os.geteuid() != 0:
            return
        if self.data_dir.stat().st_uid != 0:
            raise EmbeddedPostgresError(f"{self.data_dir} belongs to another account: start as that one, not as root")
        if not can_reach(self.data_dir, uid=_SERVER_UID):
            raise EmbeddedPostgresError(
                f"PostgreSQL runs under an account without rights, which cannot reach {self.data_dir}: "
                f"choose a folder such as {SYSTEM_HOME}/postgres, or start as an ordinary user"
            )

    def _take_lock(self) -> bool:
        if self._lock is None:
            lock = (self.data_dir / "lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                return False
            self._lock = lock
        return True

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(str(self.dsn("postgres")), autocommit=True)

    def _last_log_line(self) -> str:
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 4000))
                return (log.read().decode(errors="replace").strip().splitlines() or [""])[-1]
        except FileNotFoundError:
            return ""

    def _turn_log(self) -> None:
        # Copied and cut, not renamed: the server goes on writing into the file it has open.
        if self._log.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(self._log, self._log.with_suffix(".log.1"))
            os.truncate(self._log, 0)


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


def _open_privately(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _as_account(uid: int) -> dict[str, Any]:
    """How a program of the server is started: without our rights, our environment (it holds secrets) and our folder."""
    how: dict[str, Any] = {"cwd": "/", "umask": 0o077, "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}}
    if os.geteuid() == 0:
        how |= {"user": uid, "group": uid, "extra_groups": []}
    return how
