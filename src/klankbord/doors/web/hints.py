"""What the search box offers while somebody types a filter: its name, or what may stand behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations import asking, queries, search
from klankbord.desk.organisations.models import Membership
from klankbord.kernel.text import fold

from .sentences import STATUS_WORDS

_MOST = 8
# Name in English and in Dutch, as they are offered; `asking` understands both on every screen.
_NAMES = {"from": "van", "inbox": "inbox", "label": "label", "before": "voor", "after": "na", "is": "is", "in": "in"}
_LAST = re.compile(r'(?:(?P<name>\w+):(?P<value>"[^"]*|[^\s"]*)|(?P<bare>\w+))$')


class Hint(NamedTuple):
    """text: the whole box once this is chosen. shown, about: what the line says."""

    text: str
    shown: str
    about: str
    is_complete: bool


def of(words: str, *, by: Membership) -> list[Hint]:
    last = _LAST.search(words)
    if last is None:
        return []
    before = words[: last.start()]
    if last["bare"] is not None:
        begun = fold(last["bare"])
        return [
            Hint(f"{before}{name}:", f"{name}:", about, False) for name, about in filters() if name.startswith(begun)
        ]
    name = asking.FILTERS.get(fold(last["name"]), "")
    begun = fold(last["value"].removeprefix('"'))
    written = last["name"]
    return [
        Hint(f"{before}{written}:{_quoted(value)} ", value, about, True) for value, about in _values(name, begun, by=by)
    ][:_MOST]


def filters() -> list[tuple[str, str]]:
    """The filters' names in the language of the screen, and what each is for."""
    about = {
        "from": _("who said it: a customer or a colleague"),
        "inbox": _("in which inbox"),
        "label": _("with which label"),
        "before": _("before a day, month or year"),
        "after": _("from a day, month or year on"),
        "is": _("open, pending, snoozed, resolved or spam"),
        "in": _("said in public or in private"),
    }
    is_dutch = get_language() == "nl"
    return [(dutch if is_dutch else name, about[name]) for name, dutch in _NAMES.items()]


def examples() -> list[tuple[str, str]]:
    """Questions that work on every desk, in the language of the screen, and what each gives."""
    names = dict(zip(_NAMES, (name for name, _about in filters()), strict=True))
    month = f"{timezone.localdate():%Y-%m}"
    return [
        (_('"where is my parcel"'), _("these words in this order")),
        (f"{_('parcel')} {names['after']}:{month}", _("a word, since the first of this month")),
        (f"{names['is']}:{_('resolved')} {names['in']}:{_('public')}", _("what was resolved and said in public")),
        ("#1", _("a ticket by its number")),
    ]


def _values(name: str, begun: str, *, by: Membership) -> Iterable[tuple[str, str]]:
    if name == "from" and len(begun) > 1:
        return [(name, "") for _key, name, _number in search.people(begun, by=by)]
    if name == "inbox":
        return [(each.name, "") for each in access.inboxes_of(by).values() if begun in fold(each.name)]
    if name == "label":
        return [(each.name, "") for each in queries.all_labels() if begun in fold(each.name)]
    if name in ("before", "after"):
        today = timezone.localdate()
        days = [("today", "vandaag", today), ("yesterday", "gisteren", today - timedelta(days=1))]
        said = [(dutch if get_language() == "nl" else english, day) for english, dutch, day in days]
        months = [today.replace(day=1), (today.replace(day=1) - timedelta(days=1)).replace(day=1)]
        said += [(f"{month:%Y-%m}", month) for month in months] + [(f"{today:%Y}", today.replace(month=1, day=1))]
        return [(word, date_format(day, "j F Y")) for word, day in said if word.startswith(begun)]
    if name == "is":
        return _known(asking.STATUSES, STATUS_WORDS, begun)
    if name == "in":
        return _known(asking.PLACES, {"public": _("Public"), "private": _("Private")}, begun)
    return []


def _known(words: Mapping[str, str], titles: Mapping[Any, object], begun: str) -> list[tuple[str, str]]:
    """One word for each meaning, Dutch ones stand last in their list."""
    is_dutch = get_language() == "nl"
    chosen: dict[str, str] = {}
    for word, meaning in words.items():
        if is_dutch or meaning not in chosen:
            chosen[meaning] = word
    return [(word, str(titles[meaning])) for meaning, word in chosen.items() if word.startswith(begun)]


def _quoted(value: str) -> str:
    return f'"{value.replace(chr(34), "")}"' if re.search(r"\s", value) else value
