"""A notice as people would say it; the page and the digest say it alike."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from klankbord.desk.notices.models import NoticeKind


def notice_words(kind: str, *, who: str | None, contact: str, times: int) -> str:
    """who: the colleague who did it, None when the desk did.   times: how often, or how many."""
    said = {"who": who or "Klankbord", "contact": contact, "times": times}
    if kind == NoticeKind.MENTIONED:
        return _("%(who)s mentions you with %(contact)s") % said
    if kind == NoticeKind.ASSIGNED:
        return _("%(who)s gave you the conversation with %(contact)s") % said
    if kind == NoticeKind.ANSWERED:
        return ngettext("%(contact)s wrote again", "%(contact)s wrote %(times)d messages", times) % said
    if kind == NoticeKind.FAILED:
        return _("Look at your reply to %(contact)s: it may not have arrived") % said
    if kind == NoticeKind.RETURNED:
        return _("%(who)s returned your proposal for %(contact)s") % said
    return ngettext("%(who)s handed you a conversation", "%(who)s handed you %(times)d conversations", times) % said
