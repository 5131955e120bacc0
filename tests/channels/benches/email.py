"""The bench of the e-mail channel. For what every bench must offer, see `benches_of.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mail_far_side import MailFarSide
from worlds import NOW, AnsweringHttp, World

from klankbord.channels.email.credentials import Credentials
from klankbord.contract import Account, AuthorKind, Delivery, Outgoing, Person, Response, Visibility, Wires
from klankbord.kernel import tags

TROUBLES = ("no-connection", "lost-answer", "ill", "rejected")
REPLY_KEY = b"een sleutel van deze organisatie"
TAG = tags.sign_tag("draadje7x2", key=REPLY_KEY)
# Fixtures are read on a day after they were written, as mail is.
READ_AT = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)


def account(**changes: Any) -> Account[Credentials]:
    settings: dict[str, Any] = {
        "address": "service@winkel.example",
        "display_name": "Klantenservice Winkel",
        "imap_host": "imap.winkel.example",
        "imap_user": "service",
        "imap_password": "geheim",
        "smtp_host": "smtp.winkel.example",
        "own_addresses": "info@winkel.example\nhallo@winkel.example",
        "has_plus_addresses": True,
        "authserv_id": "mx.winkel.example",
    }
    return Account(inbox="post", credentials=Credentials(**{**settings, **changes}), reply_key=REPLY_KEY)


def other_account() -> Account[Credentials]:
    credentials = Credentials(address="pers@winkel.example", imap_user="pers", imap_password="anders")
    return Account(inbox="pers", credentials=credentials, reply_key=REPLY_KEY)


def sign(body: bytes, account: Account[Credentials]) -> Delivery:
    return Delivery(body, READ_AT)


def outgoing(text: str = "Goedemorgen, we kijken het na.", **changes: Any) -> Outgoing:
    fields: dict[str, Any] = {
        "key": "0193a5b2-7c1d-7e3f-8a4b-5c6d7e8f9a0b",
        "text": text,
        "visibility": Visibility.PRIVATE,
        "to": Person("anouk@klant.example", name="Anouk", email="anouk@klant.example"),
        "place_key": "vraag-1@klant.example",
        "target": "vraag-1@klant.example",
        "author_kind": AuthorKind.AGENT,
        "author_name": "Noor",
        "title": "Mijn pakket",
        "in_reply_to": "vraag-1@klant.example",
        "thread_ids": ("vraag-1@klant.example",),
        "reply_tag": TAG,
    }
    return Outgoing(**{**fields, **changes})


def world(trouble: str = "") -> World:
    return world_of(MailFarSide(trouble))


def world_of(far_side: MailFarSide) -> World:
    """A world with this mail server in it."""
    http = AnsweringHttp(lambda _: Response(404, {}, b""))
    return World(wires=Wires(http=http, mail=far_side, now=lambda: NOW), calls=far_side.calls)
