"""Making the demo's desk ready: a child process (`demo_desk`) does it, and what it told is kept for the next start."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

from klankbord.plumbing.lifeline import end_with_parent

from .demo_folder import DemoFolder, Notes, fingerprint
from .machine import child_environment
from .main import CommandError


class Founding:
    """was_done: an earlier start did it for this very code and these very addresses of platforms."""

    def __init__(self, folder: DemoFolder, notes: Notes, address: str, addresses: Mapping[str, Any]) -> None:
        self._folder, self._notes, self._address = folder, notes, address
        self._wanted = {
            "addresses": addresses,
            "shop_url": f"http://localhost:{notes.shop}",
            "password": notes.password,
        }
        words = f"{fingerprint()} {json.dumps(self._wanted, sort_keys=True)}"
        self._state = hashlib.sha256(words.encode()).hexdigest()
        self._child: subprocess.Popen[str] | None = None
        self.was_done = notes.prepared == self._state

    def run(self) -> None:
        """Wait until the desk is ready; the child goes on with the past.   Raises: CommandError.

        The kernel ties the child to the thread that calls this, so that thread has to stay, or to `finish`.
        """
        self._child = child = subprocess.Popen(
            [sys.executable, "-m", "klankbord.doors.cli.demo_desk"],
            env=child_environment(self._address),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
        threading.Thread(target=self._log, args=(child,), daemon=True).start()
        assert child.stdin is not None
        assert child.stdout is not None
        json.dump({**self._wanted, "migrates": not self.was_done}, child.stdin)
        child.stdin.close()
        line = child.stdout.readline()
        if not line:
            raise CommandError(f"The demo's organisation could not be made; see {self._folder.log_file}.")
        self._notes.prepared, self._notes.made = self._state, json.loads(line)
        self._folder.write(self._notes)

    def finish(self) -> None:
        """Wait until the past is told too."""
        if self._child is not None:
            self._child.wait()

    def stop(self) -> None:
        if self._child is not None:
            self._child.kill()

    def _log(self, child: subprocess.Popen[str]) -> None:
        assert child.stderr is not None
        for line in child.stderr:
            self._folder.log("founding", line.rstrip())
        child.wait()
