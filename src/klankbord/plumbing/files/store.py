"""The file store: a name we made up stands for bytes that somebody else made up."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from klankbord.kernel.ids import random_token

from ..folders import make_durable, make_folder
from .content import SNIFFED_BYTES, sniff

_SHELF = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NAME = re.compile(r"[a-z0-9]{32}")
_INCOMING = "incoming"  # what is still being written; on the same disk, so that a rename finishes it


class NoSuchFileError(Exception):
    """There is no such file; also for names that the store never gave out."""


class FileTooLargeError(Exception):
    """More bytes came than were allowed; nothing was kept."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"larger than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What was stored. content_type: told from the bytes. sha256: hexadecimal."""

    name: str
    size_bytes: int
    content_type: str
    sha256: str


class FileStore(Protocol):
    """Where files are kept. shelf: an opaque word for whose they are (letters, digits, _ and -)."""

    def save(self, shelf: str, chunks: Iterable[bytes], *, limit_bytes: int) -> StoredFile:
        """Store a stream under a new name, wholly and durably or not at all.   Raises: FileTooLargeError, OSError."""

    def open(self, shelf: str, name: str) -> BinaryIO:
        """Raises: NoSuchFileError."""

    def delete(self, shelf: str, name: str) -> bool:
        """Whether there was anything to delete."""

    def exists(self, shelf: str, name: str) -> bool: ...

    def delete_shelf(self, shelf: str) -> None:
        """Delete all files of a shelf."""


class LocalFiles:
    """A file store in a folder of this machine: shelf/ab/cd/abcd…, readable by our account alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def save(self, shelf: str, chunks: Iterable[bytes], *, limit_bytes: int) -> StoredFile:
        name = random_token()
        place = self._place(shelf, name)
        make_folder(self._folder / _INCOMING)
        draft = self._folder / _INCOMING / random_token()
        size, digest, head = 0, hashlib.sha256(), b""
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    if size > limit_bytes:
                        raise FileTooLargeError(limit_bytes)
                    file.write(chunk)
                    digest.update(chunk)
                    head += chunk[: SNIFFED_BYTES - len(head)]
                file.flush()
                os.fsync(file.fileno())
            self._make_place(place.parent)
            draft.rename(place)
            make_durable(place.parent)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return StoredFile(name, size, sniff(head), digest.hexdigest())

    def open(self, shelf: str, name: str) -> BinaryIO:
        try:
            return self._place(shelf, name).open("rb")
        except FileNotFoundError:
            raise NoSuchFileError from None

    def delete(self, shelf: str, name: str) -> bool:
        try:
            place = self._place(shelf, name)
            place.unlink()
        except (FileNotFoundError, NoSuchFileError):
            return False
        make_durable(place.parent)
        return True

    def exists(self, shelf: str, name: str) -> bool:
        try:
            return self._place(shelf, name).is_file()
        except NoSuchFileError:
            return False

    def delete_shelf(self, shelf: str) -> None:
        folder = self._shelf(shelf)
        if folder.exists():
            shutil.rmtree(folder)

    def delete_abandoned(self, *, before: datetime) -> int:
        """Delete what a killed process left half-written before a moment, and say how many there were."""
        incoming = self._folder / _INCOMING
        if not incoming.exists():
            return 0
        old = [path for path in incoming.iterdir() if path.stat().st_mtime < before.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _shelf(self, shelf: str) -> Path:
        if not _SHELF.fullmatch(shelf) or shelf == _INCOMING:
            raise ValueError("a shelf is a word of letters, digits, _ and -")
        return self._folder / shelf

    def _place(self, shelf: str, name: str) -> Path:
        folder = self._shelf(shelf)
        if not _NAME.fullmatch(name):
            raise NoSuchFileError
        return folder / name[:2] / name[2:4] / name

    def _make_place(self, folder: Path) -> None:
        missing = [part for part in (folder, *folder.parents) if not part.exists()]
        make_folder(folder)
        for part in missing:
            make_durable(part.parent)
