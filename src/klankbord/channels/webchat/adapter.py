"""The chat widget of our own door. There is no platform: our answers wait in the desk until the visitor's page asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from klankbord import contract
from klankbord.channels.webchat.events import read_event
from klankbord.channels.webchat.origins import origins_in
from klankbord.contract import (
    Action,
    Arrived,
    BaseChannel,
    Capabilities,
    CredentialsRejected,
    Delivery,
    Health,
    HealthCheck,
    HealthState,
    Item,
    MediaLimit,
    Outgoing,
    Receipt,
    ReceiptArrived,
    ReceiptState,
    Refused,
    SendRate,
    TextLimit,
    TooLong,
    Transport,
    Visibility,
    Wires,
    ask,
)

SHORTEST_SECRET = 32
MOST_FILES, MOST_BYTES = 10, 10_000_000


@dataclass(frozen=True)
class Credentials:
    """origins: one a line. mail_after_minutes: how long an answer waits unread before it goes by mail."""

    site_name: str = field(metadata=ask("Name on the chat window", "What visitors know you by, such as your shop."))
    origins: str = field(
        metadata=ask(
            "Allowed sites",
            "One a line, as the browser shows it: https://www.example.nl. The chat opens on no other site.",
            kind="lines",
        )
    )
    welcome: str = field(
        default="", metadata=ask("Welcome", "The first line that visitors read. May stay empty.", is_required=False)
    )
    accent: str = field(
        default="",
        metadata=ask("Colour", "Of the button and the send key, such as #0f5f57. Empty: ours.", is_required=False),
    )
    asks_email: bool = field(
        default=False,
        metadata=ask(
            "Ask for an e-mail address before the first message",
            "Otherwise visitors may leave one at any moment.",
            is_required=False,
            kind="tick",
        ),
    )
    mail_after_minutes: int = field(
        default=10,
        metadata=ask(
            "Minutes until an unread answer is mailed",
            "Only to visitors who left their address, from your first e-mail inbox.",
            is_required=False,
            kind="number",
        ),
    )
    identity_secret: str = field(
        default="",
        metadata=ask(
            "Secret for signing visitors who are logged in",
            "At least 32 characters. Empty: every visitor is anonymous.",
            is_secret=True,
            is_required=False,
        ),
    )


Account: TypeAlias = contract.Account[Credentials]


class Webchat(BaseChannel):
    kind = "webchat"
    label = "Web chat"
    capabilities: ClassVar[Capabilities] = Capabilities(
        transports=frozenset({Transport.DOOR}),
        visibilities=frozenset({Visibility.PRIVATE}),
        receives=frozenset({Arrived, ReceiptArrived}),
        actions=frozenset({Action.REPLY}),
        text=TextLimit(maximum=4_000),
        media=MediaLimit(count=MOST_FILES, bytes_each=MOST_BYTES),
        rate=SendRate(per_second=50.0, burst=200),
        takes_idempotency_key=True,
        receipts=frozenset({ReceiptState.DELIVERED, ReceiptState.READ}),
        is_signed=False,
    )
    Credentials = Credentials

    def parse(self, delivery: Delivery, account: Account) -> list[Item]:
        return read_event(delivery, account.inbox)

    def connect(self, account: Account, wires: Wires) -> Mapping[str, Any]:
        credentials = account.credentials
        origins = origins_in(credentials.origins)
        if not origins:
            raise CredentialsRejected("Name at least one site, such as https://www.example.nl.", code="no-origin")
        if credentials.identity_secret and len(credentials.identity_secret) < SHORTEST_SECRET:
            raise CredentialsRejected("The secret has fewer than 32 characters.", code="short-secret")
        return {"address": origins[0]}

    def send(self, outgoing: Outgoing, account: Account, wires: Wires) -> Receipt:
        """Nothing to call: from the moment this is committed the visitor's page can fetch it, so it is delivered.
        A second time changes nothing, which is why an interrupted reply may simply be handed over again."""
        self._check(outgoing, account)
        return Receipt((outgoing.key,), at=wires.now(), state=ReceiptState.DELIVERED)

    def health(self, account: Account, wires: Wires) -> Health:
        origins = origins_in(account.credentials.origins)
        if not origins:
            return Health(HealthState.BROKEN, (HealthCheck("Sites", False, "No site may open this chat."),))
        if all(each.startswith("http://") for each in origins):
            check = HealthCheck(
                "Sites", False, "The site is not encrypted: what visitors write can be read on its way."
            )
            return Health(HealthState.AILING, (check,))
        return Health(HealthState.WELL, (HealthCheck("Sites", True, "The chat may open on the sites you named."),))

    def _check(self, outgoing: Outgoing, account: Account) -> None:
        length, limit = self.length(outgoing.text, account), self.capabilities.text.maximum or 0
        if length > limit:
            raise TooLong(length=length, limit=limit)
        if len(outgoing.uploads) > MOST_FILES:
            raise Refused(f"At most {MOST_FILES} attachments go with one reply.", code="too-many-attachments")
        if any(each.size > MOST_BYTES for each in outgoing.uploads):
            raise Refused("An attachment is larger than 10 MB.", code="attachment-too-large")
