"""Marks of working together: notices, and whether somebody is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from uuid import UUID

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from klankbord.desk.conversations.models import Message
from klankbord.desk.notices.models import PresenceState
from klankbord.desk.notices.queries import Told
from klankbord.desk.organisations.models import Membership
from klankbord.flows.notice_words import notice_words

from .. import faces, marks, words

register = template.Library()

_DOTS = {PresenceState.AVAILABLE: "on", PresenceState.BUSY: "busy", PresenceState.AWAY: "away"}


@register.simple_tag
def notice_sentence(notice: Told) -> str:
    return notice_words(notice.kind, who=notice.by, contact=notice.contact, times=notice.times)


@register.simple_tag
def note_words(note: Message) -> SafeString:
    """What a note says, with the names of those it calls standing out."""
    said = words.linked(note.text)
    calls = {call for name in note.facts.get("names", ()) for call in (name, name.split(" ")[0])}
    if not calls:
        return said
    either = "|".join(re.escape(escape(call)) for call in sorted(calls, key=len, reverse=True))
    return SafeString(re.sub(rf"@({either})(?!\w)", r'<b class="mention">@\1</b>', said, flags=re.IGNORECASE))


@register.simple_tag
def colleague_face(initials: str | None, name: str, key: UUID) -> SafeString:
    return marks.face(faces.of_colleague(initials or "", name), faces.colour(key), "sm")


@register.simple_tag
def colleague_in(member: Membership, state: PresenceState) -> SafeString:
    """A face with a dot: here, busy or away."""
    return marks.face(faces.of_colleague(member.initials, member.name), faces.colour(member.id), f"sm {_DOTS[state]}")


@register.simple_tag
def colleague_at(member: Membership, states: Mapping[UUID, PresenceState]) -> SafeString:
    """The same, and in words for who cannot see the dot."""
    state = states.get(member.id, PresenceState.AWAY)
    return format_html('{}<span class="unseen">{}, </span>', colleague_in(member, state), presence_word(state))


@register.filter
def presence_word(state: str) -> str:
    return {
        PresenceState.AVAILABLE: pgettext("presence", "available"),
        PresenceState.BUSY: pgettext("presence", "busy"),
        PresenceState.AWAY: pgettext("presence", "away"),
    }[PresenceState(state)]


@register.simple_tag
def presence_choices(chosen: str) -> list[tuple[str, str, bool]]:
    """chosen: "" for who never said, which is available."""
    now = chosen or PresenceState.AVAILABLE
    return [(str(state), presence_word(state), state == now) for state in PresenceState]
