"""The bench of Mastodon: an account on a small server that keeps what is posted."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from worlds import NOW, Request, World, http_world

from klankbord import channels
from klankbord.channels.mastodon.server import Credentials
from klankbord.contract import Account, Action, AuthorKind, Delivery, Outgoing, Person, Refused, Response, Visibility

SANNE = Person("109348712345678901", name="Sanne", username="sanne@fiets.example", realm="toot.example")
FACTS: Mapping[str, Any] = {
    "account_id": "1001",
    "acct": "regiobus",
    "server": "toot.example",
    "max_characters": 500,
    "characters_per_link": 23,
    "max_media": 4,
    "media_types": ["image/png", "image/jpeg", "video/mp4"],
    "image_bytes": 16_000_000,
    "video_bytes": 99_000_000,
}


def account(**facts: Any) -> Account[Credentials]:
    credentials = Credentials(server="toot.example", access_token="toegang-van-regiobus")
    return Account(inbox="mastodon", credentials=credentials, facts={**FACTS, **facts})


def other_account() -> Account[Credentials]:
    credentials = Credentials(server="ander.example", access_token="toegang-van-een-ander")
    return Account(inbox="ander", credentials=credentials, facts={**FACTS, "account_id": "7", "acct": "ander"})


def sign(body: bytes, account: Account[Credentials]) -> Delivery:
    return Delivery(body, NOW)


def outgoing(text: str = "We kijken het na.") -> Outgoing:
    return Outgoing(
        key="0193-reply",
        text=text,
        visibility=Visibility.PUBLIC,
        to=SANNE,
        place_key="status:115480000000000001:109348712345678901",
        target="115480000000000001",
        author_kind=AuthorKind.AGENT,
        author_name="Noor",
        in_reply_to="115480000000000001",
        thread_ids=("115480000000000001",),
        facts={"visibility": "public"},
    )


def world(trouble: str = "") -> World:
    return http_world(SmallServer().answer, trouble)


def act(action: Action, world: World) -> None:
    if action in (Action.LIKE, Action.DELETE_OWN):
        channel = channels.channel("mastodon")
        channel.send(outgoing(), account(), world.wires)
        with contextlib.suppress(Refused):  # nobody else's status stands on this small server
            channel.act(action, "115480000000000001", account(), world.wires)
        path = "/favourite" if action == Action.LIKE else "/115480000000000001"
        assert world.calls[-1].url.endswith(path)
        return
    assert action == Action.PRIVATE_REPLY
    private = replace(outgoing("Wat is uw klantnummer?"), visibility=Visibility.PRIVATE)
    channels.channel("mastodon").send(private, account(), world.wires)
    assert world.calls[-1].json["visibility"] == "direct"


class SmallServer:
    """A server with one account of ours. `statuses` and `notifications` are what its database would hold."""

    def __init__(self) -> None:
        self.notifications: list[dict[str, Any]] = []
        self.held_back: list[dict[str, Any]] = []
        self.statuses: dict[str, dict[str, Any]] = {}
        self.posted: dict[str, dict[str, Any]] = {}  # by idempotency key
        self.answers: dict[str, Response] = {}  # by path: said instead of what the server would say
        self.media_rounds = 0
        self.favourites: set[str] = set()

    def answer(self, request: Request) -> Response:
        path = urlsplit(request.url).path
        if path in self.answers:
            return self.answers[path]
        if request.headers.get("Authorization") != "Bearer toegang-van-regiobus":
            return said({"error": "The access token is invalid"}, status=401)
        query = dict(request.params or [])
        match path.split("/")[2:], request.method:
            case ["v1", "accounts", "verify_credentials"], "GET":
                return said(
                    {
                        "id": "1001",
                        "acct": "regiobus",
                        "display_name": "Regiobus",
                        "url": "https://toot.example/@regiobus",
                    }
                )
            case ["v2", "instance"], "GET":
                return said(INSTANCE)
            case ["v1", "notifications"], "GET":
                return self._list(query)
            case ["v1", "notifications", "requests"], "GET":
                return said([request_of(each) for each in self.held_back])
            case ["v1", "statuses"], "POST":
                return self._post(request)
            case ["v1", "statuses", status_id], "GET":
                return said(self.statuses[status_id]) if status_id in self.statuses else GONE
            case ["v1", "statuses", status_id, "favourite" | "unfavourite" as wish], "POST":
                if status_id not in self.statuses:
                    return GONE
                change = self.favourites.add if wish == "favourite" else self.favourites.discard
                change(status_id)
                return said(self.statuses[status_id])
            case ["v1", "statuses", status_id], "DELETE":
                return said(self.statuses.pop(status_id)) if status_id in self.statuses else GONE
            case ["v1", "statuses", status_id, "context"], "GET":
                return said({"ancestors": self._above(status_id), "descendants": self._below(status_id)})
            case ["v2", "media"], "POST":
                return said({"id": "900"}, status=202 if self.media_rounds else 200)
            case ["v1", "media", _], "GET":
                self.media_rounds -= 1
                return said({"id": "900"}, status=206 if self.media_rounds else 200)
            case ["v1", "streaming", "health"], "GET":
                return Response(200, {}, b"OK")
        return GONE

    def _list(self, query: Mapping[str, str]) -> Response:
        """Newest first, at most three a page; `min_id` gives the page just after it, as Mastodon does."""
        if "account_id" in query:
            found = [each for each in self.held_back if each["account"]["id"] == query["account_id"]]
            return said(found[::-1])
        rows = self.notifications
        if "min_id" in query:
            rows = [each for each in rows if int(each["id"]) > int(query["min_id"])][:3]
        if "max_id" in query:
            rows = [each for each in rows if int(each["id"]) < int(query["max_id"])]
        page = rows[::-1][: min(int(query["limit"]), 3)]
        link = f'<https://toot.example/api/v1/notifications?min_id={page[0]["id"]}>; rel="prev"' if page else ""
        return said(page, link=link)

    def _post(self, request: Request) -> Response:
        key = request.headers["Idempotency-Key"]
        target = request.json.get("in_reply_to_id")
        if target and target in self.answers:
            return self.answers[target]
        if key not in self.posted:
            status_id = str(900_000 + len(self.posted))
            status = {
                "id": status_id,
                "created_at": "2026-11-02T09:00:00.000Z",
                "url": f"https://toot.example/@regiobus/{status_id}",
                "uri": f"https://toot.example/users/regiobus/statuses/{status_id}",
                "account": {"id": "1001", "acct": "regiobus"},
                "in_reply_to_id": target,
                "visibility": request.json["visibility"],
                "content": f"<p>{request.json['status']}</p>",
            }
            self.posted[key] = self.statuses[status_id] = status
        return said(self.posted[key])

    def _above(self, status_id: str) -> list[dict[str, Any]]:
        above: list[dict[str, Any]] = []
        parent = (self.statuses.get(status_id) or {}).get("in_reply_to_id")
        while parent and parent in self.statuses:
            above.insert(0, self.statuses[parent])
            parent = self.statuses[parent].get("in_reply_to_id")
        return above

    def _below(self, status_id: str) -> list[dict[str, Any]]:
        return [each for each in self.statuses.values() if each.get("in_reply_to_id") == status_id]


INSTANCE = {
    "version": "4.5.1",
    "configuration": {
        "urls": {"streaming": "wss://stroom.toot.example"},
        "statuses": {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23},
        "media_attachments": {
            "image_size_limit": 16_000_000,
            "video_size_limit": 99_000_000,
            "supported_mime_types": ["image/png", "image/jpeg", "video/mp4"],
        },
    },
}


def request_of(notification: Mapping[str, Any]) -> dict[str, Any]:
    """The notification request that a server shows for a mention it holds back."""
    return {
        "id": f"r-{notification['account']['id']}",
        "created_at": notification["created_at"],
        "updated_at": notification["created_at"],
        "notifications_count": "1",
        "account": notification["account"],
        "last_status": notification["status"],
    }


def said(content: Any, *, status: int = 200, link: str = "", **headers: str) -> Response:
    extra = {"link": link} if link else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"content-type": "application/json", **extra, **named}, json.dumps(content).encode())


GONE = said({"error": "Record not found"}, status=404)
