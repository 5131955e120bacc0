"""Lists under a name: made from the filters on screen, renamed, removed, counted; and how closely rows stand."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from klankbord.desk import access
from klankbord.desk.conversations import listing, shelf
from klankbord.desk.conversations.filters import Filters
from klankbord.desk.conversations.listing import View
from klankbord.desk.errors import NotFound
from klankbord.desk.organisations import queries as organisations
from klankbord.flows import views

from .. import narrowing
from ..desk import member_of
from . import parts


@require_POST
def save(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the list on screen, as its address says it, under a name."""
    view, filters = parts.view_of(slug), parts.filters_of(request)
    views.save_view(
        name=request.POST.get("name", ""),
        view=view,
        filters=filters,
        team=parts.uuid_of(request.POST.get("team")),
        by=member_of(request),
        now=timezone.now(),
    )
    return redirect(narrowing.list_url(view, filters))


@require_POST
def change(request: HttpRequest, saved: UUID, deed: str) -> HttpResponse:
    by = member_of(request)
    if deed == "rename":
        views.rename_view(saved=saved, name=request.POST.get("name", ""), by=by)
    elif deed == "remove":
        views.remove_view(saved=saved, by=by)
    else:
        raise NotFound
    return parts.back_to(request)


@require_GET
def counts(request: HttpRequest) -> HttpResponse:
    """How many conversations stand in each saved view, as far as somebody would count: {id: "12"}.

    Asked after the page, because it is looked up and not kept: a list never waits for it.
    """
    by, now = member_of(request), timezone.now()
    teams = [team.id for team in organisations.teams_of(by)]
    saved = [(each.id, View.read(each.slug), Filters.of_query(each.query)) for each in shelf.views_of(by, teams=teams)]
    known = [(key, view, filters) for key, view, filters in saved if view is not None]
    inboxes = access.visible_inboxes(by)
    found = listing.peek([(view, filters) for _key, view, filters in known], by=by, inboxes=inboxes, now=now)
    return JsonResponse(
        {
            key.hex: _said(count, has_more)
            for (key, _view, _filters), (count, has_more) in zip(known, found, strict=True)
        }
    )


def _said(count: int, has_more: bool) -> str:
    """ "7", "99+"; "" for none, as beside the other views."""
    if has_more:
        return f"{min(count, listing.PEEK - 1)}+"
    return str(count) if count else ""


@require_POST
def density(request: HttpRequest) -> HttpResponse:
    """How closely the rows of lists stand, for this person on all their devices."""
    by, wanted = member_of(request), request.POST.get("density", "")
    if wanted not in {"comfortable", "compact"}:
        raise NotFound
    by.user.density = wanted
    by.user.save(update_fields=["density"])
    return parts.back_to(request)
