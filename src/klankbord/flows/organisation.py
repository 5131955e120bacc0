"""An organisation's own settings: its name, language, time, and how its people sign in."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.errors import Invalid
from klankbord.desk.organisations.models import AuditLine, Language, Membership, Organisation
from klankbord.kernel.text import one_line

LONGEST_UNDO = 60  # seconds
LONGEST_GRACE = 30  # days


def time_zones() -> list[str]:
    """Those with a place in their name."""
    return sorted(each for each in zoneinfo.available_timezones() if "/" in each and not each.startswith("Etc/"))


def change(
    *, name: str, language: str, time_zone: str, undo_seconds: int, by: Membership, now: datetime
) -> Organisation:  # fmt: skip
    """Raises Invalid."""
    access.require(by, "manage organisation")
    name = one_line(name, limit=120)
    if not name:
        raise Invalid(_("Give the organisation a name."))
    if language not in Language.values or time_zone not in zoneinfo.available_timezones():
        raise Invalid
    if not 0 <= undo_seconds <= LONGEST_UNDO:
        raise Invalid(_("Choose between 0 and %(most)d seconds.") % {"most": LONGEST_UNDO})
    found = Organisation.objects.select_for_update().get(id=by.organisation_id)
    found.name, found.language, found.time_zone, found.undo_seconds = name, language, time_zone, undo_seconds
    found.save(update_fields=["name", "language", "time_zone", "undo_seconds"])
    _write_down(found, by=by, now=now)
    return found


def ask_second_step(*, asks: bool, grace_days: int, by: Membership, now: datetime) -> Organisation:
    """Whether everybody signs in with two steps. grace_days: so long people are reminded before they are stopped."""
    access.require(by, "manage organisation")
    if not 0 <= grace_days <= LONGEST_GRACE:
        raise Invalid(_("Choose between 0 and %(most)d days.") % {"most": LONGEST_GRACE})
    found = Organisation.objects.select_for_update().get(id=by.organisation_id)
    found.asks_second_step = asks
    found.second_step_from = now + timedelta(days=grace_days) if asks and grace_days else None
    found.save(update_fields=["asks_second_step", "second_step_from"])
    _write_down(found, by=by, now=now)
    return found


def let_answering_take(*, takes: bool, by: Membership, now: datetime) -> Organisation:
    """Whether who answers nobody's conversation becomes its owner."""
    access.require(by, "manage organisation")
    found = Organisation.objects.select_for_update().get(id=by.organisation_id)
    found.answering_takes = takes
    found.save(update_fields=["answering_takes"])
    _write_down(found, by=by, now=now)
    return found


def stops_without_second_step(organisation: Organisation, now: datetime) -> bool:
    """The demo is the exception; and a desk that asks for it may give its people some days."""
    if organisation.is_demo or not organisation.asks_second_step:
        return False
    return organisation.second_step_from is None or organisation.second_step_from <= now


def _write_down(found: Organisation, *, by: Membership, now: datetime) -> None:
    AuditLine.objects.create(
        at=now, by=by, deed="organisation changed", subject="organisation", subject_id=found.id,
        facts={"name": found.name, "asks_second_step": found.asks_second_step},
    )  # fmt: skip
