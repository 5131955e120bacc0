"""Who may come in, before any view: the shape of the request, the token, its rate. Then the wall is opened.

A middleware above all others, because nothing of theirs belongs here: a session's cookie must not open anything, and
their error pages are no answer to a program.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from django.core.exceptions import DisallowedHost
from django.db import DataError, InterfaceError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import translation
from psycopg_pool import PoolTimeout

from klankbord.desk.wall import organisation
from klankbord.flows import repeating, tokens
from klankbord.flows.tokens import Caller, Taken

from .problems import CONTENT_TYPE, Problem, not_found, unauthorised

PREFIX = "/api/"
OPEN = frozenset({"/api/v1/openapi.json", "/api/v1/"})  # the schema, and the page that explains it
MOST_BODY = 512_000  # bytes
LONGEST_KEY = 255
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WORDS = {404: "not-found", 405: "method", 400: "bad-request"}

log = logging.getLogger(__name__)


class ApiDoor:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX) or request.path_info in OPEN:
            return self.get_response(request)
        response = _answer(request)
        if not response.streaming:
            response.headers["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined]
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        return response


def caller_of(request: HttpRequest) -> Caller:
    caller: Caller = request.caller  # type: ignore[attr-defined]
    return caller


def _answer(request: HttpRequest) -> HttpResponseBase:
    taken: Taken | None = None
    with translation.override("nl" if request.headers.get("Accept-Language", "").startswith("nl") else "en"):
        try:
            _check_shape(request)
            now = datetime.now(UTC)
            caller = _caller(request, now)
            taken = tokens.take(caller.token_id, now=now)
            if taken.wait:
                detail = f"This token asked too often. Wait {taken.wait} s."
                raise Problem(429, "too-often", detail, headers={"Retry-After": str(taken.wait)})
            response = _let_in(request, caller, now)
        except Problem as problem:
            response = problem.as_response()
        except (DataError, UnicodeEncodeError):  # what the database cannot hold, such as NUL
            response = Problem(422, "invalid", "Something in the request cannot be stored or looked up.").as_response()
        except (OperationalError, InterfaceError, PoolTimeout):
            response = Problem(503, "away", "Try again in a moment.", headers={"Retry-After": "2"}).as_response()
        except Exception:
            reference = uuid.uuid4().hex
            log.exception("the API failed", extra={"reference": reference})
            detail = f"Something broke on our side, and nothing was changed. Reference: {reference}"
            response = Problem(500, "broken", detail).as_response()
    if taken is not None:
        response.headers["RateLimit-Policy"] = f'"token";q={tokens.BURST};w={60 * tokens.BURST // tokens.PER_MINUTE}'
        response.headers["RateLimit"] = f'"token";r={taken.left};t={taken.full_in}'
    return response


def _check_shape(request: HttpRequest) -> None:
    """Read the body, as far as it may be long, and refuse what is not JSON."""
    try:
        request.get_host()
    except DisallowedHost:
        raise Problem(400, "host", "This desk does not go by that name.") from None
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        raise Problem(400, "bad-request", "The length of the body is not a number.") from None
    if length > MOST_BODY:
        raise Problem(413, "too-large", f"A request has at most {MOST_BODY} bytes.")
    try:
        body = request.read(MOST_BODY + 1)
    except OSError:
        raise Problem(400, "bad-request", "The body did not arrive.") from None
    if len(body) > MOST_BODY:
        raise Problem(413, "too-large", f"A request has at most {MOST_BODY} bytes.")
    request._body = body
    if body and request.content_type != "application/json":
        raise Problem(415, "content-type", "Send application/json.", headers={"Accept": "application/json"})
    if (
        request.method in _WRITING
        and body
        and (request.content_params or {}).get("charset", "utf-8").lower() != "utf-8"
    ):
        raise Problem(415, "content-type", "Send UTF-8.")


def _caller(request: HttpRequest, now: datetime) -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    caller = tokens.find_caller(token.strip(), now=now) if scheme.lower() == "bearer" else None
    if caller is None:
        raise unauthorised()
    return caller


def _let_in(request: HttpRequest, caller: Caller, now: datetime) -> HttpResponseBase:
    request.caller, request.now = caller, now  # type: ignore[attr-defined]
    try:
        view, args, kwargs = resolve(request.path_info)
    except Resolver404:
        raise not_found() from None
    with organisation(caller.organisation_id):
        response = _once(request, caller, now, lambda: view(request, *args, **kwargs))
        if response.status_code >= 400 and connection.in_atomic_block:
            transaction.set_rollback(True)
    return response if response.status_code < 400 else _as_problem(response)


def key_of(request: HttpRequest) -> str:
    """The name that the caller gave this request; "" for none. Raises Problem."""
    key = request.headers.get("Idempotency-Key", "").strip() if request.method in _WRITING else ""
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem(400, "bad-request", f"An Idempotency-Key is one line of at most {LONGEST_KEY} characters.")
    return key


def _once(request: HttpRequest, caller: Caller, now: datetime, do: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """The answer that this request got before under its key; else do it, and keep the answer."""
    key = key_of(request)
    if not key:
        return do()
    asked = repeating.hash_of(str(request.method), request.get_full_path(), request.body)
    try:
        known = repeating.begin(token=caller.token_id, key=key, request_hash=asked, now=now)
    except repeating.OtherRequest:
        raise Problem(422, "idempotency-key", "This Idempotency-Key was used for another request.") from None
    if known is not None:
        headers = {**known.headers, "Idempotency-Replayed": "true"}
        return HttpResponse(known.body, status=known.status, content_type="application/json", headers=headers)
    response = do()
    if response.status_code < 400 and isinstance(response, HttpResponse):
        etag = {"ETag": response.headers["ETag"]} if "ETag" in response.headers else {}
        body = response.content.decode()
        repeating.finish(token=caller.token_id, key=key, status=response.status_code, headers=etag, body=body)
    return response


def _as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """What the framework said in its own way, said in ours."""
    if response.headers.get("Content-Type") == CONTENT_TYPE or not isinstance(response, HttpResponse):
        return response
    allowed = response.headers.get("Allow")
    if allowed:
        allowed = ", ".join(sorted(each.strip() for each in allowed.split(",")))
    word = _WORDS.get(response.status_code, "refused")
    detail = HTTPStatus(response.status_code).description
    return Problem(response.status_code, word, detail, headers={"Allow": allowed} if allowed else None).as_response()
