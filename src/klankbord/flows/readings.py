"""Who read which contact: one line for each person, conversation and hour.

screen → noted in this process → once a second, all that was noted in one statement for each organisation. A page waits
for none of it; a process that is killed loses the second before.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from klankbord.desk.organisations.models import Membership, Organisation, ReadingLine
from klankbord.desk.rows import packed, recordset, run
from klankbord.desk.wall import organisation
from klankbord.kernel.ids import uuid7

KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class _Look:
    organisation_id: UUID
    by_id: UUID
    conversation_id: UUID
    at: datetime

    @property
    def hour(self) -> datetime:
        return self.at.replace(minute=0, second=0, microsecond=0)


class Readings:
    """One per process; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Look] = []
        self._known: set[tuple[UUID, UUID]] = set()  # person and conversation, in this hour
        self._hour: datetime | None = None

    def note(self, *, conversation: UUID, by: Membership, now: datetime) -> None:
        """This person is shown this conversation, or a file or facts of it."""
        look = _Look(by.organisation_id, by.id, conversation, now)
        with self._lock:
            if look.hour != self._hour:
                self._hour, self._known = look.hour, set()
            if (by.id, conversation) not in self._known:
                self._known.add((by.id, conversation))
                self._waiting.append(look)

    def write(self) -> int:
        """Write down what was noted; gives how much. What cannot be written now stays noted."""
        with self._lock:
            looks, self._waiting = self._waiting, []
        groups: defaultdict[UUID, list[_Look]] = defaultdict(list)
        for look in looks:
            groups[look.organisation_id].append(look)
        try:
            for organisation_id in sorted(groups):
                with organisation(organisation_id):
                    _insert(organisation_id, groups[organisation_id])
                del groups[organisation_id]
        finally:
            left = [look for group in groups.values() for look in group]
            with self._lock:
                self._waiting = left + self._waiting
        return len(looks)


def forget_old(*, now: datetime) -> None:
    """What is older than its keeping goes."""
    for organisation_id in Organisation.objects.order_by("id").values_list("id", flat=True):
        with organisation(organisation_id):
            old = ReadingLine.objects.filter(at__lt=now - KEPT)
            old._raw_delete(old.db)  # nothing hangs on a line


def _insert(organisation_id: UUID, looks: list[_Look]) -> None:
    names = ["id", "at", "hour", "by_id", "conversation_id"]
    values = [
        {"id": uuid7(), "at": each.at, "hour": each.hour, "by_id": each.by_id, "conversation_id": each.conversation_id}
        for each in looks
    ]
    run(
        "INSERT INTO organisations_readingline (id, organisation_id, at, hour, by_id, conversation_id, number,"
        " contact_id) SELECT r.id, c.organisation_id, r.at, r.hour, r.by_id, c.id, c.number, c.contact_id"
        f" FROM {recordset(ReadingLine, names)} JOIN conversations_conversation c"
        " ON c.organisation_id = %s AND c.id = r.conversation_id ON CONFLICT DO NOTHING",
        [packed(values), organisation_id],
    )


READINGS = Readings()
