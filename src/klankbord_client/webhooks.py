"""For whoever receives Klankbord's webhooks: is this call really from the desk, and recent? (Standard Webhooks)"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE_SECONDS = 300


def is_authentic(headers: Mapping[str, str], body: bytes, *, secret: str, now: float | None = None) -> bool:
    """headers: as they came. body: byte for byte, before anything parses it. secret: whsec_…   now: Unix seconds."""
    named = {name.lower(): value for name, value in headers.items()}
    identifier, stamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    moment = time.time() if now is None else now
    if not identifier or not stamp.isdecimal() or abs(moment - int(stamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identifier}.{stamp}.".encode() + body, hashlib.sha256).digest()
    wanted = b"v1," + base64.b64encode(digest)
    return any(hmac.compare_digest(each.encode(), wanted) for each in named.get("webhook-signature", "").split())
