"""The clock: timers that are due, each once, in the transaction that does what they say."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from klankbord.desk.conversations import services
from klankbord.desk.rows import run
from klankbord.desk.wall import organisation

from . import errands, visitors
from .store import file_store

_AT_ONCE = 200


def run_timers(*, now: datetime) -> int:
    """Do what is due. Gives how many timers went off."""
    with transaction.atomic():
        due = run(
            "DELETE FROM conversations_timer WHERE id IN (SELECT id FROM conversations_timer WHERE due_at <= %s"
            " ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING organisation_id, kind, subject_id",
            [now, _AT_ONCE],
        )
        per_organisation: dict[UUID, list[tuple[str, UUID]]] = {}
        for organisation_id, kind, subject in due:
            per_organisation.setdefault(organisation_id, []).append((kind, subject))
        for organisation_id in sorted(per_organisation):
            with organisation(organisation_id):
                for kind, subject in sorted(per_organisation[organisation_id]):
                    _go_off(kind, subject, now)
    return len(due)


def _go_off(kind: str, subject: UUID, now: datetime) -> None:
    if kind == "snooze":
        services.wake_conversation(conversation=subject, now=now)


def keep_house(*, now: datetime, delivery_days: int) -> None:
    """Hourly upkeep: partitions ahead; old raw deliveries, spent live events and files that nobody sent gone."""
    with transaction.atomic():
        run("SELECT klankbord_make_delivery_partitions(%s, 8)", [now.date()])
        run("SELECT klankbord_drop_delivery_partitions(%s)", [now.date() - timedelta(days=delivery_days)])
        run("DELETE FROM conversations_liveevent WHERE at < %s", [now - timedelta(hours=1)])
    errands.forget_hopeless(now=now)
    visitors.forget_unsent_files(now=now)
    visitors.forget_idle_visitors(now=now)
    visitors.forget_knocks(now=now)
    file_store().delete_abandoned(before=now - timedelta(hours=1))
