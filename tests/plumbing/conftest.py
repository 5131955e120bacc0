"""Folders and patience for tests that start real processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from klankbord.plumbing.folders import can_reach

SOURCE = Path(__file__).parents[2] / "src"
LIBRARIES = Path(sysconfig.get_path("purelib"))
NOBODY = 65534


def python_for_others() -> Path | None:
    """A Python of our version that other accounts can start (ours may live in a private home), or None."""
    ours, system = Path(sys.executable).resolve(), Path(f"/usr/bin/python3.{sys.version_info.minor}")
    needed = all(can_reach(folder, uid=NOBODY) for folder in (SOURCE, LIBRARIES))
    return next((one for one in (ours, system) if needed and one.exists() and can_reach(one.parent, uid=NOBODY)), None)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A short, empty folder that other accounts may pass but not list."""
    yield from _scratch()


@pytest.fixture(scope="module")
def lasting_scratch() -> Iterator[Path]:
    """The same, kept for all tests of a module."""
    yield from _scratch()


def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="kb-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def wait_until(condition: Callable[[], object], *, seconds: float = 20) -> None:
    """Return as soon as the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def python(code: str, *arguments: object, user: int | None = None) -> subprocess.Popen[str]:
    """Start a Python of its own with our source, talking through pipes; as another account when told."""
    interpreter = sys.executable if user is None else str(python_for_others())
    command: Sequence[str] = [interpreter, "-c", code, *map(str, arguments)]
    account = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PYTHONPATH": f"{SOURCE}:{LIBRARIES}", "PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        **account,
    )


def lives(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be noticed by its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
