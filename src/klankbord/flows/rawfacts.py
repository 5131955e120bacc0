"""What the platform said, word for word: for administrators, and written down in the audit log."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from klankbord.desk import access
from klankbord.desk.conversations.models import Message, MessagePart
from klankbord.desk.organisations.models import AuditLine, Membership
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id

_LONGEST = 200_000  # characters shown
_SECRET = re.compile(r"secret|token|signature|authori[sz]ation|cookie|key|password", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawFacts:
    """body: None when the delivery is no longer kept, or never was one (what we wrote ourselves)."""

    message: Message
    body: str | None
    is_cut: bool
    headers: Mapping[str, str]
    received_at: datetime | None
    facts: str
    parts: list[str]


def read(*, message: UUID, by: Membership, now: datetime) -> RawFacts:
    """Raises NotAllowed for anybody but administrators."""
    found = access.message_for(by, message)
    access.require(by, "see raw facts")
    AuditLine.objects.create(
        at=now, by=by, deed="raw facts read", subject="message", subject_id=found.id,
        facts={"name": f"#{found.conversation.number}"},
    )  # fmt: skip
    rows = run(
        "SELECT body, headers, query FROM inboxes_delivery WHERE id = %s AND organisation_id = %s AND received_at = %s",
        [found.delivery_id, current_organisation_id(), found.received_at],
    )
    body = _pretty(bytes(rows[0][0])) if rows else None
    return RawFacts(
        message=found,
        body=body[:_LONGEST] if body is not None else None,
        is_cut=body is not None and len(body) > _LONGEST,
        headers=_harmless({**rows[0][2], **rows[0][1]}) if rows else {},
        received_at=found.received_at if rows else None,
        facts=json.dumps(found.facts, indent=2, ensure_ascii=False) if found.facts else "",
        parts=list(
            MessagePart.objects.filter(message_id=found.id).order_by("position").values_list("external_id", flat=True)
        ),
    )


def _pretty(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """Proofs of who sent it are good for sending more: they are named, not shown."""
    return {name: "•••" if _SECRET.search(name) else str(value) for name, value in sorted(headers.items())}
