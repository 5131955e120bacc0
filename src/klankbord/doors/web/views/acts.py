"""What an agent does with a case: one use case each, then the head of the conversation again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from klankbord.desk import access
from klankbord.desk.conversations.models import Conversation
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.flows import casework

from .. import times
from ..desk import member_of
from ..errors import is_fragment
from . import parts

Act = Callable[[HttpRequest, UUID, Membership, datetime], Conversation]


@require_POST
def act(request: HttpRequest, number: int, deed: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    do = _ACTS.get(deed)
    if do is None:
        raise NotFound
    conversation = access.conversation_for(by, number)
    changed = do(request, conversation.id, by, now)
    return _afterwards(request, changed, by, now)


def _afterwards(request: HttpRequest, changed: Conversation, by: Membership, now: datetime) -> HttpResponse:
    if not is_fragment(request):
        return parts.back_to(request, changed)
    context = parts.head(request, changed, now=now)
    response = render(request, "web/conversation/_head.html", context)
    # A conversation that leaves the list makes room for the next one; anything else stays where the hands are.
    has_left = not context["view"].holds(changed, by)
    return parts.tell(response, acted={"number": changed.number, "hasLeft": has_left})


def _assign(request: HttpRequest, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    """`owner` and `team` say what changes; what is not named stays."""
    found = access.conversation_for(by, conversation)
    owner = parts.uuid_of(request.POST["owner"]) if "owner" in request.POST else found.owner_id
    team = parts.uuid_of(request.POST["team"]) if "team" in request.POST else found.team_id
    return casework.assign(conversation=conversation, owner=owner, team=team, by=by, now=now)


def _snooze(request: HttpRequest, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    until = snooze_moment(request.POST.get("for", ""), request.POST.get("until", ""), now)
    return casework.snooze(conversation=conversation, until=until, by=by, now=now)


def snooze_moment(preset: str, typed: str, now: datetime) -> datetime:
    """A preset, or a local date and time as the browser gives it. Raises Invalid."""
    if preset == "hour":
        return now + timedelta(hours=1)
    if preset == "three-hours":
        return now + timedelta(hours=3)
    if preset == "tomorrow":
        return times.next_morning(now)
    if preset == "monday":
        return times.next_morning(now, weekday=0)
    try:
        moment = parse_datetime(typed)
    except ValueError:
        moment = None
    if moment is None:
        raise Invalid(_("Choose until when."))
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _label(request: HttpRequest, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    return casework.add_label(conversation=conversation, name=request.POST.get("name", ""), by=by, now=now)


def _unlabel(request: HttpRequest, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    label = parts.uuid_of(request.POST.get("label"))
    if label is None:
        raise NotFound
    return casework.remove_label(conversation=conversation, label=label, by=by, now=now)


def _plain(do: Callable[..., Conversation]) -> Act:
    return lambda request, conversation, by, now: do(conversation=conversation, by=by, now=now)


_ACTS: dict[str, Act] = {
    "claim": _plain(casework.claim),
    "release": _plain(casework.release),
    "resolve": _plain(casework.resolve),
    "reopen": _plain(casework.reopen),
    "wait": _plain(casework.wait_for_contact),
    "spam": _plain(casework.mark_spam),
    "no-spam": _plain(casework.clear_spam),
    "assign": _assign,
    "snooze": _snooze,
    "label": _label,
    "unlabel": _unlabel,
}
