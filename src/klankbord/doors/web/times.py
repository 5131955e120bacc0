"""Moments and spans as people say them. The exact moment stands in a title."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from functools import lru_cache

from django.utils import timezone
from django.utils.dates import MONTHS, MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from klankbord.desk.conversations.listing import Listed
from klankbord.desk.conversations.models import Conversation, Status

RING_MINUTES = 60  # what a full ring of the waiting clock stands for, until promises give it a meaning of their own


@dataclass(frozen=True, slots=True)
class Clock:
    """The mark at the right of a row. share: how full the ring is, in hundredths; None: no ring but an icon."""

    words: str
    title: str
    share: int | None = None
    icon: str = ""
    is_long: bool = False


class Speaker:
    """Says moments in one language and time zone. Made while that language is active, and kept: a page says hundreds
    of moments, and looking each word up took a tenth of its time."""

    def __init__(self, zone: tzinfo) -> None:
        # Dutch writes the names of days and months small.
        small = str.lower if get_language() == "nl" else str
        self._zone = zone
        self._days = [small(str(WEEKDAYS[day])) for day in range(7)]  # Monday first
        self._short_days = [small(str(WEEKDAYS_ABBR[day])) for day in range(7)]
        self._months = {month: small(str(name)) for month, name in MONTHS.items()}  # from 1
        self._short_months = {month: small(str(name).capitalize()) for month, name in MONTHS_3.items()}
        self._yesterday, self._tomorrow = _("yesterday %(time)s"), _("tomorrow %(time)s")
        self._under_a_minute, self._minutes = _("under a minute"), _("%(count)d min")
        self._hours, self._one_day, self._many_days = _("%(hours)d h %(minutes)02d"), _("1 day"), _("%(count)d days")
        self._comes_back, self._waits = _("Comes back %(moment)s"), _("waits %(span)s")
        self._just_now = _("just now")
        self._waits_since = _("Waits since %(moment)s")

    def say(self, moment: datetime, now: datetime) -> str:
        """ "13:20", "yesterday 13:20", "Tue 13:20", "12 Jun", "12 Jun 2025"; also for what is to come."""
        here, today = moment.astimezone(self._zone), now.astimezone(self._zone).date()
        days = (here.date() - today).days
        clock = f"{here.hour}:{here.minute:02}"
        if days == 0:
            return clock
        if days == -1:
            return self._yesterday % {"time": clock}
        if days == 1:
            return self._tomorrow % {"time": clock}
        if abs(days) < 7:
            return f"{self._short_days[here.weekday()]} {clock}"
        day = f"{here.day} {self._short_months[here.month]}"
        return day if here.year == today.year else f"{day} {here.year}"

    def say_exactly(self, moment: datetime) -> str:
        here = moment.astimezone(self._zone)
        clock = f"{here.hour}:{here.minute:02}:{here.second:02}"
        return f"{self._days[here.weekday()]} {here.day} {self._months[here.month]} {here.year}, {clock}"

    def span(self, seconds: float) -> str:
        """ "12 min", "3 h 10", "2 days": rounded down, never below zero."""
        minutes = max(int(seconds // 60), 0)
        if minutes < 1:
            return self._under_a_minute
        if minutes < 60:
            return self._minutes % {"count": minutes}
        hours, minutes = divmod(minutes, 60)
        if hours < 24:
            return self._hours % {"hours": hours, "minutes": minutes}
        days = hours // 24
        return self._one_day if days == 1 else self._many_days % {"count": days}

    def clock_of(self, conversation: Conversation | Listed, now: datetime) -> Clock:
        status = conversation.status
        if status == Status.SNOOZED and conversation.snoozed_until:
            until = conversation.snoozed_until
            return Clock(self.say(until, now), self._comes_back % {"moment": self.say_exactly(until)}, icon="sleep")
        if status == Status.OPEN and conversation.waiting_since:
            waited = (now - conversation.waiting_since).total_seconds()
            share = min(max(int(waited / 60 / RING_MINUTES * 100), 3), 100)
            return Clock(
                self._waits % {"span": self.span(waited)} if waited >= 60 else self._just_now,
                self._waits_since % {"moment": self.say_exactly(conversation.waiting_since)},
                share=share,
                is_long=share >= 80,
            )
        icon = "check" if status == Status.RESOLVED else "spam" if status == Status.SPAM else ""
        moment = conversation.resolved_at if status == Status.RESOLVED else None
        moment = moment or conversation.last_message_at
        return Clock(self.say(moment, now), self.say_exactly(moment), icon=icon)


@lru_cache(maxsize=200)
def _speaker(language: str | None, zone: tzinfo) -> Speaker:
    return Speaker(zone)


def speaker() -> Speaker:
    """In the language and the time zone that are active."""
    return _speaker(get_language(), timezone.get_current_timezone())


def say(moment: datetime, now: datetime) -> str:
    return speaker().say(moment, now)


def say_exactly(moment: datetime) -> str:
    return speaker().say_exactly(moment)


def span(seconds: float) -> str:
    return speaker().span(seconds)


def say_day(moment: datetime, now: datetime) -> str:
    here, today = timezone.localdate(moment), timezone.localdate(now)
    full = date_format(here, "l j F") if here.year == today.year else date_format(here, "l j F Y")
    if here == today:
        return _("Today, %(day)s") % {"day": full}
    if here == today - timedelta(days=1):
        return _("Yesterday, %(day)s") % {"day": full}
    return full[:1].upper() + full[1:]


def next_morning(now: datetime, *, weekday: int | None = None) -> datetime:
    """Nine o'clock tomorrow, or on the next such weekday (0 = Monday)."""
    here = timezone.localtime(now)
    days = 1 if weekday is None else (weekday - here.weekday() - 1) % 7 + 1
    return datetime.combine(here.date() + timedelta(days=days), time(9), tzinfo=here.tzinfo)
