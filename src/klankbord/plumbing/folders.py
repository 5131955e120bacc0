"""Folders: made for us alone, and what an account without our rights can reach."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def can_reach(path: Path, *, uid: int) -> bool:
    """Whether an account in no group may enter this folder and all folders above it."""
    chain = [path, *path.parents]
    return all(stat.st_mode & (0o100 if stat.st_uid == uid else 0o001) for stat in map(os.stat, chain))


def make_folder(path: Path) -> None:
    """Make the folders that are missing, for us alone; what exists keeps its permissions.

    As root others may pass through but not list: the database server's account has its own folder further down.
    """
    if path.exists():
        return
    make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir()
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def make_durable(folder: Path) -> None:
    """Have the disk keep the names in a folder: a file whose name is lost in a power cut is lost."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
