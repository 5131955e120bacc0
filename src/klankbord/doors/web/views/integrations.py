"""Settings of the API: tokens, and integrations that may have some. A token is shown once, when it is made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from klankbord.desk import access
from klankbord.desk.errors import DeskError
from klankbord.desk.integrations.scopes import SCOPES
from klankbord.desk.organisations.models import Role
from klankbord.flows import tokens as flow

from ..desk import member_of
from ..frame import frame
from . import parts

_LIVES = (30, 90, 365)  # days


@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list; a POST makes one and shows it."""
    by, now = member_of(request), timezone.now()
    access.require(by, "use tokens")
    if request.method != "POST":
        return _page(request)
    chosen = request.POST.getlist("scopes")
    try:
        made, token = parts.attempt(
            lambda: flow.make_token(
                name=request.POST.get("name", "")[:200],
                scopes=chosen,
                by=by,
                now=now,
                expires_at=_end(request.POST.get("days", ""), now),
                integration=parts.uuid_of(request.POST.get("integration")),
            )
        )
    except DeskError as error:
        return _page(request, sentence=error.sentence, status=error.status, chosen=chosen)
    return _page(request, fresh=token, fresh_name=made.name, status=201)


@require_POST
def revoke(request: HttpRequest, token: UUID) -> HttpResponse:
    flow.revoke(token=token, by=member_of(request), now=timezone.now())
    messages.success(request, _("Revoked: it opens nothing any more."))
    return redirect("tokens")


@require_POST
def add_integration(request: HttpRequest) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    name, role = request.POST.get("name", "")[:200], request.POST.get("role", "")
    try:
        made = parts.attempt(lambda: flow.make_integration(name=name, role=role, by=by, now=now))
    except DeskError as error:
        return _page(request, sentence=error.sentence, status=error.status)
    messages.success(request, _("%(name)s works here now. Make a token for it.") % {"name": made.member.name})
    return redirect("tokens")


@require_POST
def end_integration(request: HttpRequest, integration: UUID) -> HttpResponse:
    flow.end_integration(integration=integration, by=member_of(request), now=timezone.now())
    messages.success(request, _("It works here no more. What it wrote stays."))
    return redirect("tokens")


def _page(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    by = member_of(request)
    manages = access.may(by, "manage integrations")
    places = flow.integrations(by) if manages else []
    roles = [(Role.AGENT, _("Agent")), (Role.LEAD, _("Lead")), (Role.ANALYST, _("Analyst"))]
    context = {
        "frame": frame(request), "page": "settings", "section": "tokens", "now": timezone.now(),
        "tokens": flow.tokens_for(by), "manages": manages, "integrations": places, "roles": roles,
        "names_of_roles": {str(role): words for role, words in roles}, "scopes": _scopes(), "lives": _LIVES,
        "address": f"{settings.PUBLIC_URL}/api/v1", **more,
    }  # fmt: skip
    return render(request, "web/settings/api.html", context, status=status)


def _scopes() -> list[tuple[str, str]]:
    words = {
        "conversations:read": _("Read conversations"), "messages:read": _("Read what was said in them"),
        "contacts:read": _("Read contacts"), "inboxes:read": _("Read the list of inboxes"),
        "labels:read": _("Read labels"), "people:read": _("Read people and teams"), "ledger:read": _("Read the ledger"),
        "replies:read": _("Read saved replies"),
        "conversations:write": _("Assign, label, snooze and resolve"), "messages:write": _("Reply and write notes"),
    }  # fmt: skip
    return [(scope, words[scope]) for scope in SCOPES]


def _end(days: str, now: datetime) -> datetime | None:
    return now + timedelta(days=int(days)) if days.isdecimal() and int(days) in _LIVES else None
