"""What an agent does with a case: one use case each, then the head of the conversation again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from klankbord.desk import access
from klankbord.desk.conversations.models import Conversation, Priority
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.flows import casework, merging, moderating, splitting

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
    if changed.id != conversation.id:
        return _elsewhere(request, changed)
    return _afterwards(request, changed, by, now)


def _elsewhere(request: HttpRequest, changed: Conversation) -> HttpResponse:
    """Work goes on in another conversation than the one on screen."""
    if not is_fragment(request):
        return redirect("conversation", number=changed.number)
    address = reverse("open", args=[parts.view_behind(request).slug, changed.number])
    return HttpResponse(status=204, headers={"HX-Redirect": address})


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


def _prioritise(request: HttpRequest, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    level = request.POST.get("priority", "")
    if level not in {str(each.value) for each in Priority}:
        raise Invalid
    return casework.prioritise(conversation=conversation, priority=int(level), by=by, now=now)


def _other(request: HttpRequest, by: Membership) -> Conversation:
    """The other conversation that a form names by its number."""
    number = request.POST.get("other", "")
    if not number.isdecimal() or len(number) > 18:
        raise NotFound
    return access.conversation_for(by, int(number))


def _linking(do: Callable[..., Conversation]) -> Act:
    return lambda request, conversation, by, now: do(
        conversation=conversation, other=_other(request, by).id, by=by, now=now
    )


def _merge(request: HttpRequest, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    """`way` there: this one goes on in the other; else the other comes here."""
    other = _other(request, by).id
    source, target = (conversation, other) if request.POST.get("way") == "there" else (other, conversation)
    merging.merge(source=source, target=target, by=by, now=now)
    return access.conversation_for(by, target)


def _unmerge(request: HttpRequest, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    merge = parts.uuid_of(request.POST.get("merge"))
    if merge is None:
        raise NotFound
    merging.undo(merge=merge, by=by, now=now)
    return access.conversation_for(by, conversation)


def _split(request: HttpRequest, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    return splitting.split_off(conversation=conversation, thread=_thread(request), by=by, now=now)


def _on_thread(do: Callable[..., Conversation]) -> Act:
    return lambda request, conversation, by, now: do(conversation=conversation, thread=_thread(request), by=by, now=now)


def _thread(request: HttpRequest) -> UUID:
    thread = parts.uuid_of(request.POST.get("thread"))
    if thread is None:
        raise NotFound
    return thread


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
    "priority": _prioritise,
    "link": _linking(casework.link),
    "unlink": _linking(casework.unlink),
    "merge": _merge,
    "unmerge": _unmerge,
    "split": _split,
    "mute": _on_thread(moderating.mute),
    "unmute": _on_thread(moderating.unmute),
}
