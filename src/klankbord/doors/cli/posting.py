"""Posting signed events to our own door, as another system would; with a web process and a worker of our own when none
runs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import psycopg

from klankbord.kernel import signatures
from klankbord.plumbing.supervisor import Supervisor

from .machine import database, desk
from .main import CommandError
from .pulse import free_ports, is_our_door, workers_listening
from .run import bring_up_to_date, programs

if TYPE_CHECKING:
    from klankbord.flows.replaying import BrandInbox

_OWN_PORTS = 8600
_START_SECONDS = 60.0
_PATIENCE = 60.0  # seconds that a door which is away is waited for
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Door:
    """The webhook door of a web process. base_url: without a final slash."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._http = httpx.Client(timeout=30, trust_env=False)

    def post(self, inbox: BrandInbox, events: Sequence[Mapping[str, object]]) -> None:
        """Post until it is taken; posting twice is harmless.   Raises: CommandError when it never is."""
        body = json.dumps(events, ensure_ascii=False).encode()
        deadline, pause = time.monotonic() + _PATIENCE, 0.2
        while True:
            trouble = self._try(inbox, body)
            if not trouble:
                return
            if time.monotonic() > deadline:
                raise CommandError(f"The door at {self._base_url} does not take messages: {trouble}. Run this again.")
            time.sleep(pause)
            pause = min(pause * 2, 5.0)

    def _try(self, inbox: BrandInbox, body: bytes) -> str:
        """What went wrong and may pass; "" when it was taken.   Raises: CommandError for a plain no."""
        stamp = signatures.sign(body, secret=inbox.secret, at=datetime.now(UTC))
        headers = {"content-type": "application/json", signatures.HEADER: stamp}
        try:
            answer = self._http.post(f"{self._base_url}/hooks/{inbox.token}", content=body, headers=headers)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}"
        if answer.is_success:
            return ""
        if answer.status_code in _TRY_AGAIN:
            return f"it answers {answer.status_code}"
        raise CommandError(f"The door refused messages for {inbox.name}: {answer.status_code} {answer.text[:200]}")


@contextlib.contextmanager
def desk_with_door() -> Iterator[Callable[[BrandInbox], Door]]:
    """Django set up on this machine's desk, and a function that finds the door, or opens one, once an inbox is known.

    What was started for the purpose ends with the block.
    """
    with contextlib.ExitStack() as open_now:
        address = open_now.enter_context(database())
        os.environ["DATABASE_URL"] = address
        if not _has_tables(address):
            bring_up_to_date(address)
        open_now.enter_context(desk(role="app"))
        yield lambda inbox: _door_for(inbox, address, open_now)


def _has_tables(address: str) -> bool:
    with psycopg.connect(address) as connection:
        row = connection.execute("SELECT to_regclass('conversations_message') IS NOT NULL").fetchone()
    return bool(row and row[0])


def _door_for(inbox: BrandInbox, address: str, open_now: contextlib.ExitStack) -> Door:
    from django.conf import settings

    wanted = []
    base_url = str(settings.PUBLIC_URL)
    port = free_ports(1, starting_at=_OWN_PORTS)
    worker, web = programs(address, host="127.0.0.1", port=port, KLANKBORD_PUBLIC_URL=base_url)
    if not is_our_door(base_url, inbox.token):
        base_url = f"http://127.0.0.1:{port}"
        wanted.append(web)
    if not workers_listening(address):
        wanted.append(worker)
    if wanted:
        print(f"Starting a {' and a '.join(each.name for each in wanted)} for this run.", file=sys.stderr)
        helpers = Supervisor(wanted, say=lambda name, line: None)
        helpers.start()
        open_now.callback(helpers.stop)
        _wait_for(base_url, inbox)
    return Door(base_url)


def _wait_for(base_url: str, inbox: BrandInbox) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_our_door(base_url, inbox.token):
        if time.monotonic() > deadline:
            raise CommandError("The web process that was started for this run does not answer; try `klankbord web`.")
        time.sleep(0.05)
