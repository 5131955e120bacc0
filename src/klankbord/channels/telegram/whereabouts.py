"""Who wrote a Telegram message, where it stands and when."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from klankbord.contract import Account, Delivery, Person, Place, Visibility
from klankbord.kernel import text as texts

from .bot import Credentials

_EARLIEST = datetime(2013, 1, 1, tzinfo=UTC)  # Telegram's first year
_CLOCK_DIFFERENCE = timedelta(minutes=5)
_LATE = timedelta(days=1)


def is_own(message: Mapping[str, Any], account: Account[Credentials]) -> bool:
    """By our bot, or typed by the owner of the business account that the bot serves."""
    writer = (message.get("from") or {}).get("id")
    is_bot = writer is not None and str(writer) == account.facts.get("bot_id")
    is_owner = bool(message.get("business_connection_id")) and str(writer) != str(message["chat"]["id"])
    return is_bot or is_owner


def is_post(message: Mapping[str, Any]) -> bool:
    """A post of our own channel, there or carried over into its discussion group."""
    return message["chat"]["type"] == "channel" or bool(message.get("is_automatic_forward"))


def author(message: Mapping[str, Any]) -> Person:
    """Who wrote it: a person, or a chat that speaks as one (a channel, a nameless administrator)."""
    if speaking := message.get("sender_chat"):
        return _chat_as_person(speaking)
    return user_as_person(message["from"]) if message.get("from") else _chat_as_person(message["chat"])


def partner(message: Mapping[str, Any]) -> Person:
    return _chat_as_person(message["chat"])


def user_as_person(user: Mapping[str, Any]) -> Person:
    username = word(user.get("username"))
    return Person(
        external_id=platform_id(user["id"]),
        name=word(" ".join(str(user[part]) for part in ("first_name", "last_name") if user.get(part))),
        username=username,
        profile_url=f"https://t.me/{username}" if username else "",
        facts={"app_language": word(user.get("language_code")), "is_bot": bool(user.get("is_bot"))},
    )


def _chat_as_person(chat: Mapping[str, Any]) -> Person:
    name = chat.get("title") or " ".join(str(chat[part]) for part in ("first_name", "last_name") if chat.get(part))
    return Person(external_id=platform_id(chat["id"]), name=word(name), username=word(chat.get("username")))


def place_of(message: Mapping[str, Any]) -> Place:
    """A chat, in a group with topics the topic. What a group reads counts as public."""
    chat = message["chat"]
    chat_id, is_private = platform_id(chat["id"]), chat["type"] == "private"
    connection, topic = message.get("business_connection_id"), message.get("message_thread_id")
    facts = {}
    key = f"chat:{chat_id}"
    if connection:
        key, facts["business_connection_id"] = f"business:{platform_id(connection)}:{chat_id}", platform_id(connection)
    if topic is not None and message.get("is_topic_message"):
        key, facts["message_thread_id"] = f"{key}:{platform_id(topic)}", platform_id(topic)
    username = word(chat.get("username"))
    return Place(
        key=key,
        visibility=Visibility.PRIVATE if is_private else Visibility.PUBLIC,
        target=chat_id,
        title="" if is_private else word(chat.get("title")),
        url=f"https://t.me/{username}" if username and not is_private else "",
        facts=facts,
    )


def message_id(message: Mapping[str, Any]) -> str:
    """Message ids count per chat, and in a business account per account."""
    connection = message.get("business_connection_id")
    where = f"business:{platform_id(connection)}:" if connection else ""
    return f"{where}{platform_id(message['chat']['id'])}:{platform_id(message['message_id'])}"


def origin_name(origin: Mapping[str, Any]) -> str:
    who = origin.get("sender_user") or origin.get("sender_chat") or origin.get("chat") or {}
    return word(origin.get("sender_user_name") or who.get("title") or who.get("first_name") or who.get("username"))


def platform_id(value: Any) -> str:
    """A platform id, as text. Raises ValueError for what cannot be one."""
    is_like_an_id = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    text = str(value)
    if not is_like_an_id or not re.fullmatch(r"[\w-]{1,100}", text, re.ASCII):
        raise ValueError(f"not an id: {value!r:.60}")
    return text


def word(value: Any) -> str:
    return texts.one_line(str(value), limit=500) if value is not None else ""


def moment_of(value: Any, delivery: Delivery) -> tuple[datetime, str]:
    """A moment (seconds since 1970), and what is odd about it; the moment of arrival where it makes no sense."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    seconds = float(value) if is_number and abs(value) < 1e15 else 0.0
    if seconds > 1e11:  # milliseconds: no second of this millennium is that far
        seconds /= 1_000
    moment = datetime.fromtimestamp(seconds, UTC) if seconds < 1e11 and seconds > 0 else _EARLIEST - timedelta(1)
    if moment < _EARLIEST:
        return delivery.received_at, "time-unclear"
    if moment > delivery.received_at + _CLOCK_DIFFERENCE:
        return delivery.received_at, "time-in-future"
    return moment, "arrived-late" if moment < delivery.received_at - _LATE else ""
