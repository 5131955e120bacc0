"""What jobs do: each work takes an organisation and ids, opens the wall itself, and may run twice without harm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from procrastinate.contrib.django import app

from . import audit, deskmail, errands, passwords, platform_acts
from .finding import WORK as LEARN_WORDS
from .finding import learn_words
from .jobs import QUEUE, TASK
from .media import fetch_files
from .people import importing

WORKS: dict[str, Callable[..., None]] = {
    "fetch files": fetch_files,
    "import contacts": importing.run,
    "act": platform_acts.perform,
    LEARN_WORDS: learn_words,
}

# What requests leave to be done, by kind; each is told its facts, which errand it is, and the time.
ERRANDS: dict[str, Callable[..., None]] = {
    "mail": deskmail.send,
    "reset link": passwords.send_link,
    "attempt": audit.note_attempt,
}


@app.task(name=TASK, queue=QUEUE, retry=5)
def batch(*, work: str, organisation_id: str, ids: list[str]) -> None:
    """The task for ids of an organisation: it names one of our works."""
    WORKS[work](organisation_id=UUID(organisation_id), ids=[UUID(each) for each in ids], now=datetime.now(UTC))


@app.task(name=errands.TASK, queue=QUEUE, retry=errands.PATIENCE)
def errand(*, errand_id: str) -> None:
    """The task for what concerns no single organisation."""
    found = errands.waiting(UUID(errand_id))
    if found is None:
        return
    ERRANDS[found.kind](**errands.facts_of(found), errand=found.id, now=datetime.now(UTC))
    found.delete()
