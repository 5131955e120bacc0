"""The ledger: everything that arrived, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from klankbord.desk import access
from klankbord.desk.errors import NotFound
from klankbord.flows import ledger

from ..desk import member_of
from ..frame import frame
from ..sentences import reason_words
from . import parts

_COLUMNS = ("accepted", "message", "change", "duplicate", "ignored", "dead", "waiting")
_SPANS = (7, 30, 90)  # days
_PAGE = 50


@require_GET
def days(request: HttpRequest) -> HttpResponse:
    by = member_of(request)
    access.require(by, "see ledger")
    inbox = parts.uuid_of(request.GET.get("inbox"))
    span = int(request.GET["days"]) if request.GET.get("days") in {str(each) for each in _SPANS} else _SPANS[0]
    since = timezone.now().date() - timedelta(days=span - 1)
    rows = ledger.days(inbox=inbox, since=since, by=by)
    around = frame(request)
    context = {
        "frame": around,
        "page": "ledger",
        "days": [(day, list(each)) for day, each in groupby(rows, key=_day)],
        "totals": {name: sum(getattr(row, name) for row in rows) for name in _COLUMNS},
        "adds_up": all(row.adds_up for row in rows),
        "reasons": _reasons(rows),
        "inbox": inbox,
        "span": span,
        "spans": _SPANS,
        "dead": ledger.dead_letters(inbox=inbox, by=by, limit=5),
        "may_retry": access.may(by, "retry dead letters"),
    }
    return render(request, "web/ledger/days.html", context)


@require_GET
def dead_letters(request: HttpRequest) -> HttpResponse:
    by = member_of(request)
    before = parse_datetime(request.GET.get("before", "") or "-")
    found = ledger.dead_letters(inbox=None, by=by, limit=_PAGE + 1, before=before)
    context = {
        "frame": frame(request),
        "page": "ledger",
        "letters": found[:_PAGE],
        "before": found[_PAGE - 1].failed_at if len(found) > _PAGE else None,
        "may_retry": access.may(by, "retry dead letters"),
        "now": timezone.now(),
    }
    return render(request, "web/ledger/dead_letters.html", context)


@require_POST
def settle(request: HttpRequest, letter: UUID, deed: str) -> HttpResponse:
    by, now = member_of(request), timezone.now()
    if deed == "retry":
        outcome = ledger.retry(dead_letter=letter, by=by, now=now)
        again = _("It failed again; the reason is beside it.")
        messages.info(request, again if outcome == "dead" else _("Processed: it is in the ledger now."))
    elif deed == "dismiss":
        ledger.dismiss(dead_letter=letter, by=by, now=now)
        messages.info(request, _("Dismissed. The ledger counts it as ignored."))
    else:
        raise NotFound
    return redirect("dead_letters")


def _day(row: Any) -> date:
    found: date = row.day
    return found


def _reasons(rows: Sequence[Any]) -> list[tuple[str, int]]:
    """Why things were ignored or failed, most frequent first."""
    counts: dict[str, int] = {}
    for row in rows:
        for reason, count in row.reasons.items():
            words = reason_words(reason)
            counts[words] = counts.get(words, 0) + count
    return sorted(((words, count) for words, count in counts.items() if count), key=lambda each: -each[1])[:20]
