"""A small supervised process tree: the programs of one machine start, stay up and end together.

A program that ends unasked is started again, after a pause that grows while it keeps failing. On SIGTERM or SIGINT the
programs end one by one, the last first, so that what came in at the doors is still worked off. When the supervisor
itself is killed, the kernel asks each program to end (Linux).
"""

from __future__ import annotations

import enum
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import IO, TypeAlias

from .lifeline import end_with_parent

# Receives a program's name and one line that it wrote (or that we say about it), without the line end.
Say: TypeAlias = Callable[[str, str], None]

_LONGEST_PAUSE = 30.0  # seconds between two attempts
_SOUND_LIFE = 60.0  # seconds after which a program counts as healthy, and its next pause is short again
_LINE_LIMIT = 64_000  # bytes; a longer line is passed on in pieces


class State(enum.StrEnum):
    WAITING = "waiting"  # not started yet, or in the pause before the next attempt
    RUNNING = "running"
    ENDED = "ended"  # asked to end, and did


@dataclass(frozen=True, slots=True)
class Program:
    """A program that should run as long as the supervisor does.

    env: the whole environment, not an addition; None hands on ours.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """How a program is. seconds: how long it has been in this state."""

    name: str
    state: State
    pid: int | None
    restarts: int
    seconds: float


class Supervisor:
    """Keeps programs running, in the given order.

    grace_seconds: for all of them together when they are asked to end; each may use an equal share of what is left, so
    that one that hangs does not take its neighbours' time. Then it is killed.
    first_pause_seconds: before the first new attempt; doubled each time, up to half a minute.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        say: Say | None = None,
        grace_seconds: float = 25.0,
        first_pause_seconds: float = 0.5,
    ) -> None:
        say = say or _print_line
        self._keepers = [_Keeper(program, say, first_pause_seconds) for program in programs]
        self._grace_seconds = grace_seconds

    def run(self) -> None:
        """Start everything and return when all has ended after SIGTERM or SIGINT. A second signal kills at once.

        For the main thread, which is the only one that can receive signals.
        """
        arrived, wake = os.pipe()

        def note(number: int, frame: FrameType | None) -> None:
            os.write(wake, b"!")  # no lock may be taken in a signal handler

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self.start()
            os.read(arrived, 1)
            for number in before:
                signal.signal(number, lambda number, frame: self._kill_all())
            self.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(arrived)
            os.close(wake)

    def start(self) -> None:
        """Start every program, without waiting for them to be of use."""
        for keeper in self._keepers:
            keeper.start()

    def stop(self) -> None:
        """End every program, the last first."""
        deadline = time.monotonic() + self._grace_seconds
        for keeper in self._keepers:
            keeper.give_up()
        for index in reversed(range(len(self._keepers))):
            share = max(0.0, deadline - time.monotonic()) / (index + 1)
            self._keepers[index].end(within_seconds=share)

    def status(self) -> list[Status]:
        return [keeper.status() for keeper in self._keepers]

    def _kill_all(self) -> None:
        for keeper in reversed(self._keepers):
            keeper.kill()


@dataclass
class _Keeper:
    """Looks after one program in a thread that lives as long as it: the kernel ties a child to its parent's thread."""

    program: Program
    say: Say
    first_pause: float
    _state: State = State.WAITING
    _since: float = field(default_factory=time.monotonic)
    _restarts: int = 0
    _child: subprocess.Popen[bytes] | None = None
    _ending: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._keep, name=f"keeper-{self.program.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def give_up(self) -> None:
        """Start nothing again from here on."""
        self._ending.set()

    def end(self, *, within_seconds: float) -> None:
        if not self._thread.is_alive():
            return
        deadline = time.monotonic() + within_seconds
        self._signal(signal.SIGTERM)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        while self._thread.is_alive():  # again and again: a child may just have been about to start
            self.kill()
            self._thread.join(0.1)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def status(self) -> Status:
        child, state = self._child, self._state
        pid = child.pid if child is not None and state is State.RUNNING else None
        return Status(self.program.name, state, pid, self._restarts, time.monotonic() - self._since)

    def _keep(self) -> None:
        pause = self.first_pause
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                ending = self._run_once()
            except OSError as error:
                ending = f"could not be started: {error}"
            if self._ending.is_set():
                break
            if time.monotonic() - began > _SOUND_LIFE:
                pause = self.first_pause
            self._enter(State.WAITING)
            self.say(self.program.name, f"{ending}; next attempt in {pause:g} s")
            self._ending.wait(pause)
            self._restarts += 1
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._enter(State.ENDED)

    def _run_once(self) -> str:
        child = subprocess.Popen(
            list(self.program.argv),
            env=None if self.program.env is None else dict(self.program.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and what it starts itself can be killed with it
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
        self._child = child
        self._enter(State.RUNNING)
        assert child.stdout is not None
        listener = threading.Thread(target=self._pass_on, args=(child.stdout,), daemon=True)
        listener.start()
        if self._ending.is_set():  # asked to end while it was being started
            child.terminate()
        # Noticed but not yet collected: until then its number cannot go to a stranger, and what is left of its group
        # (a web server's own workers, which would keep the port) can be killed safely.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
        listener.join(timeout=5)
        return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def _pass_on(self, output: IO[bytes]) -> None:
        with output:
            while line := output.readline(_LINE_LIMIT):
                self.say(self.program.name, line.decode(errors="replace").rstrip("\r\n"))

    def _signal(self, number: signal.Signals) -> None:
        child = self._child
        if child is None or self._state is not State.RUNNING:
            return
        if number is signal.SIGKILL:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, number)
        else:
            child.send_signal(number)  # to the program alone: it tells its own children

    def _enter(self, state: State) -> None:
        self._state, self._since = state, time.monotonic()


def _print_line(name: str, line: str) -> None:
    sys.stdout.write(f"{name:<8} | {line}\n")
    sys.stdout.flush()
