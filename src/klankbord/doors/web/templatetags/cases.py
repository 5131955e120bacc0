"""Menus and marks of what can be done about a conversation as a whole."""

from __future__ import annotations

from html import escape
from typing import Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from klankbord.desk.conversations.listing import Listed
from klankbord.desk.conversations.models import Conversation, Merge

from .. import marks, menus, sentences

register = template.Library()


@register.simple_tag
def case_menus(conversation: Conversation) -> SafeString:
    """Lines of a menu that each lead to a menu of their own, in its place."""
    led = (
        ("priority", "flag", _("Priority…")),
        ("merge", "join", _("Merge…")),
        ("link", "link", _("Link to another…")),
        ("threads", "part", _("Split off or mute…")),
    )
    return SafeString(
        "".join(
            f'<a class="item" href="{(address := reverse(name, args=[conversation.number]))}" hx-get="{address}"'
            f' hx-target="closest .popover">{marks.icon(mark, "sm")}{escape(words)}</a>'
            for name, mark, words in led
        )
    )


@register.simple_tag
def priority_chip(conversation: Conversation) -> SafeString:
    words = sentences.PRIORITY_WORDS.get(conversation.priority, "")
    tone = " soon" if conversation.priority > 0 else ""
    said = escape(_("Priority"))
    return SafeString(
        f'<span class="chip{tone}">{marks.icon("flag", "sm")}<span class="unseen">{said}: </span>'
        f"{escape(str(words))}</span>"
    )


@register.simple_tag(takes_context=True)
def link_deed(context: Any, other: Listed) -> SafeString:
    words = f"#{other.number} {other.contact_name}: {other.preview}"
    return _line(context, "link", words, icon="link", field="other", value=other.number)


@register.simple_tag(takes_context=True)
def undo_merge(context: Any, merge: Merge) -> SafeString:
    words = _("Undo: #%(number)s, merged by %(who)s") % {"number": merge.source.number, "who": merge.by.name}
    return _line(context, "unmerge", words, icon="reopen", field="merge", value=merge.id)


def _line(context: Any, deed: str, words: str, **more: Any) -> SafeString:
    """needs: conversation; may be given: next"""
    back = context.get("next") or reverse("conversation", args=[context["conversation"].number])
    return menus.line(context["conversation"].number, deed, words, token=str(context["csrf_token"]), back=back, **more)
