"""Searching the whole history: a page of its own, its results while one types, and hints for filters."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from klankbord.desk.conversations import asking
from klankbord.desk.conversations import search as finding
from klankbord.desk.conversations.search import Position, Results

from .. import hints
from ..desk import member_of
from ..errors import is_fragment
from ..frame import frame
from . import parts


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """The page; only its results while somebody types, and only further ones at the foot of a list."""
    words, after = _words(request), _position(request.GET.get("after", ""))
    context = _found(request, words, after)
    if is_fragment(request) and after is not None:
        return render(request, "web/search/_rows.html", context)
    if is_fragment(request) and request.headers.get("HX-Target") == "results":
        return render(request, "web/search/_results.html", context)
    return render(request, "web/search/page.html", {**context, "frame": frame(request), "page": "search"})


@require_GET
def search_hints(request: HttpRequest) -> HttpResponse:
    """How the last filter in the box may go on."""
    context = {"hints": hints.of(_words(request, strip=False), by=member_of(request)), "listbox": "search-hints"}
    return render(request, "web/search/_hints.html", context)


def _found(request: HttpRequest, words: str, after: Position | None) -> dict[str, Any]:
    by, now = member_of(request), timezone.now()
    question = asking.read(words, zone=timezone.get_current_timezone(), today=timezone.localdate(now))
    results: Results = finding.find(question, by=by, after=after)
    return {
        "words": words,
        "results": results,
        "rest": _written(results.rest) if results.rest else "",
        "has_question": not question.is_empty or question.number is not None or bool(question.unread),
        "examples": hints.examples(),
        "now": now,
    }


def _words(request: HttpRequest, *, strip: bool = True) -> str:
    words = request.GET.get("q", "").replace("\x00", "")[: asking.LONGEST]
    return words.strip() if strip else words


def _written(position: Position) -> str:
    return f"{position[0].isoformat()}_{position[1].hex}"


def _position(text: str) -> Position | None:
    moment, _mark, document = text.partition("_")
    try:
        at, key = parse_datetime(moment), parts.uuid_of(document)
    except ValueError:
        return None
    return (at, key) if at is not None and at.tzinfo is not None and key is not None else None
