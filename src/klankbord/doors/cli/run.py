"""Start everything on this machine: the database (unless DATABASE_URL names one), a web process and a worker."""

from __future__ import annotations

import argparse
import subprocess

from klankbord.plumbing.supervisor import Program, Supervisor

from .machine import child_environment, database, this_program
from .main import CommandError


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8000)


def run(options: argparse.Namespace) -> int:
    with database() as address:
        bring_up_to_date(address)
        show_way_in(address, port=options.port)
        Supervisor(programs(address, host=options.host, port=options.port)).run()
    return 0


def bring_up_to_date(address: str) -> None:
    """Migrate in a child of its own, so that the supervisor stays small."""
    done = subprocess.run(this_program("migrate", "--quiet"), env=child_environment(address), check=False)
    if done.returncode:
        raise CommandError("The database could not be brought up to date; see above.")


def show_way_in(address: str, *, port: int) -> None:
    """On an empty desk: the link with which the first organisation is set up."""
    environment = child_environment(address, role="app", KLANKBORD_PUBLIC_URL=f"http://localhost:{port}")
    subprocess.run(this_program("set-up-link"), env=environment, check=False)


def programs(address: str, *, host: str, port: int, **more: str) -> list[Program]:
    """The processes of a whole desk, in the order in which they start."""
    more.setdefault("KLANKBORD_PUBLIC_URL", f"http://localhost:{port}")
    return [
        Program("worker", this_program("worker"), child_environment(address, role="worker", **more)),
        Program(
            "web",
            this_program("web", "--host", host, "--port", str(port)),
            child_environment(address, role="app", **more),
        ),
    ]
