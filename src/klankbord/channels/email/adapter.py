"""E-mail: a mailbox read over IMAP, answers handed over by SMTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

from klankbord import contract
from klankbord.contract import (
    Arrived,
    BaseChannel,
    Capabilities,
    ChannelError,
    CredentialsRejected,
    Delivery,
    Health,
    HealthCheck,
    HealthState,
    Ignored,
    Item,
    MediaLimit,
    Outgoing,
    Polled,
    Receipt,
    ReceiptArrived,
    ReceiptState,
    SendRate,
    Transport,
    Visibility,
    Wires,
    parse_each,
)

from . import addresses, arrivals, credentials, fetching, mailbox, sending

Account: TypeAlias = contract.Account[credentials.Credentials]


class Email(BaseChannel):
    kind = "email"
    label = "E-mail"
    capabilities: ClassVar[Capabilities] = Capabilities(
        answers_one=True,
        transports=frozenset({Transport.POLL, Transport.LISTEN}),
        visibilities=frozenset({Visibility.PRIVATE}),
        receives=frozenset({Arrived, ReceiptArrived, Ignored}),
        media=MediaLimit(count=20, bytes_each=20_000_000),
        rate=SendRate(per_second=2.0, burst=10),
        receipts=frozenset({ReceiptState.SENT, ReceiptState.DELIVERED, ReceiptState.FAILED}),
        is_signed=False,
        has_hostile_input=True,
        has_title=True,
        has_html=True,
        ids_are_global=True,
    )
    Credentials = credentials.Credentials

    def parse(self, delivery: Delivery, account: Account) -> list[Item]:
        return parse_each([delivery], lambda each: arrivals.read(each, account))

    def connect(self, account: Account, wires: Wires) -> Mapping[str, Any]:
        """Log in on both sides. Facts: our address, and whether the server announces new mail."""
        if not addresses.normalise(account.credentials.address):
            raise CredentialsRejected("This is not an e-mail address.", code="address")
        with mailbox.opened(account, wires) as box:
            facts = {"address": account.credentials.mailbox, "announces_mail": mailbox.can_idle(box)}
        with sending.opened(account, wires):
            return facts

    def send(self, outgoing: Outgoing, account: Account, wires: Wires) -> Receipt:
        return sending.send(outgoing, account, wires, self.capabilities.media)

    def poll(self, account: Account, cursor: Mapping[str, Any], wires: Wires) -> Polled:
        return fetching.poll(account, cursor, wires)

    def backfill(self, account: Account, cursor: Mapping[str, Any], wires: Wires) -> Polled:
        return fetching.backfill(account, cursor, wires)

    def listen(self, account: Account, wires: Wires, wake: Callable[[], None], stop: threading.Event) -> None:
        fetching.listen(account, wires, wake, stop)

    def health(self, account: Account, wires: Wires) -> Health:
        checks = (_incoming(account, wires), *_outgoing(account, wires))
        is_broken = not all(each.is_well for each in checks[:2])
        is_well = all(each.is_well for each in checks)
        state = HealthState.BROKEN if is_broken else HealthState.WELL if is_well else HealthState.AILING
        return Health(state, checks)


def _incoming(account: Account, wires: Wires) -> HealthCheck:
    try:
        with mailbox.opened(account, wires):
            return HealthCheck("Incoming mail", True, "The mailbox can be read.")
    except ChannelError as error:
        return HealthCheck("Incoming mail", False, error.sentence)


def _outgoing(account: Account, wires: Wires) -> list[HealthCheck]:
    try:
        with sending.opened(account, wires) as smtp:
            checks = [HealthCheck("Outgoing mail", True, "The outgoing mail server lets us in.")]
            if account.credentials.has_plus_addresses and not sending.takes_plus_addresses(smtp, account):
                checks.append(
                    HealthCheck(
                        "Plus addresses",
                        False,
                        "The mail server refuses mail to plus addresses: untick that setting, or answers will bounce.",
                    )
                )
            return checks
    except ChannelError as error:
        return [HealthCheck("Outgoing mail", False, error.sentence)]
