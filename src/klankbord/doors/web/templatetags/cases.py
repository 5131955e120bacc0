"""Menus and marks of what can be done about a conversation as a whole."""

from __future__ import annotations

from html import escape
from typing import Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.listing import Listed
from klankbord.desk.conversations.models import Conversation, Merge, Message, Thread
from klankbord.flows import platform_acts

from .. import marks, menus, sentences
from ..timeline import Line

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
        + f'<a class="item" href="{reverse("print", args=[conversation.number])}" target="_blank" rel="noopener">'
        f"{marks.icon('print', 'sm')}{escape(_('Print…'))}</a>"
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


@register.simple_tag(takes_context=True)
def message_menu(context: Any, line: Line, thread: Thread) -> SafeString | str:
    """A button that fetches what can be done about a message; nothing where nothing can. needs: member"""
    member, message = context.get("member"), line.message
    if member is None or not (
        access.role_may(member.role, "see raw facts")
        or (access.role_may(member.role, "answer") and platform_acts.offered(message, thread.inbox.kind))
    ):
        return ""
    address = reverse("message_menu", args=[message.id])
    said = escape(_("More about this message"))
    return SafeString(
        f'<details class="menu end msg-menu" id="menu-{line.key}"><summary class="btn plain icon-only sm"'
        f' aria-label="{said}" title="{said}">{marks.icon("more", "sm")}</summary><div class="popover"'
        f' hx-get="{address}" hx-trigger="toggle from:closest details once" hx-target="this">'
        f'<a class="item" href="{address}">{said}</a></div></details>'
    )


@register.simple_tag(takes_context=True)
def message_deed(context: Any, deed: str, words: str, icon: str, warning: str = "") -> SafeString:
    """needs: message, conversation; warning: asked before it is done"""
    address = reverse("message_act", args=[context["message"].id, deed])
    back = reverse("conversation", args=[context["conversation"].number])
    asked = f' hx-confirm="{escape(warning)}"' if warning else ""
    return SafeString(
        f'<form method="post" action="{address}" hx-post="{address}" hx-target="#timeline" hx-swap="outerHTML"{asked}>'
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{context["csrf_token"]}">'
        f'<input type="hidden" name="next" value="{back}">'
        f'<button class="item">{marks.icon(icon, "sm")}<span class="clip">{escape(words)}</span></button></form>'
    )


@register.simple_tag
def message_marks(line: Line) -> SafeString | str:
    """What we did to a message on its platform, or are about to."""
    acts = line.message.facts.get("acts")
    if not acts:
        return ""
    shown = "".join(
        f'<span class="chip tiny{" bad" if each.is_bad else ""}">{marks.icon(each.icon, "sm")}'
        f"{escape(each.words)}</span>"
        for each in sentences.platform_marks(acts)
    )
    return SafeString(f'<span class="receipt">{shown}</span>') if shown else ""


@register.filter
def author_of(message: Message) -> str:
    handle = message.handle
    name = message.author.name if message.author else message.author_name
    return str(name or (handle and (handle.name or handle.username or handle.external_id)) or "")
