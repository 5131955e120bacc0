"""Our own signature on webhooks, both ways: `X-Klankbord-Signature: t=<unix>,v1=<hex>`.

v1 is HMAC-SHA256 under the shared secret over the moment `t`, a full stop and the body, byte for byte. The moment is
signed along, so that a captured delivery is worth nothing after a few minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta

HEADER = "x-klankbord-signature"
TOLERANCE = timedelta(minutes=5)

_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    """The header's value for a body that is sent at a moment."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={_digest(stamp, body, secret)}"


def is_authentic(header: str, body: bytes, *, secret: str, at: datetime) -> bool:
    """Was this body, which arrived at `at`, signed with the secret, at most TOLERANCE ago or ahead?

    Without a secret nothing is authentic.
    """
    form = _FORM.fullmatch(header.strip())
    if not secret or form is None:
        return False
    stamp, digest = form.groups()
    is_ours = hmac.compare_digest(digest, _digest(stamp, body, secret))
    return is_ours and abs(at.timestamp() - int(stamp)) <= TOLERANCE.total_seconds()


def _digest(stamp: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
