"""The notices of a person, who can be named in a note, and who is at the desk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from klankbord.desk import access
from klankbord.desk.errors import NotFound
from klankbord.desk.notices import queries
from klankbord.flows import mentions, notices, presence

from ..desk import member_of
from ..errors import is_fragment
from ..frame import frame
from . import parts


@require_GET
def centre(request: HttpRequest) -> HttpResponse:
    """All that somebody should know, newest first; in the menu of the bell only the first."""
    if is_fragment(request):
        return render(request, "web/notices/_list.html", _notices(request, limit=12))
    context = {"frame": frame(request), "page": "notices"}
    return render(request, "web/notices/page.html", {**context, **_notices(request, limit=queries.PAGE)})


def _notices(request: HttpRequest, *, limit: int) -> dict[str, Any]:
    by = member_of(request)
    found = queries.told(
        by, inboxes=access.visible_inboxes(by), before=_place(request.GET.get("before", "")), limit=limit + 1
    )
    last = found[limit - 1] if len(found) > limit else None
    return {
        "told": found[:limit],
        "before": f"{last.at.isoformat()}_{last.id.hex}" if last else "",
        "has_unread": any(not each.is_read for each in found),
        "now": timezone.now(),
    }


@require_POST
def read(request: HttpRequest, deed: str) -> HttpResponse:
    """One (`notice`), those of a conversation (`number`), or all of them; or a mention that needs nothing any more."""
    by, now = member_of(request), timezone.now()
    if deed == "all":
        notices.read_all(by=by, now=now)
    elif deed == "one":
        notices.read_notice(notice=_given(request), by=by, now=now)
    elif deed in {"in", "done"}:
        number = request.POST.get("number", "")
        conversation = access.conversation_for(by, int(number) if number.isdecimal() and len(number) < 19 else -1)
        do = notices.read_in if deed == "in" else notices.put_mention_away
        do(conversation=conversation.id, by=by, now=now)
    else:
        raise NotFound
    if not is_fragment(request):
        return parts.back_to(request) if request.POST.get("next") else redirect("notices")
    if request.POST.get("shows") == "list":
        return render(request, "web/notices/_list.html", _notices(request, limit=12))
    unread = queries.unread(by, inboxes=access.visible_inboxes(by))
    return render(request, "web/notices/_count.html", {"unread": unread})


def _given(request: HttpRequest) -> UUID:
    found = parts.uuid_of(request.POST.get("notice"))
    if found is None:
        raise NotFound
    return found


@require_GET
def mentionable(request: HttpRequest, number: int) -> HttpResponse:
    """Who can be named in a note here, for the picker."""
    by = member_of(request)
    access.require(by, "answer")
    conversation = access.conversation_for(by, number)
    people = mentions.mentionable(conversation=conversation, by=by)
    if not is_fragment(request):
        return redirect("conversation", number=number)
    states = presence.states(now=timezone.now())
    return render(request, "web/notices/_mentionable.html", {"people": people, "states": states})


@require_GET
def here(request: HttpRequest) -> HttpResponse:
    """Who is at the desk."""
    member_of(request)
    people = presence.at_the_desk(now=timezone.now())
    if is_fragment(request):
        return render(request, "web/notices/_here.html", {"people": people})
    return render(request, "web/notices/here.html", {"frame": frame(request), "people": people, "page": "here"})


@require_POST
def sign(request: HttpRequest) -> HttpResponse:
    """Somebody did something in this page; said at most once a minute."""
    presence.sign_of(by=member_of(request), now=timezone.now())
    return HttpResponse(status=204)


@require_POST
def be(request: HttpRequest) -> HttpResponse:
    """Available, busy or away."""
    presence.be(state=request.POST.get("state", ""), by=member_of(request), now=timezone.now())
    if not request.POST.get("next"):
        return redirect(reverse("here"))
    return parts.back_to(request)


def _place(text: str) -> queries.Place | None:
    moment, _separator, last = text.partition("_")
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    found = parts.uuid_of(last)
    return (at, found) if at and found and timezone.is_aware(at) else None
