"""Updates of the Bot API as the desk's words. One delivery is one update."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from klankbord.contract import (
    Account,
    Arrived,
    AuthorKind,
    Deleted,
    Delivery,
    Edited,
    Ignored,
    Item,
    PlaceMoved,
    Unknown,
    Unreachable,
    parse_each,
)
from klankbord.kernel import tags
from klankbord.kernel import text as texts

from .bot import Credentials
from .content import is_service, message_media, message_text, says_something, unknown_content
from .whereabouts import (
    author,
    is_own,
    is_post,
    message_id,
    moment_of,
    origin_name,
    partner,
    place_of,
    platform_id,
    user_as_person,
    word,
)

_MESSAGES = ("message", "channel_post", "business_message")
_EDITS = ("edited_message", "edited_channel_post", "edited_business_message")
_NOT_FOR_THE_DESK = {
    "business_connection": "business-connection",
    "message_reaction": "reaction",
    "message_reaction_count": "reaction",
    "inline_query": "inline-query",
    "chosen_inline_result": "inline-query",
    "poll": "poll",
    "poll_answer": "poll",
    "chat_member": "membership",
}
_KNOWN = {
    *_MESSAGES,
    *_EDITS,
    *_NOT_FOR_THE_DESK,
    "deleted_business_messages",
    "callback_query",
    "my_chat_member",
    "klankbord",
}
_COMMAND = re.compile(r"/(start|stop|help)(?:@\w+)?(?:\s+(?P<payload>\S+))?\s*", re.IGNORECASE | re.ASCII)
_RAW_KEPT = 20_000


def parse(delivery: Delivery, account: Account[Credentials]) -> list[Item]:
    return parse_each([delivery], lambda each: _read(each, account))


def _read(delivery: Delivery, account: Account[Credentials]) -> Iterable[Item]:
    update = json.loads(delivery.body)
    kind = next((name for name in update if name in _KNOWN), next((name for name in update if name != "update_id"), ""))
    said = update.get(kind)
    if not isinstance(said, dict):
        if kind in _KNOWN or not kind:
            raise ValueError("an update holds an object")
        said = {}
    if kind in _MESSAGES:
        yield from _message(said, account, delivery)
    elif kind in _EDITS:
        at = moment_of(said.get("edit_date") or said.get("date"), delivery)[0]
        yield Edited(message_id(said), message_text(said), at=at)
    elif kind == "deleted_business_messages":
        for number in said["message_ids"]:
            yield Deleted(message_id({**said, "message_id": number}), at=delivery.received_at)
    elif kind == "callback_query":
        yield _button(said, account, delivery)
    elif kind == "my_chat_member":
        yield _membership(said, delivery)
    elif kind == "klankbord":
        yield Unknown(kind="gap", at=delivery.received_at, raw=texts.clean(json.dumps(said))[:_RAW_KEPT])
    elif kind in _NOT_FOR_THE_DESK:
        yield Ignored(_NOT_FOR_THE_DESK[kind])
    else:
        yield _unknown(kind, said, update, delivery)


def _message(message: Mapping[str, Any], account: Account[Credentials], delivery: Delivery) -> Iterable[Item]:
    at, about_time = moment_of(message.get("date"), delivery)
    if moved := _moved(message, at):
        yield moved
    elif _is_for_another_bot(message, account):
        yield Ignored("command-for-another-bot", external_id=message_id(message))
    elif command := _COMMAND.fullmatch(str(message.get("text") or "")):
        yield _start(message, command, account, at) or Ignored("command", external_id=message_id(message))
    elif says_something(message):
        yield _arrived(message, account, at, about_time)
    elif is_service(message):
        yield Ignored("service", external_id=message_id(message))
    else:
        yield Unknown(
            kind=texts.one_line(unknown_content(message), limit=60),
            at=at,
            external_id=message_id(message),
            place=place_of(message),
            person=author(message),
            raw=texts.clean(delivery.body.decode("utf-8", "replace"))[:_RAW_KEPT],
        )


def _arrived(message: Mapping[str, Any], account: Account[Credentials], at: datetime, about_time: str) -> Arrived:
    is_ours, is_a_post = is_own(message, account), is_post(message)
    is_machine = bool((message.get("from") or {}).get("is_bot")) and not is_ours and not message.get("sender_chat")
    raw_text = str(message.get("text") or message.get("caption") or "")
    remarks = [
        ("forwarded", bool(message.get("forward_origin"))),
        ("via-bot", bool(message.get("via_bot"))),
        ("characters-removed", texts.clean(raw_text) != raw_text.replace("\r\n", "\n").replace("\r", "\n")),
        (about_time, bool(about_time)),
    ]
    answered = message.get("reply_to_message") or {}
    return Arrived(
        external_id=message_id(message),
        place=place_of(message),
        person=partner(message) if is_ours and not is_a_post else author(message),
        text=message_text(message),
        at=at,
        media=message_media(message),
        is_own=is_ours or is_a_post,
        is_context=is_a_post,
        author_kind=AuthorKind.AGENT if is_ours or is_a_post else AuthorKind.CONTACT,
        author_name=word(message.get("author_signature")),
        in_reply_to=message_id({**message, "message_id": answered["message_id"]}) if answered else "",
        is_automatic=is_machine,
        remarks=tuple(name for name, holds in remarks if holds),
        facts={
            name: value
            for name, value in {
                "album": word(message.get("media_group_id")),
                "forwarded_from": origin_name(message.get("forward_origin") or {}),
            }.items()
            if value
        },
    )


def _moved(message: Mapping[str, Any], at: datetime) -> PlaceMoved | None:
    """Telegram says it in the old group (migrate_to) and in the new one (migrate_from)."""
    old, new = message.get("migrate_from_chat_id"), message.get("migrate_to_chat_id")
    if old is None and new is None:
        return None
    here = platform_id(message["chat"]["id"])
    old_id, new_id = (here, platform_id(new)) if new is not None else (platform_id(old), here)
    return PlaceMoved(f"chat:{old_id}", f"chat:{new_id}", target=new_id, at=at)


def _is_for_another_bot(message: Mapping[str, Any], account: Account[Credentials]) -> bool:
    named = re.match(r"/\w+@(\w+)", str(message.get("text") or ""), re.ASCII)
    ours = str(account.facts.get("username") or "")
    return bool(named and ours and named[1].casefold() != ours.casefold())


def _start(
    message: Mapping[str, Any], command: re.Match[str], account: Account[Credentials], at: datetime
) -> Arrived | None:
    """Someone who came through a link in one of our replies: told as context of that conversation, never as work."""
    payload = command["payload"] or ""
    if not payload or not tags.read_tag(payload, key=account.reply_key):
        return None
    return Arrived(
        external_id=message_id(message),
        place=place_of(message),
        person=author(message),
        text="/start",
        at=at,
        reply_tag=payload,
        is_context=True,
        is_automatic=True,
        remarks=("came-through-our-link",),
    )


def _button(query: Mapping[str, Any], account: Account[Credentials], delivery: Delivery) -> Item:
    """A press on a button under one of our messages, told with the words on that button. Telegram gives no moment."""
    message = query.get("message")
    if not isinstance(message, dict):
        return Ignored("inline-query")
    chosen = str(query.get("data") or "")
    rows = (message.get("reply_markup") or {}).get("inline_keyboard") or []
    labels = [str(button["text"]) for row in rows for button in row if button.get("callback_data") == chosen]
    return Arrived(
        external_id=f"button:{platform_id(query['id'])}",
        place=place_of(message),
        person=user_as_person(query["from"]),
        text=texts.clean(labels[0] if labels else chosen),
        at=delivery.received_at,
        in_reply_to=message_id(message),
        remarks=("button",),
        facts={"data": word(chosen)},
    )


def _membership(change: Mapping[str, Any], delivery: Delivery) -> Item:
    before, after = change["old_chat_member"]["status"], change["new_chat_member"]["status"]
    if change["chat"]["type"] != "private" or before == after:
        return Ignored("membership")
    at = moment_of(change.get("date"), delivery)[0]
    is_back = after == "member"
    return Unreachable(
        user_as_person(change["from"]),
        at=at,
        reason="came back" if is_back else "blocked the bot",
        is_reachable=is_back,
    )


def _unknown(kind: str, said: Mapping[str, Any], update: Mapping[str, Any], delivery: Delivery) -> Unknown:
    chat = said.get("chat") or (said.get("message") or {}).get("chat")
    return Unknown(
        kind=texts.one_line(kind, limit=60),
        at=moment_of(said.get("date"), delivery)[0],
        external_id=f"update:{platform_id(update['update_id'])}",
        place=place_of({**said, "chat": chat}) if chat else None,
        person=user_as_person(said["from"]) if said.get("from") else None,
        raw=texts.clean(delivery.body.decode("utf-8", "replace"))[:_RAW_KEPT],
    )
