"""Settings of labels: names, colours and headings; merge two, remove one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from klankbord.desk import access
from klankbord.desk.errors import DeskError, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.flows import labels as flow

from ..desk import member_of
from ..frame import frame
from . import parts


@require_http_methods(["GET", "POST"])
def labels(request: HttpRequest) -> HttpResponse:
    """The list; a POST makes one."""
    by, now = member_of(request), timezone.now()
    access.require(by, "manage labels")
    if request.method == "POST":
        try:
            parts.attempt(lambda: flow.make(**_typed(request), by=by, now=now))
        except DeskError as error:
            return _page(request, by, sentence=error.sentence, status=error.status)
        return redirect("label_list")
    return _page(request, by)


@require_POST
def label_act(request: HttpRequest, label: UUID, deed: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    do = _ACTS.get(deed)
    if do is None:
        raise NotFound
    try:
        done = parts.attempt(lambda: do(request, label, by, now))
    except NotFound:
        raise
    except DeskError as error:
        return _page(request, by, sentence=error.sentence, status=error.status)
    messages.success(request, done)
    return redirect("label_list")


def _page(request: HttpRequest, by: Membership, *, sentence: str = "", status: int = 200) -> HttpResponse:
    headings = flow.headings(by=by)
    context = {
        "frame": frame(request),
        "page": "settings",
        "section": "label_list",
        "headings": headings,
        "all_labels": sorted((each for heading in headings for each in heading.labels), key=lambda each: each.name),
        "colours": _colours(),
        "sentence": sentence,
    }
    return render(request, "web/settings/labels.html", context, status=status)


def _typed(request: HttpRequest) -> dict[str, Any]:
    colour = request.POST.get("colour", "")
    return {
        "name": request.POST.get("name", "")[:200],
        "colour": int(colour) if colour.isascii() and colour.isdecimal() else 0,
        "group": request.POST.get("group", "")[:200],
    }


def _colours() -> list[tuple[int, str]]:
    """Colours with a name, for they are not told apart by everybody."""
    names = [_("Pink"), _("Orange"), _("Green"), _("Sea green"), _("Blue"), _("Lilac"), _("Grey")]
    return list(zip(flow.COLOURS, names, strict=True))


def _change(request: HttpRequest, label: UUID, by: Membership, now: datetime) -> str:
    flow.change(label=label, **_typed(request), by=by, now=now)
    return _("Saved.")


def _merge(request: HttpRequest, label: UUID, by: Membership, now: datetime) -> str:
    into = parts.uuid_of(request.POST.get("into"))
    if into is None:
        raise NotFound
    return _("All of it stands under %(name)s now.") % {"name": flow.merge(label=label, into=into, by=by, now=now)}


def _remove(request: HttpRequest, label: UUID, by: Membership, now: datetime) -> str:
    return _("%(name)s is removed from every conversation.") % {"name": flow.remove(label=label, by=by, now=now)}


_ACTS: dict[str, Callable[[HttpRequest, UUID, Membership, datetime], str]] = {
    "change": _change,
    "merge": _merge,
    "remove": _remove,
}
