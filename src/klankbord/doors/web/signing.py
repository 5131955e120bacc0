"""Signing in and what belongs to it, noted during a request and written in the audit when it is through.

Not at once: while a request runs one organisation is open, and a person may work in several.
"""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as two_factor
from django.contrib.auth import signals as auth
from django.core.cache import cache
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone

from klankbord.flows import audit

from .callers import address_of
from .sessions import DEVICE, ORIGIN

_LOCKED_SECONDS = 300  # as long as the library refuses further attempts
_DEEDS: dict[str, Signal] = {
    "signed in": auth.user_logged_in,
    "signed out": auth.user_logged_out,
    "password changed": account.password_changed,
    "password reset": account.password_reset,
    "second step failed": two_factor.authentication_failed,
}
_KEYS: dict[str, tuple[Signal, str]] = {  # what is done with an authenticator app, else with recovery codes
    "added": (two_factor.authenticator_added, "two-step added"),
    "removed": (two_factor.authenticator_removed, "two-step removed"),
    "reset": (two_factor.authenticator_reset, "recovery codes made"),
}


def listen() -> None:
    """Called once, when the app is ready."""
    for deed, signal in _DEEDS.items():
        signal.connect(_noting(deed), weak=False, dispatch_uid=f"klankbord {deed}")
    auth.user_logged_in.connect(_say_where, dispatch_uid="klankbord where")
    for name, (signal, deed) in _KEYS.items():
        signal.connect(_noting(deed), weak=False, dispatch_uid=f"klankbord {name}")


def write_down(request: HttpRequest) -> None:
    """After the request: nothing of it is undone any more, and no organisation is open."""
    for deed, user in getattr(request, "deeds", ()):
        audit.write_down(deed, user=user, now=timezone.now(), origin=address_of(request))


def report_failure(request: HttpRequest, address: str, *, is_locked: bool) -> None:
    """A wrong password, or one more attempt than is allowed (told once for each time that it is locked)."""
    key = hashlib.sha256(address.strip().lower().encode()).hexdigest()
    if is_locked and not cache.add(f"locked-{key}", True, _LOCKED_SECONDS):
        return
    deed = "sign-in locked" if is_locked else "sign-in failed"
    audit.report_attempt(deed, address=address, origin=address_of(request), now=timezone.now())


def _say_where(sender: Any, request: HttpRequest | None = None, **facts: Any) -> None:
    """For the list in which people see where they are signed in."""
    if request is not None and hasattr(request, "session"):
        request.session[DEVICE] = request.headers.get("User-Agent", "")[:200]
        request.session[ORIGIN] = address_of(request)


def _noting(deed: str) -> Any:
    def note(sender: Any, request: HttpRequest | None = None, user: Any = None, **facts: Any) -> None:
        deeds = getattr(request, "deeds", None)
        what = _of_codes(deed, facts.get("authenticator"))
        if deeds is not None and user is not None and what:
            deeds.append((what, user.pk))

    return note


def _of_codes(deed: str, authenticator: Any) -> str:
    """Recovery codes come and go with the app that they stand in for; only making them anew is a deed of its own."""
    if deed.startswith("two-step") and authenticator is not None and authenticator.type == "recovery_codes":
        return "recovery codes made" if deed == "two-step added" else ""
    return deed
