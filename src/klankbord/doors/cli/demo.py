"""Start everything with a demo shop: simulated platforms on this machine, and customers who write and wait for answers.

Nothing leaves this machine. The demo has a database and a folder of its own; a second start finds everything as it
was left, --reset begins anew.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from klankbord.plumbing.supervisor import Program, Supervisor

from .demo_folder import DemoFolder, Notes
from .founding import Founding
from .machine import data_dir, database
from .main import CommandError
from .pulse import free_ports, is_port_free, status_of
from .run import programs

_PORT, _PLATFORM_PORTS, _SHOP_PORT = 8000, 9100, 9180  # where looking for free ones begins
_PLATFORMS = 6  # ports that the platforms need, in a row
_SEED = 2026  # fixes the platforms' credentials, so that the inboxes fit after a restart
_MAIL = "klantenservice@wolkenzonen.example"  # as the shop's page says
_START_SECONDS = 90.0


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help=f"of the desk (default: {_PORT}, or the next free one)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the demo's folder (default: demo in the data folder)")
    parser.add_argument("--reset", action="store_true", help="forget what the demo has kept, and begin anew")


def run(options: argparse.Namespace) -> int:
    _end_on_sigterm()
    with DemoFolder(options.data or data_dir() / "demo") as folder:
        if options.reset:
            folder.empty()
        notes = folder.read()
        notes.port = _desk_port(options.port)
        if not notes.platforms or not all(is_port_free(notes.platforms + place) for place in range(_PLATFORMS)):
            notes.platforms = free_ports(_PLATFORMS, starting_at=_PLATFORM_PORTS)
        if not notes.shop or not is_port_free(notes.shop):
            notes.shop = free_ports(1, starting_at=_SHOP_PORT)
        folder.write(notes)
        _live_apart(folder.path, notes)
        _play(folder, notes)
    return 0


def _desk_port(wanted: int | None) -> int:
    if wanted is None:
        return free_ports(1, starting_at=_PORT)
    if not is_port_free(wanted):
        raise CommandError(f"Port {wanted} is in use. Leave --port out to take a free one.")
    return wanted


def _end_on_sigterm() -> None:
    """SIGTERM ends the demo as Ctrl-C does, at any moment of its start too, so that what runs already is stopped."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


def _live_apart(folder: Path, notes: Notes) -> None:
    """The environment of all processes of the demo: nothing of a production desk on this machine is touched."""
    for name in ("DATABASE_URL", "KLANKBORD_ROLE", "KLANKBORD_SECRET_KEY", "KLANKBORD_SECRET_KEY_FILE"):
        os.environ.pop(name, None)
    os.environ.update(
        KLANKBORD_DATA_DIR=str(folder),
        KLANKBORD_ALLOW_LOOPBACK="1",
        KLANKBORD_PUBLIC_URL=f"http://localhost:{notes.port}",
    )


