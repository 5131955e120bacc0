"""Founding an organisation: its keys and its first person."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings

from klankbord.desk.organisations.models import Membership, Organisation, Role, User


def found_organisation(
    *, name: str, slug: str, now: datetime, language: str = "nl", is_demo: bool = False
) -> Organisation:
    """A new organisation with a reply key of its own."""
    organisation: Organisation = Organisation.objects.create(
        name=name,
        slug=slug,
        language=language,
        is_demo=is_demo,
        reply_key=bytes(settings.VAULT.seal(secrets.token_bytes(32).hex())),
        created_at=now,
    )
    return organisation


def add_person(
    *, organisation: Organisation, email: str, name: str, password: str, role: Role, initials: str = ""
) -> Membership:
    """A person with a place in the organisation; someone who is known already keeps their password."""
    address = User.objects.normalise(email)
    user = User.objects.filter(email=address).first() or User.objects.create_user(
        address, password, name=name, language=organisation.language
    )
    membership, _ = Membership.objects.get_or_create(
        organisation=organisation,
        user=user,
        defaults={"role": role, "initials": initials or initials_of(name)},
    )
    return membership


def initials_of(name: str) -> str:
    return "".join(word[0] for word in name.split())[:3].upper()
