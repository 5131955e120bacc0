"""What goes out, and what the platform said when it took it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .incoming import Person
from .words import AuthorKind, ReceiptState, Visibility


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of ours to send along. read: opens the bytes; called at sending time, outside any transaction."""

    name: str
    content_type: str
    size: int
    read: Callable[[], bytes]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One reply to hand to the platform.

    key: our message's id, also the idempotency key where the platform takes one.
    in_reply_to: external id of the customer message that is answered, "" when none.
    thread_ids: external ids of the thread so far, oldest first (References).
    parts_done: external ids of the parts that an earlier attempt has delivered already, in order.
    reply_tag: signed tag by which the answer finds its thread again (see `kernel.tags`).
    """

    key: str
    text: str
    visibility: Visibility
    to: Person
    place_key: str
    target: str
    author_kind: AuthorKind
    author_name: str = ""
    html: str = ""
    title: str = ""
    in_reply_to: str = ""
    thread_ids: tuple[str, ...] = ()
    reply_tag: str = ""
    uploads: tuple[Upload, ...] = ()
    parts_done: tuple[str, ...] = ()
    is_automatic: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)  # the thread's platform facts


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the platform said when it took a message. external_ids: one per part, in order."""

    external_ids: tuple[str, ...]
    at: datetime
    state: ReceiptState = ReceiptState.SENT
    url: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
