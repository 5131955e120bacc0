"""How fast messages come in: at the door, through intake, onto a screen."""

from __future__ import annotations

import asyncio
import json
import time

from . import load
from .figures import Figure, milliseconds, quantile
from .place import Place, place, wait_until

_WARM_UP = 500


def intake(seconds: float) -> list[Figure]:
    """Signed webhooks at full speed for some seconds; counted until the last message stands in its conversation."""
    with place() as desk:
        _inbox, target = desk.inbox()
        _warm_up(desk, target)
        requests = [target.request(each) for each in load.messages(int(1500 * seconds), run="intake", duplicates=20)]
        before = _stored(desk)
        began = time.monotonic()
        posted = asyncio.run(load.post(target.port, requests, connections=64, seconds=seconds))
        wait_until(lambda: _waiting(desk) == 0, "Settling what came in", seconds=120 + seconds)
        took = time.monotonic() - began
        stored = _stored(desk) - before
    conditions = {
        "offered_seconds": round(posted.seconds, 1),
        "until_last_visible_seconds": round(took, 1),
        "accepted": posted.accepted,
        "stored": stored,
        "refused": len(posted.latencies) - posted.accepted,
        "accept_p99_ms": milliseconds(quantile(posted.latencies, 0.99)),
    }
    return [Figure("intake", round(stored / took), "messages/s", conditions, at_least=700)]


def accept(seconds: float) -> list[Figure]:
    """A burst at the door while the worker settles it: how many are durable per second, and how long each waits."""
    with place() as desk:
        _inbox, target = desk.inbox()
        _warm_up(desk, target)
        requests = [target.request(each) for each in load.messages(6000, run="burst")]
        posted = asyncio.run(load.post(target.port, requests, connections=100))
    conditions = {"posts": len(requests), "connections": 100, "refused": len(requests) - posted.accepted}
    return [
        Figure("accept", round(posted.accepted / posted.seconds), "webhooks/s", conditions, at_least=2000),
        Figure("accept p99", milliseconds(quantile(posted.latencies, 0.99)), "ms", conditions, at_most=100),
    ]


def visible(seconds: float) -> list[Figure]:
    """From the first byte of a webhook to the event on an open screen, at a hundred a second."""
    rate, count = 100, 1000
    with place() as desk:
        _inbox, target = desk.inbox()
        _warm_up(desk, target)
        requests = [target.request(each) for each in load.messages(count, each=1, run="seen")]
        seen, posted = asyncio.run(_watch(desk, requests, rate))
        places = _conversations_by_place(desk)
    delays = [
        seen[places[f"seen-{number}"]] - began
        for number, began in posted.began.items()
        if places.get(f"seen-{number}") in seen
    ]
    conditions = {"per_second": rate, "messages": count, "seen": len(delays)}
    return [
        Figure("visible p50", milliseconds(quantile(delays, 0.5)), "ms", conditions, at_most=150),
        Figure("visible p95", milliseconds(quantile(delays, 0.95)), "ms", conditions, at_most=400),
    ]


async def _watch(desk: Place, requests: list[bytes], rate: float) -> tuple[dict[str, float], load.Posted]:
    """Post, and note when the open stream names each conversation for the first time."""
    seen: dict[str, float] = {}
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    cookie = await asyncio.to_thread(desk.cookie)
    writer.write(f"GET /live HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"/live answered {head[9:12].decode()}")

    async def follow() -> None:
        while line := await reader.readline():
            if line.startswith(b"data:"):
                now = time.monotonic()
                for change in json.loads(line[5:]):
                    seen.setdefault(change["conversation"], now)

    following = asyncio.create_task(follow())
    posted = await load.post(desk.port, requests, connections=16, per_second=rate)
    deadline = time.monotonic() + 10
    while len(seen) < len(requests) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    following.cancel()
    writer.close()
    return seen, posted


def _conversations_by_place(desk: Place) -> dict[str, str]:
    found = desk.value("SELECT json_object_agg(place_key, conversation_id) FROM conversations_thread")
    return dict(found)


def _warm_up(desk: Place, target: load.Target) -> None:
    """Prepared plans, opened connections, loaded code: what a desk has after its first minute."""
    requests = [target.request(each) for each in load.messages(_WARM_UP, run="warm")]
    asyncio.run(load.post(target.port, requests, connections=8))
    wait_until(lambda: _waiting(desk) == 0, "Settling the first messages")


def _waiting(desk: Place) -> int:
    return int(desk.value("SELECT count(*) FROM (SELECT 1 FROM inboxes_delivery WHERE is_waiting LIMIT 1) AS one"))


def _stored(desk: Place) -> int:
    return int(desk.value("SELECT count(*) FROM conversations_message"))
