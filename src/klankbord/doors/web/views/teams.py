"""Settings of teams: make, rename, fill and remove them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from klankbord.desk import access
from klankbord.desk.errors import DeskError
from klankbord.desk.organisations import queries
from klankbord.flows import teams as flow

from ..desk import member_of
from ..frame import frame
from . import parts


@require_http_methods(["GET", "POST"])
def teams(request: HttpRequest) -> HttpResponse:
    """The list; a POST makes one."""
    by, now, name, sentence, status = member_of(request), timezone.now(), request.POST.get("name", "")[:200], "", 200
    access.require(by, "manage people")
    if request.method == "POST":
        try:
            made = parts.attempt(lambda: flow.make(name=name, by=by, now=now))
        except DeskError as error:
            sentence, status = error.sentence, error.status
        else:
            return redirect("team", team=made.id)
    members, people = queries.members_of_teams(), {each.id: each for each in queries.colleagues()}
    found = [(each, [people[m] for m in members.get(each.id, []) if m in people]) for each in queries.teams()]
    context = {**_frame(request), "teams": found, "name": name, "sentence": sentence}
    return render(request, "web/settings/teams.html", context, status=status)


@require_http_methods(["GET", "POST"])
def team(request: HttpRequest, team: UUID) -> HttpResponse:
    by, now, sentence, status = member_of(request), timezone.now(), "", 200
    found = flow.team(team, by=by)
    if request.method == "POST":
        chosen = [each for each in map(parts.uuid_of, request.POST.getlist("members")) if each]
        name = request.POST.get("name", "")[:200]
        try:
            parts.attempt(lambda: flow.change(team_id=team, name=name, members=chosen, by=by, now=now))
        except DeskError as error:
            sentence, status = error.sentence, error.status
        else:
            messages.success(request, _("Saved."))
            return redirect("team", team=team)
    context = {
        **_frame(request),
        "team": found,
        "colleagues": queries.colleagues(),
        "members": queries.members_of_teams().get(team, []),
        "sentence": sentence,
    }
    return render(request, "web/settings/team.html", context, status=status)


@require_http_methods(["GET", "POST"])
def team_remove(request: HttpRequest, team: UUID) -> HttpResponse:
    """What the team would leave behind, and where that goes."""
    by, now = member_of(request), timezone.now()
    found = flow.team(team, by=by)
    if request.method == "POST":
        other = parts.uuid_of(request.POST.get("team"))
        flow.remove(team_id=team, to_team=other, by=by, now=now)
        messages.success(request, _("%(name)s is gone. Its conversations stay.") % {"name": found.name})
        return redirect("teams")
    context = {
        **_frame(request),
        "team": found,
        "total": flow.holdings(team, by=by, now=now),
        "others": [each for each in queries.teams() if each.id != team],
    }
    return render(request, "web/settings/team_remove.html", context)


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": frame(request), "page": "settings", "section": "teams"}
