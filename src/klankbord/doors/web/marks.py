"""Small marks as HTML, made once and remembered: a page holds hundreds of them, and making each through a template
tag or `format_html` took most of the time of a list (measured: 50 rows, 25 of 40 ms)."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from django.templatetags.static import static
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from . import channel_names, faces, times


@lru_cache(maxsize=400)
def icon(name: str, size: str = "") -> SafeString:
    """name and size come from our own templates."""
    address = f"{static('look/icons.svg')}#i-{name}"
    return SafeString(f'<svg class="icon {size}" aria-hidden="true"><use href="{address}"/></svg>')


@lru_cache(maxsize=2000)
def face(letters: str, colour: int, size: str = "", title: str = "") -> SafeString:
    """Decoration beside a name; with a title it stands for the name."""
    if not title:
        return SafeString(f'<span class="face {size} f{colour}" aria-hidden="true">{escape(letters)}</span>')
    said = escape(title)
    return SafeString(
        f'<span class="face {size} f{colour}" title="{said}">{escape(letters)}'
        f'<span class="unseen"> {said}</span></span>'
    )


def face_of(name: str, key: object, size: str = "", title: str = "") -> SafeString:
    return face(faces.initials(name), faces.colour(key), size, title)


def where(visibility: str, kind: str = "", style: str = "") -> SafeString:
    """Where words are spoken: always an icon and a word, never colour alone."""
    return where_in(get_language() or "", visibility, kind, style)


@lru_cache(maxsize=400)
def where_in(language: str, visibility: str, kind: str = "", style: str = "") -> SafeString:
    """language: the one that is active, which who writes many of these looks up once."""
    is_public = visibility == "public"
    if kind:
        word = f"{channel_names.label_of(kind)} · {_('public') if is_public else _('private')}"
    else:
        word = _("Public") if is_public else _("Private")
    place = "public" if is_public else "private"
    return SafeString(
        f'<span class="where {place} {style}">{icon("globe" if is_public else "lock")}{escape(word)}</span>'
    )


def clock(shown: times.Clock, size: str = "") -> SafeString:
    mark = ring(shown.share) if shown.share is not None else icon(shown.icon, "sm") if shown.icon else ""
    tone = " soon" if shown.is_long else ""
    return SafeString(
        f'<span class="clock {size}{tone}" title="{escape(shown.title)}">{mark}{escape(shown.words)}</span>'
    )


@lru_cache(maxsize=1)
def vip() -> SafeString:
    """Who is looked after with special care."""
    return SafeString(f'<span class="chip tiny vip">{icon("star")}VIP</span>')


@lru_cache(maxsize=101)
def ring(share: int) -> SafeString:
    """share: how full, in hundredths."""
    return SafeString(
        '<svg class="ring" viewBox="0 0 16 16" aria-hidden="true"><circle class="ring-track" cx="8" cy="8" r="6"/>'
        f'<circle class="ring-value" cx="8" cy="8" r="6" pathLength="100" stroke-dasharray="{share} 100"/></svg>'
    )


_EMOJI = "😀 😊 🙂 😉 😍 🤗 🤔 😅 😂 😢 😕 🙏 👍 👌 👏 💪 🙌 👋 ❤️ 💚 🎉 🎁 🌟 ✨ ☀️ 🌧️ 📦 🚚 🏠 📞 📧 🔧 ✅ ❌ ⏰ 💡"
_EMOJI_BUTTONS = SafeString(
    "".join(f'<button type="button" data-emoji="{each}">{each}</button>' for each in _EMOJI.split())
)


def emoji_buttons() -> SafeString:
    return _EMOJI_BUTTONS
