"""Who is at the desk: membership, language, time zone, and the open wall around every view."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from klankbord.desk.errors import DeskError, NotFound
from klankbord.desk.organisations import queries
from klankbord.desk.organisations.models import Membership, User
from klankbord.desk.wall import organisation
from klankbord.flows.organisation import stops_without_second_step

from . import errors, signing

SESSION_KEY = "organisation"
_PROVEN = "has_two_factor"
ENTRANCES = ("/accounts/invitation/", "/accounts/set-up/")  # of any organisation or none, so none is open


class DeskMiddleware:
    """Opens the person's organisation for the length of a request; what fails leaves nothing behind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.deeds = []  # type: ignore[attr-defined]
        response = self._answer(request)
        if response.status_code < 500:
            signing.write_down(request)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        request.member = request.organisation = None  # type: ignore[attr-defined]
        if request.path_info.startswith("/widget/"):  # visitors' door: who sits at the desk does not matter there
            return self.get_response(request)
        if not request.user.is_authenticated or request.path_info.startswith(ENTRANCES):
            with translation.override(translation.get_language_from_request(request)):
                return self.get_response(request)
        member = _membership(request)
        with translation.override(request.user.language):
            if member is None:
                return _homeless(request, self.get_response)
            if _lacks_second_factor(request, member):
                return redirect("mfa_activate_totp")
            if _comes_from_elsewhere(request, member):
                sentence = _("Meanwhile you work for %(name)s, in another tab. Nothing was done. Load this page again.")
                return errors.notice(request, sentence % {"name": member.organisation.name}, status=409)
            request.member, request.organisation = member, member.organisation  # type: ignore[attr-defined]
            with timezone.override(_zone(member.organisation.time_zone)), organisation(member.organisation_id):
                response = self.get_response(request)
                # Django has turned an exception into a page by now, so the transaction would not notice it.
                if response.status_code >= 500 and connection.in_atomic_block:
                    transaction.set_rollback(True)
            return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Every screen of this door needs somebody at the desk; signing in is the only thing that does not."""
        if getattr(request, "member", None) is not None or not view.__module__.startswith("klankbord.doors.web."):
            return None
        if request.path_info.startswith(ENTRANCES):
            return None
        if errors.is_fragment(request) or request.method != "GET":
            sentence = _("You are signed out. Your text is kept on this device: sign in again and go on.")
            return errors.notice(request, sentence, status=401)
        return redirect_to_login(request.get_full_path())

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if request.user.is_authenticated and connection.in_atomic_block:
            transaction.set_rollback(True)
        return errors.refusal(request, exception) if isinstance(exception, DeskError) else None


def context(request: HttpRequest) -> dict[str, Any]:
    """What every template may use. No queries: error pages are made with it as well."""
    member: Membership | None = getattr(request, "member", None)
    return {
        "member": member,
        "organisation": getattr(request, "organisation", None),
        "desks": desks_of(request) if member else (),
        "theme": member.user.theme if member else "system",
        "language": translation.get_language() or "nl",
        "desk_mail": settings.DESK_MAIL,
    }


def member_of(request: HttpRequest) -> Membership:
    """The person who asks. Raises NotFound when nobody is signed in, so that no view can forget to check."""
    member: Membership | None = getattr(request, "member", None)
    if member is None:
        raise NotFound
    return member


def desks_of(request: HttpRequest) -> Sequence[Membership]:
    """Where the person who asks works, oldest first; looked up with the person."""
    return cast(User, request.user).at_desks


def _membership(request: HttpRequest) -> Membership | None:
    memberships = desks_of(request)
    chosen = request.session.get(SESSION_KEY, "")
    for member in memberships:
        if str(member.organisation_id) == chosen:
            return member
    return memberships[0] if memberships else None


def choose_organisation(request: HttpRequest, organisation_id: UUID) -> bool:
    """Work in another of one's organisations from the next request on."""
    if organisation_id not in {member.organisation_id for member in queries.memberships_of(UUID(str(request.user.pk)))}:
        return False
    request.session[SESSION_KEY] = str(organisation_id)
    rotate_token(request)  # forms on pages of the former one, in other tabs, do nothing here
    return True


def _comes_from_elsewhere(request: HttpRequest, member: Membership) -> bool:
    """Whether a page of another organisation asks, open in another tab. Its numbers mean other conversations here."""
    return request.headers.get("X-Desk", member.organisation_id.hex) != member.organisation_id.hex


def _lacks_second_factor(request: HttpRequest, member: Membership) -> bool:
    """Two-factor is the rule unless the organisation says otherwise. Checked once per session, then remembered."""
    if request.session.get(_PROVEN) or request.path_info.startswith("/accounts/"):
        return False
    if not stops_without_second_step(member.organisation, timezone.now()):
        return False
    strong = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    if Authenticator.objects.filter(user=request.user, type__in=strong).exists():
        request.session[_PROVEN] = True
        return False
    return True


def _homeless(request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponseBase]) -> HttpResponseBase:
    if request.path_info.startswith("/accounts/"):
        return get_response(request)
    sentence = _("Your account does not belong to an organisation any more. Ask an administrator to invite you again.")
    return errors.page(request, 403, _("No organisation"), sentence)


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("Europe/Amsterdam")
