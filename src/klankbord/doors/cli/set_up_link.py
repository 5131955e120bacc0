"""Make the link with which the first organisation is set up: once, within a day. Prints nothing when there is one."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from .machine import desk


def declare(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    with desk(role="app"):
        from klankbord.flows import setting_up

        link = setting_up.offer_link(now=datetime.now(UTC))
    if link:
        print(f"Nobody works here yet. Set up your desk (works once, for a day): {link}", flush=True)
    return 0
