"""Parts of one conversation: its timeline, older messages, side panel, menus, and who else has it open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from klankbord.desk import access
from klankbord.desk.contacts import queries as contacts
from klankbord.desk.conversations import links, queries
from klankbord.desk.organisations import queries as organisations
from klankbord.flows import presence
from klankbord.flows.readings import READINGS

from ..desk import member_of
from ..errors import is_fragment
from . import parts, rearranging


@require_GET
def conversation(request: HttpRequest, number: int) -> HttpResponse:
    """The address to hand to a colleague."""
    found = access.conversation_for(member_of(request), number)
    if found.merged_into_id:
        return rearranging.led_on(request, found)
    return redirect("open", slug="all", number=found.number)


@require_GET
def timeline(request: HttpRequest, number: int) -> HttpResponse:
    """The newest part, or the part that ends `before`; with `from` what is on screen again ("all", or its oldest)."""
    found, now = access.conversation_for(member_of(request), number), timezone.now()
    before = _position(request.GET.get("before", ""))
    if before is not None and not is_fragment(request):
        context = parts.timeline(request, found, now=now, before=before)
        return render(request, "web/conversation/older_page.html", context)
    template = "web/conversation/_older.html" if before else "web/conversation/_timeline.html"
    is_refresh = before is None and "from" in request.GET
    since = _position(request.GET["from"]) if is_refresh else None
    return render(
        request, template, parts.timeline(request, found, now=now, before=before, since=since, is_refresh=is_refresh)
    )


@require_GET
def head(request: HttpRequest, number: int) -> HttpResponse:
    found = access.conversation_for(member_of(request), number)
    now = timezone.now()
    context = parts.head(request, found, now=now) | parts.presence_in(found, by=member_of(request), now=now)
    return render(request, "web/conversation/_head.html", context)


@require_GET
def composer(request: HttpRequest, number: int) -> HttpResponse:
    """Where a reply goes by now: the contact may have gone on in another place since the conversation was opened."""
    found = access.conversation_for(member_of(request), number)
    if not is_fragment(request):
        return redirect("conversation", number=found.number)
    return render(request, "web/conversation/_composer.html", parts.composer(request, found, now=timezone.now()))


@require_GET
def side(request: HttpRequest, number: int) -> HttpResponse:
    """Who this is: identities, facts and earlier conversations."""
    by = member_of(request)
    found = access.conversation_for(by, number)
    visible = access.inboxes_of(by)
    READINGS.note(conversation=found.id, by=by, now=timezone.now())
    context = {
        "conversation": found,
        "contact": found.contact,
        "handles": contacts.handles_of(found.contact_id),
        "linked": links.linked_to(found.id, inboxes=visible),
        "may_answer": access.may(by, "answer"),
        "history": queries.history_of(found.contact_id, besides=found.id, inboxes=visible),
        "inboxes": visible,
        "view": parts.view_behind(request),
        "now": timezone.now(),
    }
    template = "web/conversation/_side.html" if is_fragment(request) else "web/conversation/side_page.html"
    return render(request, template, context)


@require_GET
def people(request: HttpRequest, number: int) -> HttpResponse:
    """Whom to give it to."""
    found = access.conversation_for(member_of(request), number)
    context = {"conversation": found, "colleagues": organisations.colleagues(), "teams": organisations.teams()}
    context["states"] = presence.states(now=timezone.now())
    template = "web/conversation/_people.html" if is_fragment(request) else "web/conversation/people_page.html"
    return render(request, template, context)


@require_GET
def labels(request: HttpRequest, number: int) -> HttpResponse:
    found = access.conversation_for(member_of(request), number)
    own = queries.labels_of(found.id)
    context = {
        "conversation": found,
        "labels": own,
        "others": [each for each in queries.all_labels() if each not in own],
    }
    template = "web/conversation/_labels.html" if is_fragment(request) else "web/conversation/labels_page.html"
    return render(request, template, context)


@require_POST
def seen(request: HttpRequest, number: int) -> HttpResponse:
    """Said every quarter minute while the conversation is on screen; answers who else has it."""
    by, now = member_of(request), timezone.now()
    found = access.conversation_for(by, number)
    presence.seen(conversation=found.id, by=by, now=now, is_typing=request.POST.get("typing") == "1")
    return render(request, "web/conversation/_presence.html", parts.presence_in(found, by=by, now=now))


def _position(text: str) -> queries.Position | None:
    moment, _, last = text.partition("_")
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    found = parts.uuid_of(last)
    return (at, found) if at and found else None
