"""Where somebody is signed in, and ending it there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from klankbord.desk.errors import NotFound
from klankbord.flows import devices

from .. import browsers
from ..desk import member_of
from ..frame import frame


@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    by, now, key = member_of(request), timezone.now(), request.session.session_key or ""
    found = [
        (each, browsers.words_of(each.device), devices.is_session(each, key))
        for each in devices.sessions_of(by.user, now=now)
    ]
    context = {"frame": frame(request), "page": "me", "now": now, "sessions": found}
    return render(request, "web/settings/sessions.html", context)


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """One by its hash, or all but this one."""
    by, key = member_of(request), request.session.session_key or ""
    chosen = request.POST.get("session", "")
    if chosen:
        if not devices.end(user=by.user, key_hash=chosen):
            raise NotFound
        messages.success(request, _("Signed out there."))
    else:
        ended = devices.end_others(user=by.user, key=key)
        said = ngettext("Signed out in %(count)d other place.", "Signed out in %(count)d other places.", ended)
        messages.success(request, said % {"count": ended})
    request.deeds.append(("session ended", by.user_id))  # type: ignore[attr-defined]
    return redirect("my_sessions")
