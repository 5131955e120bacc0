"""The palette (Ctrl or Cmd and K): to any conversation, person, view or page, and any command, without the mouse."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from klankbord.desk.conversations import asking, listing
from klankbord.desk.conversations import search as finding

from .. import commands
from ..commands import Line
from ..desk import member_of
from ..frame import Frame, frame

_EACH = 5  # lines of a kind while somebody types


@require_GET
def palette(request: HttpRequest) -> HttpResponse:
    """open: the number of the conversation on screen, when there is one."""
    words = " ".join(request.GET.get("q", "").replace("\x00", "").split())[: asking.LONGEST]
    around = frame(request)
    has_conversation = request.GET.get("open", "").isdecimal() and around.may_answer
    groups = [
        (_("This conversation"), commands.on_conversation(words) if has_conversation else []),
        *(_found(request, around, words) if words else []),
        (_("Views"), commands.views(around, words)),
        (_("Pages"), commands.pages(around, words)),
        (_("Commands"), commands.anywhere(words)),
        (_("Search"), [_everywhere(words)] if words else []),
    ]
    shown = [(title, lines[:_EACH] if words else lines) for title, lines in groups if lines]
    return render(request, "web/search/_palette_lines.html", {"groups": shown})


def _found(request: HttpRequest, around: Frame, words: str) -> list[tuple[str, list[Line]]]:
    """Conversations by number or by who wrote in them, and people."""
    by = member_of(request)
    numbers = [int(each) for each in re.findall(r"^#?(\d{1,18})$", words)]
    people = finding.people(words, by=by, limit=_EACH)
    listed = listing.by_numbers([*numbers, *(number for _key, _name, number in people)], inboxes=around.visible)
    conversations = [
        Line(
            f"#{each.number} {each.contact_name}",
            "bubble",
            each.preview,
            url=reverse("open", args=["all", each.number]),
        )
        for each in sorted(
            listed.values(), key=lambda each: (each.number not in numbers, -each.last_message_at.timestamp())
        )
    ]
    persons = [Line(name, "person", url=reverse("contact", args=[key])) for key, name, _newest in people]
    return [(_("Conversations"), conversations), (_("People"), persons)]


def _everywhere(words: str) -> Line:
    return Line(_("Search everything for “%(words)s”") % {"words": words}, "search", url=_search(words))


def _search(words: str) -> str:
    return f"{reverse('search')}?{urlencode({'q': words})}"
