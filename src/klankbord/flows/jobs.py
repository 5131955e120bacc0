"""Work off the message path: one job per batch, with ids and the organisation; it may run twice without harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from procrastinate.contrib.django import app

from klankbord.desk.wall import current_organisation_id


class Work(Protocol):
    def __call__(self, *, organisation_id: UUID, ids: Sequence[UUID], now: datetime) -> None: ...


def _works() -> dict[str, Callable[..., None]]:
    from .media import fetch_files

    return {"fetch files": fetch_files}


@app.task(name="klankbord.batch", queue="klankbord", retry=5)
def batch(*, work: str, organisation_id: str, ids: list[str]) -> None:
    """The only task of the job library: it names one of our works."""
    _works()[work](organisation_id=UUID(organisation_id), ids=[UUID(each) for each in ids], now=datetime.now(UTC))


def later(work: str, *, ids: Sequence[UUID]) -> None:
    """Do this work after the transaction, once, for these ids of the open organisation."""
    values: dict[str, Any] = {
        "work": work,
        "organisation_id": str(current_organisation_id()),
        "ids": [str(each) for each in ids],
    }
    batch.defer(**values)
