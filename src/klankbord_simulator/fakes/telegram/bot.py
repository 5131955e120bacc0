"""What the simulated Telegram knows: chats, messages, files, and the updates that wait for the bot."""

from __future__ import annotations

import re
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ...stage import Actor, Attachment
from .markup import ParseError, found_entities, read_html, utf16_length

Json = dict[str, Any]
UPDATE_LIFE = timedelta(hours=24)
LINK_LIFE = timedelta(hours=1)
EPOCH = 1_767_225_600  # 1 January 2026
DOWNLOAD_LIMIT = 20_000_000
TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
# Reactions and the coming and going of members are sent to those bots only that ask for them.
NOT_BY_DEFAULT = {"message_reaction", "message_reaction_count", "chat_member"}


class Refusal(Exception):
    """Telegram's error: a code, a description, and parameters that tell what to do."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass(slots=True, eq=False)
class Chat:
    id: int
    actor: Actor
    has_blocked: bool = False
    migrated_to: int | None = None
    messages: list[Message] = field(default_factory=list)

    def as_json(self) -> Json:
        first, _, last = self.actor.name.partition(" ")
        name = {"first_name": first, **({"last_name": last} if last else {})}
        return {"id": self.id, **name, "username": self.actor.username, "type": "private"}

    def user_json(self) -> Json:
        values = self.as_json()
        del values["type"]
        return {**values, "is_bot": False, "language_code": self.actor.language}


@dataclass(slots=True, eq=False)
class Message:
    id: int
    chat: Chat
    at: datetime
    is_ours: bool  # written by the bot
    text: str
    entities: list[Json] = field(default_factory=list)
    files: tuple[Attachment, ...] = ()
    content: Json = field(default_factory=dict)  # photo, document, sticker... as Telegram shows them
    reply_to: Message | None = None
    reply_markup: Json | None = None
    edited_at: datetime | None = None
    is_deleted: bool = False

    @property
    def ref(self) -> str:
        return f"{self.chat.id}:{self.id}"

    def as_json(self, bot: Json, *, nested: bool = False) -> Json:
        value: Json = {
            "message_id": self.id,
            "from": bot if self.is_ours else self.chat.user_json(),
            "chat": self.chat.as_json(),
            "date": int(self.at.timestamp()),
        }
        if self.edited_at:
            value["edit_date"] = int(self.edited_at.timestamp())
        if self.reply_to and not nested:
            value["reply_to_message"] = self.reply_to.as_json(bot, nested=True)
        value |= self.content
        if self.text:
            has_file = any(name in self.content for name in ("photo", "document"))
            value["caption" if has_file else "text"] = self.text
            if self.entities:
                value["caption_entities" if has_file else "entities"] = self.entities
        if self.reply_markup:
            value["reply_markup"] = self.reply_markup
        return value


@dataclass(slots=True)
class Update:
    id: int
    at: datetime
    chat: int
    value: Json


@dataclass(slots=True)
class StoredFile:
    attachment: Attachment
    path: str
    link_ends: datetime | None = None


class Bot:
    def __init__(self, *, token: str, name: str, username: str, started: datetime) -> None:
        self.token = token
        self.me: Json = {
            "id": int(token.split(":")[0]),
            "is_bot": True,
            "first_name": name,
            "username": username,
        }
        self.chats: dict[int, Chat] = {}
        self.messages: dict[str, Message] = {}
        self.files: dict[str, StoredFile] = {}
        self.updates: dict[int, Update] = {}
        self.callbacks: set[str] = set()
        self.allowed_updates: list[str] = []
        # A bot that is started again must not meet numbers that it has already seen.
        self._last_message = int(started.timestamp() - EPOCH)
        self._last_update = self._last_message * 4

    # ---------------------------------------------------------------------------------------------- updates

    def tell(self, kind: str, value: Json, *, chat: int, at: datetime) -> Update | None:
        """Queue an update; None when the bot did not ask for this kind."""
        is_wanted = kind in self.allowed_updates if self.allowed_updates else kind not in NOT_BY_DEFAULT
        if not is_wanted:
            return None
        self._last_update += 1
        update = Update(self._last_update, at, chat, {"update_id": self._last_update, kind: value})
        self.updates[update.id] = update
        return update

    def waiting(self, now: datetime) -> list[Update]:
        """Telegram forgets what was not fetched for a day."""
        for update in list(self.updates.values()):
            if update.at > now - UPDATE_LIFE:
                break  # they stand in order of arrival
            del self.updates[update.id]
        return list(self.updates.values())

    def taken(self, update: Update) -> None:
        self.updates.pop(update.id, None)

    # ---------------------------------------------------------------------------------------------- messages

    def chat_of(self, actor: Actor) -> Chat:
        """The chat with a person, made when needed."""
        number = person_number(actor)
        self.chats.setdefault(number, Chat(number, actor))
        return self.chats_of(actor)[-1]

    def chats_of(self, actor: Actor) -> list[Chat]:
        """The chat and those it grew out of, oldest first."""
        chats = [self.chats[number]] if (number := person_number(actor)) in self.chats else []
        while chats and (following := chats[-1].migrated_to):
            chats.append(self.chats[following])
        return chats

    def open_chat(self, number: Any) -> Chat:
        """The chat, when the bot may write there. Raises Refusal."""
        chat = self.chats.get(int(number)) if re.fullmatch(r"-?\d+", str(number)) else None
        if chat is None:
            raise Refusal(400, "Bad Request: chat not found")
        if chat.migrated_to:
            sentence = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, sentence, migrate_to_chat_id=chat.migrated_to)
        if chat.has_blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        return chat

    def add(self, chat: Chat, text: str, *, at: datetime, is_ours: bool, **more: Any) -> Message:
        self._last_message += 1
        message = Message(self._last_message, chat, at, is_ours, text, **more)
        self.messages[message.ref] = message
        chat.messages.append(message)
        return message

    def read_text(self, text: Any, parse_mode: Any, *, limit: int = TEXT_LIMIT) -> tuple[str, list[Json]]:
        """Check and parse a text to send. Raises Refusal."""
        text = str(text or "")
        entities: list[Json] = []
        mode = str(parse_mode or "").lower()
        if mode == "html":
            try:
                text, entities = read_html(text)
            except ParseError as error:
                raise Refusal(400, f"Bad Request: can't parse entities: {error}") from error
        elif mode not in {"", "markdown", "markdownv2"}:
            raise Refusal(400, "Bad Request: unsupported parse_mode")
        if utf16_length(text) > limit:
            is_caption = limit == CAPTION_LIMIT
            raise Refusal(400, f"Bad Request: message {'caption ' if is_caption else ''}is too long")
        return text.strip(), entities or found_entities(text)

    # ---------------------------------------------------------------------------------------------- files

    def content_of(self, file: Attachment, *, as_document: bool = False) -> Json:
        """How a message shows a file, which is stored."""
        identity, unique = self.store(file)
        size = {"file_id": identity, "file_unique_id": unique, "file_size": len(file.content)}
        if file.name == "sticker.webp":
            flags = {"is_animated": False, "is_video": False, "emoji": file.description}
            return {"sticker": {**size, "type": "regular", "width": 512, "height": 512, **flags}}
        if file.content_type.startswith("image/") and not as_document:
            small, small_unique = self.store(file)
            thumb = {"file_id": small, "file_unique_id": small_unique, "file_size": len(file.content)}
            return {"photo": [{**thumb, "width": 90, "height": 67}, {**size, "width": 1280, "height": 960}]}
        return {"document": {**size, "file_name": file.name, "mime_type": file.content_type}}

    def store(self, file: Attachment) -> tuple[str, str]:
        """The file's id and unique id."""
        identity, unique = secrets.token_urlsafe(36), secrets.token_urlsafe(9)
        folder = "photos" if file.content_type.startswith("image/") else "documents"
        ending = file.name.rpartition(".")[2] if "." in file.name else "bin"
        self.files[identity] = StoredFile(file, f"{folder}/file_{len(self.files)}.{ending}")
        return identity, unique


def person_number(actor: Actor) -> int:
    """More than 32 bits, as many real people have."""
    return 5_000_000_000 + zlib.crc32(actor.username.encode())
