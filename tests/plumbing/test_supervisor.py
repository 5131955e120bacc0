"""The process tree: real children that crash, hang, talk and have children of their own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from klankbord.plumbing.supervisor import Program, State, Supervisor

from .conftest import lives, python, wait_until

PATIENT = "import time; print('here', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('here', flush=True); time.sleep(600)"


def program(name: str, code: str, *arguments: object, env: dict[str, str] | None = None) -> Program:
    return Program(name, [sys.executable, "-u", "-c", code, *map(str, arguments)], env=env)


class Ear:
    """What was said, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.heard.append((name, line))

    def count(self, name: str, part: str) -> int:
        return sum(1 for who, line in self.heard if who == name and part in line)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def tree(ear: Ear) -> Iterator[Callable[..., Supervisor]]:
    started: list[Supervisor] = []

    def start(*programs: Program, grace_seconds: float = 10.0) -> Supervisor:
        supervisor = Supervisor(programs, say=ear, grace_seconds=grace_seconds, first_pause_seconds=0.02)
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def test_what_a_program_writes_is_passed_on_under_its_name(tree: Callable[..., Supervisor], ear: Ear) -> None:
    code = "import sys, time; print('one'); print('zwei', file=sys.stderr); print('trois'); time.sleep(600)"
    tree(program("web", code))
    wait_until(lambda: len(ear.heard) == 3)
    assert ear.heard == [("web", "one"), ("web", "zwei"), ("web", "trois")]


def test_a_program_gets_the_environment_it_was_given_and_no_more(tree: Callable[..., Supervisor], ear: Ear) -> None:
    tree(program("web", "import os, time; print(dict(os.environ)); time.sleep(600)", env={"ONLY": "this"}))
    wait_until(lambda: ear.heard)
    assert "'ONLY': 'this'" in ear.heard[0][1]
    assert "PATH" not in ear.heard[0][1]


def test_a_crashed_program_is_started_again_and_its_neighbour_left_alone(
    tree: Callable[..., Supervisor], ear: Ear
) -> None:
    supervisor = tree(program("worker", "print('up'); raise SystemExit(3)"), program("web", PATIENT))
    wait_until(lambda: ear.count("worker", "up") >= 3)
    assert ear.count("worker", "ended with exit code 3; next attempt in") >= 2
    worker, web = supervisor.status()
    assert worker.restarts >= 2
    assert (web.state, web.restarts) == (State.RUNNING, 0)


def test_the_pause_grows_while_a_program_keeps_failing(tree: Callable[..., Supervisor], ear: Ear) -> None:
    tree(program("worker", "raise SystemExit(1)"))
    wait_until(lambda: ear.count("worker", "next attempt") >= 3)
    pauses = [float(line.rsplit(" ", 2)[1]) for _, line in ear.heard if "next attempt" in line]
    assert pauses[:3] == [0.02, 0.04, 0.08]


def test_a_program_that_does_not_exist_is_reported_and_tried_again(tree: Callable[..., Supervisor], ear: Ear) -> None:
    supervisor = tree(Program("ghost", ["/no/such/program"]))
    wait_until(lambda: ear.count("ghost", "could not be started") >= 2)
    assert supervisor.status()[0].pid is None


def test_programs_end_one_by_one_with_the_last_first(tree: Callable[..., Supervisor], ear: Ear) -> None:
    code = (
        "import signal, sys, time\n"
        "def bye(*_): print('bye'); sys.exit()\n"
        "signal.signal(15, bye); print('here'); time.sleep(600)"
    )
    supervisor = tree(program("first", code), program("second", code), program("third", code))
    wait_until(lambda: len(ear.heard) == 3)
    supervisor.stop()
    assert [name for name, line in ear.heard if line == "bye"] == ["third", "second", "first"]
    assert {status.state for status in supervisor.status()} == {State.ENDED}


@pytest.mark.faults
def test_a_program_that_ignores_the_request_is_killed_and_its_neighbours_keep_their_time(
    tree: Callable[..., Supervisor], ear: Ear
) -> None:
    slow = (
        "import signal, sys, time\n"
        "def bye(*_): time.sleep(.1); print('bye'); sys.exit()\n"
        "signal.signal(15, bye); print('here'); time.sleep(600)"
    )
    supervisor = tree(program("slow", slow), program("deaf", STUBBORN), grace_seconds=2)
    wait_until(lambda: ear.count("slow", "here") and ear.count("deaf", "here"))
    deaf = supervisor.status()[1].pid
    assert deaf is not None
    supervisor.stop()
    assert not lives(deaf)
    assert ear.count("slow", "bye") == 1


@pytest.mark.faults
def test_f1_the_children_of_a_killed_program_do_not_keep_its_port(tree: Callable[..., Supervisor], ear: Ear) -> None:
    code = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '600']).pid); time.sleep(600)"
    supervisor = tree(program("web", code))
    wait_until(lambda: ear.heard)
    grandchild, pid = int(ear.heard[0][1]), supervisor.status()[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not lives(grandchild))
    wait_until(lambda: supervisor.status()[0].restarts == 1 and supervisor.status()[0].pid not in (None, pid))


TREE_IN_A_PROCESS = f"""
import sys
from klankbord.plumbing.supervisor import Program, Supervisor
code = {PATIENT!r} if sys.argv[1] == "patient" else {STUBBORN!r}
code = code.replace("'here'", "__import__('os').getpid()")
Supervisor([Program(name, [sys.executable, "-u", "-c", code]) for name in ("a", "b")], grace_seconds=60).run()
print("all ended", flush=True)
"""


def pids_said(process: object) -> list[int]:
    lines = [process.stdout.readline() for _ in range(2)]  # type: ignore[attr-defined]
    return [int(line.split("|")[1]) for line in lines]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["F6 SIGTERM", "Ctrl-C"])
def test_a_signal_ends_the_whole_tree(number: signal.Signals) -> None:
    process = python(TREE_IN_A_PROCESS, "patient")
    pids = pids_said(process)
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert output.splitlines()[-1] == "all ended"
    assert not any(map(lives, pids))


def test_a_second_signal_kills_what_does_not_listen() -> None:
    process = python(TREE_IN_A_PROCESS, "stubborn")
    pids = pids_said(process)
    repeat = threading.Event()

    def insist() -> None:
        while not repeat.wait(0.1) and process.poll() is None:
            process.send_signal(signal.SIGTERM)

    impatient = threading.Thread(target=insist)
    impatient.start()
    process.communicate(timeout=20)
    repeat.set()
    impatient.join()
    assert not any(map(lives, pids))


@pytest.mark.faults
@pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux ends children with a killed parent")
def test_f5_the_programs_end_when_the_supervisor_is_killed() -> None:
    process = python(TREE_IN_A_PROCESS, "patient")
    pids = pids_said(process)
    assert all(map(lives, pids))
    process.kill()
    process.communicate()
    wait_until(lambda: not any(map(lives, pids)))
