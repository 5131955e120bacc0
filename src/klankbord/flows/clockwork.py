"""The clock: timers that are due, each once, in the transaction that does what they say."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from klankbord.desk.conversations import services
from klankbord.desk.conversations.arrivals import forget_early_changes
from klankbord.desk.notices.services import DIGEST, forget_read
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.rows import run
from klankbord.desk.wall import organisation

from . import calling, devices, errands, finding, readings, repeating, scheduling, visitors
from .digests import send_digest
from .store import file_store

log = logging.getLogger(__name__)

_AT_ONCE = 200
_READ = timedelta(days=30)  # a notice that somebody has read
_EARLY = timedelta(days=7)  # what overtakes its message does so by seconds; a platform's own retries end within days


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
    elif kind == scheduling.TIMER:
        scheduling.leave(message=subject, now=now)
    elif kind == DIGEST:
        send_digest(member=subject, now=now)


def keep_house(*, now: datetime, delivery_days: int) -> None:
    """Hourly upkeep: partitions ahead; old raw deliveries, spent live events, changes of messages that never came and
    files that nobody sent gone."""
    with transaction.atomic():
        run("SELECT klankbord_make_delivery_partitions(%s, 8)", [now.date()])
        run("SELECT klankbord_drop_delivery_partitions(%s)", [now.date() - timedelta(days=delivery_days)])
        run("DELETE FROM conversations_liveevent WHERE at < %s", [now - timedelta(hours=1)])
    errands.forget_hopeless(now=now)
    repeating.forget_answers(now=now)
    calling.forget_calls(now=now)
    devices.forget_expired(now=now)
    readings.forget_old(now=now)
    finding.begin()
    _forget_early_changes(now)
    visitors.forget_unsent_files(now=now)
    visitors.forget_idle_visitors(now=now)
    visitors.forget_knocks(now=now)
    file_store().delete_abandoned(before=now - timedelta(hours=1))


def _forget_early_changes(now: datetime) -> None:
    count = 0
    for organisation_id in Organisation.objects.order_by("id").values_list("id", flat=True):
        with organisation(organisation_id):
            count += forget_early_changes(before=now - _EARLY)
            forget_read(before=now - _READ)
    if count:
        log.info("changes of messages that never came are gone", extra={"count": count})
