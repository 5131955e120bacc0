"""The limited child: loads one function, gives up its rights, then answers one payload after another.

Started as a script with pipes for standard input and output. Frames in: a length (4 bytes, big-endian) and the payload.
Frames out: a letter, a length, the data: R result, E the name of the exception that the function raised, M no memory.
The first frame in is JSON with what to load and the limits; the first frame out says that all is ready.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import math
import os
import pwd
import resource
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_OPEN_FILES = 32  # the pipes, and what a late import needs


def main() -> None:
    requests, replies = open(os.dup(0), "rb"), open(os.dup(1), "wb", buffering=0)  # noqa: SIM115 (held for life)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # so that nothing the function prints lands between our frames
        os.dup2(nowhere, stream)
    try:
        order = json.loads(_read(requests) or b"{}")
        sys.path[:] = order["path"]
        module, _, name = order["target"].partition(":")
        function = getattr(importlib.import_module(module), name)
        _give_up_rights()
        _set_limits(order["memory_bytes"])
    except Exception:
        _write(replies, b"E", traceback.format_exc(limit=-3).encode())
        return
    _write(replies, b"R", b"")
    _serve(function, requests, replies, order["cpu_seconds"], order["wall_seconds"])


def _serve(
    function: Callable[[bytes], bytes], requests: BinaryIO, replies: BinaryIO, cpu_seconds: float, wall_seconds: float
) -> None:
    while True:
        try:
            payload = _read(requests)
            if payload is None:  # the parent closed the pipe, or is gone
                return
            _arm(cpu_seconds, wall_seconds)
            kind, data = b"R", bytes(function(payload))
        except MemoryError:
            signal.setitimer(signal.ITIMER_REAL, 0)
            _write(replies, b"M", b"")
            return  # who knows what is left of the heap; the parent starts another
        except BaseException as error:
            kind, data = b"E", type(error).__name__.encode()
        signal.setitimer(signal.ITIMER_REAL, 0)  # how long the parent takes to listen is not the item's fault
        _write(replies, kind, data)


def _arm(cpu_seconds: float, wall_seconds: float) -> None:
    """Limits for this payload alone. The signals keep their default, so they end the process even inside C code.

    The clock on the wall also ends a child whose parent was killed; an idle one reads the end of its pipe. The kernel's
    death signal would be wrong here: it follows the parent's *thread*, and children outlive the thread that made them.
    """
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, wall_seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    ceiling = math.ceil(used.ru_utime + used.ru_stime + cpu_seconds) + 1  # should the function touch the timer
    resource.setrlimit(resource.RLIMIT_CPU, (ceiling, resource.RLIM_INFINITY))


def _set_limits(memory_bytes: int) -> None:
    if sys.platform == "linux":  # elsewhere the limit on addresses is not kept by the kernel
        loaded = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (loaded + memory_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _give_up_rights() -> None:
    """No network where the kernel lets us have none; as root, no root where Python's own files stay readable.

    Where they do not (an installation in root's home), codecs that load late would be missing and texts misread.
    """
    is_root = os.geteuid() == 0
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(_CLONE_NEWNET if is_root else _CLONE_NEWNET | _CLONE_NEWUSER)
    if is_root:
        nobody = pwd.getpwnam("nobody")
        folders = {Path(entry) for entry in sys.path if Path(entry).is_dir()}
        if all(_is_open_to_all(folder) for folder in folders):
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)


def _is_open_to_all(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _read(requests: BinaryIO) -> bytes | None:
    head = requests.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack(">I", head)
    payload = requests.read(length)
    return payload if len(payload) == length else None


def _write(replies: BinaryIO, kind: bytes, data: bytes) -> None:
    frame: Any = memoryview(kind + struct.pack(">I", len(data)) + data)
    try:
        while frame:
            frame = frame[replies.write(frame) :]
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
