"""One timeline over all threads of a case: messages in runs per place, notes, folded events, days."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from klankbord.desk.conversations.models import Attachment, Event, Message, MessageKind, MessageVersion, Thread
from klankbord.desk.conversations.queries import Stretch

from . import sentences, times

_FORMATTING = re.compile(r"<(?!/|(?:p|br|a|span|div)\b)", re.IGNORECASE)


@dataclass(slots=True)
class Line:
    """One message as shown. key names it on the page."""

    message: Message
    key: str
    is_ours: bool
    who: str
    face_key: UUID | None
    receipt: sentences.ReceiptLine | None
    remarks: list[str]
    attachments: list[Attachment]
    versions: list[MessageVersion]
    is_first_new: bool = False  # the first that its reader has not seen
    kind: str = "message"

    @property
    def place(self) -> str:
        """Our own words wear the colour of where they were spoken."""
        return self.message.visibility if self.is_ours else ""

    @property
    def was_deleted_by_us(self) -> bool:
        acts = self.message.facts.get("acts", {})
        return any(acts.get(name, {}).get("state") == "done" for name in ("delete", "delete own"))

    @property
    def has_folds(self) -> bool:
        """Whether something of it is shown only on demand."""
        return bool(self.message.quoted or self.versions or self.has_formatting)

    @property
    def has_formatting(self) -> bool:
        """Whether its HTML shows anything that the text does not: posts come as plain paragraphs with links."""
        return bool(_FORMATTING.search(self.message.html)) and not self.message.deleted_at


@dataclass(slots=True)
class Activity:
    """Events in a row, folded to the last one."""

    key: str
    sentences: list[tuple[str, datetime]] = field(default_factory=list)
    kind: str = "activity"

    @property
    def last(self) -> tuple[str, datetime]:
        return self.sentences[-1]

    @property
    def others(self) -> list[tuple[str, datetime]]:
        return self.sentences[:-1]


@dataclass(slots=True)
class Run:
    """Messages in one thread without another thread in between."""

    key: str
    thread: Thread
    is_first: bool  # the thread appears for the first time in this stretch
    items: list[Line | Activity] = field(default_factory=list)
    kind: str = "run"


@dataclass(slots=True)
class Day:
    key: str
    words: str
    kind: str = "day"


Block = Run | Activity | Day


def blocks_of(
    stretch: Stretch,
    threads: Mapping[UUID, Thread],
    *,
    people: Mapping[str, str],
    teams: Mapping[str, str],
    now: datetime,
    first_new: UUID | None = None,
) -> list[Block]:
    """The stretch from old to new. people, teams: names by id, for events. first_new: above which a line says "new"."""
    blocks: list[Block] = []
    seen: set[UUID] = set()
    day: date | None = None
    run: Run | None = None
    for at, item in _in_time(stretch.messages, stretch.events):
        today = timezone.localdate(at)
        if today != day:
            day, run = today, None
            blocks.append(Day(f"day-{today.isoformat()}", times.say_day(at, now)))
        if isinstance(item, Event):
            words = sentences.event_sentence(item, people, teams, now)
            _fold(run.items if run else blocks, item, words)
            continue
        if run is None or run.thread.id != item.thread_id:
            thread = threads[item.thread_id]
            run = Run(f"run-{item.id.hex}", thread, thread.id not in seen)
            seen.add(thread.id)
            blocks.append(run)
        run.items.append(_line(item, stretch, first_new))
    return blocks


def _in_time(messages: Iterable[Message], events: Iterable[Event]) -> list[tuple[datetime, Message | Event]]:
    rows: list[tuple[datetime, Message | Event]] = [(message.at, message) for message in messages]
    rows += [(event.at, event) for event in events if not sentences.is_silent(event)]
    return sorted(rows, key=lambda row: (row[0], isinstance(row[1], Event), row[1].id))


def _fold(items: list[Any], event: Event, words: str) -> None:
    if not items or not isinstance(items[-1], Activity):
        items.append(Activity(f"act-{event.id.hex}"))
    items[-1].sentences.append((words, event.at))


def first_new_of(messages: Iterable[Message], *, read_at: datetime | None, by: UUID) -> UUID | None:
    """The first message that came after somebody last had the conversation on screen; None for their first time."""
    if read_at is None:
        return None
    said = (each for each in messages if each.kind in {MessageKind.INBOUND, MessageKind.OUTBOUND})
    return next((each.id for each in said if each.received_at > read_at and each.author_id != by), None)


def _line(message: Message, stretch: Stretch, first_new: UUID | None) -> Line:
    is_ours = message.kind == MessageKind.OUTBOUND
    return Line(
        message=message,
        key=f"m-{message.id.hex}",
        is_ours=is_ours,
        who=message.author.name if message.author else message.author_name or _handle_name(message),
        # The same colour as in the list and the side panel, whichever identity wrote.
        face_key=message.handle.contact_id if message.handle else None,
        receipt=sentences.receipt_of(message) if is_ours else None,
        remarks=sentences.remark_words(message.remarks),
        attachments=stretch.attachments.get(message.id, []),
        versions=stretch.versions.get(message.id, []),
        is_first_new=message.id == first_new,
    )


def _handle_name(message: Message) -> str:
    return str(message.handle.name or message.handle.username or message.handle.external_id) if message.handle else ""
