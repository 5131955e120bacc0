"""A whole conversation on paper, or as a PDF by the browser: words only, streamed, nothing that runs or fetches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_GET

from klankbord.desk import access
from klankbord.desk.conversations import queries, whole
from klankbord.desk.conversations.models import Conversation
from klankbord.desk.wall import organisation
from klankbord.flows.readings import READINGS

from ..desk import member_of


@require_GET
def on_paper(request: HttpRequest, number: int) -> StreamingHttpResponse:
    """Colleagues' notes only when they are asked for: paper leaves the house."""
    by, now = member_of(request), timezone.now()
    found = access.conversation_for(by, number)
    READINGS.note(conversation=found.id, by=by, now=now)
    with_notes = request.GET.get("notes") == "1"
    head = {
        "conversation": found,
        "threads": queries.threads_of(found.id),
        "with_notes": with_notes,
        "by": by,
        "organisation": by.organisation,
        "language": translation.get_language(),
        "now": now,
    }
    opening = render_to_string("web/conversation/print_head.html", head, request)
    # The stream runs after the desk is closed behind this request: it opens its own, in the reader's language and zone.
    zone, language = timezone.get_current_timezone(), translation.get_language() or "nl"

    def pages() -> Iterator[str]:
        yield opening
        with translation.override(language), timezone.override(zone), organisation(by.organisation_id):
            yield from _messages(found, with_notes, now)
        yield "</main></body></html>"

    return StreamingHttpResponse(pages(), content_type="text/html; charset=utf-8")


def _messages(conversation: Conversation, with_notes: bool, now: datetime) -> Iterator[str]:
    for messages, files in whole.stretches(conversation.id, with_notes=with_notes):
        yield render_to_string(
            "web/conversation/print_messages.html", {"messages": messages, "files": files, "now": now}
        )
