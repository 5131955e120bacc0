"""Make a link with which somebody chooses a new password: once, within two hours. Give it to nobody else."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from .machine import desk
from .main import CommandError


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="the address with which the person signs in")


def run(options: argparse.Namespace) -> int:
    with desk(role="app"):
        from klankbord.flows import audit, passwords

        user = passwords.person(options.email)
        if user is None:
            raise CommandError(f"Nobody signs in with {options.email} and works in an organisation.")
        now = datetime.now(UTC)
        link = passwords.make_link(user, now=now)
        audit.write_down("reset link made", user=user.id, now=now)
    print(link)
    return 0
