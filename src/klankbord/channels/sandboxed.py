"""Parsing in a limited child process, for channels whose input is hostile (`Capabilities.has_hostile_input`).

The parent packs a delivery and an account without its secrets; the child answers with items, as JSON of a closed list
of dataclasses.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from klankbord import contract
from klankbord.kernel.codec import Codec

from . import channel

TARGET = "klankbord.channels.sandboxed:parse"
_CODEC = Codec(
    contract.Delivery, contract.Person, contract.Context, contract.Place, contract.Media, contract.Arrived,
    contract.Edited, contract.Deleted, contract.ReceiptArrived, contract.Unreachable, contract.PlaceMoved,
    contract.Unknown, contract.Ignored, contract.Malformed, contract.Visibility, contract.AuthorKind,
    contract.MediaKind, contract.ReceiptState,
)  # fmt: skip


def pack(kind: str, delivery: contract.Delivery, account: contract.Account[Any]) -> bytes:
    """A request for the child. Secret fields of the credentials stay here."""
    secrets = contract.secret_names(type(account.credentials))
    shown = {
        each.name: getattr(account.credentials, each.name)
        for each in fields(account.credentials)
        if each.name not in secrets
    }
    return _CODEC.dumps(
        {
            "kind": kind,
            "delivery": delivery,
            "credentials": shown,
            "facts": dict(account.facts),
            "reply_key": account.reply_key,
            "name": account.name,
        }
    )


def parse(payload: bytes) -> bytes:
    """In the child: translate one delivery."""
    request = _CODEC.loads(payload)
    found = channel(request["kind"])
    secrets = dict.fromkeys(contract.secret_names(found.Credentials), "")
    account = contract.Account(
        inbox="",
        credentials=found.Credentials(**request["credentials"], **secrets),
        facts=request["facts"],
        reply_key=request["reply_key"],
        name=request["name"],
    )
    return _CODEC.dumps(found.parse(request["delivery"], account))


def unpack(answer: bytes) -> list[contract.Item]:
    """Raises ValueError when the child answered something else than items."""
    items = _CODEC.loads(answer)
    if not isinstance(items, tuple) or not all(isinstance(item, contract.Item.__args__) for item in items):
        raise ValueError("the parser's answer is not a list of items")
    return list(items)
