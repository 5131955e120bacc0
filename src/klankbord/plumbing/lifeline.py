"""Lifeline: a child process that ends when its parent does, even when the parent is killed outright."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def end_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """What the new process must call before its program starts (a `preexec_fn`): the kernel sends the signal later.

    The kernel watches the *thread* that started the child, so that thread has to live as long as the child should.
    Outside Linux there is no such service; a child then outlives a killed parent, and the callers say what follows.
    """
    parent = os.getpid()

    def tie() -> None:
        if _prctl is None:
            return
        _prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return tie
