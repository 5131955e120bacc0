"""Telegram: chats with people and groups, through a bot."""

from __future__ import annotations

import hmac
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from klankbord.contract import (
    Account,
    Action,
    Arrived,
    BadSignature,
    BaseChannel,
    Capabilities,
    ChannelError,
    CredentialsRejected,
    Deleted,
    Delivery,
    Edited,
    Health,
    HealthCheck,
    HealthState,
    Ignored,
    Item,
    LengthUnit,
    Media,
    MediaLimit,
    Outgoing,
    PlaceMoved,
    Polled,
    Receipt,
    Refused,
    SendRate,
    TextLimit,
    Transport,
    Unknown,
    Unreachable,
    Visibility,
    Wires,
)
from klankbord.kernel import text as texts

from . import fetch
from .bot import Bot, Credentials
from .parse import parse
from .send import TEXT_LIMIT, send

_SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105
_RECENT = timedelta(hours=1)


class Telegram(BaseChannel):
    kind: ClassVar[str] = "telegram"
    label: ClassVar[str] = "Telegram"
    Credentials: ClassVar[type] = Credentials
    capabilities: ClassVar[Capabilities] = Capabilities(
        answers_one=True,
        transports=frozenset({Transport.WEBHOOK, Transport.POLL, Transport.LISTEN}),
        visibilities=frozenset({Visibility.PUBLIC, Visibility.PRIVATE}),
        receives=frozenset({Arrived, Edited, Deleted, Unreachable, PlaceMoved, Unknown, Ignored}),
        actions=frozenset({Action.REPLY}),
        text=TextLimit(maximum=TEXT_LIMIT, unit=LengthUnit.UTF16, splits=True),
        media=MediaLimit(count=10, bytes_each=50_000_000),
        rate=SendRate(per_second=30.0, burst=30, per_place=1.0),
    )

    def verify(self, delivery: Delivery, account: Account[Any]) -> None:
        """Telegram sends back the secret that we chose; it signs nothing, so the body itself proves nothing more."""
        given = delivery.headers.get(_SECRET_HEADER, "").encode("utf-8", "surrogatepass")
        if not account.hook_secret or not hmac.compare_digest(given, account.hook_secret.encode()):
            raise BadSignature("This delivery does not carry the secret that we agreed with Telegram.")

    def parse(self, delivery: Delivery, account: Account[Any]) -> list[Item]:
        return parse(delivery, account)

    def connect(self, account: Account[Any], wires: Wires) -> Mapping[str, Any]:
        bot = Bot(account, wires)
        me = bot.ask("getMe")
        is_brought = account.hook_url.startswith("https://") and not account.credentials.is_polling
        if is_brought:
            if not re.fullmatch(r"[\w-]{1,256}", account.hook_secret, re.ASCII):
                raise CredentialsRejected("This inbox has no secret to agree with Telegram.", code="no-secret")
            bot.ask(
                "setWebhook",
                {
                    "url": account.hook_url,
                    "secret_token": account.hook_secret,
                    "allowed_updates": list(fetch.UPDATES),
                },
            )
        else:
            bot.ask("deleteWebhook", {"drop_pending_updates": False})
        username = texts.one_line(str(me.get("username") or ""), limit=60)
        return {
            "bot_id": str(me["id"]),
            "username": username,
            "name": texts.one_line(str(me.get("first_name") or username)),
            "delivery": "webhook" if is_brought else "poll",
            # People who come through this link name the conversation they come from; {tag} is its reply tag.
            "invite_url": f"https://t.me/{username}?start={{tag}}" if username else "",
            "reads_all_of_groups": bool(me.get("can_read_all_group_messages")),
        }

    def send(self, outgoing: Outgoing, account: Account[Any], wires: Wires) -> Receipt:
        limit = self.capabilities.media
        if len(outgoing.uploads) > limit.count:
            raise Refused(f"At most {limit.count} files go in one reply.", code="too-many-files")
        for upload in outgoing.uploads:
            if upload.size > limit.bytes_each:
                raise Refused(
                    f"This file is larger than the 50 MB that Telegram takes: {upload.name}", code="too-large"
                )
        return send(outgoing, account, wires)

    def poll(self, account: Account[Any], cursor: Mapping[str, Any], wires: Wires) -> Polled:
        return fetch.poll(account, cursor, wires)

    def listen(self, account: Account[Any], wires: Wires, wake: Callable[[], None], stop: threading.Event) -> None:
        fetch.listen(account, wires, wake, stop)

    def media_url(self, media: Media, account: Account[Any], wires: Wires) -> str:
        """A link that works for an hour. It holds the bot's token: fetch at once, store and log it nowhere."""
        bot = Bot(account, wires)
        path = str(bot.ask("getFile", {"file_id": media.fetch}).get("file_path") or "")
        if not re.fullmatch(r"[\w./-]+", path) or ".." in path:
            raise Refused("Telegram no longer has this file.", code="no-file")
        return bot.file_url(path)

    def health(self, account: Account[Any], wires: Wires) -> Health:
        bot = Bot(account, wires)
        try:
            bot.ask("getMe")
            hook = bot.ask("getWebhookInfo")
        except ChannelError as error:
            return Health(HealthState.BROKEN, (HealthCheck("Access", False, error.sentence),))
        access, brings = HealthCheck("Access", True), _arrival_check(account, str(hook.get("url") or ""))
        errors = HealthCheck("Delivery", *_recent_error(hook, wires.now()))
        if not brings.is_well:
            return Health(HealthState.BROKEN, (access, brings, errors))
        return Health(HealthState.WELL if errors.is_well else HealthState.AILING, (access, brings, errors))


def _arrival_check(account: Account[Any], hook_url: str) -> HealthCheck:
    name = "Way in"
    if fetch.is_fetched(account):
        if not hook_url:
            return HealthCheck(name, True)
        return HealthCheck(name, False, "Another program receives this bot's messages. Connect again to take it over.")
    if hook_url == account.hook_url:
        return HealthCheck(name, True)
    return HealthCheck(name, False, "Telegram brings this bot's messages elsewhere. Connect again to take it over.")


def _recent_error(hook: Mapping[str, Any], now: datetime) -> tuple[bool, str]:
    failed_at = hook.get("last_error_date")
    if not isinstance(failed_at, int) or datetime.fromtimestamp(failed_at, UTC) < now - _RECENT:
        return True, ""
    why = texts.one_line(str(hook.get("last_error_message") or ""), limit=160)
    return False, f"Telegram could not bring a message within the last hour: {why}"
