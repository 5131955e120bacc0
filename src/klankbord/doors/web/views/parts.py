"""What the views share: reading a request, and the parts of the conversation that several of them give back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations import queries
from klankbord.desk.conversations.filters import Filters
from klankbord.desk.conversations.listing import View
from klankbord.desk.conversations.models import Conversation, Message, MessageKind, Status, Thread
from klankbord.desk.errors import NotFound
from klankbord.desk.organisations import queries as organisations
from klankbord.desk.organisations.models import Membership
from klankbord.flows import composing, presence, visitors
from klankbord.flows.readings import READINGS
from klankbord.kernel.ids import random_token

from .. import times
from ..desk import member_of
from ..timeline import blocks_of, first_new_of

Result = TypeVar("Result")


def attempt(act: Callable[[], Result]) -> Result:
    """Call a use case so that one that is refused halfway leaves nothing behind, while the request goes on."""
    with transaction.atomic():
        return act()


def view_of(slug: str) -> View:
    view = View.read(slug)
    if view is None:
        raise NotFound
    return view


def filters_of(request: HttpRequest) -> Filters:
    return Filters.read(request.GET.dict())


def uuid_of(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def pane(request: HttpRequest, conversation: Conversation, *, now: datetime) -> dict[str, Any]:
    """All that the open conversation shows, except the side panel, which comes after it."""
    shown = timeline(request, conversation, now=now)
    return {
        **shown,
        **head(request, conversation, now=now),
        **composer(request, conversation, now=now, threads=shown["threads"]),
    }


def timeline(
    request: HttpRequest,
    conversation: Conversation,
    *,
    now: datetime,
    before: queries.Position | None = None,
    since: queries.Position | None = None,
    is_refresh: bool = False,
) -> dict[str, Any]:
    READINGS.note(conversation=conversation.id, by=member_of(request), now=now)
    by = member_of(request)
    threads = {thread.id: thread for thread in queries.threads_of(conversation.id, reader=by.id)}
    _take_relations(conversation, threads.values())
    stretch = queries.stretch(conversation.id, before=before, since=since)
    people, teams = _names_for(stretch.events)
    if is_refresh:  # the line stays where it was while somebody looks
        first_new = uuid_of(request.GET.get("new"))
    else:
        read_at = next((getattr(thread, "read_at", None) for thread in threads.values()), None)
        first_new = None if before else first_new_of(stretch.messages, read_at=read_at, by=by.id)
    newest = stretch.messages[-1] if stretch.messages else None
    return {
        "conversation": conversation,
        "blocks": blocks_of(stretch, threads, people=people, teams=teams, now=now, first_new=first_new),
        "first_new": first_new,
        "before": _written(stretch.before) if stretch.before else "",
        "oldest": _written((stretch.messages[0].at, stretch.messages[0].id)) if stretch.messages else "",
        "is_refresh": is_refresh,
        "newest": newest,
        "newest_ours": _newest_of_colleague(stretch.messages, member_of(request).id),
        "threads": list(threads.values()),
        "now": now,
    }


def head(request: HttpRequest, conversation: Conversation, *, now: datetime) -> dict[str, Any]:
    by = member_of(request)
    return {
        "conversation": conversation,
        "labels": queries.labels_of(conversation.id),
        "others": presence.others(conversation=conversation.id, by=by, now=now),
        "may_answer": access.may(by, "answer"),
        "is_mine": conversation.owner_id == by.id,
        "now": now,
        "view": view_behind(request),
        "deed_of_status": {Status.RESOLVED: "reopen", Status.SPAM: "no-spam"}.get(
            Status(conversation.status), "resolve"
        ),
        "snooze_presets": snooze_presets(now),
    }


def presence_in(conversation: Conversation, *, by: Membership, now: datetime) -> dict[str, Any]:
    """Who else is busy with it just now: colleagues, and the visitor of a chat."""
    return {
        "conversation": conversation,
        "others": presence.others(conversation=conversation.id, by=by, now=now),
        "is_visitor_typing": visitors.is_visitor_typing(conversation=conversation.id, now=now),
    }


def composer(
    request: HttpRequest,
    conversation: Conversation,
    *,
    now: datetime,
    threads: Sequence[Thread] | None = None,
    **more: Any,
) -> dict[str, Any]:
    by = member_of(request)
    if threads is None:
        threads = queries.threads_of(conversation.id)
        _take_relations(conversation, threads)
    found = composing.composer(conversation=conversation, by=by, now=now, threads=threads)
    return {
        "conversation": conversation,
        "composer": found,
        "first_mode": first_mode(found.modes),
        "client_key": random_token(),
        "may_answer": access.may(by, "answer"),
        "now": now,
        "undo_seconds": by.organisation.undo_seconds,
        "approves": access.may(by, "approve replies"),
        "snooze_presets": snooze_presets(now),
        **more,
    }


def first_mode(modes: Sequence[composing.ComposerMode]) -> composing.ComposerMode | None:
    """Where words go unless the agent says otherwise. When the contact's own place is blocked another open one is
    offered, but never a public one for what was said in private."""
    if not modes or not modes[0].blocked_reason:
        return modes[0] if modes else None
    fitting = (mode for mode in modes if not mode.blocked_reason and (modes[0].is_public or not mode.is_public))
    return next(fitting, modes[0])


def snooze_presets(now: datetime) -> list[tuple[str, str, str]]:
    tomorrow, monday = times.next_morning(now), times.next_morning(now, weekday=0)
    presets = [
        ("hour", _("In an hour"), now + timedelta(hours=1)),
        ("three-hours", _("In three hours"), now + timedelta(hours=3)),
        ("tomorrow", _("Tomorrow"), tomorrow),
    ]
    if monday != tomorrow:
        presets.append(("monday", _("On Monday"), monday))
    return [(name, words, times.say(moment, now)) for name, words, moment in presets]


def view_behind(request: HttpRequest) -> View:
    """The list in which somebody is working: from the page's address, which htmx sends along."""
    path = request.headers.get("HX-Current-URL", "") or request.path_info
    parts = path.split("/inbox/", 1)
    slug = parts[1].split("?")[0].split("/")[0] if len(parts) == 2 else ""
    return View.read(slug) or View("all")


