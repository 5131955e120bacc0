"""The parts that every message has, as HTML. Written here and not as a template: a timeline of twenty messages went
through three hundred template nodes for them, most of what the page cost."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from klankbord.desk.conversations.models import Message

from . import marks, times
from .timeline import Line

_WEB_LINK = re.compile(r"https?://[^\s<>\"']{1,2000}", re.IGNORECASE)
_LONG_CHARACTERS, _LONG_LINES = 4000, 60


def top(line: Line, now: datetime) -> SafeString:
    """The opening tag, the face and the line that says who and when."""
    message = line.message
    face = "" if line.is_ours else marks.face_of(line.who, line.face_key)
    classes = f"msg{' ours' if line.is_ours else ''}{' failed' if message.state == 'failed' else ''}"
    new = f'<div class="new-line" id="new-line"><span>{escape(_("new"))}</span></div>' if line.is_first_new else ""
    return SafeString(
        f'{new}<article class="{classes}" id="{line.key}">{face}<span class="by"><b class="clip">'
        f"<bdi>{escape(line.who)}</bdi></b>{_written_by(line)}{moment(message.at, now)}{_edited(message)}</span>"
    )


def body(line: Line) -> SafeString:
    """What the message says. Long ones scroll by themselves and can be reached with the keyboard."""
    text = line.message.text
    if not text:
        return SafeString("" if line.attachments else f'<p class="words muted">{escape(_("No text"))}</p>')
    if len(text) > _LONG_CHARACTERS or text.count("\n") > _LONG_LINES:
        said = escape(_("Long message"))
        return SafeString(
            f'<p class="words long" tabindex="0" role="region" aria-label="{said}" dir="auto">{linked(text)}</p>'
        )
    return SafeString(f'<p class="words" dir="auto">{linked(text)}</p>')


def moment(value: datetime, now: datetime) -> SafeString:
    said = times.speaker()
    # All three are our own words: digits, names of days and months.
    return SafeString(
        f'<time datetime="{value.isoformat()}" title="{said.say_exactly(value)}">{said.say(value, now)}</time>'
    )


def linked(text: str) -> SafeString:
    """Text with its web addresses as links; everything escaped, each address ending where a sentence would."""
    pieces: list[str] = []
    end = 0
    for match in _WEB_LINK.finditer(text):
        address = match.group().rstrip(".,;:!?)]}")
        shown = escape(address)
        pieces.append(escape(text[end : match.start()]))
        pieces.append(f'<a class="link" href="{shown}" target="_blank" rel="noopener noreferrer nofollow">{shown}</a>')
        end = match.start() + len(address)
    pieces.append(escape(text[end:]))
    return SafeString("".join(pieces))


def _written_by(line: Line) -> str:
    """What to know about the author when it is nobody at this desk."""
    message = line.message
    if message.is_automatic:
        return f'<span class="chip tiny">{escape(_("automatic"))}</span>'
    if message.author_kind == "bot":
        return f'<span class="chip tiny">{marks.icon("bot")}{escape(_("bot"))}</span>'
    if line.is_ours and not message.author_id:
        return f'<span class="chip tiny">{escape(_("outside Klankbord"))}</span>'
    return ""


def _edited(message: Message) -> str:
    if not message.edited_at:
        return ""
    return f'<span title="{times.say_exactly(message.edited_at)}">{escape(_("edited"))}</span>'
