"""What a list is narrowed by, as people read it: chips above the list, and the fields of the filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from klankbord.desk.conversations.choices import Choices
from klankbord.desk.conversations.filters import ANY, ME, NONE, STATUSES, Filters, sorts_of
from klankbord.desk.conversations.listing import View
from klankbord.desk.inboxes.models import Inbox

from . import channel_names
from .sentences import STATUS_WORDS

_EMPTY = Filters()
_PRIORITIES = (2, 1, 0, -1)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on; url: the list without it."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    label: str
    options: list[Option]


def list_url(view: View, filters: Filters) -> str:
    query = filters.query
    return reverse("list", args=[view.slug]) + (f"?{query}" if query else "")


def chips(view: View, filters: Filters, names: Mapping[UUID, str], inboxes: Mapping[UUID, Inbox]) -> list[Chip]:
    said = {
        "inbox": inboxes[filters.inbox].name if filters.inbox and filters.inbox in inboxes else _("another inbox"),
        "kind": channel_names.label_of(filters.kind) if filters.kind else "",
        "visibility": _visibility(filters.visibility),
        "label": names.get(filters.label, _("a label that is gone")) if filters.label else "",
        "status": _status(filters.status),
        "team": _whose(filters.team, names, nobody=_("no team")),
        "owner": _whose(filters.owner, names, nobody=_("of nobody")),
        "language": language_name(filters.language),
        "priority": _priority(filters.priority) if filters.priority is not None else "",
        "age": _age(filters.age),
        "has_files": _("with files"),
        "is_unanswered": _("unanswered"),
        "sort": _sort(filters.sort),
    }
    found = []
    for name, words in said.items():
        off = getattr(_EMPTY, name)
        if getattr(filters, name) != off:
            without: Any = {name: off}
            found.append(Chip(words, list_url(view, replace(filters, **without))))
    return found


def fields(view: View, filters: Filters, found: Choices, inboxes: Mapping[UUID, Inbox]) -> list[Field]:
    """The choices of the filter; what has one possible answer is not asked."""
    kinds = sorted({inbox.kind for inbox in inboxes.values()}, key=channel_names.label_of)
    words = filters.words()
    status = filters.status or view.status

    def field(name: str, label: str, options: Iterable[tuple[Any, str]]) -> Field:
        chosen = words.get(name, "")
        offered = [(value.hex if isinstance(value, UUID) else str(value), said) for value, said in options]
        return Field(name, label, [Option(value, said, value == chosen) for value, said in offered])

    asked = [
        field("inbox", _("Inbox"), ((key, inbox.name) for key, inbox in inboxes.items())),
        field("kind", _("Channel"), ((kind, channel_names.label_of(kind)) for kind in kinds)),
        field("visibility", _("Place"), ((each, _visibility(each)) for each in ("public", "private"))),
        field("label", _("Label"), found.labels),
        field("status", _("Status"), ((each, _status(each)) for each in (*STATUSES, ANY) if each != view.status)),
        field("team", _("Team"), [*([(NONE, _("no team"))] if found.teams else []), *found.teams]),
        field("owner", _("Whose"), [(ME, _("mine")), (NONE, _("of nobody")), *found.people]),
        field("language", _("Language"), ((each, language_name(each)) for each in found.languages)),
        field("priority", _("Priority"), ((each, _priority(each)) for each in _PRIORITIES)),
        field("age", _("Last word"), ((each, _age(each)) for each in _AGE_ORDER)),
        field("sort", _("Order"), ((each, _sort(each)) for each in sorts_of(status)[1:])),
    ]
    needless = {"inbox": 2, "kind": 2, "language": 2, "label": 1, "team": 1}
    return [each for each in asked if len(each.options) >= needless.get(each.name, 1) or words.get(each.name)]


_AGE_ORDER = ("under-1h", "under-1d", "under-7d", "over-1d", "over-7d", "over-30d")


def _visibility(visibility: str) -> str:
    return {"public": _("Public"), "private": _("Private")}.get(visibility, "")


def _status(status: str) -> str:
    return _("Any status") if status == ANY else str(STATUS_WORDS.get(status, status))


def _whose(chosen: UUID | str | None, names: Mapping[UUID, str], *, nobody: str) -> str:
    if isinstance(chosen, UUID):
        return names.get(chosen, _("somebody who is gone"))
    return {ME: _("mine"), NONE: nobody}.get(chosen or "", "")


def language_name(code: str) -> str:
    if not code:
        return ""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _priority(level: int) -> str:
    words = {2: _("Urgent"), 1: _("High priority"), 0: _("Normal priority"), -1: _("Low priority")}
    return words.get(level, str(level))


def _age(age: str) -> str:
    return {
        "under-1h": _("within the last hour"),
        "under-1d": _("within a day"),
        "under-7d": _("within a week"),
        "over-1d": _("over a day ago"),
        "over-7d": _("over a week ago"),
        "over-30d": _("over a month ago"),
    }.get(age, "")


def _sort(sort: str) -> str:
    return {
        "waiting": _("Longest waiting first"),
        "newest": _("Newest first"),
        "oldest": _("Oldest first"),
        "priority": _("Highest priority first"),
    }.get(sort, "")
