"""Small marks of the screens: icons, faces, moments, places."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from klankbord.desk.contacts.models import Handle
from klankbord.desk.conversations.models import Attachment, Conversation, Thread
from klankbord.desk.organisations.models import Membership
from klankbord.flows import composing
from klankbord.flows.platform_words import said
from klankbord.plumbing.files import display_name

from .. import channel_names, faces, files, marks, menus, rows, sections, sentences, times, words
from ..timeline import Line

register = template.Library()


register.simple_tag(marks.icon, name="icon")
register.simple_tag(marks.face_of, name="face")
register.simple_tag(marks.where, name="where")
register.simple_tag(marks.emoji_buttons, name="emoji_buttons")
register.simple_tag(words.body, name="message_words")
register.filter("linked", words.linked)
register.filter("said", said)


@register.simple_tag
def colleague(member: Membership, size: str = "sm", title: str = "") -> SafeString:
    return marks.face(faces.of_colleague(member.initials, member.name), faces.colour(member.id), size, title)


@register.simple_tag(takes_context=True)
def settings_sections(context: Any) -> list[sections.Section]:
    """needs: member"""
    return sections.sections_of(context["member"])


@register.simple_tag(takes_context=True)
def moment(context: Any, value: datetime | None) -> SafeString | str:
    if value is None:
        return ""
    return words.moment(value, context.get("now") or timezone.now())


@register.simple_tag(takes_context=True)
def message_top(context: Any, line: Line) -> SafeString:
    return words.top(line, context.get("now") or timezone.now())


@register.simple_tag(takes_context=True)
def waiting_clock(context: Any, conversation: Conversation, size: str = "") -> SafeString:
    return marks.clock(times.speaker().clock_of(conversation, context.get("now") or timezone.now()), size)


@register.simple_tag(takes_context=True)
def conversation_rows(context: Any) -> SafeString:
    """needs: rows, gone, view, filter_query, now, member; may be given: conversation"""
    shared = rows.row_words(
        context["view"].slug,
        context["filter_query"],
        by=context["member"],
        selected=context.get("conversation"),
        now=context["now"],
    )
    gone = context["gone"]
    return SafeString("".join(rows.row(each, shared, is_gone=each.number in gone) for each in context["rows"]))


@register.simple_tag(takes_context=True)
def deed(context: Any, name: str, words: str, **more: Any) -> SafeString:
    """needs: conversation; may be given: next"""
    back = context.get("next") or context["request"].get_full_path()
    return menus.line(
        context["conversation"].number, name, str(words), token=str(context["csrf_token"]), back=back, **more
    )


@register.simple_tag(takes_context=True)
def view_links(context: Any) -> SafeString:
    """needs: frame; may be given: view"""
    here = None if context.get("saved") else context.get("view")
    return SafeString("".join(menus.view_link(each, is_here=each.view == here) for each in context["frame"].links))


@register.simple_tag
def help_sheet() -> str:
    return menus.help_sheet(get_language() or "")


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
def of(found: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping holds under a key that only the template knows; None when nothing."""
    return found.get(key)


@register.filter
def file_size(value: int | None) -> str:
    if value is None:
        return ""
    size, unit = (value / 1_000_000, "MB") if value >= 1_000_000 else (max(value / 1000, 1), "kB")
    return f"{number_format(size, 1 if unit == 'MB' and size < 10 else 0)} {unit}"


@register.simple_tag
def hidden_fields(**values: object) -> SafeString:
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', values.items())


@register.filter
def first_name(name: str) -> str:
    return name.split(" ")[0] if name else _("the customer")


@register.filter
def span_until(value: datetime, now: datetime) -> str:
    return times.span((value - now).total_seconds())


@register.filter
def status_word(status: str) -> str:
    return str(sentences.STATUS_WORDS.get(status, status))


@register.simple_tag
def exactly(value: datetime) -> str:
    return times.say_exactly(value)


@register.simple_tag
def thread_label(thread: Thread) -> str:
    """A thread's name for who cannot see its colour."""
    label = channel_names.label_of(thread.inbox.kind)
    if thread.visibility == "public":
        return _("Public on %(channel)s") % {"channel": label}
    return _("Private via %(channel)s") % {"channel": label}


@register.filter
def is_web_address(value: str | None) -> bool:
    """Platforms hand us addresses; only these may become links."""
    return bool(value) and str(value).startswith(("https://", "http://"))


@register.filter
def is_picture(file: Attachment) -> bool:
    return file.content_type in files.SHOWN_AS_PICTURE


@register.filter
def file_icon(kind: str) -> str:
    return files.ICONS.get(kind, "file")


@register.filter
def handle_name(handle: Handle) -> str:
    return str(handle)


@register.filter
def is_plain(value: Any) -> bool:
    """Whether a platform's fact can be shown as a word."""
    return isinstance(value, str | int | float) and value != ""


@register.filter
def status_icon(status: str) -> str:
    return {"resolved": "check", "spam": "spam", "snoozed": "sleep", "pending": "wait"}.get(status, "all")


@register.filter
def as_moment(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None


@register.simple_tag
def channel_logo(kind: str) -> SafeString:
    """The channel's own mark, from its folder: our file, so it may stand in the page as it is."""
    return SafeString(channel_names.logo_of(kind))


@register.filter
def shown_name(file: Attachment) -> str:
    """A file's name without signs that would disguise it (a reversed extension), whatever was stored."""
    return display_name(file.name, fallback=file.kind)


@register.filter
def can_point_at(kind: str) -> bool:
    """Whether a reply in this channel can answer one message in particular."""
    return composing.can_point_at(kind)


@register.filter
def fold_lines(text: str) -> str:
    """Several lines as one, to be shown in a small place."""
    return " ↵ ".join(line for line in (each.strip() for each in text.splitlines()) if line)
