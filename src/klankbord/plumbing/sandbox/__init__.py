"""Work on hostile input in a limited child process: bytes in, bytes out, nothing else crosses.

Both directions carry length-prefixed bytes and a letter. Nothing that comes back is unpickled, evaluated or trusted in
length, so a child that was taken over can lie about its answer and do no more; callers agree on an encoding of their
own (JSON, a clean image). The child has no environment, no network where the kernel allows that, and limits on memory,
files and processes; each item has its own limits on CPU time and on time.
"""

from __future__ import annotations

import enum
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

_CHILD = Path(__file__).with_name("child.py")
_HEAD = struct.Struct(">cI")
_WINDOW = 64  # items on their way at once, so that the child never waits for us
_WINDOW_BYTES = 1 << 18  # and no more than this of them beside a large one
_LIFETIME = 10_000  # items; then a fresh child, before what it has leaked is counted against an innocent item
_LOADING_SECONDS = 60.0
_LATE_SECONDS = 1.0  # how much later than the child's own clock we lose patience


class Reason(enum.StrEnum):
    CPU = "too much CPU time"
    MEMORY = "too much memory"
    WALL = "too much time"
    CRASHED = "the interpreter crashed"
    RAISED = "an error"
    TOO_LARGE = "too large a result"


@dataclass(frozen=True, slots=True)
class SandboxFailure:
    """Why an item has no result.

    detail: the class of the exception for RAISED, the signal for CRASHED; never anything from the item itself.
    """

    reason: Reason
    detail: str = ""


class SandboxError(Exception):
    """The child cannot be started, or cannot load its function: a fault of the installation, not of an item."""


Result: TypeAlias = bytes | SandboxFailure


class Sandbox:
    """A function in a child process of its own, loaded once, at the first call.

    target: "package.module:function", a function from bytes to bytes.
    cpu_seconds, wall_seconds: for each item.
    memory_bytes: beyond what the loaded function takes (Linux only). An item takes a multiple of its size.
    result_bytes: a larger result is refused.
    children: how many may work at once, for as many threads; each is started when first needed.
    """

    def __init__(
        self,
        target: str,
        *,
        cpu_seconds: float,
        memory_bytes: int,
        wall_seconds: float,
        result_bytes: int = 64 * 1024 * 1024,
        children: int = 1,
    ) -> None:
        order = {
            "target": target,
            "cpu_seconds": cpu_seconds,
            "memory_bytes": memory_bytes,
            "wall_seconds": wall_seconds,
        }
        self._children: queue.LifoQueue[_Child] = queue.LifoQueue()
        for _ in range(children):
            self._children.put(_Child(order, wall_seconds, result_bytes))
        self._count = children

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call_each(self, items: Sequence[bytes]) -> list[Result]:
        """The results in the order of the items; an item that fails costs its neighbours nothing but a new child.

        Raises: SandboxError.
        """
        results: list[Result] = []
        child = self._children.get()
        try:
            while len(results) < len(items):
                answered, failure = child.answer(items[len(results) :])
                results += answered
                if failure is None:
                    continue
                was_alone = child.answered == 0
                child.end()
                # A heap that earlier items filled or broke is not this one's fault: it gets a child to itself.
                if was_alone or failure.reason not in (Reason.MEMORY, Reason.CRASHED):
                    results.append(failure)
        except BaseException:
            child.end()  # half a conversation cannot be taken up again
            raise
        finally:
            self._children.put(child)
        return results

    def close(self) -> None:
        """End the children; a later call starts new ones."""
        children = [self._children.get() for _ in range(self._count)]
        for child in children:
            child.end()
            self._children.put(child)


