"""One deed on many conversations: first in a sentence, then done, then perhaps undone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from klankbord.desk.conversations import choices
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.flows import bulk
from klankbord.kernel.ids import uuid7

from .. import bulk_words
from ..desk import member_of
from ..errors import is_fragment
from ..frame import frame
from . import parts
from .acts import snooze_moment

_UNDO_SECONDS = 30  # how long the way back stands on screen; what people are told leaves sooner, see `undo_seconds`


@require_POST
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """What would happen, in a sentence, and what the deed still needs to know."""
    view, by, now = parts.view_of(slug), member_of(request), timezone.now()
    deed = request.POST.get("deed", "")
    if deed not in bulk.DEEDS:
        raise NotFound
    chosen = bulk.look(numbers=_numbers(request.POST.getlist("number")), by=by)
    if not chosen:
        raise Invalid(_("Choose one or more conversations first."))
    context: dict[str, Any] = {
        "view": view,
        "deed": deed,
        "deed_id": uuid7(),
        "chosen": chosen,
        "back": request.POST.get("next", ""),
        "sheet": bulk_words.sheet(deed, chosen, by),
        "snooze_presets": parts.snooze_presets(now) if deed == "snooze" else (),
        "choices": choices.choices() if deed in {"assign", "label"} else None,
        "mine": by.id,
    }
    if is_fragment(request):
        return render(request, "web/inbox/_bulk.html", context)
    return render(request, "web/inbox/bulk.html", {**context, "frame": frame(request)})


@require_POST
def do(request: HttpRequest, slug: str) -> HttpResponse:
    parts.view_of(slug)
    by, now = member_of(request), timezone.now()
    wish, seen = _wish(request, now), _seen(request)
    deed_id = parts.uuid_of(request.POST.get("deed_id"))
    if deed_id is None or not seen:
        raise Invalid(_("Choose one or more conversations first."))
    outcome = parts.attempt(lambda: bulk.do(wish=wish, deed_id=deed_id, seen=seen, by=by, now=now))
    seconds = min(by.organisation.undo_seconds, _UNDO_SECONDS) if wish.deed == "reply" else _UNDO_SECONDS
    return _told(request, outcome, bulk_words.done(wish.deed, outcome), seconds if outcome.done else 0)


@require_POST
def undo(request: HttpRequest, many: UUID) -> HttpResponse:
    outcome = parts.attempt(lambda: bulk.undo(deed_id=many, by=member_of(request), now=timezone.now()))
    return _told(request, outcome, bulk_words.undone(outcome), 0)


def _told(request: HttpRequest, outcome: bulk.Outcome, sentence: str, seconds: int) -> HttpResponse:
    """seconds: how long it can be undone; 0 when it cannot."""
    left_alone = bulk_words.left_alone(outcome)
    if not is_fragment(request):
        messages.success(request, sentence)
        if left_alone:
            messages.warning(request, left_alone)
        return parts.back_to(request)
    context = {"outcome": outcome, "sentence": sentence, "left_alone": left_alone, "seconds": seconds}
    response = render(request, "web/inbox/_bulk_done.html", context)
    return parts.tell(response, many={"numbers": [each.number for each in outcome.done]})


def _wish(request: HttpRequest, now: datetime) -> bulk.Wish:
    given = request.POST
    deed = given.get("deed", "")
    gives = frozenset(name for name in ("owner", "team") if given.get(name, "keep") != "keep")
    until = snooze_moment(given.get("for", ""), given.get("until", ""), now) if deed == "snooze" else None
    return bulk.Wish(
        deed=deed,
        gives=gives,
        owner=_one(given.get("owner"), member_of(request)) if "owner" in gives else None,
        team=_one(given.get("team"), member_of(request)) if "team" in gives else None,
        label=given.get("label", ""),
        until=until,
        text=given.get("text", ""),
    )


def _one(text: str | None, by: Membership) -> UUID | None:
    """An id, "me", or "none" for nobody."""
    if text == "me":
        return by.id
    found = parts.uuid_of(text)
    if found is None and text not in {"none", "", None}:
        raise Invalid
    return found


def _seen(request: HttpRequest) -> dict[int, str]:
    """Stamps by number. A drop on the navigation comes straight from the list, without any."""
    seen = {}
    for each in request.POST.getlist("seen"):
        number, _colon, stamp = each.partition(":")
        seen.update(dict.fromkeys(_numbers([number]), stamp))
    return seen


def _numbers(texts: Iterable[str]) -> list[int]:
    return [int(each) for each in texts if each.isascii() and each.isdecimal() and len(each) < 19]
