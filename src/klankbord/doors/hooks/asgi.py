"""The webhook door, native ASGI: bytes in, a durable row, a short answer. `/hooks/<token>`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from klankbord.flows.doorway import Doorway, Verdict

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/hooks/"
_LARGEST_BODY = 2_000_000
_BODY_SECONDS = 8.0
_KEPT_HEADERS = frozenset({"content-type", "user-agent", "date"})


class TooLarge(Exception):
    pass


async def answer_hook(doorway: Doorway, scope: Scope, receive: Receive, send: Send) -> None:
    """One request to `/hooks/<token>`."""
    token = scope["path"].removeprefix(PREFIX)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=None))
    if scope["method"] == "GET":
        verdict = await doorway.shake_hands(token, headers=headers, query=query)
    elif scope["method"] != "POST":
        verdict = Verdict(405, "Deliveries come by POST.")
    elif headers.get("content-encoding", "identity") != "identity":
        verdict = Verdict(415, "Send the body as it is, not compressed.")
    else:
        verdict = await _take(doorway, token, headers, query, receive)
    await _respond(verdict, send)


async def _take(
    doorway: Doorway, token: str, headers: dict[str, str], query: dict[str, str], receive: Receive
) -> Verdict:
    try:
        announced = int(headers.get("content-length", "0"))
        if announced > _LARGEST_BODY:
            raise TooLarge
        async with asyncio.timeout(_BODY_SECONDS):  # wait_for would make a task of every delivery
            body = await _read(receive)
    except (TooLarge, ValueError):
        return Verdict(413, f"A delivery may be {_LARGEST_BODY} bytes at most.")
    except TimeoutError:
        return Verdict(408, "The delivery took too long to arrive.")
    except ConnectionError:
        return Verdict(400, "The delivery broke off.")
    kept = {name: value for name, value in headers.items() if name.startswith("x-") or name in _KEPT_HEADERS}
    return await doorway.accept(token, body=body, headers=kept, query=query)


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _LARGEST_BODY:
            raise TooLarge
        if not message.get("more_body", False):
            return b"".join(parts)


async def _respond(verdict: Verdict, send: Send) -> None:
    body = verdict.answer.body if verdict.answer else verdict.sentence.encode()
    kind = verdict.answer.content_type if verdict.answer else "text/plain; charset=utf-8"
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"cache-control", b"no-store"),
    ]
    if verdict.status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": verdict.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
