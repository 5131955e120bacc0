"""A fresh interpreter, to see what an import brings along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from klankbord import channels

SOURCE = Path(channels.__file__).parents[2]


def printed_by(program: str, *arguments: str, also_from: Path | None = None) -> str:
    """What a program prints. also_from: a folder with more packages."""
    path = os.pathsep.join(str(each) for each in (SOURCE, also_from) if each)
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