class _Child:
    """One child process, used by one thread at a time.

    answered: items since it was started.
    """

    def __init__(self, order: dict[str, object], wall_seconds: float, result_bytes: int) -> None:
        self._order = order
        self._wall_seconds = wall_seconds
        self._result_bytes = result_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._received = bytearray()
        self.answered = 0

    def answer(self, items: Sequence[bytes]) -> tuple[list[bytes | SandboxFailure], SandboxFailure | None]:
        """Results until all items are answered or one costs the child its life; then also why."""
        if self.answered >= _LIFETIME:
            self.end()
        process = self._process or self._start()
        items = items[: _LIFETIME - self.answered]
        results: list[bytes | SandboxFailure] = []
        unsent, sent = memoryview(b""), 0
        deadline = time.monotonic() + self._wall_seconds + _LATE_SECONDS
        while len(results) < len(items):
            if not unsent and sent < len(items) and sent - len(results) < _WINDOW // 2:
                parcel = bytearray()
                while sent < min(len(items), len(results) + _WINDOW) and len(parcel) < _WINDOW_BYTES:
                    parcel += struct.pack(">I", len(items[sent])) + items[sent]
                    sent += 1
                unsent = memoryview(parcel)
            if not self._wait(process, writes=bool(unsent), seconds=deadline - time.monotonic()):
                return results, SandboxFailure(Reason.WALL)
            try:
                if unsent:
                    unsent = unsent[_write(process, unsent) :]
            except BrokenPipeError:
                unsent, sent = memoryview(b""), len(items)  # it has ended; what it still said is in the other pipe
            ended = not self._receive(process)
            while len(results) < len(items) and (frame := self._next_frame()):
                kind, data = frame
                if kind == b"M" or (kind == b"R" and len(data) > self._result_bytes):
                    return results, SandboxFailure(Reason.MEMORY if kind == b"M" else Reason.TOO_LARGE)
                results.append(data if kind == b"R" else SandboxFailure(Reason.RAISED, _class_name(data)))
                self.answered += 1
                deadline = time.monotonic() + self._wall_seconds + _LATE_SECONDS
            if len(self._received) > self._result_bytes + _HEAD.size:
                return results, SandboxFailure(Reason.TOO_LARGE)
            if ended and len(results) < len(items):
                return results, _why_ended(process.wait())
        return results, None

    def end(self) -> None:
        process, self._process = self._process, None
        self.answered = 0
        self._received.clear()
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
        process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        path = [str(Path(entry).absolute()) for entry in sys.path]
        order = json.dumps(self._order | {"path": path}).encode()
        try:
            process.stdin.write(struct.pack(">I", len(order)) + order)
        except BrokenPipeError:
            self.end()
            raise SandboxError("the limited child process ended at once") from None
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        deadline = time.monotonic() + _LOADING_SECONDS
        while (frame := self._next_frame()) is None:
            in_time = self._wait(process, writes=False, seconds=deadline - time.monotonic())
            if not in_time or not self._receive(process):
                self.end()
                raise SandboxError(f"the limited child process could not load {self._order['target']}")
        if frame[0] != b"R":
            self.end()
            raise SandboxError(frame[1].decode(errors="replace"))
        return process

    def _wait(self, process: subprocess.Popen[bytes], *, writes: bool, seconds: float) -> bool:
        assert process.stdin is not None
        assert process.stdout is not None
        poll = select.poll()
        poll.register(process.stdout, select.POLLIN)
        if writes:
            poll.register(process.stdin, select.POLLOUT)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def _receive(self, process: subprocess.Popen[bytes]) -> bool:
        """Take what has arrived; False when the child has closed its end."""
        assert process.stdout is not None
        try:
            data = os.read(process.stdout.fileno(), 1 << 18)
        except BlockingIOError:
            return True
        self._received += data
        return bool(data)

    def _next_frame(self) -> tuple[bytes, bytes] | None:
        if len(self._received) < _HEAD.size:
            return None
        kind, length = _HEAD.unpack_from(self._received)
        end = _HEAD.size + length
        if len(self._received) < end:
            return None
        data = bytes(self._received[_HEAD.size : end])
        del self._received[:end]
        return kind, data


def _write(process: subprocess.Popen[bytes], data: memoryview) -> int:
    assert process.stdin is not None
    try:
        return os.write(process.stdin.fileno(), data)
    except BlockingIOError:
        return 0


def _class_name(data: bytes) -> str:
    name = data[:100].decode("ascii", "replace")
    return name if name.isidentifier() else ""


def _why_ended(code: int) -> SandboxFailure:
    number = -code
    if number in (signal.SIGPROF, signal.SIGXCPU):
        return SandboxFailure(Reason.CPU)
    if number == signal.SIGALRM:
        return SandboxFailure(Reason.WALL)
    name = signal.Signals(number).name if number in set(signal.Signals) else f"exit code {code}"
    return SandboxFailure(Reason.CRASHED, name)
