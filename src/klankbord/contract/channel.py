"""The channel itself: a platform's translation, declared in one folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from .accounts import Account, Answer, Health, HealthState, Polled
from .capabilities import Action, Capabilities, TextLimit
from .errors import BadSignature, Unsupported
from .incoming import Delivery, Item, Media
from .outgoing import Outgoing, Receipt
from .wires import Wires


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

    def act(
        self, action: Action, external_id: str, account: Account[Any], wires: Wires, *, is_undone: bool = False
    ) -> None:
        """Do one of its `capabilities.actions` (hide, delete, like) to a message on the platform, or undo it.

        Asking twice is the same as once. Raises Refused, Unavailable, Uncertain, Unsupported."""

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

    def act(
        self, action: Action, external_id: str, account: Account[Any], wires: Wires, *, is_undone: bool = False
    ) -> None:
        raise Unsupported("This platform does not let us do that.")

    def media_url(self, media: Media, account: Account[Any], wires: Wires) -> str:
        return media.url

    def length(self, text: str, account: Account[Any]) -> int:
        from klankbord.kernel import text as texts

        limit = self.text_limit(account)
        return texts.length(text, unit=limit.unit.value, per_link=limit.per_link)

    def text_limit(self, account: Account[Any]) -> TextLimit:
        return self.capabilities.text
