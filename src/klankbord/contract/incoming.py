"""What comes in: deliveries as they arrived, and the items a channel makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from .words import AuthorKind, MediaKind, ReceiptState, Visibility


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrived, byte for byte. headers have lower-case names."""

    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    is_history: bool = False  # fetched by `backfill` or `replay`: no clocks, no replies


@dataclass(frozen=True, slots=True)
class Person:
    """Someone on a platform. external_id is opaque; name, username and the rest may change or be absent.

    realm: the space in which external_id is unique when the channel's kind alone is not enough (a Mastodon server).
    is_proven: the identity was shown by a signature (chat widget), not merely typed.
    """

    external_id: str
    name: str = ""
    username: str = ""
    realm: str = ""
    email: str = ""
    phone: str = ""
    avatar_url: str = ""
    profile_url: str = ""
    is_proven: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """What was said before and around: the post under which someone commented. Context is shown, it is not work."""

    text: str = ""
    author: str = ""
    url: str = ""
    posted_at: datetime | None = None
    audience: int | None = None  # about how many people can see it
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands. One thread exists per `key` in an inbox, as long as its conversation can reopen.

    key: partner of a direct message; contact + post for comments; root of a mail thread. Chosen by the channel.
    target: what a reply must name on the platform (chat id, status id); the newest message's own id where empty.
    post: what tells one public post from another, where many people write under one, each in a place of their own.
    """

    key: str
    visibility: Visibility
    target: str = ""
    title: str = ""
    url: str = ""
    context: Context | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    post: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A file that came with a message: `data` itself, a `url` to fetch soon through the guarded egress, or a
    `stored_key`.

    fetch: opaque words for `Channel.media_url` where the platform hands out short-lived links (Telegram's file id).
    stored_key: it stands in the desk's file store already, under this key (our own doors take files in themselves).
    size: bytes as announced, None when unknown.
    """

    kind: MediaKind
    name: str = ""
    content_type: str = ""
    url: str = ""
    fetch: str = ""
    stored_key: str = ""
    data: bytes | None = None
    size: int | None = None
    content_id: str = ""  # e-mail: referred to as cid:… in the HTML
    description: str = ""  # alternative text
    refused: str = ""  # reason why it cannot be had, in words for an agent


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message: by a customer, or (is_own) one of ours, sent by us (an echo) or typed in the platform's own app.

    external_id: the platform's id; where it has none, an id derived from the content (same content, same id).
    thread_ids: external ids of earlier messages of the same thread, best first (In-Reply-To, References); the
        first one known to the desk decides the thread, before `place.key` does.
    reply_tag: a verified signed tag naming one of our threads (see `kernel.tags`), "" when none.
    client_key: the idempotency key that we gave when sending, where the platform echoes it.
    is_automatic: sent by a machine (vacation note, bounce): no reply, no reopening, no survey.
    html: as received; the desk sanitises it. text and html say the same: text is what both kinds of reader get.
    quoted: the part of the text that repeats earlier messages, shown folded; never a turn of its own.
    also_to: other addresses or inboxes it was sent to; shown.
    remarks: short machine words shown beside the message ("unverified-sender", "text-differs-from-html").
    """

    external_id: str
    place: Place
    person: Person
    text: str
    at: datetime
    html: str = ""
    quoted: str = ""
    media: tuple[Media, ...] = ()
    is_own: bool = False
    author_kind: AuthorKind = AuthorKind.CONTACT
    author_name: str = ""
    thread_ids: tuple[str, ...] = ()
    reply_tag: str = ""
    client_key: str = ""
    in_reply_to: str = ""
    language: str = ""
    is_automatic: bool = False
    is_spam: bool = False
    is_context: bool = False  # our own post: shown with what follows, never work
    is_history: bool = False  # this one is imported, whatever its delivery says: no clocks, no replies
    also_to: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edited:
    """A message's new text. May come before the message itself."""

    external_id: str
    text: str
    at: datetime
    html: str = ""


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was withdrawn by its author or the platform. May come twice, or before the message itself."""

    external_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptArrived:
    """The platform says what became of one of our messages (or, with up_to, of all in the place until that moment).

    client_key: the key that we gave when sending, where that is all the platform names (a bounced mail may carry
        nothing else); external_id is empty then.
    """

    state: ReceiptState
    at: datetime
    external_id: str = ""
    place_key: str = ""
    up_to: datetime | None = None
    reason: str = ""
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A person can no longer be written to (blocked the bot, left), or can again."""

    person: Person
    at: datetime
    reason: str = ""
    is_reachable: bool = False


@dataclass(frozen=True, slots=True)
class PlaceMoved:
    """The platform gave a place another key (a Telegram group became a supergroup)."""

    old_key: str
    new_key: str
    target: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something the channel does not know (yet). Kept and shown when the place is known, counted when it is not."""

    kind: str  # the platform's word
    at: datetime
    external_id: str = ""
    place: Place | None = None
    person: Person | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and rightly nothing for the desk; the ledger shows why."""

    reason: str  # a machine word: "command", "own-address", "typing"
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """An item that could not be understood: becomes a dead letter, its neighbours go on."""

    reason: str
    raw: bytes = b""


Item: TypeAlias = Arrived | Edited | Deleted | ReceiptArrived | Unreachable | PlaceMoved | Unknown | Ignored | Malformed

Raw = TypeVar("Raw")


def parse_each(raws: Iterable[Raw], parse_one: Callable[[Raw], Iterable[Item]]) -> list[Item]:
    """Parse the items of one delivery so that one bad item cannot harm its neighbours.

    Gives at least one item per raw item: a raw item that yields nothing is `Ignored("empty")`.
    """
    items: list[Item] = []
    for raw in raws:
        try:
            found = list(parse_one(raw))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError) as error:
            found = [Malformed(reason=f"{type(error).__name__}: {error}"[:300], raw=repr(raw).encode()[:20_000])]
        items.extend(found or [Ignored("empty")])
    return items
