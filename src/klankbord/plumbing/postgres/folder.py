"""The folder of an embedded server: what is in it, whose it is, and how it becomes ready for a start.

cluster/          PostgreSQL's own data, of the server's account
socket/           the way in, of the server's account
postgresql.conf   written at every start; local.conf beside it is the operator's
server.log        what the server says
lock              held by the process that owns the running server
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeAlias

from ..folders import can_reach, make_folder
from .binaries import EmbeddedPostgresError, copy_for, find_binaries
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


class ServerFolder:
    """The folder described above.

    path: belongs to the server alone.
    name: unique on this machine, derived from the path.
    binaries: the folder with bin/, lib/ and share/; None finds the ones in the wheel that fit the data.
    """

    def __init__(self, path: Path, binaries: Path | None) -> None:
        self.path = path.expanduser().resolve()
        self.name = "klankbord-" + hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        self._given_binaries = binaries
        self._prefix: Path | None = None

    @property
    def cluster_path(self) -> Path:
        return self.path / "cluster"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def sockets(self) -> Path:
        beside = self.path / "socket"
        if len(os.fsencode(beside / _SOCKET)) <= _SOCKET_PATH_LIMIT:
            return beside
        # Not $TMPDIR or $XDG_RUNTIME_DIR: every process must come to the same place, whatever its environment.
        return Path("/tmp") / self.name  # noqa: S108 (its owner and mode are checked before use)

    def cluster(self) -> Cluster:
        """The data and its processes; only once `make_cluster` was here."""
        return Cluster(self.cluster_path, self.name, uid=self.cluster_path.stat().st_uid)

    def binary(self, name: str) -> Path:
        """The path of one of the server's programs, readable by the server's account."""
        if self._prefix is None:
            version = self.cluster_path / "PG_VERSION"
            major = int(version.read_text()) if version.exists() else None
            prefix = self._given_binaries or find_binaries(major=major)
            if os.geteuid() == 0:
                prefix = copy_for(prefix, uid=_SERVER_UID, home=SYSTEM_HOME / "binaries")
            self._prefix = prefix
        return self._prefix / "bin" / name

    def prepare(self) -> None:
        """Make the folder unless it is there, and make sure that it is ours to use.   Raises: EmbeddedPostgresError."""
        try:
            make_folder(self.path)
            if os.geteuid() == 0:
                self._check_for_root()
            (self.path / "lock").touch(mode=0o600)
        except PermissionError as error:
            raise EmbeddedPostgresError(f"{error.filename} belongs to another account: start as that one") from error

    def _check_for_root(self) -> None:
        if self.path.stat().st_uid != 0:
            raise EmbeddedPostgresError(f"{self.path} belongs to another account: start as that one, not as root")
        if not can_reach(self.path, uid=_SERVER_UID):
            raise EmbeddedPostgresError(
                f"PostgreSQL runs under an account without rights, which cannot reach {self.path}: "
                f"choose a folder such as {SYSTEM_HOME}/postgres, or start as an ordinary user"
            )

    def take_lock(self) -> IO[bytes] | None:
        """The lock of the server's owner, held until it is closed; None when another process has it."""
        lock = (self.path / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    def make_cluster(self, report: Report) -> None:
        """initdb beside the final place, then a rename: an interrupted attempt leaves nothing that looks finished."""
        if self.cluster_path.exists():
            return
        report("Making a new PostgreSQL data folder")
        unfinished = self.path / "cluster.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        # initdb, unlike the server, insists on an account with a name.
        maker = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
        owner = _SERVER_UID if os.geteuid() == 0 else os.geteuid()
        os.chown(unfinished, maker, -1)
        command = [str(self.binary("initdb")), "--username", OWNER, "--auth=trust", "--encoding=UTF8"]
        # The locale is built in, so that sorting never changes with the machine's C library (and indexes stay right).
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--data-checksums", "-D", str(unfinished)]
        made = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **as_account(maker))
        if made.returncode != 0:
            raise EmbeddedPostgresError(f"The data folder for PostgreSQL could not be made: {made.stderr.strip()}")
        if owner != maker:
            for path in (unfinished, *unfinished.rglob("*")):
                os.chown(path, owner, owner, follow_symlinks=False)
        unfinished.rename(self.cluster_path)

    def clear_the_way(self, say: Report) -> None:
        """End what is left of an earlier server, then remove the marks it can no longer remove itself."""
        cluster = self.cluster()
        cluster.end_all(lambda waited: say("Waiting for the previous PostgreSQL to end"))
        cluster.forget_dead_postmaster()
        sockets = self.sockets
        with suppress(FileExistsError):
            sockets.mkdir(mode=0o700)
            os.chown(sockets, cluster.uid, -1)
        found = sockets.lstat()
        if found.st_uid != cluster.uid or found.st_mode & 0o777 != 0o700 or sockets.is_symlink():
            raise EmbeddedPostgresError(f"{sockets} must be a folder for the server's account alone (0700)")
        for name in (_SOCKET, f"{_SOCKET}.lock"):
            (sockets / name).unlink(missing_ok=True)

    def open_log(self) -> IO[bytes]:
        return open(self.log, "ab", opener=_open_privately)

    def last_log_line(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 4000))
                return (log.read().decode(errors="replace").strip().splitlines() or [""])[-1]
        except FileNotFoundError:
            return ""

    def turn_log(self) -> None:
        # Copied and cut, not renamed: the server goes on writing into the file it has open.
        if self.log.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)


def _open_privately(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def as_account(uid: int) -> dict[str, Any]:
    """How a program of the server is started: without our rights, our environment (it holds secrets) and our folder."""
    how: dict[str, Any] = {"cwd": "/", "umask": 0o077, "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}}
    if os.geteuid() == 0:
        how |= {"user": uid, "group": uid, "extra_groups": []}
    return how
