"""From a stored inbox to what a channel sees of it, and back: the only place where credentials are opened."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from django.conf import settings

from klankbord import channels
from klankbord.contract import Account, Channel
from klankbord.desk.inboxes.models import Inbox, InboxRoute
from klankbord.desk.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class Connected:
    """An inbox ready for use: its row, its channel, its account."""

    inbox: Inbox
    channel: Channel
    account: Account[Any]


def seal(credentials: dict[str, Any], *, hook_token: str, hook_secret: str) -> bytes:
    """Credentials and the webhook's token and secret, encrypted for the database."""
    sealed = {"credentials": credentials, "hook_token": hook_token, "hook_secret": hook_secret}
    return bytes(settings.VAULT.seal(json.dumps(sealed)))


def unseal(sealed: bytes | memoryview) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(settings.VAULT.open(bytes(sealed)))
    return opened


def open_account(inbox: Inbox, organisation: Organisation) -> Connected:
    """Raises UnknownChannel when the channel's package is no longer installed."""
    channel = channels.channel(inbox.kind)
    opened = unseal(inbox.credentials)
    account: Account[Any] = Account(
        inbox=str(inbox.id),
        credentials=credentials_of(channel, opened["credentials"]),
        facts=inbox.facts,
        reply_key=reply_key_of(organisation),
        hook_url=hook_url(opened["hook_token"]),
        hook_secret=opened["hook_secret"],
        name=inbox.name,
    )
    return Connected(inbox, channel, account)


def open_route(route: InboxRoute) -> tuple[Channel, Account[Any]]:
    """What the door needs to verify a delivery: no query, no wall."""
    channel = channels.channel(route.kind)
    opened = unseal(route.account)
    account: Account[Any] = Account(
        inbox=str(route.inbox_id),
        credentials=credentials_of(channel, opened["credentials"]),
        facts=opened.get("facts", {}),
        hook_url=hook_url(opened["hook_token"]),
        hook_secret=opened["hook_secret"],
    )
    return channel, account


def credentials_of(channel: Channel, values: dict[str, Any]) -> Any:
    """The channel's Credentials from stored values; fields added since then take their defaults."""
    known = {each.name for each in fields(channel.Credentials)}
    return channel.Credentials(**{name: value for name, value in values.items() if name in known})


def reply_key_of(organisation: Organisation) -> bytes:
    return bytes.fromhex(settings.VAULT.open(bytes(organisation.reply_key)))


def hook_url(token: str) -> str:
    return f"{settings.PUBLIC_URL}/hooks/{token}"


def hash_token(token: str) -> str:
    """How a token of an address is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_inboxes(ids: set[UUID], organisation: Organisation) -> tuple[dict[UUID, Connected], dict[UUID, str]]:
    """Several inboxes of the open organisation, in one statement; and why the others of them cannot be opened."""
    opened: dict[UUID, Connected] = {}
    shut: dict[UUID, str] = {}
    for inbox in Inbox.objects.filter(id__in=sorted(ids)):
        try:
            opened[inbox.id] = open_account(inbox, organisation)
        except channels.UnknownChannel:
            shut[inbox.id] = f"channel not installed: {inbox.kind}"
    return opened, shut
