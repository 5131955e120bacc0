"""The limited child: each way to harm it costs one item, and the neighbours go on."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from klankbord.plumbing.sandbox import Reason, Result, Sandbox, SandboxError, SandboxFailure

from .conftest import NOBODY, lives, python, python_for_others, wait_until

MB = 1024 * 1024


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("plumbing.hostile:obey", cpu_seconds=0.5, memory_bytes=200 * MB, wall_seconds=1.5) as box:
        yield box


def test_each_item_gets_its_own_result_in_order(sandbox: Sandbox) -> None:
    items = [b"one", b"", b"\x00\xff", "drieëndertig".encode()]
    assert sandbox.call_each(items) == [item.upper() for item in items]


def test_no_items_start_no_child() -> None:
    assert Sandbox("no.such:thing", cpu_seconds=1, memory_bytes=MB, wall_seconds=1).call_each([]) == []


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        pytest.param(b"burn", Reason.CPU, id="E16 F24 endless work"),
        pytest.param(b"sleep", Reason.WALL, id="endless waiting"),
        pytest.param(b"grow 4000000000", Reason.MEMORY, id="F24 4 GB memory"),
        pytest.param(b"segfault", Reason.CRASHED, id="F24 segfault"),
        pytest.param(b"exit", Reason.CRASHED, id="silent end"),
        pytest.param(b"recurse", Reason.RAISED, id="E15 recursion"),
        pytest.param(b"nest", Reason.RAISED, id="an exception"),
        pytest.param(b"grow 70000000", Reason.TOO_LARGE, id="a huge result"),
    ],
)
def test_a_harmful_item_fails_alone(sandbox: Sandbox, poison: bytes, reason: Reason) -> None:
    before, failure, *after = sandbox.call_each([b"before", poison, b"after", b"later"])
    assert isinstance(failure, SandboxFailure)
    assert failure.reason is reason
    assert (before, after) == (b"BEFORE", [b"AFTER", b"LATER"])


def test_an_item_cannot_fill_the_disk(sandbox: Sandbox, tmp_path: Path) -> None:
    (result,) = sandbox.call_each([b"write " + bytes(tmp_path / "file")])
    assert isinstance(result, SandboxFailure)
    assert all(path.stat().st_size == 0 for path in tmp_path.iterdir())


def test_f24_twenty_poisoned_items_among_many_cost_only_themselves(sandbox: Sandbox) -> None:
    items = [b"segfault" if index % 50 == 7 else b"mail %d" % index for index in range(1000)]
    results = sandbox.call_each(items)
    assert [result for result in results if isinstance(result, bytes)] == [
        item.upper() for item in items if item != b"segfault"
    ]
    failures = [index for index, result in enumerate(results) if isinstance(result, SandboxFailure)]
    assert failures == list(range(7, 1000, 50))


def test_a_failure_says_which_kind_of_error_and_nothing_of_the_text(sandbox: Sandbox) -> None:
    assert sandbox.call_each([b"nest"]) == [SandboxFailure(Reason.RAISED, "ValueError")]


def test_what_earlier_items_leaked_is_not_held_against_the_next(sandbox: Sandbox) -> None:
    results = sandbox.call_each([b"leak 60000000"] * 8)
    assert results == [b"LEAK 60000000"] * 8


def test_what_the_function_prints_does_not_reach_the_answers(sandbox: Sandbox) -> None:
    assert sandbox.call_each([b"print", b"next"]) == [b"PRINT", b"NEXT"]


def test_large_items_pass_both_ways() -> None:
    with Sandbox("plumbing.hostile:echo", cpu_seconds=5, memory_bytes=200 * MB, wall_seconds=20) as box:
        items = [bytes([number]) * (number * MB) for number in range(1, 13)]
        assert box.call_each(items) == items


def test_the_child_knows_none_of_our_secrets(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLANKBORD_SECRET_KEY", "very-secret")
    sandbox.close()
    (environment,) = sandbox.call_each([b"environment"])
    assert isinstance(environment, bytes)
    assert b"very-secret" not in environment


@pytest.mark.skipif(os.geteuid() != 0, reason="whether a user may drop the network depends on the kernel's settings")
def test_the_child_reaches_no_network_not_even_this_machine(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (result,) = sandbox.call_each([b"connect %d" % server.getsockname()[1]])
    assert isinstance(result, SandboxFailure)
    assert result.reason is Reason.RAISED


def test_one_warm_child_answers_thousands_a_second(sandbox: Sandbox) -> None:
    items = [b"a small mail"] * 8000
    sandbox.call_each(items[:10])
    began = time.monotonic()
    assert sandbox.call_each(items) == [b"A SMALL MAIL"] * 8000
    assert len(items) / (time.monotonic() - began) > 2000


def test_the_child_stays_the_same_from_call_to_call(sandbox: Sandbox) -> None:
    assert sandbox.call_each([b"pid"]) == sandbox.call_each([b"pid"])


@pytest.fixture
def pair() -> Iterator[Sandbox]:
    with Sandbox(
        "plumbing.hostile:obey", cpu_seconds=0.5, memory_bytes=200 * MB, wall_seconds=3, children=2, idle_seconds=0.3
    ) as box:
        yield box


def pids(results: Sequence[Result]) -> set[int]:
    return {int(result) for result in results if isinstance(result, bytes) and result.isdigit()}


def share_work(box: Sandbox) -> set[int]:
    """Enough slow items that the second child has started before they are done; the children that did them."""
    results = box.call_each([b"nap 0.005", b"pid"] * 300)
    assert [result for result in results if isinstance(result, bytes) and not result.isdigit()] == [b"NAP 0.005"] * 300
    return pids(results)


def test_two_children_share_a_large_call(pair: Sandbox) -> None:
    assert len(share_work(pair)) == 2


def test_f24_with_two_children_order_stays_and_a_poisoned_item_costs_only_itself(pair: Sandbox) -> None:
    share_work(pair)
    items = [b"segfault" if index % 100 == 7 else b"mail %d" % index for index in range(1000)]
    results = pair.call_each(items)
    failures = [index for index, result in enumerate(results) if isinstance(result, SandboxFailure)]
    assert failures == list(range(7, 1000, 100))
    assert [result for result in results if isinstance(result, bytes)] == [
        item.upper() for item in items if item != b"segfault"
    ]


def test_a_small_call_starts_no_second_child(pair: Sandbox) -> None:
    assert len(pids(pair.call_each([b"pid"] * 60) + pair.call_each([b"pid"] * 60))) == 1


def test_the_second_child_exists_only_while_there_is_work(pair: Sandbox) -> None:
    both = share_work(pair)
    wait_until(lambda: sum(lives(child) for child in both) == 1)
    assert pids(pair.call_each([b"pid"])) == {child for child in both if lives(child)}
    assert len(share_work(pair)) == 2


def test_closing_ends_both_children(pair: Sandbox) -> None:
    both = share_work(pair)
    pair.close()
    assert not any(lives(child) for child in both)


def test_a_function_that_cannot_be_loaded_is_our_fault_for_two_children_too() -> None:
    with (
        Sandbox("no.such:thing", cpu_seconds=1, memory_bytes=MB, wall_seconds=1, children=2) as box,
        pytest.raises(SandboxError, match="No module named 'no'"),
    ):
        box.call_each([b"x"] * 500)


def test_a_function_that_cannot_be_loaded_is_our_fault_and_says_so() -> None:
    with (
        Sandbox("no.such:thing", cpu_seconds=1, memory_bytes=MB, wall_seconds=1) as box,
        pytest.raises(SandboxError, match="No module named 'no'"),
    ):
        box.call_each([b"x"])


OWNER = """
import sys
from klankbord.plumbing.sandbox import Sandbox
sys.path.insert(0, sys.argv[1])
box = Sandbox("plumbing.hostile:obey", cpu_seconds=60, memory_bytes=2**28, wall_seconds=2)
print(box.call_each([sys.argv[2].encode()])[0].decode(), flush=True)
if len(sys.argv) > 3:
    box.call_each([sys.argv[3].encode()])
sys.stdin.read()
"""
HERE = Path(__file__).parents[1]


@pytest.mark.faults
@pytest.mark.parametrize("then", [[], ["burn"]], ids=["idle", "at work"])
def test_f24_a_child_does_not_outlive_its_killed_parent_for_long(then: list[str]) -> None:
    owner = python(OWNER, HERE, "pid", *then)
    assert owner.stdout is not None
    child = int(owner.stdout.readline())
    assert lives(child)
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    wait_until(lambda: not lives(child))


others = pytest.mark.skipif(
    os.geteuid() != 0 or python_for_others() is None, reason="needs root and a Python that others can start"
)


@others
def test_an_ordinary_user_gets_the_same_service() -> None:
    owner = python(OWNER, HERE, "anything", "segfault", user=NOBODY)
    output, _ = owner.communicate("")
    assert (output, owner.returncode) == ("ANYTHING\n", 0)


@others
def test_as_root_the_child_is_not_root_where_its_python_can_be_read_by_others() -> None:
    owner = python(OWNER, HERE, "uid", user=0)
    output, _ = owner.communicate("")
    assert output.strip() not in ("", "0")
