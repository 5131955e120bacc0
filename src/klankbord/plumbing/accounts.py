"""Accounts: what a process without our rights can reach."""

from __future__ import annotations

import os
from pathlib import Path


def can_reach(path: Path, *, uid: int) -> bool:
    """Whether an account in no group may enter this folder and all folders above it."""
    chain = [path, *path.parents]
    return all(stat.st_mode & (0o100 if stat.st_uid == uid else 0o001) for stat in map(os.stat, chain))
