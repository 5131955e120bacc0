"""Where a request comes from, for counting attempts and for the audit."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from klankbord.plumbing import callers


def address_of(request: HttpRequest) -> str:
    """The address behind our own proxies, "unknown" when that is no address."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    trusted = settings.ENVIRONMENT.trusted_proxies
    return str(callers.caller(request.META.get("REMOTE_ADDR", ""), forwarded, trusted=trusted) or "unknown")
