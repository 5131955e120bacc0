"""Settings of the organisation itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from klankbord.desk import access
from klankbord.desk.errors import DeskError
from klankbord.desk.organisations.models import Language
from klankbord.flows import organisation as flow

from ..desk import member_of
from ..frame import frame
from . import parts


@require_http_methods(["GET", "POST"])
def organisation(request: HttpRequest) -> HttpResponse:
    by, now, sentence, status = member_of(request), timezone.now(), "", 200
    access.require(by, "manage organisation")
    if request.method == "POST":
        try:
            parts.attempt(lambda: _change(request))
        except DeskError as error:
            sentence, status = error.sentence, error.status
        else:
            messages.success(request, _("Saved."))
            return redirect("organisation_settings")
    context = {
        "frame": frame(request),
        "page": "settings",
        "section": "organisation_settings",
        "languages": Language.choices,
        "time_zones": flow.time_zones(),
        "now": now,
        "sentence": sentence,
    }
    return render(request, "web/settings/organisation.html", context, status=status)


def _change(request: HttpRequest) -> None:
    by, now, typed = member_of(request), timezone.now(), request.POST
    if typed.get("part") == "signing-in":
        asks, days = typed.get("asks") == "1", _number(typed.get("grace_days", "0"))
        flow.ask_second_step(asks=asks, grace_days=days, by=by, now=now)
    elif typed.get("part") == "working":
        flow.let_answering_take(takes=typed.get("takes") == "1", by=by, now=now)
    else:
        flow.change(
            name=typed.get("name", "")[:500],
            language=typed.get("language", ""),
            time_zone=typed.get("time_zone", ""),
            undo_seconds=_number(typed.get("undo_seconds", "")),
            by=by,
            now=now,
        )


def _number(text: str) -> int:
    """-1 for what is none, which every bound refuses."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1
