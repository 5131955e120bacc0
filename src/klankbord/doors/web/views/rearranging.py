"""What can be chosen about a conversation as a whole, each in a menu of its own: with which other it belongs together,
which of its threads goes elsewhere, how much it hurries."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from klankbord.desk import access
from klankbord.desk.conversations import asking, listing, queries, search
from klankbord.desk.conversations.listing import Listed
from klankbord.desk.conversations.models import Conversation, Priority
from klankbord.desk.organisations.models import Membership
from klankbord.flows import merging

from ..desk import member_of
from ..errors import is_fragment
from ..sentences import PRIORITY_WORDS

_MOST = 8


@require_GET
def merge(request: HttpRequest, number: int) -> HttpResponse:
    """Look the other one up; with `with`, see what merging means."""
    by, now = member_of(request), timezone.now()
    found = _to_change(by, number)
    chosen = request.GET.get("with", "")
    context: dict[str, object] = {"deed": "merge", "merges": merging.merged_into(found.id, now=now)}
    if chosen.isdecimal():
        other = access.conversation_for(by, int(chosen[:18]))
        goes_there = request.GET.get("way") == "there"
        source, target = (found, other) if goes_there else (other, found)
        preview = merging.preview(source=source.id, target=target.id, by=by)
        context |= {"preview": preview, "other": other, "goes_there": goes_there}
    return _menu(request, found, "merge", _("Merge"), **context, **_choices(request, found, by))


@require_GET
def link(request: HttpRequest, number: int) -> HttpResponse:
    by = member_of(request)
    found = _to_change(by, number)
    return _menu(request, found, "merge", _("Link"), deed="link", **_choices(request, found, by))


@require_GET
def threads(request: HttpRequest, number: int) -> HttpResponse:
    """The places in which a conversation runs, and what can be done about each."""
    found = _to_change(member_of(request), number)
    return _menu(request, found, "threads", _("Threads"), threads=queries.threads_of(found.id))


@require_GET
def priority(request: HttpRequest, number: int) -> HttpResponse:
    found = _to_change(member_of(request), number)
    levels = [(level.value, PRIORITY_WORDS[level]) for level in reversed(Priority)]
    return _menu(request, found, "priority", _("Priority"), levels=levels)


def led_on(request: HttpRequest, conversation: Conversation, *, slug: str = "all") -> HttpResponse:
    """From a conversation that was merged to where it went on, and a sentence about it."""
    assert conversation.merged_into_id is not None
    target = access.conversation_for(member_of(request), conversation.merged_into_id)
    if not is_fragment(request):
        told = {"number": conversation.number, "into": target.number}
        messages.info(request, _("#%(number)s was merged: it goes on in #%(into)s.") % told)
    return redirect("open", slug=slug, number=target.number)


def _to_change(by: Membership, number: int) -> Conversation:
    found = access.conversation_for(by, number)
    access.require(by, "answer")
    return found


def _menu(request: HttpRequest, conversation: Conversation, name: str, title: str, **context: object) -> HttpResponse:
    template = f"web/conversation/_{name}.html"
    context |= {"conversation": conversation, "title": title, "part": template, "now": timezone.now()}
    return render(request, template if is_fragment(request) else "web/conversation/menu_page.html", context)


def _choices(request: HttpRequest, conversation: Conversation, by: Membership) -> dict[str, object]:
    """Others to choose from: those that were typed, else the same person's."""
    words = request.GET.get("q", "").strip()[:200]
    visible = access.visible_inboxes(by)
    found: Sequence[Listed]
    if words:
        zone = timezone.get_current_timezone()
        results = search.find(asking.read(words, zone=zone, today=timezone.localdate()), by=by)
        found = [*([results.numbered] if results.numbered else []), *(each.conversation for each in results.found)]
    else:
        recent = queries.history_of(conversation.contact_id, besides=conversation.id, inboxes=visible)
        by_id = listing.by_ids([each.id for each in recent], inboxes=visible)
        found = [by_id[each.id] for each in recent if each.id in by_id]
    usable = [each for each in found if each.id != conversation.id and each.status != "merged"]
    return {"words": words, "choices": usable[:_MOST]}
