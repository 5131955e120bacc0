"""Clients that vanish without a word: a phone in a tunnel, a laptop that is shut.

The kernel keeps sending an unacknowledged heartbeat for a quarter of an hour before it gives up. A listening socket can
ask for less, and every connection that it accepts inherits that.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

PATIENCE_MS = 15_000
_TRIES, _PAUSE_SECONDS = 100, 0.1


async def give_up_on_vanished_clients() -> None:
    """Ask it of this process's listening sockets as soon as there are any: a server opens them itself, offers no way to
    say so, and only listens once the application has said that it is ready. Linux only; elsewhere nothing happens."""
    for _ in range(_TRIES):
        if ask_listening_sockets():
            return
        await asyncio.sleep(_PAUSE_SECONDS)


def ask_listening_sockets() -> int:
    """Gives how many listening TCP sockets this process has, all of them asked."""
    files = Path("/proc/self/fd")
    if not hasattr(socket, "TCP_USER_TIMEOUT") or not files.is_dir():
        return 0
    return sum(_ask(int(each)) for each in os.listdir(files))


def _ask(descriptor: int) -> bool:
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        with socket.socket(fileno=os.dup(descriptor)) as found:
            is_tcp = found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM
            if not is_tcp or not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return False
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE_MS)
            return True
    except OSError:  # closed in the meantime
        return False
