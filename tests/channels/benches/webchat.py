"""The bench of our own chat widget. There is no platform: nothing it does can be in trouble."""

from __future__ import annotations

from typing import Any

from worlds import NOW, Request, World, http_world

from klankbord.channels.webchat.adapter import Credentials
from klankbord.contract import Account, AuthorKind, Delivery, Outgoing, Person, Response, Visibility

TROUBLES = ()


def account(**changes: Any) -> Account[Credentials]:
    fields = {
        "site_name": "Morgenster Wonen",
        "origins": "https://morgenster.example\nhttps://www.morgenster.example",
        "identity_secret": "een-heel-lang-geheim-van-de-webwinkel-zelf",
    }
    return Account(inbox="site", credentials=Credentials(**{**fields, **changes}))


def other_account() -> Account[Credentials]:
    return Account(
        inbox="other-site",
        credentials=Credentials("Avondster", "https://avondster.example", identity_secret="een-ander-lang-geheim-" * 2),
    )


def sign(body: bytes, account: Account[Credentials]) -> Delivery:
    return Delivery(body, NOW)


def outgoing(text: str = "Dat past, het blad gaat op zijn kant.") -> Outgoing:
    return Outgoing(
        key="0193-reply",
        text=text,
        visibility=Visibility.PRIVATE,
        to=Person("anon:k3v9", realm="site"),
        place_key="anon:k3v9",
        target="anon:k3v9",
        author_kind=AuthorKind.AGENT,
        author_name="Bram",
        in_reply_to="anon:k3v9/5f1c2a",
    )


def world(trouble: str = "") -> World:
    def nobody(request: Request) -> Response:
        raise AssertionError("the chat widget calls nobody")

    return http_world(nobody, trouble)