def _play(folder: DemoFolder, notes: Notes) -> None:
    print(f"Starting the demo; what its processes say goes to {folder.log_file}.", flush=True)
    say = _Teller(folder)
    with contextlib.ExitStack() as running:
        platforms = Supervisor([_platforms(folder, notes)], say=say)
        platforms.start()
        running.callback(platforms.stop)
        address = running.enter_context(database())
        addresses = say.addresses(within=_START_SECONDS)
        founding = Founding(folder, notes, address, addresses)
        running.callback(founding.stop)
        if not founding.was_done:
            founding.run()
        _tell_partner(addresses["api"]["url"], f"http://localhost:{notes.port}/hooks/{notes.made['hook_token']}")
        _write_for_customers(folder, notes, addresses)
        tree = Supervisor([*programs(address, host="127.0.0.1", port=notes.port), _shop(notes)], say=say)
        crowd = Supervisor([_customers(folder)], say=say)

        def go_on() -> None:
            """Once the first page is there: before, customers and upkeep would only keep people waiting for it."""
            _welcome(notes)
            crowd.start()
            if founding.was_done:
                with contextlib.suppress(CommandError):  # stopped while it looked after things
                    founding.run()
                    founding.finish()

        running.callback(tree.stop)
        running.callback(crowd.stop)
        tree.start()
        threading.Thread(target=go_on, daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                signal.pause()
        print("Stopping …", flush=True)


# ------------------------------------------------------------------------------------------ the simulated world


def _platforms(folder: DemoFolder, notes: Notes) -> Program:
    words = ["--port-base", str(notes.platforms), "--seed", str(_SEED), "--log", str(folder.path / "platforms.log")]
    words += ["--memory", str(folder.path / "platforms.memory")]
    words += ["--shop-email", _MAIL]
    return Program("platforms", [sys.executable, "-m", "klankbord_simulator.platforms", *words], dict(os.environ))


def _shop(notes: Notes) -> Program:
    words = ["--port", str(notes.shop), "--desk", f"http://localhost:{notes.port}", "--key", notes.made["widget_key"]]
    return Program("shop", [sys.executable, "-m", "klankbord_simulator.shop", *words], dict(os.environ))


def _customers(folder: DemoFolder) -> Program:
    # Another crowd at every start: the people of the last one have told their stories.
    words = ["--platforms", str(folder.path / "platforms.json"), "--seed", str(int(time.time()) % 100_000)]
    return Program("customers", [sys.executable, "-m", "klankbord_simulator.customers", *words], dict(os.environ))


def _write_for_customers(folder: DemoFolder, notes: Notes, addresses: dict[str, Any]) -> None:
    """Where customers find the shop: on the platforms, and in the chat on its site."""
    known = {kind: {"url": each["url"], "address": each["address"]} for kind, each in addresses.items()}
    desk, site = f"http://localhost:{notes.port}", f"http://localhost:{notes.shop}"
    known["webchat"] = {"url": desk, "key": notes.made["widget_key"], "site": site}
    (folder.path / "platforms.json").write_text(json.dumps(known), encoding="utf-8")


def _tell_partner(url: str, hook_url: str) -> None:
    """The simulated partner system learns where to post."""
    status_of(f"{url}/_control/connect", post={"hook_url": hook_url}, within=10)


class _Teller:
    """Takes every line of every process: into the log, and the platforms' first one, their addresses, to us."""

    def __init__(self, folder: DemoFolder) -> None:
        self._folder = folder
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def __call__(self, name: str, line: str) -> None:
        if name == "platforms" and line.startswith("{"):
            with contextlib.suppress(ValueError):
                self._told.put(json.loads(line))
            return  # it holds passwords
        self._folder.log(name, line)

    def addresses(self, *, within: float) -> dict[str, Any]:
        """kind → facts, once the platforms are up. within: seconds."""
        try:
            return self._told.get(timeout=within)
        except queue.Empty:
            raise CommandError(f"The simulated platforms did not start; see {self._folder.log_file}.") from None


# ------------------------------------------------------------------------------------------ the first page


def _welcome(notes: Notes) -> None:
    """Say where to go, once somebody is at home there."""
    deadline = time.monotonic() + _START_SECONDS
    while (status_of(f"http://127.0.0.1:{notes.port}/", within=10) or 500) >= 500:
        if time.monotonic() > deadline:
            print("The desk does not answer; its log says why.", flush=True)
            return
        time.sleep(0.05)
    lines = (
        "",
        f"  Klankbord     http://localhost:{notes.port}",
        f"  sign in as    {notes.made['account']}",
        f"  password      {notes.password}   (for everybody else in the demo too)",
        f"  the shop      http://localhost:{notes.shop}   (chat there as a customer)",
        "",
        "  Customers write by themselves and react to what you answer. Stop with Ctrl-C.",
        "",
    )
    print("\n".join(lines), flush=True)
