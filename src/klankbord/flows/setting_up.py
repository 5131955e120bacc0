"""The first minutes: a link for who started the program, the first organisation, and what is left to do in it.

`klankbord run` on an empty database → link (its hash in the data folder) → organisation and administrator → check list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import compare_digest

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.models import Message
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Invitation, Language, Membership, Organisation, Role, User
from klankbord.kernel.ids import random_token
from klankbord.kernel.text import one_line

from . import founding
from .accounts import hash_token
from .organisation import time_zones

LIFE = timedelta(days=1)
_LOCK = 0x6B6C616E  # so that two browsers cannot both found the first organisation


@dataclass(frozen=True, slots=True)
class Left:
    """What is done of the check list."""

    has_inbox: bool
    has_colleague: bool
    has_message: bool

    @property
    def is_all_done(self) -> bool:
        return self.has_inbox and self.has_colleague and self.has_message


def offer_link(*, now: datetime) -> str:
    """An address that founds the first organisation, once, within a day; empty when there is one already.

    An earlier link opens nothing any more.
    """
    if Organisation.objects.exists():
        return ""
    token = random_token()
    kept = json.dumps({"hash": hash_token(token), "until": (now + LIFE).isoformat()})
    _file().touch(mode=0o600)
    _file().write_text(kept)
    return f"{settings.PUBLIC_URL}/accounts/set-up/{token}/"


def check_link(token: str, *, now: datetime) -> None:
    """Raises NotFound: wrong, too old, or there is an organisation."""
    try:
        kept = json.loads(_file().read_text())
    except (OSError, ValueError):
        raise NotFound from None
    is_right = compare_digest(hash_token(token), str(kept["hash"]))
    if not is_right or datetime.fromisoformat(kept["until"]) <= now or Organisation.objects.exists():
        raise NotFound


def found_first(
    *, token: str, organisation: str, language: str, time_zone: str, name: str, email: str, password: str, now: datetime
) -> Membership:  # fmt: skip
    """The first organisation and its administrator. Raises NotFound, Invalid."""
    organisation, name, address = one_line(organisation, limit=120), one_line(name, limit=120), email.strip().lower()
    if not organisation or not name:
        raise Invalid(_("Fill in both names."))
    if language not in Language.values or time_zone not in time_zones():
        raise Invalid
    try:
        validate_email(address)
        validate_password(password, User(email=address, name=name))
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from None
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        check_link(token, now=now)
        made = founding.found_organisation(
            name=organisation, slug=slugify(organisation)[:60] or "desk", now=now, language=language
        )
        made.time_zone, made.set_up_step = time_zone, "inbox"
        made.save(update_fields=["time_zone", "set_up_step"])
        member = founding.add_person(
            organisation=made, email=address, name=name, password=password, role=Role.ADMINISTRATOR
        )
    _file().unlink(missing_ok=True)
    return member


def left(*, by: Membership) -> Left:
    access.require(by, "manage organisation")
    others = Membership.objects.filter(organisation_id=by.organisation_id).exclude(id=by.id)
    return Left(
        Inbox.objects.exists(),
        others.exists() or Invitation.objects.filter(organisation_id=by.organisation_id).exists(),
        Message.objects.filter(kind="inbound").exists(),
    )


def finish(*, by: Membership) -> None:
    """Done, or skipped: nobody is reminded any more."""
    access.require(by, "manage organisation")
    Organisation.objects.filter(id=by.organisation_id).update(set_up_step="")


def _file() -> Path:
    return Path(settings.ENVIRONMENT.data_dir) / "set-up-link"
