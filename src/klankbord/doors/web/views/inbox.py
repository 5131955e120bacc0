"""The list of conversations, alone or with one of them open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from klankbord.desk import access
from klankbord.desk.conversations import listing as lists
from klankbord.desk.conversations import queries
from klankbord.desk.conversations.listing import Keyset, Listed, View
from klankbord.desk.errors import NotFound

from ..desk import member_of
from ..errors import is_fragment
from ..frame import Frame, frame
from . import parts

_MOST_KNOWN = 400  # rows on one screen that a pulse asks about


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return redirect("list", slug="mine")


@require_GET
def more(request: HttpRequest) -> HttpResponse:
    """All views and pages, for a phone."""
    return render(request, "web/more.html", {"frame": frame(request)})


@require_GET
def listing(request: HttpRequest, slug: str) -> HttpResponse:
    view, now = parts.view_of(slug), timezone.now()
    after = _keyset(request.GET.get("after", ""))
    if after is not None and is_fragment(request):
        visible = access.visible_inboxes(member_of(request))
        return render(request, "web/inbox/_rows.html", _rows(request, view, visible, now, after))
    around = frame(request)
    context = {**_list(request, view, around, now), "frame": around, "conversation": None}
    return render(request, "web/inbox/_listing.html" if _wants(request, "listing") else "web/inbox/page.html", context)


@require_GET
def opened(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A conversation beside its list; only the conversation when a row of the list was followed."""
    view, now = parts.view_of(slug), timezone.now()
    conversation = access.conversation_for(member_of(request), number)
    context = {**parts.pane(request, conversation, now=now), "view": view, "filter_query": _query(request)}
    if _wants(request, "conversation"):
        return render(request, "web/conversation/_pane.html", context)
    around = frame(request)
    return render(request, "web/inbox/page.html", {**_list(request, view, around, now), "frame": around, **context})


@require_GET
def pulse(request: HttpRequest, slug: str) -> HttpResponse:
    """What changed in the list on screen: counts, the rows that are shown, and how many others came in."""
    view, now, by = parts.view_of(slug), timezone.now(), member_of(request)
    known = [int(each) for each in request.GET.get("known", "").split(",") if each.isdecimal()][:_MOST_KNOWN]
    around = frame(request)
    found = lists.by_numbers(known, inboxes=around.visible)
    since = parse_datetime(request.GET.get("since", "")) or now
    came = lists.newest_arrivals(view, by=by, inboxes=around.visible, filters=parts.filters_of(request), since=since)
    return render(
        request,
        "web/inbox/_pulse.html",
        {
            "frame": around,
            "view": view,
            "rows": list(found.values()),
            "gone": {each.number for each in found.values() if not view.holds(each, by)},
            "arrived": len(set(came) - set(known)),
            "filter_query": _query(request),
            "now": now,
        },
    )


@require_GET
def filter_labels(request: HttpRequest, slug: str) -> HttpResponse:
    """The labels to filter a list by."""
    view = parts.view_of(slug)
    member_of(request)
    context = {"view": view, "labels": queries.all_labels(), "chosen": parts.filters_of(request).label}
    return render(request, "web/inbox/_filter_labels.html", context)


def _list(request: HttpRequest, view: View, around: Frame, now: datetime) -> dict[str, Any]:
    link = around.link_of(view)
    if link is None:
        raise NotFound
    words = request.GET.get("q", "").strip()[:200]
    filters = parts.filters_of(request)
    return {
        **(_hits(request, words, now) if words else _rows(request, view, around.visible, now)),
        "link": link,
        "words": words,
        "filters": filters,
        "filter_label": queries.label(filters.label) if filters.label else None,
    }


def _rows(
    request: HttpRequest, view: View, inboxes: frozenset[Any], now: datetime, after: Keyset | None = None
) -> dict[str, Any]:
    found, rest = lists.page(
        view, by=member_of(request), inboxes=inboxes, filters=parts.filters_of(request), after=after
    )
    return {**_shown(request, found, now), "view": view, "rest": _written(rest) if rest else ""}


def _hits(request: HttpRequest, words: str, now: datetime) -> dict[str, Any]:
    found = queries.search(words, by=member_of(request))
    return {**_shown(request, found, now), "view": parts.view_of(request.path_info.split("/")[2]), "rest": ""}


def _shown(request: HttpRequest, found: Sequence[Listed], now: datetime) -> dict[str, Any]:
    return {
        "rows": found,
        "gone": frozenset(),
        "filter_query": _query(request),
        "now": now,
    }


def _query(request: HttpRequest) -> str:
    """The list's filters as they stand in addresses, "" or beginning with "?"."""
    kept = {name: request.GET[name] for name in ("inbox", "visibility", "label", "q") if request.GET.get(name)}
    return f"?{urlencode(kept)}" if kept else ""


def _wants(request: HttpRequest, target: str) -> bool:
    return is_fragment(request) and request.headers.get("HX-Target") == target


def _written(keyset: Keyset) -> str:
    return f"{int(keyset[0])}_{keyset[1].isoformat()}_{keyset[2].hex}"


def _keyset(text: str) -> Keyset | None:
    try:
        is_idle, moment, last = text.split("_")
        at = parse_datetime(moment)
        found = parts.uuid_of(last)
    except ValueError:
        return None
    return (is_idle == "1", at, found) if at and found else None
