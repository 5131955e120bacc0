"""What can be done about one message on its platform, and what the platform said of it word for word."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from klankbord.contract import Action
from klankbord.desk import access
from klankbord.desk.errors import NotFound
from klankbord.flows import platform_acts, rawfacts
from klankbord.flows.readings import READINGS

from ..desk import member_of
from ..errors import is_fragment
from . import parts

_DEEDS = {
    "like": (Action.LIKE, False),
    "unlike": (Action.LIKE, True),
    "hide": (Action.HIDE, False),
    "unhide": (Action.HIDE, True),
    "delete": (Action.DELETE, False),
    "delete-own": (Action.DELETE_OWN, False),
}


@require_GET
def message_menu(request: HttpRequest, message: UUID) -> HttpResponse:
    by = member_of(request)
    found = access.message_for(by, message)
    offered = platform_acts.offered(found, found.inbox.kind) if access.may(by, "answer") else []
    context = {
        "message": found,
        "conversation": found.conversation,
        "deeds": {
            name
            for name, (action, is_undone) in _DEEDS.items()
            if action in offered and platform_acts.is_on(found, action) == is_undone
        },
        "may_see_raw": access.may(by, "see raw facts"),
    }
    template = "web/conversation/_message_menu.html" if is_fragment(request) else "web/conversation/message_page.html"
    return render(request, template, context)


@require_POST
def message_act(request: HttpRequest, message: UUID, deed: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    if deed not in _DEEDS:
        raise NotFound
    action, is_undone = _DEEDS[deed]
    found = platform_acts.ask(message=message, action=action, is_undone=is_undone, by=by, now=now)
    conversation = access.conversation_for(by, found.conversation_id)
    if not is_fragment(request):
        return parts.back_to(request, conversation)
    context = parts.timeline(request, conversation, now=now)
    return render(request, "web/conversation/_timeline.html", context)


@require_GET
def raw_facts(request: HttpRequest, message: UUID) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    found = rawfacts.read(message=message, by=by, now=now)
    READINGS.note(conversation=found.message.conversation_id, by=by, now=now)
    context = {"raw": found, "message": found.message, "conversation": found.message.conversation, "now": now}
    return render(request, "web/conversation/raw_facts.html", context)
