"""The bench of Telegram: a bot and a small Bot API that keeps what is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from worlds import NOW, Request, World, http_world

from klankbord.channels.telegram.bot import Credentials
from klankbord.contract import Account, AuthorKind, Delivery, Outgoing, Person, Response, Visibility

SIGNATURE_COVERS_BODY = False
TOKEN = "700100200:een-geheim-dat-nergens-mag-staan"
HOOK = "https://desk.example/hooks/telegram/1"
FATIMA = Person("5550001112223", name="Fatima El Amrani", username="fatima_ea")


def account(**changes: Any) -> Account[Credentials]:
    fields: dict[str, Any] = {
        "inbox": "telegram",
        "credentials": Credentials(token=TOKEN),
        "facts": {"bot_id": "700100200", "username": "regiobus_bot", "delivery": "webhook"},
        "reply_key": b"sleutel-van-de-organisatie",
        "hook_url": HOOK,
        "hook_secret": "geheim_van_deze_inbox",
    }
    return Account(**{**fields, **changes})


def polling_account() -> Account[Credentials]:
    facts = {"bot_id": "700100200", "username": "regiobus_bot", "delivery": "poll"}
    return account(credentials=Credentials(token=TOKEN, is_polling=True), facts=facts)


def other_account() -> Account[Credentials]:
    return account(inbox="ander", credentials=Credentials(token="8:ander"), hook_secret="geheim_van_een_ander")


def sign(body: bytes, account: Account[Credentials]) -> Delivery:
    return Delivery(body, NOW, {"x-telegram-bot-api-secret-token": account.hook_secret})


def outgoing(text: str = "We kijken het na.") -> Outgoing:
    return Outgoing(
        key="0193-reply",
        text=text,
        visibility=Visibility.PRIVATE,
        to=FATIMA,
        place_key="chat:5550001112223",
        target="5550001112223",
        author_kind=AuthorKind.AGENT,
        author_name="Noor",
        in_reply_to="5550001112223:11",
    )


def world(trouble: str = "") -> World:
    return http_world(SmallBotApi().answer, trouble)


class SmallBotApi:
    """Telegram's side of one bot. `refusals` holds an answer per call of sendMessage and its kin, None to take it."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.hook: dict[str, Any] = {"url": HOOK, "pending_update_count": 0}
        self.sent: list[dict[str, Any]] = []
        self.refusals: list[Response | None] = []
        self.next_id = 100

    def answer(self, request: Request) -> Response:
        _, bot, method = urlsplit(request.url).path.split("/")
        if bot != f"bot{TOKEN}":
            return refused(401, "Unauthorized")
        said: Mapping[str, Any] = request.json or request.data or {}
        if method.startswith("send"):
            return self._send(method, said, request)
        answers: dict[str, Callable[[Mapping[str, Any]], Response]] = {
            "getMe": lambda said: taken(ME),
            "getWebhookInfo": lambda said: taken(self.hook),
            "setWebhook": self._set_hook,
            "deleteWebhook": self._set_hook,
            "getUpdates": self._updates,
            "getFile": lambda said: taken({"file_id": said["file_id"], "file_path": "documents/file_7.pdf"}),
        }
        return answers[method](said)

    def _set_hook(self, said: Mapping[str, Any]) -> Response:
        self.hook = {**self.hook, "url": said.get("url", "")}
        return taken(True)

    def _updates(self, said: Mapping[str, Any]) -> Response:
        if self.hook["url"]:
            return refused(409, "Conflict: can't use getUpdates method while webhook is active")
        offset = said.get("offset", 0)
        if offset:
            self.updates = [each for each in self.updates if each["update_id"] >= offset]
        return taken(self.updates[: said["limit"]])

    def _send(self, method: str, said: Mapping[str, Any], request: Request) -> Response:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            return refusal
        self.next_id += 1
        self.sent.append({"method": method, "files": sorted(request.files or {}), **said})
        chat_id = int(said["chat_id"])
        return taken({"message_id": self.next_id, "chat": {"id": chat_id, "type": "private"}, "date": 1793610000})


ME = {
    "id": 700100200,
    "is_bot": True,
    "first_name": "Regiobus",
    "username": "regiobus_bot",
    "can_read_all_group_messages": False,
}


def taken(result: Any) -> Response:
    return Response(200, {"content-type": "application/json"}, json.dumps({"ok": True, "result": result}).encode())


def refused(code: int, description: str, **parameters: Any) -> Response:
    said: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        said["parameters"] = parameters
    return Response(code, {"content-type": "application/json"}, json.dumps(said).encode())
