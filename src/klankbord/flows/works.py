"""What jobs do: each work takes an organisation and ids, opens the wall itself, and may run twice without harm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from procrastinate.contrib.django import app

from .jobs import QUEUE, TASK
from .media import fetch_files

WORKS: dict[str, Callable[..., None]] = {"fetch files": fetch_files}


@app.task(name=TASK, queue=QUEUE, retry=5)
def batch(*, work: str, organisation_id: str, ids: list[str]) -> None:
    """The only task of the job library: it names one of our works."""
    WORKS[work](organisation_id=UUID(organisation_id), ids=[UUID(each) for each in ids], now=datetime.now(UTC))
