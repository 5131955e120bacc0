"""Settings of inboxes: connect, watch over, change and disconnect them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from klankbord.desk import access
from klankbord.desk.errors import DeskError, NotFound
from klankbord.desk.inboxes import queries
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations import queries as organisations
from klankbord.desk.organisations.models import Membership
from klankbord.flows import connect as connecting
from klankbord.flows import visitors
from klankbord.flows.connect import ChannelCard

from ..desk import member_of
from ..frame import frame
from ..markdown import to_html
from . import parts

_LONGEST_VALUE = 20_000
_LONGEST_REOPENING = 365  # days


@require_GET
def inboxes(request: HttpRequest) -> HttpResponse:
    by = member_of(request)
    access.require(by, "manage inboxes")
    context = {
        "frame": frame(request),
        "page": "settings",
        "last_arrivals": queries.last_arrivals(),
        "now": timezone.now(),
    }
    return render(request, "web/settings/inboxes.html", context)


@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    access.require(member_of(request), "manage inboxes")
    cards = connecting.catalogue(language=get_language() or "nl")
    return render(request, "web/settings/catalogue.html", {"frame": frame(request), "page": "settings", "cards": cards})


@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest, kind: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    access.require(by, "manage inboxes")
    card = _card(kind)
    values, sentence, status = _values(request), "", 200
    name = " ".join(request.POST.get("name", "").split())[:120]
    if request.method == "POST":
        try:
            made = parts.attempt(
                lambda: connecting.connect(kind=kind, name=name or card.label, values=values, by=by, now=now)
            )
        except DeskError as error:
            sentence, status = error.sentence, error.status
        else:
            messages.success(request, _("%(name)s is connected.") % {"name": made.name})
            return redirect("inbox", inbox=made.id)
    context = {
        "frame": frame(request),
        "page": "settings",
        "card": card,
        "readme": to_html(card.readme),
        "fields": _fields(card, values),
        "name": name,
        "sentence": sentence,
    }
    return render(request, "web/settings/connect.html", context, status=status)


@require_GET
def inbox(request: HttpRequest, inbox: UUID) -> HttpResponse:
    return _inbox_page(request, inbox)


@require_POST
def act(request: HttpRequest, inbox: UUID, deed: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    access.require(by, "manage inboxes")
    found = access.inbox_for(by, inbox)
    do = _ACTS.get(deed)
    if do is None:
        raise NotFound
    try:
        done = parts.attempt(lambda: do(request, found, by, now))
    except DeskError as error:
        return _inbox_page(request, inbox, sentence=error.sentence, status=error.status)
    messages.success(request, done)
    return redirect("inbox", inbox=inbox)


def _inbox_page(request: HttpRequest, inbox: UUID, *, sentence: str = "", status: int = 200) -> HttpResponse:
    by = member_of(request)
    access.require(by, "manage inboxes")
    found = access.inbox_for(by, inbox)
    card = _card(found.kind, inbox=found)
    context = {
        "frame": frame(request),
        "page": "settings",
        "inbox": found,
        "card": card,
        "fields": _fields(card, {}),
        "readme": to_html(card.readme),
        "hook_url": connecting.address_of_hook(inbox=found.id, by=by) if card.has_webhook else "",
        "script": connecting.script_of_door(inbox=found.id, by=by) if card.has_door else "",
        "mails_answers": visitors.can_mail(by.organisation_id),
        "colleagues": organisations.colleagues(),
        "members": queries.members_of(found.id),
        "sentence": sentence,
        "now": timezone.now(),
    }
    return render(request, "web/settings/inbox.html", context, status=status)


def _card(kind: str, inbox: Inbox | None = None) -> ChannelCard:
    language = get_language() or "nl"
    if kind not in {card.kind for card in connecting.catalogue(language=language)}:
        raise NotFound
    return connecting.card(kind, language=language, inbox=inbox)


def _values(request: HttpRequest) -> dict[str, str]:
    """What was typed for the channel's own fields; the use case looks at those that the channel declares."""
    start = "field-"
    return {
        name.removeprefix(start): value[:_LONGEST_VALUE]
        for name, value in request.POST.items()
        if name.startswith(start) and isinstance(value, str)
    }


def _fields(card: ChannelCard, values: dict[str, str]) -> list[dict[str, Any]]:
    """The form's fields; a secret's value never travels back."""
    return [
        {"field": field, "value": "" if field.is_secret else values.get(field.name, field.value)}
        for field in card.fields
    ]


def _reconnect(request: HttpRequest, inbox: Inbox, by: Membership, now: datetime) -> str:
    connecting.reconnect(inbox=inbox.id, values=_values(request), by=by, now=now)
    return _("%(name)s is connected again.") % {"name": inbox.name}


def _settings(request: HttpRequest, inbox: Inbox, by: Membership, now: datetime) -> str:
    days = request.POST.get("reopen_days", "")
    connecting.change_settings(
        inbox=inbox.id,
        name=request.POST.get("name", ""),
        acknowledges=request.POST.get("acknowledges") == "1",
        acknowledgement=request.POST.get("acknowledgement", "")[:2000],
        signature=request.POST.get("signature", "")[:2000],
        signs_with_initials=request.POST.get("signs_with_initials") == "1",
        reopen_days=int(days) if days.isdecimal() and int(days) <= _LONGEST_REOPENING else inbox.reopen_days,
        by=by,
        now=now,
    )
    return _("Saved.")


def _members(request: HttpRequest, inbox: Inbox, by: Membership, now: datetime) -> str:
    chosen = [each for each in map(parts.uuid_of, request.POST.getlist("members")) if each]
    connecting.change_settings(inbox=inbox.id, is_open_to_all=request.POST.get("open") == "all", by=by, now=now)
    connecting.set_members(inbox=inbox.id, members=chosen, by=by, now=now)
    return _("Saved.")


def _check(request: HttpRequest, inbox: Inbox, by: Membership, now: datetime) -> str:
    connecting.check(inbox=inbox.id, by=by, now=now)
    return _("Checked just now.")


def _pause(request: HttpRequest, inbox: Inbox, by: Membership, now: datetime) -> str:
    connecting.pause(inbox=inbox.id, reason=request.POST.get("reason", "")[:300], by=by, now=now)
    return _("%(name)s is paused: it receives, and sends nothing.") % {"name": inbox.name}


def _resume(request: HttpRequest, inbox: Inbox, by: Membership, now: datetime) -> str:
    connecting.resume(inbox=inbox.id, by=by, now=now)
    return _("%(name)s sends again.") % {"name": inbox.name}


def _disconnect(request: HttpRequest, inbox: Inbox, by: Membership, now: datetime) -> str:
    connecting.disconnect(inbox=inbox.id, by=by, now=now)
    return _("%(name)s is disconnected. Its conversations stay.") % {"name": inbox.name}


_ACTS: dict[str, Callable[[HttpRequest, Inbox, Membership, datetime], str]] = {
    "reconnect": _reconnect,
    "settings": _settings,
    "members": _members,
    "check": _check,
    "pause": _pause,
    "resume": _resume,
    "disconnect": _disconnect,
}
