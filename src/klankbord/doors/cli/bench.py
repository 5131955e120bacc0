"""Measure one figure, or all, each on a desk of its own that is thrown away afterwards. One line of JSON per figure."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from .benches.figures import Figure, median_of

Measurement = Callable[[float], list[Figure]]


def measurements() -> dict[str, Measurement]:
    from .benches import arriving

    return {
        "intake": arriving.intake,
        "accept": arriving.accept,
        "mail": arriving.mail,
        "visible": arriving.visible,
    }


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("item", nargs="?", default="all", help="one of: all, " + ", ".join(measurements()))
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a sustained load lasts (default: 20)")
    parser.add_argument("--runs", type=int, default=1, help="take the median of so many runs (default: 1)")
    parser.add_argument("--table", action="store_true", help="print a table for people after the lines of JSON")


def run(options: argparse.Namespace) -> int:
    known = measurements()
    from .main import CommandError

    if options.item not in {"all", *known}:
        raise CommandError(f"There is no measurement {options.item!r}. There are: {', '.join(known)}.")
    found: list[Figure] = []
    for name in known if options.item == "all" else [options.item]:
        for figure in _measured(known[name], options):
            found.append(figure)
            print(figure.as_json(), flush=True)
    if options.table:
        print_table(found)
    return 0


def _measured(measure: Measurement, options: argparse.Namespace) -> list[Figure]:
    runs = [measure(options.seconds) for _ in range(options.runs)]
    return [median_of(each) for each in zip(*runs, strict=True)]


def print_table(figures: list[Figure]) -> None:
    for each in figures:
        mark = "" if not each.demand else "met" if each.is_met else "NOT met"
        print(f"{each.item:<22}{each.value:>10g} {each.unit:<18}{each.demand:<10}{mark}", file=sys.stderr)
