"""The server's stream of events. It has no memory, so all it does here is wake the poll."""

from __future__ import annotations

import threading
from collections.abc import Callable

from klankbord.contract import Account, ChannelError, Wires

from .server import Credentials, base_url

_NEWS = {"notification", "delete", "status.update", "notifications_merged", "conversation"}
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0  # seconds between attempts to open the stream
_SILENCE = 90.0  # seconds; a server sends a heartbeat every 15 or so


def listen(account: Account[Credentials], wires: Wires, wake: Callable[[], None], stop: threading.Event) -> None:
    """Wake the poll when the stream opens (what came before is not repeated) and at every event that may concern us."""
    pause = _FIRST_PAUSE
    while not stop.is_set():
        is_open = False
        try:
            lines = wires.http.stream_lines(
                stream_url(account), headers=_headers(account), stop=stop, idle_timeout=_SILENCE
            )
            for line in lines:
                if not is_open:
                    is_open, pause = True, _FIRST_PAUSE
                    wake()
                elif line.startswith("event:") and line.removeprefix("event:").strip() in _NEWS:
                    wake()
        except ChannelError:
            pass  # health() shows it; until the stream is back the regular poll brings everything, only later
        stop.wait(pause)
        pause = pause if is_open else min(pause * 2, _LONGEST_PAUSE)


def stream_url(account: Account[Credentials]) -> str:
    return streaming_base(account) + "/api/v1/streaming/user"


def streaming_base(account: Account[Credentials]) -> str:
    return str(account.facts.get("streaming_url") or base_url(account.credentials.server))


def _headers(account: Account[Credentials]) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.credentials.access_token}", "Accept": "text/event-stream"}
