"""Work on hostile input in a limited child process: bytes in, bytes out, nothing else crosses.

Both directions carry length-prefixed bytes and a letter. Nothing that comes back is unpickled, evaluated or trusted in
length, so a child that was taken over can lie about its answer and do no more; callers agree on an encoding of their
own (JSON, a clean image). The child has no environment, no network where the kernel allows that, and limits on memory,
files and processes; each item has its own limits on CPU time and on time.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

_CHILD = Path(__file__).with_name("child.py")
_HEAD = struct.Struct(">cI")
_WINDOW = 64  # items on their way at once, so that the child never waits for us
_WINDOW_BYTES = 1 << 18  # and no more than this of them beside a large one
_CHUNK = 16  # items that one of several children takes at a time
_WORTH_A_HELPER = 64  # fewer items than this are done before another child has started
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
    children: how many may work at once, on one large call or on several. Each is started when first needed; all but the
        first end when nobody needed them for idle_seconds.
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
        idle_seconds: float = 30.0,
    ) -> None:
        order = {
            "target": target,
            "cpu_seconds": cpu_seconds,
            "memory_bytes": memory_bytes,
            "wall_seconds": wall_seconds,
        }
        self._children: queue.PriorityQueue[_Child] = queue.PriorityQueue()  # those that are free
        for number in range(children):
            self._children.put(_Child(number, order, wall_seconds, result_bytes))
        self._count = children
        self._idle_seconds = idle_seconds
        self._rest: threading.Timer | None = None
        self._rest_lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call_each(self, items: Sequence[bytes]) -> list[Result]:
        """The results in the order of the items; an item that fails costs its neighbours nothing but a new child.

        Raises: SandboxError.
        """
        if not items:
            return []
        child = self._children.get()
        helpers = self._free(min(self._count - 1, len(items) // _WORTH_A_HELPER))
        work = _Work(items, _CHUNK if helpers else len(items))
        for helper in helpers:
            threading.Thread(target=self._help, args=(helper, work), name="sandbox", daemon=True).start()
        self._serve(child, work)
        return work.results()

    def _free(self, most: int) -> list[_Child]:
        """Children that nobody needs at this moment; the caller gives them back."""
        found: list[_Child] = []
        with contextlib.suppress(queue.Empty):
            while len(found) < most:
                found.append(self._children.get_nowait())
        return found

    def _help(self, child: _Child, work: _Work) -> None:
        try:
            self._serve(child, work)
        except BaseException as error:
            work.fail(error)

    def _serve(self, child: _Child, work: _Work) -> None:
        """Let a child answer chunks until none is left."""
        try:
            child.start()  # first: while it loads, its neighbour may do all there is
            while (start := work.take()) is not None:
                work.give(start, child.answer_all(work.chunk(start)))
        except BaseException:
            work.stop()
            child.end()  # half a conversation cannot be taken up again
            raise
        finally:
            self._children.put(child)
            if child.number:
                self._end_spare_later()

    def _end_spare_later(self) -> None:
        with self._rest_lock:
            if self._rest is not None:
                self._rest.cancel()
            self._rest = threading.Timer(self._idle_seconds, self._end_spare)
            self._rest.daemon = True
            self._rest.start()

    def _end_spare(self) -> None:
        """One that is at work now asks for this again when it is done."""
        for child in self._free(self._count):
            if child.number:
                child.end()
            self._children.put(child)

    def close(self) -> None:
        """End the children; a later call starts new ones."""
        with self._rest_lock:
            if self._rest is not None:
                self._rest.cancel()
        children = [self._children.get() for _ in range(self._count)]
        for child in children:
            child.end()
            self._children.put(child)


class _Work:
    """One call's items, in chunks for whichever child is free."""

    def __init__(self, items: Sequence[bytes], size: int) -> None:
        self._items, self._size = items, size
        self._starts = deque(range(0, len(items), size))
        self._chunks = len(self._starts)
        self._answers: queue.SimpleQueue[tuple[int, list[Result]] | BaseException] = queue.SimpleQueue()

    def take(self) -> int | None:
        """Where the next chunk starts, None when all are taken."""
        try:
            return self._starts.popleft()
        except IndexError:
            return None

    def chunk(self, start: int) -> Sequence[bytes]:
        return self._items[start : start + self._size]

    def give(self, start: int, results: list[Result]) -> None:
        self._answers.put((start, results))

    def fail(self, error: BaseException) -> None:
        self._answers.put(error)

    def stop(self) -> None:
        self._starts.clear()

    def results(self) -> list[Result]:
        """All of them in order; waits for the chunks that a helper still has."""
        found: dict[int, list[Result]] = {}
        while len(found) < self._chunks:
            answer = self._answers.get()
            if isinstance(answer, BaseException):
                raise answer
            found[answer[0]] = answer[1]
        return [each for start in sorted(found) for each in found[start]]


class _Child:
    """One child process, used by one thread at a time; of several, the one with the lowest number.

    answered: items since it was started.
    """

    def __init__(self, number: int, order: dict[str, object], wall_seconds: float, result_bytes: int) -> None:
        self.number = number
        self._order = order
        self._wall_seconds = wall_seconds
        self._result_bytes = result_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._received = bytearray()
        self.answered = 0

    def __lt__(self, other: _Child) -> bool:
        return self.number < other.number

    def start(self) -> None:
        if self._process is None:
            self._start()

    def answer_all(self, items: Sequence[bytes]) -> list[Result]:
        results: list[Result] = []
        while len(results) < len(items):
            answered, failure = self._answer(items[len(results) :])
            results += answered
            if failure is None:
                continue
            was_alone = self.answered == 0
            self.end()
            # A heap that earlier items filled or broke is not this one's fault: it gets a child to itself.
            if was_alone or failure.reason not in (Reason.MEMORY, Reason.CRASHED):
                results.append(failure)
        return results

    def _answer(self, items: Sequence[bytes]) -> tuple[list[Result], SandboxFailure | None]:
        """Results until all items are answered or one costs the child its life; then also why."""
        if self.answered >= _LIFETIME:
            self.end()
        process = self._process or self._start()
        items = items[: _LIFETIME - self.answered]
        results: list[Result] = []
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
