"""A small HTTP/1.1 server on loopback that can misbehave below the level of any framework.

Each connection is one task: read a request whole, ask the mischief what will happen to it, answer. A cut, a trickle or
a silence happens on the socket, as with a real platform.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..faults import Fate, Fault

MAXIMUM_BODY = 60_000_000
SILENCE = 600.0  # seconds a silent platform holds the connection
ERROR_PAGE = b"<!DOCTYPE html><html><head><title>Oops</title></head><body><h1>We are briefly away</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class Request:
    """headers: lower-case names. fields: query and form together, as text; files: uploads by field name."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    files: dict[str, Upload] = field(default_factory=dict)
    _fields: dict[str, Any] | None = None

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)

    @property
    def fields(self) -> dict[str, Any]:
        """Parameters from wherever the caller put them: query, form, multipart or a JSON object; `name[]` gives a
        list under `name`. Raises ValueError for JSON that is none."""
        if self._fields is None:
            kind = self.headers.get("content-type", "").lower()
            pairs = list(self.query)
            found: dict[str, Any] = {}
            if kind.startswith("application/json") and self.body:
                value = json.loads(self.body)
                found = dict(value) if isinstance(value, dict) else {}
            elif kind.startswith("application/x-www-form-urlencoded"):
                pairs += parse_qsl(self.body.decode(), keep_blank_values=True)
            elif kind.startswith("multipart/form-data"):
                pairs += self._read_parts()
            for name, text in pairs:
                if name.endswith("[]"):
                    found.setdefault(name[:-2], []).append(text)
                else:
                    found[name] = text
            self._fields = found
        return self._fields

    def _read_parts(self) -> list[tuple[str, str]]:
        boundary = re.search(r'boundary="?([^";]+)"?', self.headers["content-type"], re.IGNORECASE)
        if not boundary:
            raise ValueError("multipart without a boundary")
        pairs = []
        for part in self.body.split(b"--" + boundary[1].encode())[1:-1]:
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            lines = head.decode(errors="replace")
            name = re.search(r'(?<!file)name="([^"]*)"', lines)
            file_name = re.search(r'filename="([^"]*)"', lines)
            kind = re.search(r"content-type: *(\S+)", lines, re.IGNORECASE)
            content = content.removesuffix(b"\r\n")
            if name and file_name:
                media_type = kind[1] if kind else "application/octet-stream"
                self.files[name[1]] = Upload(unquote(file_name[1]), media_type, content)
            elif name:
                pairs.append((name[1], content.decode(errors="replace")))
        return pairs


@dataclass(slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None  # instead of a body: sent as it comes, until it ends


def answer_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Answer(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def answer_text(text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Answer:
    return Answer(status, text.encode(), {"Content-Type": content_type})


@dataclass(frozen=True, slots=True)
class Site:
    """What a server needs from the fake behind it. refuse: the platform's own way of saying 401, 429 or 503."""

    answer: Callable[[Request], Awaitable[Answer]]
    refuse: Callable[[Request, int, int | None], Answer]
    fate: Callable[[str], Fate]


class WebServer:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.port = 0

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=2**17)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            while request := await read_request(reader, writer):
                if not await self._handle(request, reader, writer):
                    break
        except (OSError, EOFError, ValueError, asyncio.CancelledError):
            pass  # the caller went away, spoke no HTTP, or we are stopping
        finally:
            writer.transport.abort()

    async def _handle(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request. True when the connection may carry another."""
        fate = self._fate_of(request)
        if fate is None:
            return await write_answer(await self._site.answer(request), writer)
        if fate.delay:
            await asyncio.sleep(fate.delay)
        if fate.fault == Fault.CUT:
            return False
        answer = await self._site.answer(request) if fate.done else Answer()
        match fate.fault:
            case Fault.TOO_MANY:
                answer = self._site.refuse(request, 429, fate.retry_after)
            case Fault.BROKEN:
                answer = self._site.refuse(request, 503, None)
            case Fault.REVOKED:
                answer = self._site.refuse(request, 401, None)
            case Fault.HTML:
                answer = Answer(200, ERROR_PAGE, {"Content-Type": "text/html; charset=utf-8"})
            case Fault.EMPTY:
                answer = Answer(200)
            case Fault.SILENT:
                await asyncio.wait_for(reader.read(1), SILENCE)  # until the caller gives up
                return False
            case Fault.CUT_AFTER:
                return False
            case Fault.SLOW:
                return await trickle(answer, writer, bytes_per_second=fate.bytes_per_second)
        return await write_answer(answer, writer)

    def _fate_of(self, request: Request) -> Fate | None:
        """The control door never misbehaves."""
        if request.path.startswith("/_control"):
            return None
        return self._site.fate(f"{request.method} {request.path}")


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request of a connection; None at its end. Raises ValueError for what is not HTTP."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise ValueError("half a request") from end
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ", 2)
    headers = {}
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = await read_chunks(reader)
    else:
        length = int(headers.get("content-length", "0"))
        if length > MAXIMUM_BODY:
            raise ValueError("body too large")
        body = await reader.readexactly(length)
    parts = urlsplit(target)
    query = parse_qsl(parts.query, keep_blank_values=True)
    return Request(method.upper(), unquote(parts.path), query, headers, body)


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
        if len(body) > MAXIMUM_BODY:
            raise ValueError("body too large")
    while (await reader.readline()).strip():
        pass  # trailers
    return bytes(body)


def head_of(answer: Answer) -> bytes:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    headers = {"Server": "fake", **answer.headers}
    if answer.stream is None:
        headers["Content-Length"] = str(len(answer.body))
    else:
        headers |= {"Connection": "close", "Cache-Control": "no-store"}
    lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


async def write_answer(answer: Answer, writer: asyncio.StreamWriter) -> bool:
    writer.write(head_of(answer) + answer.body)
    await writer.drain()
    if answer.stream is None:
        return True
    async for piece in answer.stream:
        writer.write(piece)
        await writer.drain()
    return False


async def trickle(answer: Answer, writer: asyncio.StreamWriter, *, bytes_per_second: float) -> bool:
    for byte in head_of(answer) + answer.body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1 / bytes_per_second)
    return True
