"""Visitors who are logged in on the site: the site signs who they are, so that they find their chat on any device.

The signature is HMAC-SHA256, in hexadecimal, under the widget's secret over `<user id>.<expiry>`, where the expiry is
in Unix seconds. There is one algorithm and no field to choose another.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from klankbord.channels.webchat.adapter import SHORTEST_SECRET

LONGEST_USER_ID = 120


def sign_identity(user_id: str, expires: int, *, secret: str) -> str:
    """The signature that a site makes. expires: Unix seconds."""
    return hmac.new(secret.encode(), f"{user_id}.{expires}".encode(), hashlib.sha256).hexdigest()


def is_proven(user_id: object, expires: object, signature: object, *, secret: str, now: datetime) -> bool:
    """Did a holder of the secret say, not too long ago, that this is that user? Without a secret nobody did."""
    if not isinstance(user_id, str) or not 0 < len(user_id) <= LONGEST_USER_ID or not user_id.isprintable():
        return False
    if isinstance(expires, bool) or not isinstance(expires, int) or not 0 < expires < 10**11:
        return False
    if not isinstance(signature, str) or not signature.isascii() or len(secret) < SHORTEST_SECRET:
        return False
    is_ours = hmac.compare_digest(sign_identity(user_id, expires, secret=secret), signature)
    return is_ours and expires > now.timestamp()
