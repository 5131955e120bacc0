"""The wires that channels are handed: guarded egress that speaks the contract's words."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from django.conf import settings

from klankbord import contract
from klankbord.plumbing.http import GuardedHttp
from klankbord.plumbing.mailwire import GuardedMailWire


@cache
def wires() -> contract.Wires:
    """One set per process. Loopback is open only where the development setting says so."""
    is_open = settings.ENVIRONMENT.allow_loopback
    return contract.Wires(
        http=GuardedHttp(
            answer=contract.Response,
            unavailable=contract.Unavailable,
            uncertain=contract.Uncertain,
            allow_loopback=is_open,
        ),
        mail=GuardedMailWire(unavailable=contract.Unavailable, allow_loopback=is_open),
        now=lambda: datetime.now(UTC),
    )
