"""Errands: what a request leaves to be done after it, by a job, in words that only the worker can read.

A page hangs on no mail server, and takes the same time whether or not somebody is known here: request → sealed row and
job, one transaction → worker → `works.ERRANDS`. A row stands until its errand is done.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from klankbord.desk.organisations.models import Errand

from .jobs import QUEUE

TASK = "klankbord.errand"
PATIENCE = RetryStrategy(max_attempts=8, exponential_wait=3)  # seconds: 9, 27, 81 … all together almost three hours
KEPT = timedelta(days=3)  # an errand that never succeeded, so that somebody can ask what it was about


def leave(kind: str, *, now: datetime, **facts: Any) -> None:
    """To be done once the open transaction is through. kind: a key of `works.ERRANDS`, which is told these facts."""
    with transaction.atomic():
        made = Errand(kind=kind, sealed=bytes(settings.VAULT.seal(json.dumps(facts))), created_at=now)
        made.save(force_insert=True)
        app.configure_task(TASK, queue=QUEUE).defer(errand_id=str(made.id))


def facts_of(errand: Errand) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(settings.VAULT.open(bytes(errand.sealed)))
    return opened


def waiting(errand: UUID) -> Errand | None:
    """None when an earlier run has done it."""
    return Errand.objects.filter(id=errand).first()


def forget_hopeless(*, now: datetime) -> None:
    Errand.objects.filter(created_at__lt=now - KEPT).delete()
