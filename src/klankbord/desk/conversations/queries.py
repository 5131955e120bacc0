"""What the inbox and the open conversation read: few statements, whatever the number of rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, Sum, Value, When
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleGreaterThanOrEqual, TupleLessThan

from klankbord.kernel.text import fold

from .. import access, rows
from ..organisations.models import Membership
from .models import (
    NOBODY,
    Attachment,
    Conversation,
    ConversationLabel,
    Event,
    Label,
    Message,
    MessageState,
    MessageVersion,
    Status,
    Thread,
    ViewCounter,
)

PAGE = 50
_LONGEST_SCREEN = 1000  # messages that a screen keeps up to date
_STATUS_VIEWS = {
    "all": Status.OPEN,
    "pending": Status.PENDING,
    "snoozed": Status.SNOOZED,
    "resolved": Status.RESOLVED,
    "spam": Status.SPAM,
}
_NEWEST_FIRST = frozenset({Status.PENDING, Status.RESOLVED, Status.SPAM})

Keyset = tuple[bool, datetime, UUID]
Position = tuple[datetime, UUID]  # of a message in its conversation
Part = TypeVar("Part", Attachment, MessageVersion)


@dataclass(frozen=True, slots=True)
class View:
    """One list of conversations. name: mine, unassigned, team, all, pending, snoozed, resolved, spam."""

    name: str
    team: UUID | None = None

    @classmethod
    def read(cls, slug: str) -> View | None:
        """From the word in an address; None when there is no such view."""
        if slug in {"mine", "unassigned", *_STATUS_VIEWS}:
            return cls(slug)
        found = re.fullmatch(r"team-([0-9a-f]{32})", slug)
        return cls("team", UUID(found[1])) if found else None

    @property
    def slug(self) -> str:
        return f"team-{self.team.hex}" if self.team else self.name

    @property
    def status(self) -> str:
        return str(_STATUS_VIEWS.get(self.name, Status.OPEN))

    @property
    def is_newest_first(self) -> bool:
        return self.status in _NEWEST_FIRST

    def holds(self, conversation: Conversation, by: Membership) -> bool:
        """Whether a conversation stands in this list now."""
        if conversation.status != self.status:
            return False
        if self.name == "mine":
            return bool(conversation.owner_id == by.id)
        if self.name == "unassigned":
            return conversation.owner_id is None
        return self.team is None or bool(conversation.team_id == self.team)


@dataclass(frozen=True, slots=True)
class Filters:
    inbox: UUID | None = None
    visibility: str = ""
    label: UUID | None = None


@dataclass(slots=True)
class Counts:
    """How many conversations stand in each view, from the maintained counters."""

    by_view: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_team: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))

    def of(self, view: View) -> int:
        return self.by_team[view.team] if view.team else self.by_view[view.name]


def page(
    view: View, *, by: Membership, inboxes: Collection[UUID], filters: Filters, after: Keyset | None = None
) -> tuple[list[Conversation], Keyset | None]:
    """One page of a view and from where the next one goes on (None at the end)."""
    order = ("-is_idle", "-sort_at", "-id") if view.is_newest_first else ("is_idle", "sort_at", "id")
    found = _with_people(_in_view(view, by, inboxes, filters))
    if after is not None:
        further = TupleLessThan if view.is_newest_first else TupleGreaterThan
        found = found.filter(further((F("is_idle"), F("sort_at"), F("id")), after))
    shown = list(found.order_by(*order)[: PAGE + 1])
    rest = shown[PAGE - 1] if len(shown) > PAGE else None
    return shown[:PAGE], (rest.is_idle, rest.sort_at, rest.id) if rest else None


def by_ids(ids: Iterable[UUID], *, inboxes: Collection[UUID]) -> dict[UUID, Conversation]:
    found = _with_people(Conversation.objects.filter(id__in=list(ids), inbox_id__in=inboxes))
    return {conversation.id: conversation for conversation in found}


def by_numbers(numbers: Iterable[int], *, inboxes: Collection[UUID]) -> dict[int, Conversation]:
    found = _with_people(Conversation.objects.filter(number__in=list(numbers), inbox_id__in=inboxes))
    return {conversation.number: conversation for conversation in found}


def newest_arrivals(
    view: View, *, by: Membership, inboxes: Collection[UUID], filters: Filters, since: datetime
) -> list[int]:
    """Numbers of the conversations of a view in which something came after a moment, at most a page of them."""
    found = _in_view(view, by, inboxes, filters).filter(last_message_at__gt=since)
    return list(found.order_by("is_idle", "sort_at", "id").values_list("number", flat=True)[:PAGE])


def counts(*, by: Membership, inboxes: Collection[UUID]) -> Counts:
    found = Counts()
    lines = (
        ViewCounter.objects.filter(inbox_id__in=inboxes)
        .annotate(whose=Case(When(owner_id=by.id, then=Value("mine")), When(owner_id=NOBODY, then=Value("unassigned"))))
        .values_list("status", "whose", "team_id")
        .annotate(total=Sum("count"))
    )
    for status, whose, team, total in lines:
        for view, wanted in _STATUS_VIEWS.items():
            if status == wanted:
                found.by_view[view] += int(total)
        if status == Status.OPEN:
            if whose:
                found.by_view[whose] += int(total)
            if team != NOBODY:
                found.by_team[team] += int(total)
    return found


def labels_of(conversations: Iterable[UUID]) -> dict[UUID, list[Label]]:
    found: dict[UUID, list[Label]] = defaultdict(list)
    links = ConversationLabel.objects.filter(conversation_id__in=list(conversations)).select_related("label")
    for link in links.order_by("label__name"):
        found[link.conversation_id].append(link.label)
    return found


def all_labels() -> list[Label]:
    return list(Label.objects.order_by("name"))


def label(label_id: UUID) -> Label | None:
    found: Label | None = Label.objects.filter(id=label_id).first()
    return found


def search(words: str, *, by: Membership, limit: int = PAGE) -> list[Conversation]:
    """Conversations in which all words occur, newest hit first. "#12" is a number; a word may be a beginning."""
    inboxes = access.visible_inboxes(by)
    number = re.fullmatch(r"\s*#?(\d{1,18})\s*", words)
    if number:
        return list(by_numbers([int(number[1])], inboxes=inboxes).values())
    terms = re.findall(r"\w+", fold(words))[:8]
    if not terms or not inboxes:
        return []
    # The function must be called alone: the wall's own conditions would keep the index from being used.
    hits = rows.run(
        "SELECT conversation_id FROM klankbord_search(to_tsquery('simple', %s), %s::uuid[], %s)",
        [" & ".join(f"{term}:*" for term in terms), list(inboxes), limit * 4],
    )
    ids = list(dict.fromkeys(conversation for (conversation,) in hits))[:limit]
    found = by_ids(ids, inboxes=inboxes)
    return [found[each] for each in ids if each in found]


# ------------------------------------------------------------------------------------------- one conversation


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a conversation's timeline, oldest first. before: where an older part ends, None at the beginning."""

    messages: list[Message]
    events: list[Event]
    attachments: dict[UUID, list[Attachment]]
    versions: dict[UUID, list[MessageVersion]]
    before: Position | None


