"""The desk's own mail: to the people who work here, never to customers (an inbox writes to those).

Leaves as an errand, so that a slow or absent mail server holds up nobody; an errand that fails is tried again.
"""

from __future__ import annotations

import smtplib
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from klankbord.kernel.text import one_line
from klankbord.plumbing.folders import make_folder

from . import errands


class MailNotSent(Exception):
    """The mail server did not take it; the name of what went wrong, and nothing of the mail."""


def can_send() -> bool:
    """Whether a mail goes anywhere: to people, or in development to a folder."""
    return bool(settings.DESK_MAIL != "none")


def post(*, to: str, subject: str, text: str, now: datetime) -> None:
    """Send this once the open transaction is through. Where the desk has no mail, nothing happens."""
    if can_send():
        errands.leave("mail", to=to, subject=subject, text=text, now=now)


def send(*, to: str, subject: str, text: str, errand: UUID, now: datetime) -> None:
    """The errand. A second run carries the same Message-ID, so that a mailbox shows it once.   Raises: MailNotSent."""
    if settings.DESK_MAIL == "folder":
        make_folder(settings.EMAIL_FILE_PATH.parent)
        settings.EMAIL_FILE_PATH.mkdir(mode=0o700, exist_ok=True)  # links to a new password lie in it
    host = urlsplit(settings.PUBLIC_URL).hostname
    headers = {"Message-ID": f"<{errand}@{host}>", "Auto-Submitted": "auto-generated"}
    try:
        EmailMessage(one_line(subject, limit=200), text, to=[to], headers=headers).send()
    except (smtplib.SMTPException, OSError) as error:
        raise MailNotSent(type(error).__name__) from None
