"""A deed on a conversation as a line of a menu: a form of its own, so that it works without script as well. Written
here and not as a template: a conversation has a dozen of them."""

from __future__ import annotations

from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString

from . import marks


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
    """token: the page's, against forgery. back: where a form without script goes on. field, value: with what."""
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
