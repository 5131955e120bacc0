"""Compiles the message catalogues: the repository holds .po files only."""

from __future__ import annotations

import os
from pathlib import Path

import polib

LOCALE = Path(__file__).parent / "locale"


def compile_all() -> list[Path]:
    """Write every .mo that is missing or older than its .po; gives the files written. Cheap when nothing changed."""
    written = []
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            fresh = target.with_suffix(f".{os.getpid()}")
            polib.pofile(str(source)).save_as_mofile(str(fresh))
            fresh.replace(target)  # whole or not at all: several processes may start at once
            written.append(target)
    return written
