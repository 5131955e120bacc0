"""Settings of webhooks: what other systems are told, and what became of each call."""

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
from django.views.decorators.http import require_http_methods, require_POST

from klankbord.desk import access
from klankbord.desk.errors import DeskError, NotFound
from klankbord.desk.integrations.happenings import HAPPENINGS
from klankbord.desk.integrations.models import CallState
from klankbord.desk.organisations.models import Membership
from klankbord.flows import webhooks as flow

from ..desk import member_of
from ..frame import frame
from . import parts
from .acts import snooze_moment


@require_http_methods(["GET", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """The list; a POST makes one and shows its secret."""
    by, now = member_of(request), timezone.now()
    access.require(by, flow.DEED)
    more: dict[str, Any] = {"chosen": list(HAPPENINGS)}
    status = 200
    if request.method == "POST":
        given = _given(request)
        try:
            made, secret = parts.attempt(lambda: flow.add(**given, by=by, now=now))
        except DeskError as error:
            more, status = {"sentence": error.sentence, "given": given, "chosen": given["events"]}, error.status
        else:
            return _webhook_page(request, made.id, fresh=secret, status=201)
    context = {**_frame(request), "webhooks": flow.webhooks(by), "names": list(HAPPENINGS), **more}
    return render(request, "web/settings/webhooks.html", context, status=status)


@require_http_methods(["GET"])
def webhook(request: HttpRequest, webhook: UUID) -> HttpResponse:
    return _webhook_page(request, webhook)


@require_POST
def act(request: HttpRequest, webhook: UUID, deed: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    flow.webhook_for(by, webhook)
    if deed == "secret":
        fresh = flow.rotate(webhook=webhook, by=by, now=now)
        return _webhook_page(request, webhook, fresh=fresh, status=201)
    do = _ACTS.get(deed)
    if do is None:
        raise NotFound
    try:
        done = parts.attempt(lambda: do(request, webhook, by, now))
    except DeskError as error:
        return _webhook_page(request, webhook, sentence=error.sentence, status=error.status)
    messages.success(request, done)
    return redirect("webhooks") if deed == "remove" else redirect("webhook", webhook=webhook)


@require_POST
def again(request: HttpRequest, webhook: UUID, call: UUID) -> HttpResponse:
    flow.send_again(webhook=webhook, call=call, by=member_of(request), now=timezone.now())
    messages.success(request, _("On its way again."))
    return redirect("webhook", webhook=webhook)


def _webhook_page(request: HttpRequest, webhook: UUID, *, status: int = 200, **more: Any) -> HttpResponse:
    by = member_of(request)
    found = flow.webhook_for(by, webhook)
    state = request.GET.get("state", "")
    state = state if state in CallState.values else ""
    reasons = {
        "days": _("Nothing arrived for days, so we stopped calling."),
        "gone": _("The other side said that this address is gone."),
    }
    context = {
        **_frame(request), "webhook": found, "names": list(HAPPENINGS), "chosen": found.events, "state": state,
        "calls": flow.log(webhook=webhook, by=by, state=state), "counts": flow.counts(webhook=webhook, by=by),
        "reason": reasons.get(found.state_reason, ""),
        "states": [("", _("All")), ("waiting", _("Waiting")), ("arrived", _("Arrived")), ("given up", _("Given up"))],
        **more,
    }  # fmt: skip
    return render(request, "web/settings/webhook.html", context, status=status)


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": frame(request), "page": "settings", "section": "webhooks", "now": timezone.now()}


def _given(request: HttpRequest) -> dict[str, Any]:
    return {
        "name": request.POST.get("name", "")[:200],
        "url": request.POST.get("url", "")[:1500],
        "events": request.POST.getlist("events"),
    }


def _save(request: HttpRequest, webhook: UUID, by: Membership, now: datetime) -> str:
    flow.change(webhook=webhook, **_given(request), by=by, now=now)
    return _("Saved.")


def _test(request: HttpRequest, webhook: UUID, by: Membership, now: datetime) -> str:
    flow.send_test(webhook=webhook, by=by, now=now)
    return _("A test is on its way. Load this page again to see what came back.")


def _pause(request: HttpRequest, webhook: UUID, by: Membership, now: datetime) -> str:
    flow.pause(webhook=webhook, by=by, now=now)
    return _("Paused: nothing is told until you let it go on.")


def _resume(request: HttpRequest, webhook: UUID, by: Membership, now: datetime) -> str:
    flow.resume(webhook=webhook, by=by, now=now)
    return _("It is told again what happens from now on.")


def _remove(request: HttpRequest, webhook: UUID, by: Membership, now: datetime) -> str:
    flow.remove(webhook=webhook, by=by, now=now)
    return _("Removed.")


def _again_failed(request: HttpRequest, webhook: UUID, by: Membership, now: datetime) -> str:
    return _on_their_way(flow.send_failed_again(webhook=webhook, by=by, now=now))


def _again_since(request: HttpRequest, webhook: UUID, by: Membership, now: datetime) -> str:
    since = snooze_moment("", request.POST.get("since", ""), now)
    return _on_their_way(flow.send_since(webhook=webhook, since=since, by=by, now=now))


def _on_their_way(count: int) -> str:
    return ngettext("%(count)d call is on its way.", "%(count)d calls are on their way.", count) % {"count": count}


_ACTS: dict[str, Callable[[HttpRequest, UUID, Membership, datetime], str]] = {
    "save": _save,
    "test": _test,
    "pause": _pause,
    "resume": _resume,
    "remove": _remove,
    "again-failed": _again_failed,
    "again-since": _again_since,
}
