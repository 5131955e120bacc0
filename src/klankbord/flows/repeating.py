"""A request that comes twice is done once: the key that its sender gave it, and what it was answered.

key → row, in the transaction of the request → the second one, also in the same moment, waits for the first, and gets
its answer. A request that was refused leaves nothing, so that it may be tried again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from klankbord.desk.integrations.models import StoredAnswer
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.rows import insert
from klankbord.desk.wall import current_organisation_id, organisation
from klankbord.kernel.ids import uuid7

KEPT = timedelta(hours=24)


class OtherRequest(Exception):
    """The key was used for something else."""


def hash_of(method: str, address: str, body: bytes) -> str:
    return sha256(b"\0".join([method.encode(), address.encode("utf-8", "replace"), body])).hexdigest()


def begin(*, token: UUID, key: str, request_hash: str, now: datetime) -> StoredAnswer | None:
    """None when it is new: do it, then `finish`. Otherwise what it was answered. Raises OtherRequest."""
    StoredAnswer.objects.filter(token_id=token, key=key, created_at__lt=now - KEPT).delete()
    is_new = insert(
        StoredAnswer,
        [
            {
                "id": uuid7(), "organisation_id": current_organisation_id(), "token_id": token, "key": key,
                "request_hash": request_hash, "status": 0, "headers": {}, "body": "", "created_at": now,
            }
        ],
        returning="id",
    )  # fmt: skip
    if is_new:
        return None
    found: StoredAnswer = StoredAnswer.objects.get(token_id=token, key=key)
    if found.request_hash != request_hash:
        raise OtherRequest
    return found


def finish(*, token: UUID, key: str, status: int, headers: dict[str, str], body: str) -> None:
    StoredAnswer.objects.filter(token_id=token, key=key).update(status=status, headers=headers, body=body)


def forget_answers(*, now: datetime) -> None:
    """Hourly upkeep, outside the wall."""
    for organisation_id in Organisation.objects.order_by("id").values_list("id", flat=True):
        with organisation(organisation_id):
            StoredAnswer.objects.filter(created_at__lt=now - KEPT).delete()
