"""Measure one figure, or all, each on a desk of its own that is thrown away afterwards. One line of JSON per figure."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from .benches.figures import Figure, median_of
from .machine import this_program
from .main import CommandError

_MESSAGES = 1_000_000

Measurement = Callable[[float], list[Figure]]


def measurements(size: int = _MESSAGES) -> dict[str, Measurement]:
    from .benches import arriving, asking, mailing, screens, searching, statements, whole

    return {
        "intake": arriving.intake,
        "accept": arriving.accept,
        "statements": statements.statements,
        "mail": mailing.mail,
        "visible": arriving.visible,
        "screens": screens.screens,
        "reply": screens.reply,
        "api": asking.api,
        "search": partial(searching.search, size=size),
        "memory": whole.memory,
        "start": whole.start,
    }


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("item", nargs="?", default="all", help="one of: all, " + ", ".join(measurements()))
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a sustained load lasts (default: 20)")
    parser.add_argument("--size", type=int, default=_MESSAGES, help="messages to search in (default: a million)")
    parser.add_argument("--runs", type=int, default=1, help="take the median of so many runs (default: 1)")
    parser.add_argument("--table", action="store_true", help="print a table for people after the lines of JSON")


def run(options: argparse.Namespace) -> int:
    known = measurements(options.size)
    if options.item not in {"all", *known}:
        raise CommandError(f"There is no measurement {options.item!r}. There are: {', '.join(known)}.")
    found: list[Figure] = []
    for name in known if options.item == "all" else [options.item]:
        is_simple = options.runs == 1 and options.item != "all"
        for figure in known[name](options.seconds) if is_simple else _in_children(name, options):
            found.append(figure)
            print(figure.as_json(), flush=True)
    if options.table:
        print_table(found)
    return 0


def _in_children(name: str, options: argparse.Namespace) -> list[Figure]:
    """Each run in a process of its own: one process knows one desk."""
    runs = []
    for _ in range(options.runs):
        words = this_program("bench", name, "--seconds", str(options.seconds), "--size", str(options.size))
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise CommandError(f"{name} could not be measured.")
        runs.append([Figure(**json.loads(line)) for line in done.stdout.splitlines()])
    return [median_of(each) for each in zip(*runs, strict=True)]


def print_table(figures: list[Figure]) -> None:
    for each in figures:
        mark = "" if not each.demand else "met" if each.is_met else "NOT met"
        print(f"{each.item:<22}{each.value:>10g} {each.unit:<18}{each.demand:<10}{mark}", file=sys.stderr)