def threads_of(conversation: UUID) -> list[Thread]:
    """The threads with their handles, and (in the same statement) the conversation with its people."""
    found = Thread.objects.filter(conversation_id=conversation).select_related(
        "handle", "inbox", "conversation__contact", "conversation__owner__user", "conversation__team"
    )
    return list(found.order_by("created_at", "id"))


def stretch(
    conversation: UUID, *, before: Position | None = None, since: Position | None = None, limit: int = PAGE
) -> Stretch:
    """The newest part of a conversation, the part that ends before a message, or all since one (to a limit)."""
    found = Message.objects.filter(conversation_id=conversation).exclude(state=MessageState.TAKEN_BACK)
    found = found.select_related("author__user", "handle")
    if before is not None:
        found = found.filter(TupleLessThan((F("at"), F("id")), before))
    if since is not None:
        found, limit = found.filter(TupleGreaterThanOrEqual((F("at"), F("id")), since)), _LONGEST_SCREEN
    messages = list(found.order_by("-at", "-id")[: limit + 1])
    has_older, messages = len(messages) > limit, messages[:limit][::-1]
    events = Event.objects.filter(conversation_id=conversation).select_related("by__user")
    if messages and (has_older or since is not None):
        events = events.filter(at__gte=messages[0].at)
    if before is not None:
        events = events.filter(at__lt=before[0])
    ids = [message.id for message in messages]
    return Stretch(
        messages=messages,
        events=list(events.order_by("-at", "-id")[: limit * 4])[::-1],
        attachments=_by_message(Attachment.objects.filter(message_id__in=ids).order_by("id")),
        versions=_versions(messages),
        before=(messages[0].at, messages[0].id) if has_older else None,
    )


def history_of(contact: UUID, *, besides: UUID, inboxes: Collection[UUID], limit: int = 8) -> list[Conversation]:
    """A contact's other conversations that this person may see, newest first."""
    found = Conversation.objects.filter(contact_id=contact, inbox_id__in=inboxes).exclude(id=besides)
    return list(found.order_by("-last_message_at")[:limit])


def _in_view(view: View, by: Membership, inboxes: Collection[UUID], filters: Filters) -> QuerySet[Conversation]:
    found: QuerySet[Conversation] = Conversation.objects.filter(status=view.status, inbox_id__in=inboxes)
    if view.name == "mine":
        found = found.filter(owner=by)
    elif view.name == "unassigned":
        found = found.filter(owner__isnull=True)
    elif view.team:
        found = found.filter(team_id=view.team)
    wanted = Q()
    if filters.inbox:
        wanted &= Q(inbox_id=filters.inbox)
    if filters.visibility:
        wanted &= Q(visibility=filters.visibility)
    if filters.label:
        wanted &= Q(id__in=ConversationLabel.objects.filter(label_id=filters.label).values("conversation_id"))
    return found.filter(wanted)


def _with_people(found: QuerySet[Conversation]) -> QuerySet[Conversation]:
    return found.select_related("contact", "owner__user", "inbox").defer(
        "inbox__credentials", "inbox__facts", "inbox__health"
    )


def _versions(messages: Sequence[Message]) -> dict[UUID, list[MessageVersion]]:
    """What changed messages said before; no statement when none was changed."""
    changed = [message.id for message in messages if message.edited_at]
    return _by_message(MessageVersion.objects.filter(message_id__in=changed).order_by("replaced_at")) if changed else {}


def _by_message(parts: Iterable[Part]) -> dict[UUID, list[Part]]:
    found: dict[UUID, list[Part]] = defaultdict(list)
    for part in parts:
        if part.message_id is not None:
            found[part.message_id].append(part)
    return found
