"""The list of conversations, alone or with one of them open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from klankbord.desk import access
from klankbord.desk.conversations import choices
from klankbord.desk.conversations import listing as lists
from klankbord.desk.conversations.filters import Keyset
from klankbord.desk.conversations.listing import Listed, View
from klankbord.desk.errors import NotFound

from .. import narrowing
from ..desk import member_of
from ..errors import is_fragment
from ..frame import Frame, frame
from . import parts, rearranging

_MOST_KNOWN = 400  # rows on one screen that a pulse asks about


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    by = member_of(request)
    if by.organisation.set_up_step and access.may(by, "manage organisation"):
        return redirect("set_up")
    return redirect("list", slug="mine")


@require_GET
def more(request: HttpRequest) -> HttpResponse:
    """All views and pages, for a phone."""
    return render(request, "web/more.html", {"frame": frame(request)})


@require_GET
def listing(request: HttpRequest, slug: str) -> HttpResponse:
    view, filters, now = parts.view_of(slug), parts.filters_of(request), timezone.now()
    if "" in request.GET.values():  # the filter's form names what is not asked as well
        return redirect(narrowing.list_url(view, filters))
    after = lists.order(view, filters).read(request.GET.get("after", ""))
    if after is not None and is_fragment(request):
        visible = access.visible_inboxes(member_of(request))
        return render(request, "web/inbox/_rows.html", _rows(request, view, visible, now, after))
    around = frame(request)
    context = {**_list(request, view, around, now, after), "frame": around, "conversation": None}
    return render(request, "web/inbox/_listing.html" if _wants(request, "listing") else "web/inbox/page.html", context)


@require_GET
def opened(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A conversation beside its list; only the conversation when a row of the list was followed."""
    view, now = parts.view_of(slug), timezone.now()
    conversation = access.conversation_for(member_of(request), number)
    if conversation.merged_into_id:
        return rearranging.led_on(request, conversation, slug=view.slug)
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
    filters = parts.filters_of(request)
    came = lists.newest_arrivals(view, by=by, inboxes=around.visible, filters=filters, since=since, now=now)
    return render(
        request,
        "web/inbox/_pulse.html",
        {
            "frame": around,
            "view": view,
            "rows": list(found.values()),
            "gone": {each.number for each in found.values() if not view.holds(each, by, filters)},
            "filters": filters,
            "saved": around.saved_as(view, filters),
            "arrived": len(set(came) - set(known)),
            "filter_query": _query(request),
            "now": now,
        },
    )


@require_GET
def narrow(request: HttpRequest, slug: str) -> HttpResponse:
    """What a list can be narrowed by; as a page for whoever has no script."""
    view, filters = parts.view_of(slug), parts.filters_of(request)
    around = frame(request)
    fields = narrowing.fields(view, filters, choices.choices(), around.inboxes)
    context = {"frame": around, "view": view, "filters": filters, "fields": fields}
    return render(request, "web/inbox/_narrow.html" if is_fragment(request) else "web/inbox/narrow.html", context)


def _list(
    request: HttpRequest, view: View, around: Frame, now: datetime, after: Keyset | None = None
) -> dict[str, Any]:
    link = around.link_of(view)
    if link is None:
        raise NotFound
    filters = parts.filters_of(request)
    return {
        **_rows(request, view, around.visible, now, after),
        "link": link,
        "filters": filters,
        "saved": around.saved_as(view, filters),
        "chips": narrowing.chips(view, filters, choices.names_of(filters), around.inboxes),
    }


def _rows(
    request: HttpRequest, view: View, inboxes: frozenset[Any], now: datetime, after: Keyset | None = None
) -> dict[str, Any]:
    filters = parts.filters_of(request)
    found, rest = lists.page(view, by=member_of(request), inboxes=inboxes, filters=filters, now=now, after=after)
    written = lists.order(view, filters).write(rest) if rest else ""
    return {**_shown(request, found, now), "view": view, "rest": written}


def _shown(request: HttpRequest, found: Sequence[Listed], now: datetime) -> dict[str, Any]:
    return {
        "rows": found,
        "gone": frozenset(),
        "filter_query": _query(request),
        "now": now,
    }


def _query(request: HttpRequest) -> str:
    """The list's filters as they stand in addresses, "" or beginning with "?"."""
    query = parts.filters_of(request).query
    return f"?{query}" if query else ""


def _wants(request: HttpRequest, target: str) -> bool:
    return is_fragment(request) and request.headers.get("HX-Target") == target
