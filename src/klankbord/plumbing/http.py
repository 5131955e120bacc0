"""Guarded requests to the outside: public addresses only, limits on time and size, no surprises on the way.

This floor knows no word of the floors above it, so whoever builds a `GuardedHttp` hands in the words in which it
shall speak: what an answer looks like and what is raised. With the words of the contract it *is* a `contract.Http`:

    http: contract.Http = GuardedHttp(
        answer=contract.Response, unavailable=contract.Unavailable, uncertain=contract.Uncertain
    )

One instance serves the whole process: it is safe to share between threads and keeps connections for a few seconds.
Nothing is logged, no cookie is kept, and no proxy is taken from the environment.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import httpcore
import httpx

from klankbord.plumbing.egress import (
    AddressRefusedError,
    Deadline,
    Egress,
    EgressError,
    Resolver,
    certificates,
    plain_host,
    resolve,
)
from klankbord.plumbing.wirecalls import Backend, Call, EndedError, StreamCall

PORTS = frozenset({80, 443, 8080, 8443})
MOST_REDIRECTS = 5
LONGEST_LINE = 1_000_000  # bytes of one line of a stream

# The library writes addresses and headers, which hold tokens, to its own log when debugging is on.
logging.getLogger("httpcore").setLevel(logging.WARNING)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAME_REQUEST_AGAIN = frozenset({307, 308})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HARMLESS_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
_KEPT_SECONDS = 5.0  # short, so that hardly ever a request goes into a connection that the far side just closed

Answer = TypeVar("Answer")
Pairs = Mapping[str, str] | Sequence[tuple[str, str]]


class GuardedHttp(Generic[Answer]):
    """answer: called with status, headers (lower-case names), body and final address.

    unavailable, uncertain: called with a sentence and `code=`; what they give is raised. Unavailable: nothing was
    taken for sure, because no connection was made, or because the method is a reading one (GET, HEAD, OPTIONS).
    Uncertain: a request was at least begun and its answer did not come, or was too large or unreadable.
    allow_loopback: reach this machine too, on any port; a setting for development, and for tests.
    """

    def __init__(
        self,
        *,
        answer: Callable[[int, Mapping[str, str], bytes, str], Answer],
        unavailable: Callable[..., Exception],
        uncertain: Callable[..., Exception],
        allow_loopback: bool = False,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._answer, self._unavailable, self._uncertain = answer, unavailable, uncertain
        self._egress = Egress(ports=PORTS, allow_loopback=allow_loopback, resolver=resolver)
        self._tls = tls or certificates()
        self._current = threading.local()  # a connection works for one call, in one thread, at a time
        self._pool = self._new_pool(lambda: self._current.call, connections=100)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Pairs | None = None,
        json: Any = None,
        data: Pairs | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        content: bytes | None = None,
        timeout: float = 15.0,
        max_bytes: int = 5_000_000,
    ) -> Answer:
        """Ask, follow safe redirects, and give the whole answer, whatever its status.

        timeout: seconds for everything together. max_bytes: of the body, unpacked.
        A redirect is followed for reading methods, never from https to http, and to another origin without the
        headers that were given. A request that changes something is repeated only at its own origin, and only when
        the answer says so (307, 308); else the redirect itself is the answer.
        """
        deadline = Deadline(timeout)
        request = self._built(method, url, headers, params, json, data, files, content)
        for _ in range(MOST_REDIRECTS + 1):
            status, answered, body = self._asked(request, deadline, max_bytes)
            following = self._redirected(request, status, answered)
            if following is None:
                return self._answer(status, answered, body, str(request.url))
            request = following
        raise self._unavailable("The address leads on and on.", code="redirects")

    def stream_lines(
        self, url: str, *, headers: Mapping[str, str] | None = None, stop: threading.Event, idle_timeout: float = 60.0
    ) -> Iterator[str]:
        """The lines of a long-lived answer, without their ends, until `stop` is set or the far side ends it.

        Raises what `unavailable` makes when it cannot be opened (code: the status), is cut, or when nothing came for
        idle_timeout seconds. `stop` is noticed within half a second.
        """
        request = self._built("GET", url, {"accept": "text/event-stream", **(headers or {})}, encoding="identity")
        call = StreamCall(Deadline(15.0), idle_timeout, stop)
        with self._new_pool(lambda: call, connections=1) as pool, self._errors_of(request, call):
            try:
                yield from _lines(self._opened(pool, request, call))
            except EndedError:
                return

    def close(self) -> None:
        """Close the connections that are kept."""
        self._pool.close()

    def _new_pool(self, call: Callable[[], Call], *, connections: int) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(
            ssl_context=self._tls,
            max_connections=connections,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=Backend(self._egress, call),
        )

    def _built(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        params: Pairs | None = None,
        json: Any = None,
        data: Pairs | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        content: bytes | None = None,
        encoding: str = "gzip",
    ) -> httpx.Request:
        named = {"user-agent": "Klankbord", "accept": "*/*", "accept-encoding": encoding}
        named |= {name.lower(): value for name, value in (headers or {}).items()}
        if isinstance(data, Sequence) and files is None:
            content, data = urlencode(data).encode(), None
            named.setdefault("content-type", "application/x-www-form-urlencoded")
        target = self._checked(url)
        request = httpx.Request(
            method.upper(),
            target.copy_merge_params(_pairs(params)) if params else target,
            headers=named,
            json=json,
            data=_grouped(data) if data else None,
            files=files,
            content=content,
        )
        request.read()
        return request

    def _checked(self, url: str | httpx.URL) -> httpx.URL:
        """The address in its plain form. Raises what `unavailable` makes of one that we do not go to."""
        try:
            found = httpx.URL(url)
            is_port = found.port is None or 0 < found.port < 65536
            if found.scheme not in {"http", "https"} or found.userinfo or not is_port:
                raise AddressRefusedError("This is not an address of a web server.")
            return found.copy_with(host=plain_host(found.raw_host.decode("ascii")))
        except EgressError as refusal:
            raise self._unavailable(refusal.sentence, code=refusal.code) from None
        except (httpx.InvalidURL, ValueError, TypeError):
            raise self._unavailable("This is not an address of a web server.", code="address-refused") from None

    def _asked(
        self, request: httpx.Request, deadline: Deadline, max_bytes: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        call = self._current.call = Call(deadline)
        with self._errors_of(request, call):
            response = self._pool.handle_request(_raw(request, deadline.left()))
            with contextlib.closing(response):
                return response.status, _named(response), _body(response, max_bytes)

    def _opened(self, pool: httpcore.ConnectionPool, request: httpx.Request, call: StreamCall) -> Iterable[bytes]:
        for _ in range(MOST_REDIRECTS + 1):
            response = pool.handle_request(_raw(request, call.deadline.left()))
            if response.status == 200:
                call.is_open = True
                return response.iter_stream()
            following = self._redirected(request, response.status, _named(response))
            response.close()
            if following is None:
                break
            request = following
        raise self._unavailable(f"The stream answered {response.status}.", code=str(response.status))

    @contextlib.contextmanager
    def _errors_of(self, request: httpx.Request, call: Call) -> Iterator[None]:
        """Anything that went wrong, in the words that we were given. No address and no header is in any of them."""
        try:
            yield
        except EgressError as refusal:
            raise self._unavailable(refusal.sentence, code=refusal.code) from None
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol):
            raise self._unavailable("This is not a request that can be sent.", code="bad-request") from None
        except (_AnswerError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as e:
            what = str(e) if isinstance(e, _AnswerError) else "The server did not answer in full and in time."
            code = "too-large" if isinstance(e, _TooLargeError) else "no-answer"
            if call.has_begun and request.method not in _SAFE_METHODS:
                raise self._uncertain(what, code=code) from None
            raise self._unavailable(what, code=code) from None

    def _redirected(self, request: httpx.Request, status: int, answered: Mapping[str, str]) -> httpx.Request | None:
        """The request to make next, None when this answer is the last."""
        location = answered.get("location", "")
        if status not in _REDIRECTS or not location:
            return None
        is_safe = request.method in _SAFE_METHODS
        try:
            target = self._checked(request.url.join(location))
        except (httpx.InvalidURL, ValueError):
            raise self._unavailable("The address leads to no address.", code="address-refused") from None
        is_same_origin = _origin(target) == _origin(request.url)
        if not is_safe and not (is_same_origin and status in _SAME_REQUEST_AGAIN):
            return None
        if request.url.scheme == "https" and target.scheme == "http":
            raise self._unavailable("The address leads to one that is not encrypted.", code="address-refused")
        named = {
            name: value
            for name, value in request.headers.items()
            if name not in {"host", "content-length"} and (is_same_origin or name in _HARMLESS_HEADERS)
        }
        following = httpx.Request(request.method, target, headers=named, content=request.content or None)
        following.read()
        return following


class _AnswerError(Exception):
    """The answer came but cannot be used; the message is a sentence."""


class _TooLargeError(_AnswerError):
    """Asking again gives the same."""


def _raw(request: httpx.Request, patience: float) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.content,
        extensions={"timeout": {"pool": patience}},
    )


def _named(response: httpcore.Response) -> dict[str, str]:
    named: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        named[name] = f"{named[name]}, {value}" if name in named else value
    return named


def _body(response: httpcore.Response, max_bytes: int) -> bytes:
    """The whole body, unpacked while it arrives, so that a small answer cannot become a large one in memory."""
    encoding = _named(response).get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "x-gzip"}:
        raise _AnswerError("The answer is packed in a way that was not asked for.")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in encoding else None
    body, is_empty = bytearray(), True
    for chunk in response.iter_stream():
        is_empty = False
        try:
            body += unpacker.decompress(chunk, max_bytes - len(body) + 1) if unpacker else chunk
        except zlib.error:
            raise _AnswerError("The answer cannot be unpacked.") from None
        if len(body) > max_bytes:
            raise _TooLargeError("The answer is larger than is taken.")
    if unpacker and not is_empty and not unpacker.eof:
        raise _AnswerError("The answer was cut off.")
    return bytes(body)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
        if len(rest) > LONGEST_LINE:
            raise _AnswerError("A line of the stream is longer than is taken.")
    if rest:
        yield rest.decode("utf-8", "replace")


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _pairs(pairs: Pairs) -> list[tuple[str, Any]]:
    return list(pairs.items() if isinstance(pairs, Mapping) else pairs)


def _grouped(data: Pairs) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in _pairs(data):
        grouped.setdefault(name, []).append(value)
    return grouped
