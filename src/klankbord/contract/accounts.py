"""One connected account: its credentials as a form, its health, what a poll brought."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

from .incoming import Delivery


def ask(
    label: str,
    help: str = "",
    *,
    is_secret: bool = False,
    is_required: bool = True,
    kind: str = "text",
    choices: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Metadata of a credentials field, from which the settings form is made.

    kind: text, password, email, url, number, lines (one value a line), choice-free tick ("tick").
    choices: the only values of a text field, of which one is picked; () leaves it free.
    """
    return {
        "label": label,
        "help": help,
        "is_secret": is_secret,
        "is_required": is_required,
        "kind": kind,
        "choices": choices,
    }


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
