"""Forms around signing in, where ours differ from the library's."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from django.http import HttpRequest
from django.utils import timezone

from klankbord.flows import passwords


class ResetPasswordForm(forms.ResetPasswordForm):
    """Looks nobody up: the answer, and the time it takes, are the same for every address. A job does the rest."""

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **options: Any) -> str:
        address = str(self.cleaned_data["email"])
        passwords.ask_for_link(address=address, now=timezone.now())
        return address
