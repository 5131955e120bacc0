"""Parsing in a limited child process, for channels whose input is hostile (`Capabilities.has_hostile_input`).

The parent packs a delivery and an account without its secrets; the child answers with items, of a closed list of
dataclasses.
"""

from __future__ import annotations

import struct
from dataclasses import fields
from functools import lru_cache
from typing import Any

from klankbord import contract
from klankbord.kernel.codec import Codec

from . import channel

TARGET = "klankbord.channels.sandboxed:parse"
_LENGTH = struct.Struct(">I")
_CODEC = Codec(
    contract.Delivery, contract.Person, contract.Context, contract.Place, contract.Media, contract.Arrived,
    contract.Edited, contract.Deleted, contract.ReceiptArrived, contract.Unreachable, contract.PlaceMoved,
    contract.Unknown, contract.Ignored, contract.Malformed, contract.Visibility, contract.AuthorKind,
    contract.MediaKind, contract.ReceiptState,
)  # fmt: skip


def pack_account(kind: str, account: contract.Account[Any]) -> bytes:
    """The part that the requests of one account share. Secret fields of its credentials stay here."""
    secrets = contract.secret_names(type(account.credentials))
    shown = {
        each.name: getattr(account.credentials, each.name)
        for each in fields(account.credentials)
        if each.name not in secrets
    }
    return _CODEC.dumps(
        {
            "kind": kind,
            "credentials": shown,
            "facts": dict(account.facts),
            "reply_key": account.reply_key,
            "name": account.name,
        }
    )


def pack(account: bytes, delivery: contract.Delivery) -> bytes:
    """A request for the child. account: from `pack_account`."""
    return _LENGTH.pack(len(account)) + account + _CODEC.dumps(delivery)


def parse(payload: bytes) -> bytes:
    """In the child: translate one delivery."""
    (length,) = _LENGTH.unpack_from(payload)
    start = _LENGTH.size + length
    found, account = _account(payload[_LENGTH.size : start])
    return _CODEC.dumps(found.parse(_CODEC.loads(payload[start:]), account))


@lru_cache(maxsize=64)
def _account(packed: bytes) -> tuple[contract.Channel, contract.Account[Any]]:
    """In the child: unpacked once for the many deliveries of an account; channels only read it."""
    shared = _CODEC.loads(packed)
    found = channel(shared["kind"])
    secrets = dict.fromkeys(contract.secret_names(found.Credentials), "")
    return found, contract.Account(
        inbox="",
        credentials=found.Credentials(**shared["credentials"], **secrets),
        facts=shared["facts"],
        reply_key=shared["reply_key"],
        name=shared["name"],
    )


def unpack(answer: bytes) -> list[contract.Item]:
    """Raises ValueError when the child answered something else than items."""
    items = _CODEC.loads(answer)
    if not isinstance(items, tuple) or not all(isinstance(item, contract.Item.__args__) for item in items):
        raise ValueError("the parser's answer is not a list of items")
    return list(items)
