"""The bench of our own `api` channel. For what every bench must offer, see `benches_of.py`; this one is the example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worlds import NOW, Request, World, http_world

from klankbord.channels.api.adapter import Credentials
from klankbord.contract import Account, AuthorKind, Delivery, Outgoing, Person, Response, Visibility
from klankbord.kernel import signatures


def account(**changes: Any) -> Account[Credentials]:
    fields: Mapping[str, Any] = {"secret": "een-geheim-van-ons-samen", "reply_url": "https://shop.example/hook"}
    return Account(inbox="webshop", credentials=Credentials(**{**fields, **changes}))


def other_account() -> Account[Credentials]:
    return Account(inbox="app", credentials=Credentials("een-heel-ander-geheim", "https://app.example/hook"))


def sign(body: bytes, account: Account[Credentials]) -> Delivery:
    signature = signatures.sign(body, secret=account.credentials.secret, at=NOW)
    return Delivery(body, NOW, {signatures.HEADER: signature, "content-type": "application/json"})


def outgoing(text: str = "Goedemorgen, we kijken het na.") -> Outgoing:
    return Outgoing(
        key="0193-reply",
        text=text,
        visibility=Visibility.PRIVATE,
        to=Person("klant-9", name="Anouk"),
        place_key="chat-42",
        target="chat-42",
        author_kind=AuthorKind.AGENT,
        author_name="Noor",
        in_reply_to="bericht-1",
    )


def world(trouble: str = "") -> World:
    def take(request: Request) -> Response:
        """The other system: takes every key once and names the message after it."""
        key = json.loads(request.content or b"{}").get("id", "")
        return Response(200, {"content-type": "application/json"}, json.dumps({"id": f"shop-{key}"}).encode())

    return http_world(take, trouble)
