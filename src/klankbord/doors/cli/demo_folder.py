"""What the demo keeps in its folder: its notes from one start to the next, and a log of all its processes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import threading
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO

from klankbord import __version__
from klankbord.plumbing.folders import make_folder

from .main import CommandError

_NOTES, _LOCK, _LOG = "demo.json", "demo.lock", "demo.log"
_OURS = ("postgres", "files", "mail", "static", "secret.key", "platforms.json", "platforms.log", _LOG, _NOTES)
_PACKAGE = Path(__file__).resolve().parents[2]
_PREPARED_FROM = ("**/migrations/*.py", "desk/masonry.py", "desk/*/models.py", "**/*.po", "**/static/**/*")


@dataclass(slots=True)
class Notes:
    """password: of all people in the demo. port, platforms, shop: ports of the last start.

    prepared: for which code and which addresses of platforms the database was made ready, "" when it was not.
    made: what the founding child told then (see `demo_desk`).
    """

    password: str = ""
    port: int = 0
    platforms: int = 0
    shop: int = 0
    prepared: str = ""
    made: dict[str, str] = field(default_factory=dict)


class DemoFolder:
    """Held by one demo at a time: use as a context.   Raises: CommandError when another one runs here."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: IO[bytes] | None = None
        self._log: IO[str] | None = None
        self._turn = threading.Lock()

    def __enter__(self) -> DemoFolder:
        try:
            make_folder(self.path)
            self._lock = (self.path / _LOCK).open("ab")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            at = self.read().port
            raise CommandError(f"The demo runs already: http://localhost:{at}. Stop that one first (Ctrl-C).") from None
        except OSError as error:
            raise CommandError(
                f"{self.path} cannot be used: {error.strerror}. Choose another one with --data."
            ) from error
        self._log = (self.path / _LOG).open("w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._log, self._lock):
            if file is not None:
                file.close()

    def read(self) -> Notes:
        """The notes of the last start; fresh ones, with a new password, when there are none."""
        try:
            kept = json.loads((self.path / _NOTES).read_text(encoding="utf-8"))
            return Notes(**{each.name: kept[each.name] for each in fields(Notes) if each.name in kept})
        except (OSError, ValueError, TypeError):
            return Notes(password=f"wolk-{secrets.token_hex(4)}")

    def write(self, notes: Notes) -> None:
        draft = self.path / f".{_NOTES}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(notes), file)
        draft.rename(self.path / _NOTES)

    def empty(self) -> None:
        """Remove what the demo made, and nothing else that may stand here."""
        for name in _OURS:
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    @property
    def log_file(self) -> Path:
        return self.path / _LOG

    def log(self, name: str, line: str) -> None:
        """One line of a process. From any thread."""
        with self._turn:
            if self._log is not None and not self._log.closed:
                self._log.write(f"{time.strftime('%H:%M:%S')} {name:<9} {line}\n")
                self._log.flush()


def fingerprint() -> str:
    """Changes whenever the tables, the wall, the translations or the static files may have changed.

    Costs milliseconds, where looking for pending migrations costs a second of every start.
    """
    found = hashlib.sha256(__version__.encode())
    for pattern in _PREPARED_FROM:
        for path in sorted(_PACKAGE.glob(pattern)):
            facts = path.stat()
            found.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return found.hexdigest()
