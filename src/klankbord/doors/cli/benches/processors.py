"""How much processor time a desk's processes took: what neighbours on the machine disturb least."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    found = [root]
    for pid in found:
        for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(each) for each in tasks.read_text().split()]
    return found


def spent(root: int) -> dict[str, float]:
    """Seconds (user and system) of a desk's processes that live now, by their part in it."""
    sums: dict[str, float] = {}
    for pid in family(root):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            part, seconds = _part(pid), _seconds(pid)
            sums[part] = sums.get(part, 0.0) + seconds
    return sums


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _part(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    if "sandbox/child.py" in words:
        return "parser"
    if "postgres" in words.split(" ")[0]:
        return "database"
    return next((each for each in ("worker", "web") if f" {each} " in f" {words} "), "supervisor")
