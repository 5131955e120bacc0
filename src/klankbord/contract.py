"""The words that a channel and the desk exchange: frozen dataclasses, errors and the channel protocol.

A channel translates between a platform and these words; it knows no database and no desk. The desk knows these words
and no platform. Every moment is an aware `datetime` in UTC; every platform id is text, never a number.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable


class Visibility(enum.StrEnum):
    PUBLIC = "public"  # anyone can read it
    PRIVATE = "private"  # only the person (and us) can read it


class AuthorKind(enum.StrEnum):
    """Who wrote a message. Platforms treat text typed by a person differently, so it is kept from the first line."""

    CONTACT = "contact"
    AGENT = "agent"
    BOT = "bot"
    SYSTEM = "system"  # acknowledgements, out-of-hours replies


class MediaKind(enum.StrEnum):
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    STICKER = "sticker"
    LOCATION = "location"


# ------------------------------------------------------------------------------------------------ coming in


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
    """

    key: str
    visibility: Visibility
    target: str = ""
    title: str = ""
    url: str = ""
    context: Context | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


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


class ReceiptState(enum.StrEnum):
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


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


# ------------------------------------------------------------------------------------------------ going out


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


# ------------------------------------------------------------------------------------------------ errors


class ChannelError(Exception):
    """Something between us and the platform. The class decides what happens next; `sentence` is for people.

    Refused        permanent: the platform will not take it; an agent must act
      CredentialsRejected   our access was revoked or has too few rights: the inbox is unhealthy until reconnected
      TooLong               the text is over the platform's limit
    Unavailable    try again, after `retry_after` seconds where the platform said so
    Uncertain      it may have arrived: never send again without looking or asking
    Unsupported    asked for something outside the capabilities
    BadSignature   a delivery that is not from who it claims
    """

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class Refused(ChannelError):
    """The platform will not take it. place_is_gone: deleted target, or the person blocked us: nothing will help."""

    def __init__(self, sentence: str, *, code: str = "", place_is_gone: bool = False) -> None:
        super().__init__(sentence, code=code)
        self.place_is_gone = place_is_gone


class CredentialsRejected(Refused):
    """The platform no longer accepts our credentials."""


class TooLong(Refused):
    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(f"{length} is over the limit of {limit}.", code="too-long")
        self.length, self.limit = length, limit


class Unavailable(ChannelError):
    """retry_after: seconds. is_inbox_wide: the limit holds for the whole account, not for this one thread.
    parts_done: external ids of the parts that did arrive before it failed."""

    def __init__(
        self,
        sentence: str,
        *,
        retry_after: float | None = None,
        is_inbox_wide: bool = False,
        parts_done: tuple[str, ...] = (),
        code: str = "",
    ) -> None:
        super().__init__(sentence, code=code)
        self.retry_after, self.is_inbox_wide, self.parts_done = retry_after, is_inbox_wide, parts_done


class Uncertain(ChannelError):
    def __init__(self, sentence: str, *, parts_done: tuple[str, ...] = (), code: str = "") -> None:
        super().__init__(sentence, code=code)
        self.parts_done = parts_done


class Unsupported(ChannelError):
    """The channel cannot do this; see its capabilities."""


class BadSignature(ChannelError):
    """Not from who it claims, or too old. Nothing is stored."""


# ------------------------------------------------------------------------------------------------ capabilities


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
    HIDE = "hide"
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
    third_parties_may_read: str = ""  # a warning to show beside "private", "" when there is none


# ------------------------------------------------------------------------------------------------ credentials


def ask(
    label: str, help: str = "", *, is_secret: bool = False, is_required: bool = True, kind: str = "text"
) -> dict[str, Any]:
    """Metadata of a credentials field, from which the settings form is made.

    kind: text, password, email, url, number, lines (one value a line), choice-free tick ("tick").
    """
    return {"label": label, "help": help, "is_secret": is_secret, "is_required": is_required, "kind": kind}


def secret_names(credentials: type) -> frozenset[str]:
    """The names of the fields of a credentials dataclass that are stored encrypted and never shown again."""
    return frozenset(each.name for each in fields(credentials) if each.metadata.get("is_secret"))


C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Account(Generic[C]):
    """One connected account, as a channel sees it.

    facts: what `connect` found (own id and name, server limits). reply_key: key of our reply tags.
    hook_url: the address where this account's webhooks arrive; hook_secret: made by us, for platforms that let us
    choose one.
    """

    inbox: str
    credentials: C
    facts: Mapping[str, Any] = field(default_factory=dict)
    reply_key: bytes = b""
    hook_url: str = ""
    hook_secret: str = ""
    name: str = ""


