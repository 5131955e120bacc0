"""A desk of the commands' own: they run as child processes, as people start them, on a data folder of this run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import klankbord

SOURCE = Path(klankbord.__file__).parent.parent


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a child: nothing of the machine's own desk, everything of this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KLANKBORD_", "DATABASE_URL"))}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return {**kept, "PYTHONPATH": str(SOURCE), "KLANKBORD_DATA_DIR": str(folder), **more}


def klankbord_argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "klankbord.doors.cli.main", *words]


class Machine:
    """A machine with a data folder, on which commands are typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def types(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            klankbord_argv(*words),
            env=surroundings(self.folder, **environment),
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )


@pytest.fixture(scope="session")
def new_folder() -> Iterator[Path]:
    """A folder that the embedded database can reach, also when the tests run as root."""
    home = Path("/var/lib") if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="klankbord-cli-", dir=home))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def machine(new_folder: Path) -> Machine:
    folder = new_folder / "desk"
    folder.mkdir(mode=0o711)
    folder.chmod(0o711)
    return Machine(folder)
