"""How people get in: no sign-up (administrators invite), secrets of authenticator apps sealed at rest."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from klankbord.desk.organisations import queries
from klankbord.desk.organisations.models import User
from klankbord.flows import deskmail, letters, passwords

from . import signing
from .callers import address_of

ENTRANCE = "klankbord.doors.web.accounts.Entrance"


class Entrance(AuthenticationBackend):
    def get_user(self, user_id: Any) -> User | None:
        """With where they work (`at_desks`): every request asks for both, so one statement brings them."""
        found = queries.memberships_of(UUID(str(user_id)))
        if not found:
            homeless: User | None = super().get_user(user_id)
            return homeless
        user: User = found[0].user
        user.at_desks = found
        return user if self.user_can_authenticate(user) else None


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """By which attempts are counted: the address behind our own proxies."""
        return address_of(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            signing.report_failure(request, credentials.get("email", ""), is_locked=True)
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        signing.report_failure(request, credentials.get("email", ""), is_locked=False)

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Ends all other sessions (they carry a hash of the password) and all links; tells the person."""
        assert isinstance(user, User)
        super().set_password(user, password)
        passwords.forget_links(user)
        subject, text = letters.password_changed(user)
        deskmail.post(to=user.email, subject=subject, text=text, now=timezone.now())


class MFAAdapter(DefaultMFAAdapter):
    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to our public address, whatever a request says."""
        return {"id": urlsplit(settings.PUBLIC_URL).hostname or "localhost", "name": "Klankbord"}

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number} if number > 1 else _("Passkey")

    def encrypt(self, text: str) -> str:
        return base64.b64encode(bytes(settings.VAULT.seal(text))).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return str(settings.VAULT.open(base64.b64decode(encrypted_text)))
