"""Put work off the message path: one job per batch, with ids and the organisation. `works` does it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from procrastinate.contrib.django import app

from klankbord.desk.wall import current_organisation_id

TASK, QUEUE = "klankbord.batch", "klankbord"


def later(work: str, *, ids: Sequence[UUID], wait: timedelta = timedelta()) -> None:
    """Do this work after the transaction, once, for ids of the open organisation. work: a key of `works.WORKS`.

    wait: not before so much time has passed.
    """
    task = app.configure_task(TASK, queue=QUEUE, schedule_in={"seconds": wait.total_seconds()} if wait else None)
    task.defer(work=work, organisation_id=str(current_organisation_id()), ids=[str(each) for each in ids])
