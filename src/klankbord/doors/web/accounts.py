"""How people get in: no sign-up (administrators invite), secrets of authenticator apps sealed at rest."""

from __future__ import annotations

import base64

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class MFAAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return base64.b64encode(bytes(settings.VAULT.seal(text))).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return str(settings.VAULT.open(base64.b64decode(encrypted_text)))
