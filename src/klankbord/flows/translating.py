"""What the channels can do, and what one of them makes of a payload: without a desk, a database or a network.

For people who write or try a channel. Input that may be hostile is parsed in the limited child process, as in intake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from klankbord import channels
from klankbord.channels import sandboxed
from klankbord.contract import Account, Channel, ChannelError, Delivery, Item
from klankbord.plumbing.sandbox import Sandbox, SandboxFailure

_INVENTED = {"email": "desk@desk.example", "url": "https://desk.example", "number": 1, "tick": False}


class CannotTranslate(Exception):
    """The message says why, for the person who tries."""


def feature_matrix() -> list[dict[str, Any]]:
    """All channels side by side; see `channels.Features` for the words."""
    return [asdict(each) for each in channels.feature_matrix()]


def translate(
    kind: str, delivery: Delivery, *, credentials: Mapping[str, Any], facts: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The items that a channel makes of one delivery, as plain JSON values; "item" names the kind of item.

    credentials, facts: of the account it arrived at; required credentials that are not given are invented.
    Raises: CannotTranslate.
    """
    try:
        channel = channels.channel(kind)
    except channels.UnknownChannel as error:
        raise CannotTranslate(f"{error} There are: {', '.join(channels.kinds())}.") from None
    account = _account(channel, credentials, facts)
    is_hostile = channel.capabilities.has_hostile_input
    try:
        items = _parse_apart(kind, delivery, account) if is_hostile else channel.parse(delivery, account)
    except ChannelError as error:
        raise CannotTranslate(f"The account lacks something: {error.sentence}") from error
    return [{"item": type(item).__name__, **_shown(item)} for item in items]


def _account(channel: Channel, credentials: Mapping[str, Any], facts: Mapping[str, Any]) -> Account[Any]:
    declared = fields(channel.Credentials)
    unknown = sorted(credentials.keys() - {each.name for each in declared})
    if unknown:
        raise CannotTranslate(f"{channel.label} has no credentials called {', '.join(unknown)}.")
    needed = {
        each.name: _INVENTED.get(each.metadata.get("kind", ""), "desk.example")
        for each in declared
        if each.default is MISSING and each.default_factory is MISSING
    }
    return Account(inbox="trial", credentials=channel.Credentials(**{**needed, **credentials}), facts=facts)


def _parse_apart(kind: str, delivery: Delivery, account: Account[Any]) -> Sequence[Item]:
    sandbox = Sandbox(sandboxed.TARGET, cpu_seconds=2, memory_bytes=700_000_000, wall_seconds=5.0)
    [answer] = sandbox.call_each([sandboxed.pack(sandboxed.pack_account(kind, account), delivery)])
    if isinstance(answer, SandboxFailure):
        raise CannotTranslate(f"The limited parser gave up on it: {answer.reason} {answer.detail}".strip())
    return sandboxed.unpack(answer)


def _shown(value: Any) -> Any:
    """Plain JSON without what is empty; bytes as their number, so that a file does not fill the screen."""
    if is_dataclass(value) and not isinstance(value, type):
        shown = {each.name: _shown(getattr(value, each.name)) for each in fields(value)}
        return {name: each for name, each in shown.items() if each not in ("", None, [], {}, False)}
    if isinstance(value, Mapping):
        return {str(key): _shown(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_shown(each) for each in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
