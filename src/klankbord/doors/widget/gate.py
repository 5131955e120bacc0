"""Who may knock at the widget's door: the right site, a known token, no more than enough, nothing too large.

Outsiders learn nothing from a refusal: an unknown key, an unknown token and somebody else's file are the same 404.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from klankbord.flows import visitors
from klankbord.flows.visitors import Rate, Visit, Widget

from .limits import ANYTHING, limiter, network_of

MOST_BODY = 64_000  # bytes of JSON
_STAMP_SALT = "klankbord.widget.stamp"
_SHORTEST_LOOK = 1.0  # seconds between opening the chat and the first act: nobody types faster
_LONGEST_LOOK = 30 * 86_400.0

P = ParamSpec("P")


class Refusal(Exception):
    """word: for the script, which has the sentence in the visitor's language. retry_after: seconds."""

    def __init__(self, status: int, word: str, *, retry_after: int = 0) -> None:
        super().__init__(word)
        self.status, self.word, self.retry_after = status, word, retry_after


NOT_FOUND = (404, "not-found")


def door(method: str) -> Callable[[Callable[P, dict[str, Any] | HttpResponseBase]], Callable[P, HttpResponseBase]]:
    """A view of the API: one method, JSON out, refusals as JSON, and exact CORS for the widget's own sites."""

    def decorate(
        view: Callable[P, dict[str, Any] | HttpResponseBase],
    ) -> Callable[P, HttpResponseBase]:
        @csrf_exempt  # no cookie is ever read here: whoever acts shows a token
        @wraps(view)
        def answer(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            request: HttpRequest = args[0]  # type: ignore[assignment]
            try:
                if request.method == "OPTIONS":
                    return _with_cors(request, _preflight(request, method))
                if request.method != method:
                    raise Refusal(405, "method")
                if getattr(request, "member", None) is not None:
                    raise Refusal(400, "cookies")  # an agent's session has no business here: another wall is open
                wait_if(limiter.wait_for(ANYTHING, network_of(request)))
                answered = view(*args, **kwargs)
                response = JsonResponse(answered) if isinstance(answered, dict) else answered
            except Refusal as refusal:
                response = _refused(refusal)
            return _with_cors(request, response)

        return answer

    return decorate


def with_visit(
    view: Callable[Concatenate[HttpRequest, Visit, P], dict[str, Any] | HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], dict[str, Any] | HttpResponseBase]:
    """The visitor whose token came along, on a site that is allowed."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any] | HttpResponseBase:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        visit = visitors.find_visit(token.strip(), now=now()) if scheme.lower() == "bearer" else None
        if visit is None:
            raise Refusal(*NOT_FOUND)
        check_origin(request, visit.widget)
        return view(request, visit, *args, **kwargs)

    return answer


def check_origin(request: HttpRequest, widget: Widget) -> None:
    """Acts name where they come from; reading from our own frame may not."""
    origin = request.headers.get("Origin")
    if origin is None and request.method == "GET":
        if request.headers.get("Sec-Fetch-Site", "same-origin") in {"same-origin", "none"}:
            return
        raise Refusal(403, "origin")
    if origin not in {*widget.origins, *own_origins(request)}:
        raise Refusal(403, "origin")
    request.widget_origin = origin  # type: ignore[attr-defined]


def own_origins(request: HttpRequest) -> set[str]:
    return {settings.PUBLIC_URL, f"{request.scheme}://{request.get_host()}"}


def slow_down(*rates: tuple[Rate, str]) -> None:
    """Take one from each bucket, the string says whose; refused when one is empty."""
    wait_if(visitors.knock(*rates, now=now()))


def wait_if(seconds: int) -> None:
    if seconds:
        raise Refusal(429, "too-fast", retry_after=seconds)


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The body, an object. Raises Refusal before reading what is too large."""
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        raise Refusal(400, "invalid") from None
    if length > MOST_BODY:
        raise Refusal(413, "too-large")
    try:
        document = json.loads(request.read(MOST_BODY + 1))
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid") from None
    if not isinstance(document, dict):
        raise Refusal(400, "invalid")
    return document


def make_stamp(key: str, *, at: datetime) -> str:
    """Signed proof of when a chat window was opened."""
    return signing.Signer(salt=_STAMP_SALT).sign_object([key, at.timestamp()])


def check_stamp(stamp: object, key: str, *, at: datetime) -> None:
    """A first act without a window, or faster than a person, is a machine's."""
    try:
        known, opened = signing.Signer(salt=_STAMP_SALT).unsign_object(str(stamp))
        age = at.timestamp() - opened
    except (signing.BadSignature, ValueError, TypeError):
        raise Refusal(403, "refused") from None
    if known != key or not -60 < age < _LONGEST_LOOK:
        raise Refusal(403, "refused")
    if age < _SHORTEST_LOOK:
        raise Refusal(429, "too-fast", retry_after=1)


def now() -> datetime:
    return datetime.now(UTC)


def _refused(refusal: Refusal) -> HttpResponse:
    response = JsonResponse({"error": refusal.word}, status=refusal.status)
    if refusal.retry_after:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _preflight(request: HttpRequest, method: str) -> HttpResponse:
    """A site may call us directly when it says which widget it means: `?key=…`."""
    widget = visitors.find_widget(request.GET.get("key", ""))
    origin = request.headers.get("Origin", "")
    if widget is None or origin not in widget.origins:
        raise Refusal(403, "origin")
    request.widget_origin = origin  # type: ignore[attr-defined]
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = method
    response["Access-Control-Allow-Headers"] = "authorization, content-type, idempotency-key, last-event-id"
    response["Access-Control-Max-Age"] = "600"
    return response


def _with_cors(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    origin = getattr(request, "widget_origin", "")
    if origin and origin not in own_origins(request):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = "Retry-After"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Origin", "Authorization"])
    return response
