"""A reply as one or more messages, in order.

Telegram takes no idempotency key and cannot be asked what arrived. So every part that did arrive is named in the error
when a later one fails, and a lost answer is Uncertain, never tried again by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from klankbord.contract import Account, Outgoing, Receipt, Refused, Unavailable, Uncertain, Upload, Wires
from klankbord.kernel import text as texts

from .bot import Bot, ChatMoved, Credentials

TEXT_LIMIT = 4096  # UTF-16 units
_CAPTION_LIMIT = 1024
_LARGEST_PHOTO = 10_000_000  # bytes; larger pictures go as documents
_PHOTOS = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class Part:
    text: str = ""
    upload: Upload | None = None


def send(outgoing: Outgoing, account: Account[Credentials], wires: Wires) -> Receipt:
    """Send what an earlier attempt has not delivered yet."""
    parts = plan(outgoing)
    bot, chat = Bot(account, wires), outgoing.target
    if not chat:
        raise Refused("A bot cannot write first: this person has not started the chat.", code="no-chat")
    done, moved_to, at = list(outgoing.parts_done), "", wires.now()
    for part in parts[len(done) :]:
        try:
            try:
                message = _deliver(part, chat, outgoing, bot, is_first=not done)
            except ChatMoved as moved:
                chat = moved_to = moved.to
                message = _deliver(part, chat, outgoing, bot, is_first=not done)
        except ChatMoved as moved:
            raise Refused("This group keeps changing its id.", code="moved") from moved
        except Unavailable as error:
            error.parts_done = tuple(done)
            raise
        except Uncertain as error:
            error.parts_done = tuple(done)
            raise
        done.append(_id_of(message, outgoing))
        at = _moment(message) or at
    facts = {"target": moved_to, "place_key": f"chat:{moved_to}"} if moved_to else {}
    return Receipt(external_ids=tuple(done), at=at, facts=facts)


def plan(outgoing: Outgoing) -> list[Part]:
    """The messages of a reply, the same at every attempt. A short text goes as the caption of a single file."""
    uploads, text = outgoing.uploads, outgoing.text.strip()
    if len(uploads) == 1 and texts.length(text, unit="utf-16 units") <= _CAPTION_LIMIT:
        return [Part(text, uploads[0])]
    written = [Part(each) for each in texts.split(text, TEXT_LIMIT, unit="utf-16 units")]
    parts = written + [Part(upload=each) for each in uploads]
    if not parts:
        raise Refused("There is nothing to send.", code="empty")
    return parts


def _deliver(part: Part, chat: str, outgoing: Outgoing, bot: Bot, *, is_first: bool) -> Mapping[str, Any]:
    said: dict[str, Any] = {"chat_id": _chat_id(chat)}
    for name in ("business_connection_id", "message_thread_id"):
        if value := outgoing.facts.get(name):
            said[name] = int(value) if name == "message_thread_id" else str(value)
    if is_first and (answered := _answered(outgoing)):
        said["reply_parameters"] = {"message_id": answered, "allow_sending_without_reply": True}
    method, files = "sendMessage", None
    # Words go as they are, without parse_mode: nothing to escape, and nothing that a customer's name could turn on.
    if part.upload is None:
        said["text"] = part.text
    else:
        is_photo = part.upload.content_type in _PHOTOS and part.upload.size <= _LARGEST_PHOTO
        method, field = ("sendPhoto", "photo") if is_photo else ("sendDocument", "document")
        files = {field: (part.upload.name, part.upload.read(), part.upload.content_type)}
        if part.text:
            said["caption"] = part.text
    message = bot.call(method, said, files=files, timeout=30.0 if files else 15.0)
    if not isinstance(message, dict) or "message_id" not in message:
        raise Uncertain("Telegram answered without saying what it sent.", code="no-message")
    return message


def _answered(outgoing: Outgoing) -> int | None:
    """The message to show above ours: one of this same chat, named "chat:message" (a button press is none)."""
    where, _, number = outgoing.in_reply_to.rpartition(":")
    is_here = where == outgoing.target or where.endswith(f":{outgoing.target}")
    return int(number) if is_here and number.isascii() and number.isdigit() else None


def _chat_id(chat: str) -> int | str:
    return int(chat) if chat.removeprefix("-").isascii() and chat.removeprefix("-").isdigit() else chat


def _id_of(message: Mapping[str, Any], outgoing: Outgoing) -> str:
    chat = str((message.get("chat") or {}).get("id") or outgoing.target)
    connection = outgoing.facts.get("business_connection_id")
    return (f"business:{connection}:" if connection else "") + f"{chat}:{message['message_id']}"


def _moment(message: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(message["date"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
