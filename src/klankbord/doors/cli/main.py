"""`klankbord COMMAND`: the list of commands, and nothing else. Exit codes: 0 done, 1 not done, 2 wrong words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from klankbord import __version__

COMMANDS = {
    "run": "start everything as one supervised process tree",
    "demo": "start everything with a demo shop, simulated platforms and customers",
    "web": "start one web process",
    "worker": "start one worker process",
    "migrate": "make or update the database and its organisation wall",
    "create-admin": "make an organisation with an administrator, or another administrator",
    "set-up-link": "make a link with which the first organisation is set up",
    "reset-link": "make a link with which somebody chooses a new password",
    "replay": "feed an archive of conversations through the real intake",
    "channel": "list the channels, show what one makes of a payload, check a connected inbox",
    "ledger": "show what arrived and what became of it",
    "doctor": "say what is wrong here and how to mend it",
    "bench": "measure one figure and print it as one line of JSON",
}


class CommandError(Exception):
    """The command could not do it; its words are for the person at the keyboard."""


def main(words: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if words is None else words)
    parser = argparse.ArgumentParser(
        prog="klankbord",
        description="Klankbord, the open webcare desk.",
        epilog="\n".join(f"  {name:<14}{purpose}" for name, purpose in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"klankbord {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    if not words or words[0] not in COMMANDS:
        parser.parse_args(words or ["--help"])
        return 2
    name, rest = words[0], words[1:]
    module = import_module(f"klankbord.doors.cli.{name.replace('-', '_')}")
    own = argparse.ArgumentParser(prog=f"klankbord {name}", description=module.__doc__)
    module.declare(own)
    try:
        return int(module.run(own.parse_args(rest)) or 0)
    except CommandError as error:
        print(f"klankbord {name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    # Started with -m, this file exists twice; the commands raise the CommandError of the one that they import.
    sys.exit(import_module("klankbord.doors.cli.main").main())
