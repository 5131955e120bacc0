"""Keeping what can be found up to date, off the message path.

Once an hour each organisation gets a job that learns the words of its new messages and, after the index has come to be
made another way, makes old documents anew. A job does some thousands of messages and leaves the rest to the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from klankbord.desk.conversations import index, vocabulary
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.rows import run
from klankbord.desk.wall import organisation

from .jobs import later

WORK = "learn words"
_BATCHES = 10  # of a job


def begin() -> None:
    """One job for each organisation; one that finds nothing to do ends at once."""
    for organisation_id in Organisation.objects.order_by("id").values_list("id", flat=True):
        with organisation(organisation_id):
            later(WORK, ids=[])


def learn_words(*, organisation_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    """The job. Each batch is a transaction of its own, so that nothing waits for the whole."""
    for _batch in range(_BATCHES):
        with organisation(organisation_id):
            if not vocabulary.advance(now=now):
                return
    with organisation(organisation_id):
        later(WORK, ids=[])


@dataclass(frozen=True, slots=True)
class Renewal:
    """An organisation whose older messages are not all found in the present way yet."""

    organisation: str
    done: int
    total: int


def renewals() -> list[Renewal]:
    """For the doctor; by the owner's connection, across organisations. Those without messages need no renewal."""
    return [
        Renewal(*row)
        for row in run(
            """SELECT o.name, count(m.id) FILTER (WHERE m.id <= p.reached), count(m.id)
                 FROM organisations_organisation o
                 JOIN conversations_message m ON m.organisation_id = o.id AND m.deleted_at IS NULL
                  AND m.state <> 'taken back'
                 LEFT JOIN conversations_indexprogress p ON p.organisation_id = o.id AND p.version = %s
                WHERE p.until IS NULL OR (p.reached < p.until AND m.id <= p.until)
                GROUP BY o.name HAVING count(m.id) FILTER (WHERE m.id <= p.reached) < count(m.id)
                ORDER BY o.name""",
            [index.VERSION],
        )
    ]
