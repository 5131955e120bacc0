"""`klankbord demo` as somebody who tries Klankbord starts it: one process tree, a shop, customers, and a clean end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from klankbord.doors.cli.demo_folder import DemoFolder, Notes
from klankbord.doors.cli.main import CommandError
from klankbord.doors.cli.pulse import is_port_free, status_of
from klankbord.plumbing.postgres import EmbeddedPostgres

from .conftest import klankbord_argv, surroundings

_PATIENCE = 60.0  # seconds


class Demo:
    """A running demo. welcome: what it printed when the first page was there."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, welcome: str) -> None:
        self.process, self.folder, self.welcome = process, folder, welcome

    def told(self, what: str) -> str:
        found = re.search(rf"{what}\s+(\S+)", self.welcome)
        assert found, self.welcome
        return found[1]

    def asks(self, question: str) -> list[tuple[Any, ...]]:
        with EmbeddedPostgres(self.folder / "postgres") as server, psycopg.connect(str(server.dsn())) as connection:
            return connection.execute(question).fetchall()

    def processes(self) -> list[str]:
        """Command lines of everything on this machine that belongs to this demo."""
        found = []
        for each in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if f"KLANKBORD_DATA_DIR={self.folder}\0".encode() in each.read_bytes():
                    found.append(each.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode())
        return [line for line in found if line]


@contextmanager
def demo(folder: Path, *words: str) -> Iterator[Demo]:
    process = subprocess.Popen(
        klankbord_argv("demo", "--data", str(folder), *words),
        env=surroundings(folder.parent / "production", DATABASE_URL="host=/nowhere"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell that starts us in its background has Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "Stop with Ctrl-C" in line:
                break
        yield Demo(process, folder, "".join(lines))
    finally:
        process.terminate()
        rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0, "".join(lines) + rest


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_demo_starts_fills_itself_keeps_its_data_and_leaves_nothing_running(new_folder: Path) -> None:
    folder = new_folder / "demo"
    with demo(folder) as first:
        password = first.told("password")
        assert "mirjam@wolkenzonen.example" in first.welcome
        assert "password" in page(first.told("Klankbord")).lower()
        assert f'src="{first.told("Klankbord")}/widget/v1/widget.js"' in page(first.told("the shop"))
        wait_until(
            lambda: first.asks("SELECT count(*) FROM conversations_conversation WHERE status = 'resolved'") == [(40,)]
        )
        wait_until(
            lambda: first.asks("SELECT count(*) > 2 FROM conversations_message WHERE NOT is_history") == [(True,)]
        )
        inboxes = first.asks("SELECT kind, state FROM inboxes_inbox ORDER BY kind")
        assert inboxes == [(kind, "connected") for kind in ("api", "email", "mastodon", "telegram", "webchat")]
        assert first.asks("SELECT is_demo, count(*) OVER () FROM organisations_organisation") == [(True, 1)]
        again = subprocess.run(
            klankbord_argv("demo", "--data", str(folder)),
            env=surroundings(folder),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert again.returncode == 1
        assert f"The demo runs already: {first.told('Klankbord')}." in again.stderr
    assert first.processes() == []
    assert not (new_folder / "production").exists()

    with demo(folder) as second:
        assert second.told("password") == password
        assert second.asks("SELECT count(*) >= 40 FROM conversations_conversation") == [(True,)]
        assert second.asks("SELECT count(*) FROM inboxes_inbox") == [(5,)]
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(timeout=60) == 0
    assert second.processes() == []
    assert is_port_free(json.loads((folder / "demo.json").read_text())["platforms"])


def test_a_wanted_port_that_is_taken_is_refused(new_folder: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            klankbord_argv("demo", "--data", str(new_folder / "other-demo"), "--port", str(port)),
            env=surroundings(new_folder),
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.strip() == f"klankbord demo: Port {port} is in use. Leave --port out to take a free one."
    assert status_of(f"http://127.0.0.1:{port}/") is None


# ------------------------------------------------------------------------------------------ the folder


def test_emptying_the_folder_takes_only_what_the_demo_made(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    with DemoFolder(tmp_path) as folder:
        folder.write(Notes(password="wolk-1234", port=8000))
        assert folder.read().password == "wolk-1234"
        folder.empty()
        assert folder.read().password != "wolk-1234"
    assert not (tmp_path / "postgres").exists()
    assert (tmp_path / "holiday.jpg").read_bytes() == b"mine"


def test_notes_of_a_newer_or_broken_demo_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    with DemoFolder(tmp_path) as folder:
        (tmp_path / "demo.json").write_text('{"password": "wolk-1", "later": 1}')
        assert (folder.read().password, folder.read().prepared) == ("wolk-1", "")
        (tmp_path / "demo.json").write_text("{")
        assert folder.read().password.startswith("wolk-")
        with pytest.raises(CommandError, match="The demo runs already"), DemoFolder(tmp_path):
            pass
