"""What is known and gathered while a batch is settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from klankbord.desk.contacts.arrivals import HandleKey, KnownHandle
from klankbord.desk.conversations import arrivals
from klankbord.desk.conversations.arrivals import KnownMessage
from klankbord.desk.conversations.case import Case


@dataclass(slots=True)
class Batch:
    """One organisation's batch: look-ups first, then the rows to store."""

    now: datetime
    siblings: dict[UUID, list[UUID]]  # inbox → inboxes in which the same id means the same message, itself first
    known: dict[arrivals.ExternalKey, KnownMessage] = field(default_factory=dict)
    adopted: dict[arrivals.ExternalKey, UUID] = field(default_factory=dict)  # ours, seen on the platform just now
    handles: dict[HandleKey, KnownHandle] = field(default_factory=dict)
    cases: dict[UUID, Case] = field(default_factory=dict)
    opened: list[Case] = field(default_factory=list)
    previous: dict[UUID, UUID] = field(default_factory=dict)
    retired: list[UUID] = field(default_factory=list)
    threads: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    heard: dict[UUID, tuple[datetime, str]] = field(default_factory=dict)
    answered: list[tuple[UUID, UUID, UUID]] = field(default_factory=list)  # owner, conversation, message
    events: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def find(self, inbox_id: UUID, external_id: str) -> KnownMessage | None:
        for sibling in self.siblings.get(inbox_id, [inbox_id]):
            found = self.known.get((sibling, external_id))
            if found is not None:
                return found
        return None
