"""Which processes belong to a cluster, told by what they are and never by a number alone: pids are used again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder of PostgreSQL.

    name: unique on this machine; the server writes it into the title of each of its processes.
    uid: the account that owns the folder and runs the server.
    """

    folder: Path
    name: str
    uid: int

    def postmaster(self) -> int | None:
        """The pid of the running server, or None. A stale postmaster.pid with a reused number is None."""
        pid, _ = self.written_state()
        return pid if pid in self.processes() else None

    def written_state(self) -> tuple[int, str]:
        """What postmaster.pid says: the pid (0 when there is none) and starting, stopping, ready or nothing yet."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""
        except (FileNotFoundError, IndexError, ValueError):
            return 0, ""

    def processes(self) -> set[int]:
        """All living processes of the server, also those that a killed postmaster left behind."""
        started_with = os.fsencode(f"\0-D\0{self.folder}\0")
        titled = f"postgres: {self.name}:".encode()
        return {
            pid
            for pid, uid, command in _commands()
            if uid == self.uid and (started_with in command or command.startswith(titled))
        }

    def end_all(self, while_waiting: Callable[[float], None]) -> None:
        """End a server that nobody looks after any more, and what a killed one left behind.

        First as an orderly stop; what remains after a minute, or has no postmaster, is cut off: recovery follows.
        """
        began = time.monotonic()
        while remaining := self.processes():
            waited = time.monotonic() - began
            postmaster, _ = self.written_state()
            if postmaster in remaining and waited < 60:
                _signal({postmaster}, signal.SIGINT)
            else:
                _signal(remaining, signal.SIGQUIT if waited % 10 < 5 else signal.SIGKILL)
            while_waiting(waited)
            time.sleep(0.05)

    def forget_dead_postmaster(self) -> None:
        """Remove a postmaster.pid whose number now belongs to a stranger: the server would take it for a colleague.

        Only for the holder of the data folder's lock, after `end_all`.
        """
        pid, _ = self.written_state()
        with suppress(ProcessLookupError, PermissionError):
            if pid and pid not in self.processes():
                os.kill(pid, 0)
                (self.folder / "postmaster.pid").unlink(missing_ok=True)


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _commands() -> Iterator[tuple[int, int, bytes]]:
    """Pid, owner and command line (parts end in NUL) of each living process.

    Only what everyone may read: a root without ptrace rights, as in containers, sees no other account's /proc/*/cwd.
    """
    if sys.platform == "linux":
        for entry in os.scandir(_PROC):
            if entry.name.isdigit():
                with suppress(OSError):
                    command = (_PROC / entry.name / "cmdline").read_bytes()
                    if command:  # empty: a zombie or a part of the kernel
                        yield int(entry.name), entry.stat().st_uid, command
        return
    listing = subprocess.run(["ps", "-axo", "pid=,uid=,command="], capture_output=True, check=True).stdout
    for line in listing.splitlines():
        pid, uid, command = line.split(None, 2)
        yield int(pid), int(uid), command.replace(b" -D ", b"\0-D\0") + b"\0"  # -D is the last argument
