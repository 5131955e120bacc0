"""Fakes on free ports, people to speak, and bounded waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from klankbord_simulator.platforms import Platforms


@pytest.fixture
def platforms() -> Iterator[Platforms]:
    with Platforms(seed=7, first_pause=0.02) as running:
        yield running


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    def wait(look: Callable[[], Any]) -> Any:
        """What `look` gives as soon as that is true; fails after five seconds."""
        end = time.monotonic() + 5
        while not (seen := look()):
            assert time.monotonic() < end, "this did not happen in time"
            threading.Event().wait(0.01)
        return seen

    return wait


class Desk:
    """A door of the shop that takes webhooks. statuses: what it answers to the next ones; then always 200."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.answer = b""
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = desk.statuses.pop(0) if desk.statuses else 200
                desk.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(desk.answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    door = Desk()
    yield door
    door.close()


@pytest.fixture
def toots(platforms: Platforms) -> Iterator[httpx.Client]:
    """The shop's access to Mastodon."""
    headers = {"Authorization": f"Bearer {platforms.mastodon.token}"}
    with httpx.Client(base_url=platforms.mastodon.url, headers=headers, trust_env=False, timeout=5) as client:
        yield client


@pytest.fixture
def bot(platforms: Platforms) -> Iterator[httpx.Client]:
    """The shop's access to Telegram."""
    url = f"{platforms.telegram.url}/bot{platforms.telegram.token}"
    with httpx.Client(base_url=url, trust_env=False, timeout=5) as client:
        yield client
