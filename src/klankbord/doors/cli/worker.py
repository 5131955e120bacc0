"""Start one worker process: intake, delivery, clock, polls and jobs. Any number may run against one database."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from types import FrameType

from .machine import desk

_STEPS_ASIDE = 5


def declare(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    # The web processes answer platforms and people, the worker follows: it steps aside when processors are short.
    os.nice(_STEPS_ASIDE)
    with desk(role="worker"):
        from importlib import import_module

        from klankbord.desk.masonry import check_wall
        from klankbord.flows.working import Worker

        check_wall()
        worker = Worker(import_module("klankbord.project.native").conninfo())

        asked_to_end: list[int] = []

        def end(number: int, frame: FrameType | None) -> None:
            asked_to_end.append(number)  # no more than this: a handler that takes a lock may interrupt its own holder

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        working = threading.Thread(target=worker.run, name="worker")
        working.start()
        while working.is_alive():
            working.join(timeout=0.2)
            if asked_to_end:
                worker.stop()
    return 0
