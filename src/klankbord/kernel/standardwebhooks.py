"""Signatures of outgoing webhooks as the Standard Webhooks specification has them: `webhook-id`, `webhook-timestamp`,
`webhook-signature`.

A signature is HMAC-SHA256 over id, moment (whole seconds) and body, with full stops between them, under the bytes of
the secret; several secrets give several signatures in one header, so that a secret can be changed without a gap.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
_SECRET_BYTES = 24


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers(identifier: str, body: bytes, *, keys: Sequence[str], at: datetime) -> dict[str, str]:
    """The three headers. keys: the secrets that count now, the newest first."""
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": identifier,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{_digest(identifier, stamp, body, key)}" for key in keys),
    }


def is_authentic(given: dict[str, str], body: bytes, *, secret: str, at: datetime) -> bool:
    """Whether a body with these headers (names in small letters) was signed with the secret within TOLERANCE."""
    identifier, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not identifier or not stamp.isdecimal() or abs(at.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        return False
    try:
        wanted = f"v1,{_digest(identifier, stamp, body, secret)}"
    except (ValueError, binascii.Error):
        return False
    return any(
        hmac.compare_digest(each.encode(), wanted.encode()) for each in given.get("webhook-signature", "").split()
    )


def _digest(identifier: str, stamp: str, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    signed = hmac.new(key, f"{identifier}.{stamp}.".encode() + body, hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()
