"""`/healthz`: this process lives. `/readyz`: it can reach its database. `/metrics`: gauges for Prometheus.

The gauges are sums over all organisations; they are given to this machine, or to who shows the metrics token.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import psycopg
from django.conf import settings
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from psycopg_pool import PoolTimeout

from klankbord.plumbing.live import Hub

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PATIENCE_SECONDS = 4.0
PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
_HELP = {
    "deliveries_waiting": "Accepted deliveries that are not settled yet",
    "deliveries_oldest_seconds": "Age of the oldest of them",
    "outbox": "Replies on their way, by state",
    "outbox_overdue_seconds": "How long the oldest due reply waits",
    "dead_letters": "Items that failed and wait for a person",
    "inboxes": "Connected accounts, by state",
    "timers_overdue_seconds": "How long the oldest due timer waits",
}


async def answer_health(hub: Hub, scope: Scope, send: Send) -> None:
    path = scope["path"]
    if path == "/healthz":
        await _respond(send, 200, b"alive\n")
    elif path == "/metrics" and not _may_ask(scope):
        await _respond(send, 404, b"")
    else:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):  # the hub itself waits for ever for a database that is away
                gauges = await _gauges(hub)
        except (psycopg.Error, PoolTimeout, TimeoutError):
            await _respond(send, 503, b"The database does not answer.\n")
        else:
            await _respond(send, 200, b"ready\n" if path == "/readyz" else _text(gauges))


def _may_ask(scope: Scope) -> bool:
    """From this machine and not through a proxy, or with the token."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    token = settings.ENVIRONMENT.metrics_token
    if token:
        return hmac.compare_digest(headers.get("authorization", "").encode(), f"Bearer {token}".encode())
    client = (scope.get("client") or ("",))[0]
    return client in ("127.0.0.1", "::1") and "x-forwarded-for" not in headers and "forwarded" not in headers


async def _gauges(hub: Hub) -> list[tuple[str, str, float]]:
    async with hub.connection() as connection:
        cursor = await connection.execute("SELECT name, label, value FROM klankbord_gauges()")
        return await cursor.fetchall()


def _text(gauges: list[tuple[str, str, float]]) -> bytes:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    made: dict[str, Gauge] = {}
    for name, label, value in gauges:
        labels = ["state"] if name in ("outbox", "inboxes") else []
        if name not in made:
            made[name] = Gauge(f"klankbord_{name}", _HELP[name], labels, registry=registry)
        (made[name].labels(label) if labels else made[name]).set(value)
    return generate_latest(registry)


async def _respond(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
