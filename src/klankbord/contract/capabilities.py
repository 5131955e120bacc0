"""What a channel can do: composer limits, settings and the feature matrix come from here."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta

from .words import ReceiptState, Visibility


class Transport(enum.StrEnum):
    WEBHOOK = "webhook"  # the platform calls our door
    POLL = "poll"  # we ask
    LISTEN = "listen"  # we hold a stream or IDLE open, which only wakes the poll
    DOOR = "door"  # our own door (chat widget, form)


class Action(enum.StrEnum):
    REPLY = "reply"
    PRIVATE_REPLY = "private reply"  # answer a public message in private, on the same platform
    DELETE_OWN = "delete own"
    EDIT_OWN = "edit own"
    HIDE = "hide"  # a message of somebody else, under a post of ours; can be undone
    DELETE = "delete"  # a message of somebody else, in a place of ours; for good
    LIKE = "like"  # can be undone
    TYPING = "typing"
    MARK_READ = "mark read"


class LengthUnit(enum.StrEnum):
    CHARACTERS = "characters"  # Unicode code points
    GRAPHEMES = "graphemes"
    UTF16 = "utf-16 units"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class TextLimit:
    """How long a text may be. per_link: what any link counts for, where the platform weighs links alike."""

    maximum: int | None = None
    unit: LengthUnit = LengthUnit.CHARACTERS
    per_link: int | None = None
    splits: bool = False  # a longer text goes as several messages in order


@dataclass(frozen=True, slots=True)
class MediaLimit:
    count: int = 0
    bytes_each: int = 0
    content_types: tuple[str, ...] = ()  # prefixes, such as "image/"; empty: any


@dataclass(frozen=True, slots=True)
class ReplyWindow:
    """How long after the person's last message a free reply may be sent. None: always."""

    duration: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SendRate:
    """A token bucket per inbox: `per_second` on the long run, `burst` at once; `per_place` seconds between two in
    one place."""

    per_second: float = 5.0
    burst: int = 10
    per_place: float = 0.0


@dataclass(frozen=True, slots=True)
class Capabilities:
    transports: frozenset[Transport]
    visibilities: frozenset[Visibility]
    receives: frozenset[type]  # classes of Item
    actions: frozenset[Action] = frozenset({Action.REPLY})
    text: TextLimit = TextLimit()
    media: MediaLimit = MediaLimit()
    window: ReplyWindow = ReplyWindow()
    rate: SendRate = SendRate()
    takes_idempotency_key: bool = False  # the same key twice is sent once
    can_look_up: bool = False  # `look_up` can tell whether a message arrived
    receipts: frozenset[ReceiptState] = frozenset({ReceiptState.SENT})
    is_signed: bool = True  # deliveries carry a signature or secret
    has_hostile_input: bool = False  # parse in a limited child process (mail)
    has_title: bool = False  # a subject line
    ids_are_global: bool = False  # the same message has the same id in every inbox of this kind (mail's Message-ID)
    has_html: bool = False
    answers_one: bool = False  # a reply can point at one earlier message of the person (`Outgoing.in_reply_to`)
    third_parties_may_read: str = ""  # a warning to show beside "private", "" when there is none
