"""Start one web process: webhooks, live updates, screens. Needs DATABASE_URL, or runs under `klankbord run`."""

from __future__ import annotations

import argparse
import os

from .machine import SETTINGS, database


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8000)


def run(options: argparse.Namespace) -> int:
    with database() as address:
        os.environ.update(DATABASE_URL=address, KLANKBORD_ROLE="app", DJANGO_SETTINGS_MODULE=SETTINGS)
        serve(options.host, options.port)
    return 0


def serve(host: str, port: int) -> None:
    from granian.constants import Interfaces, Loops
    from granian.server import Server

    Server(
        "klankbord.project.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        workers=1,
        # Open streams count against back-pressure and would hold up a stop for ever.
        backlog=2048,
        backpressure=4096,
        workers_kill_timeout=2,
        respawn_failed_workers=True,
        websockets=False,
        log_access=False,
    ).serve()
