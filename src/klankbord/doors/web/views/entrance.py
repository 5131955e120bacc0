"""The page behind an invitation's link: a name, a password, and one works here."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from klankbord.desk.errors import DeskError, NotFound
from klankbord.desk.organisations.models import Invitation, Membership, User
from klankbord.flows import invitations

from .. import roles
from ..accounts import ENTRANCE
from ..desk import SESSION_KEY


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    try:
        found = invitations.behind(token, now=now)
    except NotFound:
        return render(request, "account/invitation_gone.html", status=404)
    with translation.override(found.organisation.language):
        is_known = User.objects.filter(email=found.email).exists()
        if request.method == "GET":
            return _page(request, found, is_known)
        name, password = request.POST.get("name", "")[:200], request.POST.get("password", "")[:1000]
        try:
            if is_known:
                if not isinstance(request.user, User):
                    return _page(request, found, is_known)
                member = invitations.accept_as(token=token, user=request.user, now=now)
            else:
                member = invitations.accept(token=token, name=name, password=password, now=now)
        except NotFound:
            return render(request, "account/invitation_gone.html", status=404)
        except DeskError as error:
            return _page(request, found, is_known, name=name, sentence=error.sentence, status=error.status)
        return _begin(request, member, is_new=not is_known)


def _begin(request: HttpRequest, member: Membership, *, is_new: bool) -> HttpResponse:
    """At work in the organisation that invited; who is new goes on with the second step."""
    if is_new:
        login(request, member.user, backend=ENTRANCE)
        # They chose their password just now: setting up the second step need not ask for it once more.
        record_authentication(request, member.user, method="password", reauthenticated=True)
    request.session[SESSION_KEY] = str(member.organisation_id)
    return redirect("home")


def _page(
    request: HttpRequest, found: Invitation, is_known: bool, *, name: str = "", sentence: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "invitation": found,
        "role": roles.title(found.role),
        "is_known": is_known,
        "is_me": isinstance(request.user, User) and request.user.email == found.email,
        "name": name,
        "sentence": sentence,
        "language": found.organisation.language,
    }
    response = render(request, "account/invitation.html", context, status=status)
    response.headers["Referrer-Policy"] = "no-referrer"  # the address holds the token
    return response