def back_to(request: HttpRequest, conversation: Conversation | None = None) -> HttpResponse:
    """Where a form without script goes on: the page it stood on."""
    wanted = request.POST.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return redirect(wanted)
    if conversation is None:
        return redirect("home")
    return redirect(reverse("open", args=["all", conversation.number]))


def tell(response: HttpResponse, **events: Any) -> HttpResponse:
    """Let the page's script know what happened, beside the part that is swapped."""
    response.headers["HX-Trigger"] = json.dumps({f"desk:{name}": facts for name, facts in events.items()})
    return response


def _written(position: queries.Position) -> str:
    return f"{position[0].isoformat()}_{position[1].hex}"


def _take_relations(conversation: Conversation, threads: Any) -> None:
    """The threads' statement brought the conversation's people along: spare a statement for each."""
    for thread in threads:
        twin = thread.conversation
        conversation.contact, conversation.owner, conversation.team = twin.contact, twin.owner, twin.team
        return


def _names_for(events: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Names of those whom events speak of; no statement when none does."""
    assigned = [event for event in events if event.kind == "conversation assigned"]
    people = {str(each.id): each.name for each in organisations.colleagues()} if assigned else {}
    has_team = any(event.facts.get("team") for event in assigned)
    return people, {str(team.id): team.name for team in organisations.teams()} if has_team else {}


def _newest_of_colleague(messages: list[Message], by: UUID) -> Message | None:
    for message in reversed(messages):
        if message.kind == MessageKind.OUTBOUND and message.author_id and message.author_id != by:
            return message
        if message.kind in {MessageKind.INBOUND, MessageKind.OUTBOUND}:
            return None
    return None
