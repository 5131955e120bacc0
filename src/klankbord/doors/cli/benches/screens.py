"""What an agent waits for: the list, a conversation, and a reply on its way."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx

from . import load
from .figures import Figure, milliseconds, quantile
from .place import Place, place
from .seed import seed
from .statements import counted_statements

_CONVERSATIONS = 20_000
_TIMES = 40
_REPLIES = 40
# Of every request: its transaction, the wall, the session, the person. Not the screen's own.
NOT_COUNTED = re.compile(
    r"SAVEPOINT|SET LOCAL|organisations_desksession|FROM organisations_membership m|^BEGIN|^COMMIT"
)


def screens(seconds: float) -> list[Figure]:
    """The list of fifty and a conversation of twenty messages, through the real server, on a desk with a past."""
    with place() as desk:
        _seeded(desk)
        cookie = desk.cookie()
        listed = _page(desk, "/inbox/all", cookie)
        opened = _page(desk, "/inbox/all/3", cookie, {"HX-Request": "true", "HX-Target": "conversation"})
    return [
        *_figures("list", listed, at_most=15, statements=6),
        *_figures("open", opened, at_most=20, statements=8),
    ]


def reply(seconds: float) -> list[Figure]:
    """From the click on "send" to its answer, and to the other system's door."""
    with place() as desk:
        took, handed_over = asyncio.run(_reply(desk))
    conditions = {"replies": _REPLIES, "conversations": _CONVERSATIONS, "undo_seconds": 0}
    return [
        Figure("reply http p50", milliseconds(statistics.median(took)), "ms", conditions, at_most=25),
        Figure("reply handed over p50", milliseconds(statistics.median(handed_over)), "ms", conditions, at_most=60),
    ]


def _seeded(desk: Place, **credentials: Any) -> None:
    inbox, _target = desk.inbox(**credentials)
    assert desk.organisation is not None
    seed(desk.address, organisation=desk.organisation, inbox=inbox, count=_CONVERSATIONS, each=20)


def _page(
    desk: Place, path: str, cookie: str, headers: Mapping[str, str] | None = None
) -> tuple[list[float], int, list[str]]:
    """The seconds of each answer, its size, and the screen's own statements."""
    from django.conf import settings
    from django.test import Client

    named = {"cookie": cookie, **(headers or {})}
    asyncio.run(load.ask(desk.port, path, headers=named, times=10))
    took, size = asyncio.run(load.ask(desk.port, path, headers=named, times=_TIMES))
    client = Client(headers={**named, "host": "localhost"})
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie.partition("=")[2]
    with counted_statements() as sent:
        answer = client.get(path, headers=dict(headers or {}))
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return took, size, [each for each in sent if not NOT_COUNTED.search(each)]


def _figures(name: str, page: tuple[list[float], int, list[str]], *, at_most: float, statements: float) -> list[Figure]:
    took, size, sent = page
    conditions = {
        "conversations": _CONVERSATIONS,
        "bytes": size,
        "times": len(took),
        "p95_ms": milliseconds(quantile(took, 0.95)),
    }
    return [
        Figure(f"{name} p50", milliseconds(statistics.median(took)), "ms", conditions, at_most=at_most),
        Figure(f"{name} statements", len(sent), "statements", {}, at_most=statements),
    ]


async def _reply(desk: Place) -> tuple[list[float], list[float]]:
    """Seconds of each answer to the agent, and seconds until the other system had the reply."""
    arrived: dict[str, float] = {}

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            length = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]
            body = await reader.readexactly(length)
            for words in re.findall(rb"Antwoord (\w+)", body):
                arrived[words.decode()] = time.monotonic()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.to_thread(_seeded, desk, reply_url=f"http://127.0.0.1:{port}/replies")
    took, handed_over = [], []
    cookie = await asyncio.to_thread(desk.cookie)
    threads = await asyncio.to_thread(_threads, desk)
    async with httpx.AsyncClient(
        base_url=f"http://localhost:{desk.port}", cookies=dict([cookie.split("=", 1)])
    ) as agent:
        for number in range(1, _REPLIES + 6):
            page = await agent.get(f"/inbox/all/{number}", headers={"HX-Request": "true", "HX-Target": "conversation"})
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]  # type: ignore[index]
            word = f"nummer{number}"
            form = {
                "csrfmiddlewaretoken": token, "client_key": uuid4().hex, "mode": f"{threads[number]}:",
                "text": f"Antwoord {word}", "confirmed": "1",
            }  # fmt: skip
            began = time.monotonic()
            answer = await agent.post(
                f"/conversations/{number}/reply",
                data=form,
                headers={"HX-Request": "true", "origin": str(agent.base_url)},
            )
            answered = time.monotonic()
            answer.raise_for_status()
            while word not in arrived:
                await asyncio.sleep(0.002)
                if time.monotonic() - began > 10:
                    raise RuntimeError("the reply was not handed over within ten seconds")
            if number > 5:  # the first ones warm up
                took.append(answered - began)
                handed_over.append(arrived[word] - began)
    server.close()
    return took, handed_over


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The next request's head; empty when the desk has hung up or the measurement is over."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.CancelledError):
        return b""


def _threads(desk: Place) -> dict[int, UUID]:
    found = desk.value(
        "SELECT json_object_agg(c.number, t.id) FROM conversations_conversation c"
        " JOIN conversations_thread t ON t.conversation_id = c.id WHERE c.number <= 100"
    )
    return {int(number): UUID(thread) for number, thread in found.items()}
