"""The first-run wizard: found the first organisation, then a check list that can be left and taken up again."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from klankbord.desk.errors import DeskError, NotFound
from klankbord.desk.organisations.models import Language
from klankbord.flows import organisation as settings
from klankbord.flows import setting_up

from ..accounts import ENTRANCE
from ..desk import member_of
from ..frame import frame

_TYPED = ("organisation", "language", "time_zone", "name", "email")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the link that the program printed; nothing once there is an organisation."""
    now = timezone.now()
    setting_up.check_link(token, now=now)
    typed, sentence, status = {each: request.POST.get(each, "")[:300] for each in _TYPED}, "", 200
    if request.method == "POST":
        try:
            password = request.POST.get("password", "")[:1000]
            member = setting_up.found_first(token=token, **typed, password=password, now=now)
        except NotFound:
            raise
        except DeskError as error:
            sentence, status = error.sentence, error.status
        else:
            login(request, member.user, backend=ENTRANCE)
            record_authentication(request, member.user, method="password", reauthenticated=True)
            return redirect("set_up")
    context = {
        "typed": {**typed, "time_zone": typed["time_zone"] or "Europe/Amsterdam"},
        "languages": Language.choices,
        "time_zones": settings.time_zones(),
        "sentence": sentence,
    }
    response = render(request, "account/set_up.html", context, status=status)
    response.headers["Referrer-Policy"] = "no-referrer"  # the address holds the token
    return response


@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """What is left to do; a POST says that it is enough."""
    by = member_of(request)
    left = setting_up.left(by=by)
    if request.method == "POST":
        setting_up.finish(by=by)
        return redirect("home")
    return render(request, "web/settings/set_up.html", {"frame": frame(request), "page": "settings", "left": left})
