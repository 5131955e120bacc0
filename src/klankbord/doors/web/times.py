"""Moments and spans as people say them. The exact moment stands in a title."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache

from django.utils import timezone
from django.utils.dates import MONTHS, MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from klankbord.desk.conversations.listing import Listed
from klankbord.desk.conversations.models import Conversation, Status

RING_MINUTES = 60  # what a full ring of the waiting clock stands for, until promises give it a meaning of their own


def say(moment: datetime, now: datetime) -> str:
    """ "13:20", "yesterday 13:20", "Tue 13:20", "12 Jun", "12 Jun 2025"; also for what is to come."""
    here, today = timezone.localtime(moment), timezone.localdate(now)
    days = (here.date() - today).days
    clock = f"{here.hour}:{here.minute:02}"
    if days == 0:
        return clock
    if days == -1:
        return _("yesterday %(time)s") % {"time": clock}
    if days == 1:
        return _("tomorrow %(time)s") % {"time": clock}
    if abs(days) < 7:
        return f"{_names(get_language() or '').short_days[here.weekday()]} {clock}"
    day = f"{here.day} {_names(get_language() or '').short_months[here.month]}"
    return day if here.year == today.year else f"{day} {here.year}"


def say_exactly(moment: datetime) -> str:
    here, names = timezone.localtime(moment), _names(get_language() or "")
    clock = f"{here.hour}:{here.minute:02}:{here.second:02}"
    return f"{names.days[here.weekday()]} {here.day} {names.months[here.month]} {here.year}, {clock}"


@dataclass(frozen=True, slots=True)
class _Names:
    days: list[str]  # Monday first
    short_days: list[str]
    months: dict[int, str]  # from 1
    short_months: dict[int, str]


@cache
def _names(language: str) -> _Names:
    """The names of days and months in the language that is active, looked up once. Dutch writes them small."""
    small = str.lower if language == "nl" else str
    return _Names(
        days=[small(str(WEEKDAYS[day])) for day in range(7)],
        short_days=[small(str(WEEKDAYS_ABBR[day])) for day in range(7)],
        months={month: small(str(name)) for month, name in MONTHS.items()},
        short_months={month: small(str(name).capitalize()) for month, name in MONTHS_3.items()},
    )


def say_day(moment: datetime, now: datetime) -> str:
    here, today = timezone.localdate(moment), timezone.localdate(now)
    full = date_format(here, "l j F") if here.year == today.year else date_format(here, "l j F Y")
    if here == today:
        return _("Today, %(day)s") % {"day": full}
    if here == today - timedelta(days=1):
        return _("Yesterday, %(day)s") % {"day": full}
    return full[:1].upper() + full[1:]


def span(seconds: float) -> str:
    """ "12 min", "3 h 10", "2 days": rounded down, never below zero."""
    minutes = max(int(seconds // 60), 0)
    if minutes < 1:
        return _("under a minute")
    if minutes < 60:
        return _("%(count)d min") % {"count": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _("%(hours)d h %(minutes)02d") % {"hours": hours, "minutes": minutes}
    days = hours // 24
    return _("1 day") if days == 1 else _("%(count)d days") % {"count": days}


@dataclass(frozen=True, slots=True)
class Clock:
    """The mark at the right of a row. share: how full the ring is, in hundredths; None: no ring but an icon."""

    words: str
    title: str
    share: int | None = None
    icon: str = ""
    is_long: bool = False


def clock_of(conversation: Conversation | Listed, now: datetime) -> Clock:
    if conversation.status == Status.SNOOZED and conversation.snoozed_until:
        until = conversation.snoozed_until
        return Clock(say(until, now), _("Comes back %(moment)s") % {"moment": say_exactly(until)}, icon="sleep")
    if conversation.status == Status.OPEN and conversation.waiting_since:
        waited = (now - conversation.waiting_since).total_seconds()
        share = min(max(int(waited / 60 / RING_MINUTES * 100), 3), 100)
        return Clock(
            _("waits %(span)s") % {"span": span(waited)},
            _("Waits since %(moment)s") % {"moment": say_exactly(conversation.waiting_since)},
            share=share,
            is_long=share >= 80,
        )
    icon = {Status.RESOLVED: "check", Status.SPAM: "spam"}.get(Status(conversation.status), "")
    moment = conversation.resolved_at if conversation.status == Status.RESOLVED else None
    moment = moment or conversation.last_message_at
    return Clock(say(moment, now), say_exactly(moment), icon=icon)


def next_morning(now: datetime, *, weekday: int | None = None) -> datetime:
    """Nine o'clock tomorrow, or on the next such weekday (0 = Monday)."""
    here = timezone.localtime(now)
    days = 1 if weekday is None else (weekday - here.weekday() - 1) % 7 + 1
    return datetime.combine(here.date() + timedelta(days=days), time(9), tzinfo=here.tzinfo)
