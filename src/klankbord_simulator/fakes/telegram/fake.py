"""The Telegram fake: addresses, long polls, webhooks, and the stage for people."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import httpx

from ...stage import Actor, Attachment, Heard, StageError
from ..courier import Courier
from ..fake import Fake, after_ref
from ..web import Answer, Request, answer_json
from .bot import Bot, Chat, Message, Refusal, Update
from .markup import found_entities
from .methods import METHODS

LONGEST_POLL = 50


class Telegram(Fake):
    """first_pause: seconds before a refused update comes again; it doubles up to half a minute."""

    kind = "telegram"
    memory = ("bot", "hook_url", "hook_secret")
    visibilities = frozenset({"private"})

    def __init__(
        self, *, shop: Actor, token: str, bot_name: str = "wolk_bot", first_pause: float = 0.5, **common: Any
    ) -> None:
        super().__init__(**common)
        self.bot = Bot(token=token, name=shop.name, username=bot_name, started=self.now())
        self.address = f"@{bot_name}"
        self.hook_url = self.hook_secret = ""
        self.last_error: tuple[datetime, str] | None = None
        self.courier = Courier(loop=self.loop, mischief=self.mischief, first_pause=first_pause)
        self._poll = self._hook_number = 0

    @property
    def token(self) -> str:
        return self.bot.token

    async def shut(self) -> None:
        await self.courier.shut()
        await super().shut()

    async def open(self, port: int) -> None:
        await super().open(port)
        with self.lock:
            self._send_out(self.bot.waiting(self.now()))

    # ---------------------------------------------------------------------------------------------- the web

    async def answer(self, request: Request) -> Answer:
        found = re.fullmatch(r"(/file)?/bot(\d+:[\w-]+)/(.+)", request.path)
        if not found:
            return failure(404, "Not Found")
        if found[2] != self.bot.token:
            return failure(401, "Unauthorized")
        try:
            if found[1]:
                return self._download(found[3])
            if found[3].lower() == "getupdates":
                return answer_json({"ok": True, "result": await self._get_updates(request)})
            with self.lock:
                return answer_json({"ok": True, "result": self._call(found[3], request)})
        except Refusal as refusal:
            return failure(refusal.code, refusal.description, refusal.parameters)
        except (ValueError, AttributeError, TypeError):
            return failure(400, "Bad Request: can't parse the parameters")

    def refuse(self, request: Request, status: int, retry_after: int | None) -> Answer:
        match status:
            case 429 if retry_after is not None:
                return failure(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})
            case 429:
                return failure(429, "Too Many Requests")
            case 401:
                return failure(401, "Unauthorized")
        return failure(502, "Bad Gateway")

    def _call(self, method: str, request: Request) -> Any:
        handler = METHODS.get(method.lower())
        if handler is None:
            raise Refusal(404, "Not Found: method not found")
        result = handler(self, request)
        return self.mischief.with_news(result) if isinstance(result, dict) else result

    def _download(self, path: str) -> Answer:
        now = self.now()
        for file in self.bot.files.values():
            if file.path == path and file.link_ends and file.link_ends > now:
                return Answer(200, file.attachment.content, {"Content-Type": "application/octet-stream"})
        raise Refusal(404, "Not Found")

    async def _get_updates(self, request: Request) -> list[dict[str, Any]]:
        values = request.fields
        offset, limit = int(values.get("offset") or 0), min(max(int(values.get("limit") or 100), 1), 100)
        seconds = min(int(values.get("timeout") or 0), LONGEST_POLL)
        if "allowed_updates" in values:
            wanted = values["allowed_updates"]
            self.bot.allowed_updates = json.loads(wanted) if isinstance(wanted, str) else list(wanted or [])
        self._poll = mine = self._poll + 1
        self.bell.ring()  # an earlier poll that still waits must make room
        end = asyncio.get_running_loop().time() + seconds
        with self.bell.ear() as ear:
            while True:
                with self.lock:
                    self._check_poll(mine)
                    updates = self._confirm(offset)[:limit]
                left = end - asyncio.get_running_loop().time()
                if updates or left <= 0:
                    return [self.mischief.with_news(update.value) for update in self.mischief.dealt(updates)]
                await ear.wait(left)

    def _check_poll(self, mine: int) -> None:
        if self.hook_url:
            sentence = (
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
            raise Refusal(409, f"Conflict: {sentence}")
        if self._poll != mine:
            sentence = "terminated by other getUpdates request; make sure that only one bot instance is running"
            raise Refusal(409, f"Conflict: {sentence}")

    def _confirm(self, offset: int) -> list[Update]:
        """Forget what the bot says it has; give the rest. A negative offset keeps that many."""
        waiting = self.bot.waiting(self.now())
        kept = waiting[offset:] if offset < 0 else [update for update in waiting if update.id >= offset]
        self.bot.updates = {update.id: update for update in kept}
        return kept

    # ---------------------------------------------------------------------------------------------- webhooks

    def use_webhook(self, url: str, secret: str) -> None:
        self.hook_url, self.hook_secret, self.last_error = url, secret, None
        self._hook_number += 1
        self._send_out(self.bot.waiting(self.now()))
        self.bell.ring()

    def _send_out(self, updates: Sequence[Update]) -> None:
        if self.hook_url:
            for update in updates:
                self.courier.put(str(update.chat), functools.partial(self._post, update, self._hook_number))

    async def _post(self, update: Update, hook_number: int) -> bool:
        """Post one update. True also when there is nothing left to do: another webhook has taken over."""
        with self.lock:
            if hook_number != self._hook_number:
                return True
            url, headers = self.hook_url, {"Content-Type": "application/json"}
            if self.hook_secret:
                headers["X-Telegram-Bot-Api-Secret-Token"] = self.hook_secret
            value = self.mischief.with_news(update.value)
        try:
            response = await self.courier.post(url, json.dumps(value).encode(), headers)
        except httpx.HTTPError as error:
            return self._failed(update, f"{type(error).__name__}: connection failed")
        if not response.is_success:
            sentence = f"Wrong response from the webhook: {response.status_code} {response.reason_phrase}"
            return self._failed(update, sentence)
        with self.lock:
            self.bot.taken(update)
            self.record("delivered", place=str(update.chat), ref=str(update.id))
            self._obey(response)
        return True

    def _failed(self, update: Update, sentence: str) -> bool:
        self.last_error = (self.now(), sentence)
        self.record("undelivered", place=str(update.chat), ref=str(update.id), text=sentence)
        return False

    def _obey(self, response: httpx.Response) -> None:
        """A bot may answer a webhook with a method call; its outcome is never told."""
        try:
            value = response.json()
        except ValueError:
            return
        if isinstance(value, dict) and value.get("method"):
            headers = {"content-type": "application/json"}
            try:
                self._call(str(value["method"]), Request("POST", "", [], headers, response.content))
            except Refusal as refusal:
                self.record("refused", text=refusal.description)

    # ---------------------------------------------------------------------------------------------- the shop

    def sent_message(self, message: Message) -> dict[str, Any]:
        self.record("sent", place=str(message.chat.id), ref=message.ref, text=message.text, files=len(message.files))
        self.bell.ring()
        return message.as_json(self.bot.me)

    # ---------------------------------------------------------------------------------------------- the stage

    def start_chat(self, actor: Actor, payload: str = "", *, at: datetime | None = None) -> str:
        """Press Start, perhaps by a link with a payload."""
        return self._write(self.bot.chat_of(actor), f"/start {payload}".strip(), at or self.now())

    def say(
        self,
        actor: Actor,
        text: str,
        *,
        public: bool,
        in_reply_to: str | None = None,
        title: str = "",
        media: Sequence[Attachment] = (),
        addressed: bool = True,
        at: datetime | None = None,
    ) -> str:
        if public:
            raise StageError("A chat with a bot is private.")
        at = at or self.now()
        with self.lock:
            chat = self.bot.chat_of(actor)
            if not any(each.messages for each in self.bot.chats_of(actor)):
                self.start_chat(actor, at=at)
            answered = self._message(in_reply_to) if in_reply_to else None
            album = {"media_group_id": secrets.token_hex(8)} if len(media) > 1 else {}
            refs = [
                self._write(
                    chat,
                    text if number == 0 else "",
                    at,
                    files=(file,),
                    content=self.bot.content_of(file) | album,
                    reply_to=answered,
                )
                for number, file in enumerate(media)
            ]
            return refs[0] if refs else self._write(chat, text, at, reply_to=answered)

    def edit(self, ref: str, text: str) -> None:
        with self.lock:
            message = self._message(ref)
            message.text, message.entities, message.edited_at = text, found_entities(text), self.now()
            self.record("changed", place=str(message.chat.id), ref=ref, text=text)
            self._tell("edited_message", message.as_json(self.bot.me), message.chat, self.now())

    def delete(self, ref: str) -> None:
        """The bot is not told: that is how Telegram is."""
        with self.lock:
            message = self._message(ref)
            message.is_deleted = True
            self.record("withdrawn", place=str(message.chat.id), ref=ref)

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        with self.lock:
            heard = [
                Heard(
                    stage=self.kind,
                    ref=message.ref,
                    text=message.text,
                    public=False,
                    at=message.at,
                    in_reply_to=message.reply_to.ref if message.reply_to else None,
                    media=message.files,
                )
                for chat in self.bot.chats_of(actor)
                for message in chat.messages
                if message.is_ours and not message.is_deleted
            ]
        return after_ref(heard, after)

    def place_of(self, actor: Actor) -> str:
        """The chat's id as the log names it."""
        return str(self.bot.chat_of(actor).id)

    def block(self, actor: Actor, *, is_blocked: bool = True) -> None:
        with self.lock:
            chat, at = self.bot.chat_of(actor), self.now()
            chat.has_blocked = is_blocked
            states = ["member", "kicked"] if is_blocked else ["kicked", "member"]
            old, new = ({"user": self.bot.me, "status": state, "until_date": 0} for state in states)
            member = {"chat": chat.as_json(), "from": chat.user_json(), "date": int(at.timestamp())}
            self._tell("my_chat_member", {**member, "old_chat_member": old, "new_chat_member": new}, chat, at)

    def press(self, ref: str, data: str) -> str:
        """Press a button beneath one of the bot's messages; gives the query's id."""
        with self.lock:
            message, identity = self._message(ref), str(secrets.randbits(62))
            self.bot.callbacks.add(identity)
            query = {"id": identity, "from": message.chat.user_json(), "message": message.as_json(self.bot.me)}
            self._tell("callback_query", {**query, "chat_instance": "1", "data": data}, message.chat, self.now())
        return identity

    def migrate(self, actor: Actor) -> int:
        """Give the chat another id, as happens when a group grows; writing to the old one names the new one."""
        with self.lock:
            old = self.bot.chat_of(actor)
            old.migrated_to = -1_000_000_000_000 - len(self.bot.chats)
            self.bot.chats[old.migrated_to] = Chat(old.migrated_to, actor)
            return old.migrated_to

    def tell(self, kind: str, value: dict[str, Any], actor: Actor) -> None:
        """Any other update, such as one of a kind that no client knows yet."""
        with self.lock:
            self._tell(kind, value, self.bot.chat_of(actor), self.now())

    def _write(self, chat: Chat, text: str, at: datetime, **more: Any) -> str:
        message = self.bot.add(chat, text, at=at, is_ours=False, entities=found_entities(text), **more)
        self.record("said", place=str(chat.id), ref=message.ref, text=text)
        self._tell("message", message.as_json(self.bot.me), chat, at)
        return message.ref

    def _tell(self, kind: str, value: dict[str, Any], chat: Chat, at: datetime) -> None:
        # Telegram's day of patience runs from when it took the message, also when the story dates it back.
        if update := self.bot.tell(kind, value, chat=chat.id, at=max(at, self.now())):
            self._send_out([update])
            self.bell.ring()

    def _message(self, ref: str) -> Message:
        message = self.bot.messages.get(ref)
        if message is None or message.is_deleted:
            raise StageError("There is no such message.")
        return message


def failure(code: int, description: str, parameters: dict[str, int] | None = None) -> Answer:
    value: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        value["parameters"] = parameters
    return answer_json(value, code)
