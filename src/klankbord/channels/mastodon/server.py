"""One account on one server: its address, its requests, and what its refusals mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

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

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Credentials:
    server: str = field(metadata=ask("Server", "The part after the second @, for example mastodon.nl."))
    access_token: str = field(
        metadata=ask(
            "Access token",
            "On your server: Preferences, Development, New application; then copy “Your access token”.",
            is_secret=True,
            kind="password",
        )
    )


def base_url(server: str) -> str:
    """The server's address without a path, from whatever people paste: a host, a link, or @name@host.

    Always https, except on this very machine.   Raises: CredentialsRejected when no host can be read from it.
    """
    pasted = server.strip()
    if "://" not in pasted:
        pasted = "https://" + pasted.rpartition("@")[2]
    try:
        parts = urlsplit(pasted)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not re.fullmatch(r"[\w.:-]+", host):
        raise CredentialsRejected("This is not the address of a server, such as mastodon.nl.", code="server")
    scheme = "http" if parts.scheme == "http" and host in _LOOPBACK else "https"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + (f":{port}" if port else "")


def realm(account: Account[Credentials]) -> str:
    """The space in which ids of accounts and statuses are unique: the server's host."""
    return urlsplit(base_url(account.credentials.server)).netloc


class Server:
    """A server as one account sees it. Every answer was checked: what comes back is a 2xx, a 404 or a 410."""

    def __init__(self, account: Account[Credentials], wires: Wires) -> None:
        self.base = base_url(account.credentials.server)
        self.wires = wires
        self.remaining: int | None = None  # requests left in this window, where the server says so
        self._headers = {"Authorization": f"Bearer {account.credentials.access_token}", "Accept": "application/json"}

    def get(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Response:
        """Ask something. May give a 404 or 410: see `is_missing`."""
        try:
            return self._checked(
                self.wires.http.request("GET", self.base + path, headers=self._headers, params=list(params))
            )
        except Uncertain as error:  # asking twice harms nobody
            raise Unavailable("The Mastodon server did not answer in time.", code="time-out") from error

    def read(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Any:
        """The JSON at a path that must exist."""
        response = self.get(path, params)
        if is_missing(response):
            raise Refused("This server does not offer what Klankbord needs of the Mastodon API.", code="not-found")
        return response.json()

    def post(
        self,
        path: str,
        *,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 15.0,
    ) -> Response:
        return self._checked(
            self.wires.http.request(
                "POST",
                self.base + path,
                headers={**self._headers, **(headers or {})},
                json=json,
                data=data,
                files=files,
                timeout=timeout,
            )
        )

    def delete(self, path: str) -> Response:
        return self._checked(self.wires.http.request("DELETE", self.base + path, headers=self._headers))

    def _checked(self, response: Response) -> Response:
        left = response.headers.get("x-ratelimit-remaining", "")
        self.remaining = int(left) if left.isascii() and left.isdigit() else self.remaining
        status = response.status
        if 200 <= status < 300 or is_missing(response):
            return response
        if status == 429:
            wait = _seconds_to_wait(response, self.wires.now())
            raise Unavailable(
                "The Mastodon server asks us to slow down.", retry_after=wait, is_inbox_wide=True, code="429"
            )
        if status >= 500:
            raise Unavailable("The Mastodon server has trouble.", is_inbox_wide=True, code=str(status))
        if status in (401, 403):
            raise CredentialsRejected(
                "The Mastodon server no longer accepts our access token, or it may do too little: " + _why(response),
                code=str(status),
            )
        if 300 <= status < 400:
            raise Refused("The Mastodon server sends us elsewhere: check its address.", code=str(status))
        raise Refused("The Mastodon server refused: " + _why(response), code=str(status))


def is_missing(response: Response) -> bool:
    return response.status in (404, 410)


def is_surely_gone(response: Response) -> bool:
    """A 404 in the API's own words. An HTML page may be a proxy whose server is away, which proves nothing."""
    try:
        return is_missing(response) and "error" in response.json()
    except (Unavailable, TypeError):
        return False


def find_facts(account: Account[Credentials], wires: Wires) -> dict[str, Any]:
    """Who we are on this server and what it allows. Servers differ, so each feature is asked for, not assumed."""
    server = Server(account, wires)
    me = server.read("/api/v1/accounts/verify_credentials")
    facts: dict[str, Any] = {
        "account_id": str(me["id"]),
        "acct": texts.one_line(str(me.get("acct") or me.get("username") or "")),
        "name": texts.one_line(str(me.get("display_name") or me.get("username") or "")),
        "url": str(me.get("url") or ""),
        "avatar_url": str(me.get("avatar") or ""),
        "server": realm(account),
    }
    facts.update(_limits(_instance(server)))
    facts["has_requests"] = not is_missing(server.get("/api/v1/notifications/requests", [("limit", "1")]))
    return facts


def _instance(server: Server) -> Mapping[str, Any]:
    for path in ("/api/v2/instance", "/api/v1/instance"):
        response = server.get(path)
        if not is_missing(response):
            described = response.json()
            return described if isinstance(described, dict) else {}
    return {}


def _limits(instance: Mapping[str, Any]) -> dict[str, Any]:
    configuration = instance.get("configuration") or {}
    statuses = configuration.get("statuses") or {}
    media = configuration.get("media_attachments") or {}
    streaming = (configuration.get("urls") or instance.get("urls") or {}).get("streaming") or (
        instance.get("urls") or {}
    ).get("streaming_api")
    found = {
        "version": instance.get("version"),
        "max_characters": statuses.get("max_characters") or instance.get("max_toot_chars"),
        "characters_per_link": statuses.get("characters_reserved_per_url"),
        "max_media": statuses.get("max_media_attachments"),
        "media_types": media.get("supported_mime_types"),
        "image_bytes": media.get("image_size_limit"),
        "video_bytes": media.get("video_size_limit"),
        "streaming_url": re.sub(r"^ws", "http", str(streaming).rstrip("/")) if streaming else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _seconds_to_wait(response: Response, now: datetime) -> float | None:
    after = response.headers.get("retry-after", "")
    if after.isascii() and after.isdigit():
        return float(after)
    try:
        reset = datetime.fromisoformat(response.headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    reset = reset if reset.tzinfo else reset.replace(tzinfo=UTC)
    return max((reset - now).total_seconds(), 1.0)


def _why(response: Response) -> str:
    """The server's own words, cut short: they come from outside."""
    try:
        said = response.json()
        return texts.one_line(str(said.get("error_description") or said.get("error")), limit=160)
    except (Unavailable, AttributeError):
        return f"status {response.status}"
