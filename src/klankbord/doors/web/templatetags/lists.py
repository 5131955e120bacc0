"""The lists' own marks: saved views in the navigation, and the deeds on many."""

from __future__ import annotations

from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .. import marks

register = template.Library()


@register.simple_tag(takes_context=True)
def saved_links(context: Any) -> SafeString:
    """needs: frame; may be given: saved. Their counts come after the page, see lists.js."""
    found = context["frame"].saved
    here = context.get("saved")
    if not found:
        return SafeString("")
    lines = "".join(
        f'<a class="nav-item" id="saved-{link.id.hex}" href="{escape(link.url)}" title="{escape(_said(link))}"'
        f"{_drop(link)}{_HERE if here and here.id == link.id else ''}>{marks.icon('people' if link.team else 'pin')}"
        f'<span class="label">{escape(link.title)}</span><span class="count" data-count="{link.id.hex}"></span></a>\n'
        for link in found
    )
    title = escape(_("Saved views"))
    return SafeString(f'<div class="nav-group" id="nav-saved"><h2 class="nav-title">{title}</h2>{lines}</div>')


_HERE = ' aria-current="page"'


def _said(link: Any) -> str:
    return f"{link.title} · {link.team}" if link.team else str(link.title)


def _drop(link: Any) -> str:
    """What dropping a row on a saved view gives it, where that is one person's or one team's list."""
    words = link.filters.words()
    owner = "me" if link.view.name == "mine" else words.get("owner", "")
    team = link.view.team.hex if link.view.team else words.get("team", "")
    if owner and not team:
        return f' data-drop-owner="{escape(owner)}"'
    return f' data-drop-team="{escape(team)}"' if team and not owner else ""


@register.simple_tag
def many_deeds() -> list[tuple[str, str, str, str]]:
    """name, icon, words and key of what can be done with many."""
    return [
        ("assign", "person", _("Give to somebody"), "A"),
        ("label", "tag", _("Label"), "L"),
        ("snooze", "sleep", _("Snooze"), "S"),
        ("resolve", "check", _("Resolve"), "E"),
        ("spam", "spam", _("Put with spam"), "!"),
        ("reply", "send", _("Reply"), "R"),
    ]
