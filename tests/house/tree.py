"""The checkout as the tests of the house read it."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PRODUCT = SRC / "klankbord"


@cache
def tracked() -> tuple[Path, ...]:
    """Every file in the repository, those included that are not committed yet but would be."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return tuple(path for name in sorted(listed) if name and (path := ROOT / name).is_file())


def files(folder: Path, *endings: str) -> list[Path]:
    return [path for path in tracked() if path.suffix in endings and folder in path.parents]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python(folder: Path = SRC) -> list[Path]:
    """Python files, without the migrations that Django wrote."""
    return [path for path in files(folder, ".py") if "migrations" not in path.parts]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
