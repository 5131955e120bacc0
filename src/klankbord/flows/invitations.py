"""Inviting somebody: a link that opens once, for seven days, to one organisation and with one role.

administrator → invitation (a hash) → mail, or a link to hand over → name and password → a place → second step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import AuditLine, Invitation, Membership, Role, User
from klankbord.desk.wall import organisation
from klankbord.kernel.ids import random_token
from klankbord.kernel.text import one_line

from . import deskmail, founding, letters
from .accounts import hash_token

LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Made:
    """An invitation and, this once, its link: only a hash of it is kept."""

    invitation: Invitation
    link: str
    was_mailed: bool


def waiting(*, by: Membership) -> list[Invitation]:
    """Those of the open organisation that nobody has taken yet, also the ones that are too old by now."""
    access.require(by, "manage people")
    found = Invitation.objects.filter(organisation_id=by.organisation_id).select_related("by__user")
    return list(found.order_by("-made_at"))


def invite(*, email: str, role: str, by: Membership, now: datetime) -> Made:
    """Offer somebody a place. Raises Invalid."""
    access.require(by, "manage people")
    address = User.objects.normalise(email)
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(_("That is not an e-mail address.")) from None
    if role not in Role.values:
        raise Invalid
    if Membership.objects.filter(organisation_id=by.organisation_id, user__email=address).exists():
        raise Invalid(_("%(address)s works here already, or did: look in the list.") % {"address": address})
    Invitation.objects.filter(organisation_id=by.organisation_id, email=address).delete()
    invitation = Invitation(organisation_id=by.organisation_id, email=address, role=role)
    return _send(invitation, "person invited", by=by, now=now)


def resend(*, invitation: UUID, by: Membership, now: datetime) -> Made:
    """A new link and seven new days; the former link opens nothing any more."""
    return _send(_ours(invitation, by), "person invited again", by=by, now=now)


def withdraw(*, invitation: UUID, by: Membership, now: datetime) -> str:
    """Gives the address whose link opens nothing any more."""
    found = _ours(invitation, by)
    found.delete()
    _write_down("invitation withdrawn", found, by=by, now=now)
    return found.email


def behind(token: str, *, now: datetime) -> Invitation:
    """What a link opens. Raises NotFound: never made, used, withdrawn, too old, or made by somebody who may not now."""
    found = Invitation.objects.select_related("organisation", "by__user").filter(token_hash=hash_token(token)).first()
    if found is None or found.expires_at <= now or not _may_invite(found.by):
        raise NotFound
    return found


def accept(*, token: str, name: str, password: str, now: datetime) -> Membership:
    """Take the place as somebody new here. Raises Invalid, NotFound."""
    with transaction.atomic():
        invitation = _lock(token, now=now)
        if User.objects.filter(email=invitation.email).exists():
            raise Invalid(_("You have an account already: sign in with it first."))
        name = one_line(name, limit=120)
        if not name:
            raise Invalid(_("Tell us your name: colleagues see it."))
        try:
            validate_password(password, User(email=invitation.email, name=name))
        except ValidationError as error:
            raise Invalid(" ".join(error.messages)) from None
        user = User.objects.create_user(
            invitation.email, password, name=name, language=invitation.organisation.language
        )
        return _take(invitation, user, now=now)


def accept_as(*, token: str, user: User, now: datetime) -> Membership:
    """Take the place with the account that one has. Raises NotFound, Invalid."""
    with transaction.atomic():
        invitation = _lock(token, now=now)
        if user.email != invitation.email:
            raise Invalid(_("This invitation is for %(address)s.") % {"address": invitation.email})
        return _take(invitation, user, now=now)


def _take(invitation: Invitation, user: User, *, now: datetime) -> Membership:
    member, _is_new = Membership.objects.get_or_create(
        organisation=invitation.organisation,
        user=user,
        defaults={"role": invitation.role, "initials": founding.initials_of(user.name)},
    )
    invitation.delete()
    with organisation(invitation.organisation_id):
        AuditLine.objects.create(
            at=now, by=member, deed="invitation accepted", subject="person", subject_id=member.id,
            facts={"name": user.name},
        )  # fmt: skip
    return member


def _lock(token: str, *, now: datetime) -> Invitation:
    """So that two browsers cannot both take it."""
    found = behind(token, now=now)
    if not Invitation.objects.select_for_update().filter(id=found.id, token_hash=hash_token(token)).exists():
        raise NotFound
    return found


def _send(invitation: Invitation, deed: str, *, by: Membership, now: datetime) -> Made:
    token = random_token()
    invitation.token_hash, invitation.by = hash_token(token), by
    invitation.made_at, invitation.expires_at = now, now + LIFE
    invitation.save()
    link = f"{settings.PUBLIC_URL}/accounts/invitation/{token}/"
    subject, text = letters.invitation(by, invitation.email, link, days=LIFE.days)
    deskmail.post(to=invitation.email, subject=subject, text=text, now=now)
    _write_down(deed, invitation, by=by, now=now)
    return Made(invitation, link, deskmail.can_send())


def _ours(invitation: UUID, by: Membership) -> Invitation:
    access.require(by, "manage people")
    found = Invitation.objects.filter(id=invitation, organisation_id=by.organisation_id).first()
    if found is None:
        raise NotFound
    return found


def _may_invite(by: Membership) -> bool:
    return by.is_active and by.user.is_active and access.role_may(by.role, "manage people")


def _write_down(deed: str, invitation: Invitation, *, by: Membership, now: datetime) -> None:
    AuditLine.objects.create(
        at=now, by=by, deed=deed, subject="invitation", subject_id=invitation.id,
        facts={"name": invitation.email, "role": invitation.role},
    )  # fmt: skip
