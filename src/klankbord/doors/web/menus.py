"""Lines of menus and of the navigation. Written here and not as a template: a page has a dozen of each."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.safestring import SafeString

from . import marks
from .frame import ViewLink


def line(
    number: int,
    deed: str,
    words: str,
    *,
    token: str,
    back: str,
    icon: str = "",
    field: str = "",
    value: object = "",
    more: str = "",
) -> SafeString:
    """A deed on a conversation: a form of its own, so that it works without script as well.

    token: the page's, against forgery. back: where a form without script goes on. field, value: with what.
    """
    address = reverse("act", args=[number, deed])
    named = f' name="{field}" value="{escape(str(value))}"' if field else ""
    mark = marks.icon(icon, "sm") if icon else ""
    beside = f'<span class="small muted push">{escape(more)}</span>' if more else ""
    return SafeString(
        f'<form method="post" action="{address}" hx-post="{address}" hx-target="#case-head" hx-swap="outerHTML">'
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
        f'<input type="hidden" name="next" value="{escape(back)}">'
        f'<button class="item"{named}>{mark}<span class="clip">{escape(words)}</span>{beside}</button></form>'
    )


def view_link(link: ViewLink, *, is_here: bool) -> SafeString:
    """A list in the navigation, with its count."""
    title = escape(link.title)
    count = f'<span class="count">{number_format(link.count, force_grouping=True)}</span>' if link.count else ""
    return SafeString(
        f'<a class="nav-item" id="nav-{link.view.slug}" href="{escape(link.url)}" title="{title}"'
        f'{_HERE if is_here else ""}>{marks.icon(link.icon)}<span class="label">{title}</span>{count}</a>\n'
    )


_HERE = ' aria-current="page"'


@lru_cache(maxsize=20)
def help_sheet(language: str) -> str:
    """The sheet of keys in the language that is active; the same on every page."""
    return render_to_string("web/_help.html")