class HealthState(enum.StrEnum):
    WELL = "well"
    AILING = "ailing"  # works, needs attention soon
    BROKEN = "broken"  # nothing can be sent or received


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One line of the check list on an inbox's page. name and sentence are English keys for translation."""

    name: str
    is_well: bool
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    state: HealthState
    checks: tuple[HealthCheck, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll brought. cursor goes into the next poll; it is stored in the same transaction as the deliveries."""

    deliveries: tuple[Delivery, ...]
    cursor: Mapping[str, Any]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of our door to a handshake."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


# ------------------------------------------------------------------------------------------------ wires


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    url: str = ""

    def json(self) -> Any:
        """Raises Unavailable when the body is not JSON: platforms send HTML pages when they are ill."""
        import json

        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unavailable("The platform answered with something that is not JSON.", code="not-json") from error


class Http(Protocol):
    """Guarded egress: no private addresses, limits on time and size. Never raises for a status.

    Raises Unavailable when nothing was sent for sure (no connection, refused address), Uncertain when the request
    may have been taken (time-out or cut after sending).
    """

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        data: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        content: bytes | None = None,
        timeout: float = 15.0,
        max_bytes: int = 5_000_000,
    ) -> Response: ...

    def stream_lines(
        self, url: str, *, headers: Mapping[str, str] | None = None, stop: threading.Event, idle_timeout: float = 60.0
    ) -> Iterable[str]:
        """The lines of a long-lived response (server-sent events), until `stop` is set or the peer ends it."""
        ...


class MailWire(Protocol):
    """IMAP and SMTP through the same guard. See `plumbing.mailwire` for what the connections offer."""

    def imap(self, *, host: str, port: int, security: str, timeout: float = 30.0) -> Any:
        """An open, not yet logged-in `imap_tools` mailbox. security: "tls", "starttls" or "none" (loopback only)."""
        ...

    def smtp(self, *, host: str, port: int, security: str, timeout: float = 15.0) -> Any:
        """An open `smtplib.SMTP`. security as for imap."""
        ...


@dataclass(frozen=True, slots=True)
class Wires:
    """All that a channel may use to reach the world."""

    http: Http
    mail: MailWire
    now: Callable[[], datetime]


# ------------------------------------------------------------------------------------------------ the channel


@runtime_checkable
class Channel(Protocol):
    """A platform's translation, declared in one folder. `BaseChannel` gives the quiet defaults."""

    kind: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    Credentials: ClassVar[type]

    def verify(self, delivery: Delivery, account: Account[Any]) -> None:
        """Check the signature over the raw bytes. Raises BadSignature. Runs in the door: fast, pure."""

    def handshake(self, delivery: Delivery, account: Account[Any]) -> Answer | None:
        """Answer a platform's verification request (GET with a challenge); None when it is not one."""

    def parse(self, delivery: Delivery, account: Account[Any]) -> list[Item]:
        """Translate a delivery. Pure: no network, no clock. Never raises for one bad item (see `parse_each`)."""

    def connect(self, account: Account[Any], wires: Wires) -> Mapping[str, Any]:
        """Try the credentials, register the webhook where the platform lets us; gives the account's facts.

        Raises CredentialsRejected or Unavailable, with a sentence for the person who is connecting."""

    def send(self, outgoing: Outgoing, account: Account[Any], wires: Wires) -> Receipt:
        """Hand one message to the platform. Raises Refused, Unavailable, Uncertain."""

    def look_up(self, outgoing: Outgoing, account: Account[Any], wires: Wires) -> Receipt | None:
        """Did this message arrive after all? None: it did not. Raises Unsupported where one cannot know."""

    def poll(self, account: Account[Any], cursor: Mapping[str, Any], wires: Wires) -> Polled:
        """Fetch what is new since the cursor ({} at first: from now on, history is `backfill`'s)."""

    def backfill(self, account: Account[Any], cursor: Mapping[str, Any], wires: Wires) -> Polled:
        """Fetch history in steps while has_more; the desk imports it silently."""

    def listen(self, account: Account[Any], wires: Wires, wake: Callable[[], None], stop: threading.Event) -> None:
        """Hold the platform's stream open and call wake() when something is new; returns when stop is set."""

    def health(self, account: Account[Any], wires: Wires) -> Health:
        """The check list of the inbox's page."""

    def media_url(self, media: Media, account: Account[Any], wires: Wires) -> str:
        """A fresh link for a media whose `fetch` is set."""

    def length(self, text: str, account: Account[Any]) -> int:
        """The text's length as the platform counts it."""

    def text_limit(self, account: Account[Any]) -> TextLimit:
        """The limit that holds for this account (a server may have its own)."""


class BaseChannel:
    """Defaults for what a channel has not. Subclasses set the class variables and override what they can do."""

    kind: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    Credentials: ClassVar[type]

    def verify(self, delivery: Delivery, account: Account[Any]) -> None:
        raise BadSignature("This channel has no webhook.")

    def handshake(self, delivery: Delivery, account: Account[Any]) -> Answer | None:
        return None

    def connect(self, account: Account[Any], wires: Wires) -> Mapping[str, Any]:
        return {}

    def look_up(self, outgoing: Outgoing, account: Account[Any], wires: Wires) -> Receipt | None:
        raise Unsupported("This platform cannot tell whether a message arrived.")

    def poll(self, account: Account[Any], cursor: Mapping[str, Any], wires: Wires) -> Polled:
        return Polled((), cursor)

    def backfill(self, account: Account[Any], cursor: Mapping[str, Any], wires: Wires) -> Polled:
        return Polled((), cursor)

    def listen(self, account: Account[Any], wires: Wires, wake: Callable[[], None], stop: threading.Event) -> None:
        stop.wait()

    def health(self, account: Account[Any], wires: Wires) -> Health:
        return Health(HealthState.WELL)

    def media_url(self, media: Media, account: Account[Any], wires: Wires) -> str:
        return media.url

    def length(self, text: str, account: Account[Any]) -> int:
        from klankbord.kernel import text as texts

        limit = self.text_limit(account)
        return texts.length(text, unit=limit.unit.value, per_link=limit.per_link)

    def text_limit(self, account: Account[Any]) -> TextLimit:
        return self.capabilities.text
