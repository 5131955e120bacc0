"""One row of the list as HTML. Written here and not as a template: fifty of them are most of what a page costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.listing import Listed
from klankbord.desk.conversations.models import Conversation
from klankbord.desk.organisations.models import Membership

from . import faces, marks, times


@dataclass(frozen=True, slots=True)
class RowWords:
    """What all rows of a list share."""

    address: str  # of a conversation in this list, with {} for its number
    query: str  # the list's filters, "" or beginning with "?"
    we: str
    automatic: str
    look: str
    language: str
    speaker: times.Speaker
    now: datetime
    by: UUID
    selected: UUID | None
    pick: str  # the name of a row's tick, with %(name)s; "" where there is nothing to be done with many


def row_words(slug: str, query: str, *, by: Membership, selected: Conversation | None, now: datetime) -> RowWords:
    return RowWords(
        address=reverse("open", args=[slug, 0]).removesuffix("0") + "{}",
        query=escape(query),
        we=f'<span class="muted">{escape(_("We:"))}</span> ',
        automatic=f'<span class="muted">{escape(_("Automatic:"))}</span> ',
        look=f'<span class="chip bad tiny">{marks.icon("warn")}{escape(_("look"))}</span>',
        language=get_language() or "",
        speaker=times.speaker(),
        now=now,
        by=by.id,
        selected=selected.id if selected else None,
        pick=_("Select %(name)s") if access.may(by, "answer") else "",
    )


def row(conversation: Listed, words: RowWords, *, is_gone: bool) -> SafeString:
    is_selected = conversation.id == words.selected
    classes = "".join(
        name
        for name, holds in ((" read", conversation.is_idle), (" selected", is_selected), (" gone", is_gone))
        if holds
    )
    said_by = {"agent": words.we, "bot": words.automatic, "system": words.automatic}.get(conversation.preview_by, "")
    name = conversation.contact_name
    return SafeString(
        f'<li class="conv{classes}" id="row-{conversation.number}">{_tick(conversation, words)}'
        f'<a href="{words.address.format(conversation.number)}{words.query}"{_CURRENT if is_selected else ""}>'
        f'<span class="conv-face">{marks.face_of(name, conversation.contact_id)}</span>'
        f'<span class="conv-top"><span class="conv-who"><bdi>{escape(name)}</bdi></span>'
        f"{marks.vip() if conversation.is_vip else ''}"
        f"{marks.clock(words.speaker.clock_of(conversation, words.now))}</span>"
        f'<span class="conv-text">{said_by}<bdi>{escape(conversation.preview)}</bdi></span>'
        f'<span class="conv-marks">{marks.where_in(words.language, conversation.visibility, conversation.kind)}'
        f"{words.look if conversation.has_trouble else ''}{_labels(conversation.labels)}"
        f"{_owner(conversation, words.by)}"
        f"</span></a></li>"
    )


_CURRENT = ' aria-current="true"'


def _tick(conversation: Listed, words: RowWords) -> str:
    """By which it is chosen among many; belongs to the form above the list."""
    if not words.pick:
        return ""
    said = escape(words.pick % {"name": conversation.contact_name})
    return (
        f'<label class="pick"><input class="tick" type="checkbox" name="number" value="{conversation.number}"'
        f' form="bulk" aria-label="{said}" autocomplete="off"></label>'
    )


def _labels(labels: Iterable[str]) -> str:
    return "".join(f'<span class="label-dot l{label[0]}">{escape(label[1:])}</span>' for label in labels)


def _owner(conversation: Listed, by: UUID) -> str:
    if conversation.owner_id is None or conversation.owner_id == by:
        return ""
    name = conversation.owner_name or ""
    letters = faces.of_colleague(conversation.owner_initials or "", name)
    return marks.face(letters, faces.colour(conversation.owner_id), "sm", name)
