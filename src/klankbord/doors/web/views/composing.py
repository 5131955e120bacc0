"""Beside the words: drafts of colleagues, replies that wait for approval, and replies that leave later."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from klankbord.desk import access
from klankbord.desk.conversations.models import Conversation
from klankbord.desk.organisations import queries as organisations
from klankbord.flows import composing, proposing, scheduling, sharing

from ..desk import member_of
from ..errors import is_fragment
from ..frame import frame
from . import parts
from .acts import snooze_moment


@require_GET
def beside(request: HttpRequest, number: int) -> HttpResponse:
    """What stands above the composer; asked for again whenever a draft comes, goes or is decided upon."""
    return _beside(request, access.conversation_for(member_of(request), number))


def _beside(request: HttpRequest, found: Conversation) -> HttpResponse:
    by = member_of(request)
    context = {
        "conversation": found,
        "beside": composing.beside(composing.drafts_in(found.id), by),
        "approves": access.may(by, "approve replies"),
        "may_answer": access.may(by, "answer"),
        "now": timezone.now(),
    }
    return render(request, "web/conversation/_beside.html", context)


@require_GET
def shared_draft(request: HttpRequest, draft: UUID) -> HttpResponse:
    found = sharing.draft_for(draft=draft, by=member_of(request))
    context = {"draft": found, "conversation": found.conversation, "now": timezone.now()}
    return render(request, "web/conversation/_shared_draft.html", context)


@require_POST
def take_over(request: HttpRequest, draft: UUID) -> HttpResponse:
    by = member_of(request)
    taken = sharing.take_over(draft=draft, by=by, now=timezone.now())
    return _composer_again(request, access.conversation_for(by, taken.conversation_id))


@require_POST
def accept(request: HttpRequest, draft: UUID) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    words = request.POST.get("text", "")
    message = parts.attempt(lambda: proposing.accept(proposal=draft, text=words, by=by, now=now))
    return _settled(request, access.conversation_for(by, message.conversation_id))


@require_POST
def give_back(request: HttpRequest, draft: UUID) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    returned = proposing.give_back(proposal=draft, remark=request.POST.get("remark", ""), by=by, now=now)
    return _settled(request, access.conversation_for(by, returned.conversation_id))


@require_POST
def withdraw(request: HttpRequest, draft: UUID) -> HttpResponse:
    by = member_of(request)
    own = proposing.withdraw(proposal=draft, by=by, now=timezone.now())
    return _composer_again(request, access.conversation_for(by, own.conversation_id))


@require_POST
def move(request: HttpRequest, message: UUID) -> HttpResponse:
    """Another moment for a reply that waits."""
    by, now = member_of(request), timezone.now()
    access.message_for(by, message)
    leave_at = snooze_moment(request.POST.get("for", ""), request.POST.get("until", ""), now)
    moved = scheduling.move(message=message, leave_at=leave_at, by=by, now=now)
    conversation = access.conversation_for(by, moved.conversation_id)
    if not is_fragment(request):
        return parts.back_to(request, conversation)
    response = render(request, "web/conversation/_timeline.html", parts.timeline(request, conversation, now=now))
    return parts.tell(response, acted={"number": conversation.number, "hasLeft": False})


@require_GET
def proposals(request: HttpRequest) -> HttpResponse:
    """All that waits for approval, and whose replies are looked at."""
    by = member_of(request)
    waiting = proposing.waiting(by=by)
    if is_fragment(request):
        return render(request, "web/conversation/_proposals_link.html", {"waiting": waiting})
    context: dict[str, Any] = {
        "frame": frame(request),
        "page": "proposals",
        "waiting": waiting,
        "colleagues": [each for each in organisations.colleagues() if each.id != by.id],
        "now": timezone.now(),
    }
    return render(request, "web/proposals.html", context)


@require_POST
def who_needs_approval(request: HttpRequest) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    access.require(by, "approve replies")
    chosen = {parts.uuid_of(each) for each in request.POST.getlist("members")}
    for member in organisations.colleagues():
        if member.id != by.id and member.needs_approval != (member.id in chosen):
            proposing.set_needs_approval(member=member.id, needs=member.id in chosen, by=by, now=now)
    messages.success(request, _("Saved."))
    return redirect("proposals")


def _composer_again(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    if not is_fragment(request):
        return parts.back_to(request, conversation)
    context = parts.composer(request, conversation, now=timezone.now(), is_fresh=True)
    return render(request, "web/conversation/_composer.html", context)


def _settled(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    if not is_fragment(request):
        return parts.back_to(request, conversation)
    return parts.tell(_beside(request, conversation), acted={"number": conversation.number, "hasLeft": False})
