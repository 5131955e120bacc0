"""Small marks of the screens: icons, faces, moments, places."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from klankbord.desk.conversations.models import Conversation
from klankbord.desk.organisations.models import Membership

from .. import channel_names, faces, times

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#i-{}"/></svg>', size, static("look/icons.svg"), name
    )


@register.simple_tag
def face(name: str, key: object, size: str = "", title: str = "") -> SafeString:
    """Decoration beside a name; with a title it stands for the name."""
    hint = format_html(' title="{}"', title) if title else SafeString(' aria-hidden="true"')
    return format_html(
        '<span class="face {} f{}"{}>{}{}</span>',
        size,
        faces.colour(key),
        hint,
        faces.initials(name),
        format_html('<span class="unseen"> {}</span>', title) if title else "",
    )


@register.simple_tag
def colleague(member: Membership, size: str = "sm", title: str = "") -> SafeString:
    name = member.initials or faces.initials(member.name)
    return format_html(
        '<span class="face {} f{}"{}>{}{}</span>',
        size,
        faces.colour(member.id),
        format_html(' title="{}"', title) if title else SafeString(' aria-hidden="true"'),
        name,
        format_html('<span class="unseen"> {}</span>', title) if title else "",
    )


@register.simple_tag(takes_context=True)
def moment(context: Any, value: datetime | None) -> SafeString | str:
    if value is None:
        return ""
    now = context.get("now") or timezone.now()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), times.say_exactly(value), times.say(value, now)
    )


@register.simple_tag(takes_context=True)
def waiting_clock(context: Any, conversation: Conversation, size: str = "") -> SafeString:
    clock = times.clock_of(conversation, context.get("now") or timezone.now())
    if clock.share is not None:
        mark: SafeString | str = format_html(
            '<svg class="ring" viewBox="0 0 16 16" aria-hidden="true"><circle class="ring-track" cx="8" cy="8" r="6"/>'
            '<circle class="ring-value" cx="8" cy="8" r="6" pathLength="100" stroke-dasharray="{} 100"/></svg>',
            clock.share,
        )
    else:
        mark = icon(clock.icon, "sm") if clock.icon else ""
    return format_html(
        '<span class="clock {}{}" title="{}">{}{}</span>',
        size,
        " soon" if clock.is_long else "",
        clock.title,
        mark,
        clock.words,
    )


@register.simple_tag
def where(visibility: str, kind: str = "", style: str = "") -> SafeString:
    """Where words are spoken: always an icon and a word, never colour alone."""
    is_public = visibility == "public"
    word = (_("Public") if is_public else _("Private")) if not kind else (_("public") if is_public else _("private"))
    return format_html(
        '<span class="where {} {}">{}{}</span>',
        "public" if is_public else "private",
        style,
        icon("globe" if is_public else "lock"),
        f"{channel_names.label_of(kind)} · {word}" if kind else word,
    )


@register.simple_tag
def key(letters: str) -> SafeString:
    return format_html('<kbd class="wide-only" aria-hidden="true">{}</kbd>', letters)


@register.filter
def channel_label(kind: str) -> str:
    return channel_names.label_of(kind)


@register.filter
def plain_number(value: int) -> str:
    """With a thin separator as the language writes it: 2.300 or 2,300."""
    return number_format(value, force_grouping=True)


@register.filter
def file_size(value: int | None) -> str:
    if value is None:
        return ""
    size, unit = (value / 1_000_000, "MB") if value >= 1_000_000 else (max(value / 1000, 1), "kB")
    return f"{number_format(size, 1 if unit == 'MB' and size < 10 else 0)} {unit}"


@register.simple_tag
def hidden_fields(**values: object) -> SafeString:
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', values.items())
