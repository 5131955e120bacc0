"""Calls to the Bot API, and what its refusals mean.

The token is part of every address, so no address and no foreign error text leaves this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from klankbord.contract import (
    Account,
    CredentialsRejected,
    Refused,
    Response,
    Unavailable,
    Uncertain,
    Wires,
    ask,
)
from klankbord.kernel import text as texts

SERVER = "https://api.telegram.org"

# Words in a 400 that mean: this chat is over, nothing will help.
_GONE = ("chat not found", "user is deactivated", "chat_write_forbidden", "peer_id_invalid", "topic_closed")


@dataclass(frozen=True, slots=True)
class Credentials:
    token: str = field(
        metadata=ask(
            "Bot token",
            "Write /newbot to @BotFather in Telegram; it answers with the token.",
            is_secret=True,
            kind="password",
        )
    )
    is_polling: bool = field(
        default=False,
        metadata=ask(
            "Fetch messages ourselves",
            "For an address that Telegram cannot reach. Otherwise Telegram brings them, which is faster.",
            is_required=False,
            kind="tick",
        ),
    )
    server: str = field(
        default=SERVER,
        metadata=ask("Bot API server", "Leave it as it is, unless you run your own.", is_required=False, kind="url"),
    )


class ChatMoved(Exception):
    """The group became a supergroup; its new chat id is `to`."""

    def __init__(self, to: str) -> None:
        super().__init__("This Telegram group has another id now.")
        self.to = to


class Bot:
    """A bot, seen through the guarded egress."""

    def __init__(self, account: Account[Credentials], wires: Wires) -> None:
        token = account.credentials.token.strip()
        if not re.fullmatch(r"[\w:-]+", token, re.ASCII):
            raise CredentialsRejected("This is not the token of a bot.", code="token")
        self.wires = wires
        self._server = (account.credentials.server or SERVER).rstrip("/")
        self._token = token

    def ask(self, method: str, parameters: Mapping[str, Any] | None = None, *, timeout: float = 15.0) -> Any:
        """The result of a call that changes nothing for a customer, or may be made twice."""
        try:
            return self.call(method, parameters, timeout=timeout)
        except Uncertain as error:
            raise Unavailable(error.sentence, code=error.code) from None

    def call(
        self,
        method: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        timeout: float = 15.0,
    ) -> Any:
        """The result of a call. Raises Uncertain when Telegram may have done it all the same."""
        said = dict(parameters or {})
        try:
            response = self.wires.http.request(
                "POST",
                f"{self._server}/bot{self._token}/{method}",
                json=None if files else said,
                data={name: _as_form(value) for name, value in said.items()} if files else None,
                files=files,
                timeout=timeout,
            )
        except Uncertain:
            raise Uncertain("Telegram took the request but its answer was lost.", code="no-answer") from None
        except Unavailable as error:
            raise Unavailable(
                "Telegram cannot be reached.", retry_after=error.retry_after, is_inbox_wide=True, code="unreachable"
            ) from None
        return _result(response)

    def file_url(self, file_path: str) -> str:
        """Where a file can be fetched. The address holds the token: use it at once, store and log it nowhere."""
        return f"{self._server}/file/bot{self._token}/{file_path}"


def _as_form(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _result(response: Response) -> Any:
    try:
        said = response.json()
    except Unavailable:
        said = None
    if not isinstance(said, dict):
        said = {}
    if response.status == 200 and said.get("ok") is True:
        return said.get("result")
    if response.status == 200:  # a page instead of an answer: something took the request, and we do not know what
        raise Uncertain("Something other than Telegram answered.", code="not-telegram")
    raise _refusal(response, said)


def _refusal(response: Response, said: Mapping[str, Any]) -> Exception:
    """What a refusal means: https://core.telegram.org/bots/api#making-requests"""
    status, parameters = response.status, said.get("parameters") or {}
    why = texts.one_line(str(said.get("description") or f"status {status}"), limit=160)
    if parameters.get("migrate_to_chat_id"):
        return ChatMoved(str(parameters["migrate_to_chat_id"]))
    if status == 429:
        wait = str(parameters.get("retry_after") or response.headers.get("retry-after"))
        seconds = float(wait) if wait.isascii() and wait.isdigit() else None
        return Unavailable("Telegram asks us to slow down.", retry_after=seconds, is_inbox_wide=True, code="429")
    if status == 504:
        return Uncertain("Telegram may have taken the message before it gave up.", code="504")
    if status >= 500:
        return Unavailable("Telegram has trouble.", is_inbox_wide=True, code=str(status))
    if status in (401, 404):  # the token is part of the address, so a wrong one may also be "not found"
        return CredentialsRejected("Telegram does not know this bot token (any more).", code=str(status))
    if status == 409:
        return Unavailable(
            "Something else fetches this bot's messages.", retry_after=30.0, is_inbox_wide=True, code="409"
        )
    if status == 403:
        return Refused("This person blocked the bot, or it was removed from the chat.", code="403", place_is_gone=True)
    is_gone = any(words in why.casefold() for words in _GONE)
    return Refused(f"Telegram refused: {why}", code=str(status), place_is_gone=is_gone)
