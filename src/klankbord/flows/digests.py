"""The digest: a mail with what somebody has not read in the page, hourly or each morning.

a notice → a timer for the next full hour (`desk.notices.services`) → `send_digest` → `deskmail`. Who has read
everything in time gets nothing.
"""

from __future__ import annotations

import zoneinfo
from datetime import datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from klankbord.desk import access
from klankbord.desk.notices.models import Digest, Notification
from klankbord.desk.notices.queries import Told, choices_of, told
from klankbord.desk.notices.services import set_digest
from klankbord.desk.organisations.models import Membership
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.text import one_line

from . import deskmail
from .notice_words import notice_words

_MOST = 30  # lines in a mail
_MORNING = time(8, 0)
_PREVIEW = 120  # characters


def send_digest(*, member: UUID, now: datetime) -> bool:
    """The timer went off. Gives whether there was something to send. Runs inside `with organisation(id):`."""
    people = Membership.objects.select_related("user", "organisation")
    by = people.filter(id=member, organisation_id=current_organisation_id(), is_active=True).first()
    if by is None:
        return False
    choices = choices_of(member)
    if choices.digest == Digest.OFF:
        return False
    morning = _next_morning(by.organisation.time_zone, now)
    if choices.digest == Digest.DAILY and morning - now < timedelta(hours=23):
        set_digest(member=member, due_at=morning)
        return False
    found = told(by, inboxes=access.visible_inboxes(by), only_unmailed=True, limit=_MOST + 1)
    if not found:
        return False
    with translation.override(by.user.language):
        subject = ngettext("%(count)d notice for you", "%(count)d notices for you", len(found)) % {
            "count": min(len(found), _MOST)
        }
        deskmail.post(
            to=by.user.email,
            subject=f"{subject} · {by.organisation.name}",
            text=_letter(found, has_previews=choices.has_previews),
            now=now,
        )
    Notification.objects.filter(member=by, read_at=None, mailed_at=None, at__lte=now).update(mailed_at=now)
    return True


def _letter(found: list[Told], *, has_previews: bool) -> str:
    lines: list[str] = []
    for each in found[:_MOST]:
        words = notice_words(each.kind, who=each.by, contact=each.contact, times=each.times)
        lines.append(f"- #{each.number}: {one_line(words)}")
        if has_previews and each.words:
            lines.append(f"  {one_line(each.words, limit=_PREVIEW)}")
        lines.append(f"  {settings.PUBLIC_URL}/conversations/{each.number}")
    if len(found) > _MOST:
        lines.append(_("And more; the page has all of it."))
    lines += ["", f"{settings.PUBLIC_URL}/notices", _("Change this under your own settings."), ""]
    return "\n".join(lines)


def _next_morning(zone: str, now: datetime) -> datetime:
    """The next eight o'clock where the organisation is."""
    try:
        place = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        place = zoneinfo.ZoneInfo("Europe/Amsterdam")
    here = now.astimezone(place)
    morning = datetime.combine(here.date(), _MORNING, place)
    return morning if morning > here else datetime.combine(here.date() + timedelta(days=1), _MORNING, place)
