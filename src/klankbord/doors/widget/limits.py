"""How often one visitor, and one network, may knock.

What somebody could do harm with is counted in the database, for all web processes together (`flows.visitors.knock`).
Only the rough guard on everything is counted here, in one process: it has to cost less than what it keeps out.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict

from django.conf import settings
from django.http import HttpRequest

from klankbord.flows.visitors import Rate
from klankbord.plumbing import callers

NEW_VISITS = Rate("new visits", burst=30, per_minute=20)  # per network
MESSAGES = Rate("messages", burst=15, per_minute=20)  # per visitor
NETWORK_MESSAGES = Rate("messages of a network", burst=120, per_minute=120)
FILES = Rate("files", burst=10, per_minute=10)  # per visitor
NETWORK_FILES = Rate("files of a network", burst=60, per_minute=60)
ADDRESSES = Rate("addresses", burst=5, per_minute=2)  # per visitor: nobody mistypes theirs more often

FORMS = Rate("forms", burst=5, per_minute=1)  # per network: each is a message at once, without a chat before it

ANYTHING = Rate("anything", burst=600, per_minute=1_200)  # per network and process
_MOST_REMEMBERED = 50_000


class Limiter:
    """Token buckets of this process, the longest unused forgotten first."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[Rate, str], tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_for(self, rate: Rate, who: str, *, now: float | None = None) -> int:
        """Take one from the bucket: 0, or the whole seconds to wait when it is empty. now: monotonic seconds."""
        now = time.monotonic() if now is None else now
        with self._lock:
            left, at = self._buckets.pop((rate, who), (float(rate.burst), now))
            left = min(rate.burst, left + (now - at) * rate.per_minute / 60)
            wait = 0 if left >= 1 else max(1, round((1 - left) * 60 / rate.per_minute))
            self._buckets[rate, who] = (left - 1 if not wait else left, now)
            if len(self._buckets) > _MOST_REMEMBERED:
                self._buckets.popitem(last=False)
        return wait

    def forget(self) -> None:
        with self._lock:
            self._buckets.clear()


limiter = Limiter()


def network_of(request: HttpRequest) -> str:
    """Where a request comes from, shortened so that it names a network and no person: /24, or /48 for IPv6."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    trusted = settings.ENVIRONMENT.trusted_proxies
    address = callers.caller(request.META.get("REMOTE_ADDR", ""), forwarded, trusted=trusted)
    if address is None:
        return "unknown"
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))
