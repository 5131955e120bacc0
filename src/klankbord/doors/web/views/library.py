"""Saved replies and business facts: their settings screen, and what the composer offers of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from klankbord.desk import access
from klankbord.desk.errors import DeskError
from klankbord.desk.library import filling, queries
from klankbord.desk.library.models import SavedReply
from klankbord.desk.organisations import queries as organisations
from klankbord.flows import library

from ..desk import member_of
from ..frame import frame
from . import parts


@require_GET
def phrases(request: HttpRequest, number: int) -> HttpResponse:
    """Saved replies for the words typed so far, filled for this conversation."""
    by = member_of(request)
    found = access.conversation_for(by, number)
    access.require(by, "answer")
    language = request.GET.get("language", "")
    language = language if language in ("nl", "en") else library.language_of(found, by)
    words = request.GET.get("q", "")[:80]
    context = {
        "conversation": found,
        "phrases": library.phrases(conversation=found, words=words, by=by, language=language),
        "language": language,
        "words": words,
    }
    return render(request, "web/conversation/_phrases.html", context)


@require_POST
def used(request: HttpRequest, reply: UUID) -> HttpResponse:
    library.note_use(reply=reply, by=member_of(request))
    return HttpResponse(status=204)


@require_GET
def saved_replies(request: HttpRequest) -> HttpResponse:
    by = member_of(request)
    access.require(by, "answer")
    found = queries.replies_for(by)
    groups = [
        (_("Everybody's"), [each for each in found if not each.owner_id and not each.team_id]),
        *((team.name, [each for each in found if each.team_id == team.id]) for team in organisations.teams_of(by)),
        (_("Only yours"), [each for each in found if each.owner_id]),
    ]
    context = {
        "frame": frame(request),
        "page": "settings",
        "groups": [(title, replies) for title, replies in groups if replies],
        "facts": queries.facts(),
        "manages_library": access.may(by, "manage library"),
    }
    return render(request, "web/settings/saved_replies.html", context)


@require_http_methods(["GET", "POST"])
def new_reply(request: HttpRequest) -> HttpResponse:
    access.require(member_of(request), "answer")
    return _save(request, None) if request.method == "POST" else _form(request, None)


@require_http_methods(["GET", "POST"])
def saved_reply(request: HttpRequest, reply: UUID) -> HttpResponse:
    found = library.reply_to_change(reply=reply, by=member_of(request))
    return _save(request, found) if request.method == "POST" else _form(request, found)


@require_POST
def remove_reply(request: HttpRequest, reply: UUID) -> HttpResponse:
    library.remove_reply(reply=reply, by=member_of(request))
    messages.success(request, _("Removed."))
    return redirect("saved_replies")


@require_POST
def save_fact(request: HttpRequest) -> HttpResponse:
    by, said = member_of(request), request.POST
    try:
        parts.attempt(
            lambda: library.save_fact(
                name=said.get("name", ""), value_nl=said.get("value_nl", ""), value_en=said.get("value_en", ""), by=by
            )
        )
    except DeskError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, _("Saved."))
    return redirect("saved_replies")


@require_POST
def remove_fact(request: HttpRequest, fact: UUID) -> HttpResponse:
    library.remove_fact(fact=fact, by=member_of(request))
    messages.success(request, _("Removed."))
    return redirect("saved_replies")


def _save(request: HttpRequest, found: SavedReply | None) -> HttpResponse:
    by, said = member_of(request), request.POST
    try:
        parts.attempt(
            lambda: library.save_reply(
                reply=found.id if found else None,
                name=said.get("name", ""),
                text_nl=said.get("text_nl", ""),
                text_en=said.get("text_en", ""),
                audience=said.get("audience", "me"),
                by=by,
                now=timezone.now(),
            )
        )
    except DeskError as error:
        return _form(request, found, sentence=error.sentence, status=error.status)
    messages.success(request, _("Saved."))
    return redirect("saved_replies")


def _form(request: HttpRequest, found: SavedReply | None, *, sentence: str = "", status: int = 200) -> HttpResponse:
    by = member_of(request)
    audience = "me" if found is None or found.owner_id else str(found.team_id or "all")
    values: dict[str, Any] = {
        "name": found.name if found else "",
        "text_nl": found.text_nl if found else "",
        "text_en": found.text_en if found else "",
        "audience": audience,
    }
    if request.method == "POST":
        values |= {name: request.POST.get(name, "") for name in values}
    context = {
        "frame": frame(request),
        "page": "settings",
        "reply": found,
        "values": values,
        "teams": [(str(team.id), team.name) for team in organisations.teams_of(by)],
        "manages_library": access.may(by, "manage library"),
        "blanks": [*filling.ALWAYS, *(fact.name for fact in queries.facts())],
        "sentence": sentence,
    }
    return render(request, "web/settings/saved_reply.html", context, status=status)
