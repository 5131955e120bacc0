"""Marks of the contacts' pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .. import channel_names, marks

register = template.Library()


@register.simple_tag(takes_context=True)
def contact_deed(context: Any, deed: str, words: str, icon: str) -> SafeString:
    """A button that does one thing to the contact of the page.   needs: contact"""
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button class="btn sm">{}{}</button></form>',
        reverse("contact_act", args=[context["contact"].id, deed]),
        context["csrf_token"],
        marks.icon(icon, "sm"),
        words,
    )


@register.filter
def handle_label(kind: str) -> str:
    """Where a handle is from: a channel, or a number that somebody wrote down."""
    return _("Phone") if kind == "phone" else channel_names.label_of(kind)
