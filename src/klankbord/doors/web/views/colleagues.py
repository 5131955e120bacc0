"""Settings of people: who works here, whom we invited, and what each may do and see."""

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
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from klankbord.desk import access
from klankbord.desk.errors import DeskError, NotFound
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations import queries
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import colleagues as flow
from klankbord.flows import invitations
from klankbord.flows.invitations import Made

from .. import roles
from ..desk import member_of
from ..frame import frame
from . import parts


@require_http_methods(["GET", "POST"])
def colleagues(request: HttpRequest) -> HttpResponse:
    """The list; a POST invites somebody."""
    by, now = member_of(request), timezone.now()
    access.require(by, "manage people")
    if request.method == "GET":
        return _list(request, by, now)
    email, role = request.POST.get("email", "")[:254], request.POST.get("role", "")
    try:
        made = parts.attempt(lambda: invitations.invite(email=email, role=role, by=by, now=now))
    except DeskError as error:
        return _list(request, by, now, email=email, role=role, sentence=error.sentence, status=error.status)
    return _list(request, by, now, made=made)


@require_POST
def invitation_act(request: HttpRequest, invitation: UUID, deed: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    if deed == "again":
        return _list(request, by, now, made=invitations.resend(invitation=invitation, by=by, now=now))
    if deed == "withdraw":
        address = invitations.withdraw(invitation=invitation, by=by, now=now)
        messages.success(request, _("The invitation of %(address)s opens nothing any more.") % {"address": address})
        return redirect("colleagues")
    raise NotFound


@require_GET
def colleague(request: HttpRequest, person: UUID) -> HttpResponse:
    return _page(request, person)


@require_POST
def colleague_act(request: HttpRequest, person: UUID, deed: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    do = _ACTS.get(deed)
    if do is None:
        raise NotFound
    try:
        done = parts.attempt(lambda: do(request, person, by, now))
    except NotFound:
        raise
    except DeskError as error:
        return _page(request, person, sentence=error.sentence, status=error.status)
    messages.success(request, done)
    return redirect("colleague", person=person)


@require_http_methods(["GET", "POST"])
def colleague_leave(request: HttpRequest, person: UUID) -> HttpResponse:
    """What somebody would leave behind, and to whom it goes."""
    by, now = member_of(request), timezone.now()
    found, sentence, status = flow.person(person, by=by), "", 200
    if request.method == "POST":
        taker, team = parts.uuid_of(request.POST.get("member")), parts.uuid_of(request.POST.get("team"))
        try:
            _left, handed = parts.attempt(
                lambda: flow.leave(member=person, to_member=taker, to_team=team, by=by, now=now)
            )
        except DeskError as error:
            sentence, status = error.sentence, error.status
        else:
            said = ngettext(
                "%(name)s works here no longer. %(count)d conversation was handed over.",
                "%(name)s works here no longer. %(count)d conversations were handed over.",
                handed,
            )
            messages.success(request, said % {"name": found.name, "count": handed})
            return redirect("colleagues")
    held = flow.holdings(person, by=by, now=now)
    context = {
        **_frame(request),
        "person": found,
        "held": held,
        "total": sum(held.values()),
        "takers": [each for each in queries.colleagues() if each.id != person and access.may(each, "answer")],
        "teams": queries.teams(),
        "sentence": sentence,
    }
    return render(request, "web/settings/colleague_leave.html", context, status=status)


def _list(
    request: HttpRequest,
    by: Membership,
    now: datetime,
    *,
    made: Made | None = None,
    email: str = "",
    role: str = Role.AGENT,
    sentence: str = "",
    status: int = 200,
) -> HttpResponse:
    everybody = queries.everybody()
    strong = flow.with_second_step({each.user_id for each in everybody})
    context = {
        **_frame(request),
        "now": now,
        "here": [(each, roles.title(each.role), each.user_id in strong) for each in everybody if each.is_active],
        "gone": [each for each in everybody if not each.is_active],
        "waiting": [(each, roles.title(each.role), each.expires_at <= now) for each in invitations.waiting(by=by)],
        "roles": roles.choices(),
        "made": made,
        "email": email,
        "role": role,
        "sentence": sentence,
    }
    return render(request, "web/settings/colleagues.html", context, status=status)


def _page(request: HttpRequest, person: UUID, *, sentence: str = "", status: int = 200) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    found = flow.person(person, by=by)
    context = {
        **_frame(request),
        "now": now,
        "person": found,
        "roles": roles.choices(),
        "sees_every_inbox": found.role in access.SEES_EVERY_INBOX,
        "open_inboxes": Inbox.objects.filter(is_open_to_all=True).order_by("name"),
        "closed_inboxes": Inbox.objects.filter(is_open_to_all=False).order_by("name"),
        "seen": flow.inboxes_of(person),
        "has_second_step": bool(flow.with_second_step({found.user_id})),
        "sentence": sentence,
    }
    return render(request, "web/settings/colleague.html", context, status=status)


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": frame(request), "page": "settings", "section": "colleagues"}


def _role(request: HttpRequest, person: UUID, by: Membership, now: datetime) -> str:
    changed = flow.change_role(member=person, role=request.POST.get("role", ""), by=by, now=now)
    return _("%(name)s: %(role)s.") % {"name": changed.name, "role": roles.title(changed.role)}


def _inboxes(request: HttpRequest, person: UUID, by: Membership, now: datetime) -> str:
    chosen = [each for each in map(parts.uuid_of, request.POST.getlist("inboxes")) if each]
    flow.set_inboxes(member=person, inboxes=chosen, by=by, now=now)
    return _("Saved.")


def _second_step(request: HttpRequest, person: UUID, by: Membership, now: datetime) -> str:
    changed = flow.remove_second_step(member=person, by=by, now=now)
    return _("%(name)s is signed out, and sets up another second step at the next sign-in.") % {"name": changed.name}


def _come_back(request: HttpRequest, person: UUID, by: Membership, now: datetime) -> str:
    changed = flow.come_back(member=person, by=by, now=now)
    return _("%(name)s works here again.") % {"name": changed.name}


_ACTS: dict[str, Callable[[HttpRequest, UUID, Membership, datetime], str]] = {
    "role": _role,
    "inboxes": _inboxes,
    "second-step": _second_step,
    "come-back": _come_back,
}
