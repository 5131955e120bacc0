"""Start one worker process: intake, delivery, clock, polls and jobs. Any number may run against one database."""

from __future__ import annotations

import argparse
import signal
import threading
from types import FrameType

from .machine import desk


def declare(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    with desk(role="worker"):
        from importlib import import_module

        from klankbord.desk.masonry import check_wall
        from klankbord.flows.working import Worker

        check_wall()
        worker = Worker(import_module("klankbord.project.native").conninfo())

        def end(number: int, frame: FrameType | None) -> None:
            worker.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        working = threading.Thread(target=worker.run, name="worker")
        working.start()
        while working.is_alive():
            working.join(timeout=1)
    return 0
