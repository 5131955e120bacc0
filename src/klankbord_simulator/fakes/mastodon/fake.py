"""The Mastodon fake: tokens, quota, streaming, and the stage for people."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...stage import Actor, Attachment, Heard, StageError
from ..fake import Fake, after_ref
from ..web import Answer, Request, answer_json
from . import api, entities
from .people import Account, File, Notification, Post
from .server import Refusal, Server

KEY_LIFE = timedelta(hours=1)
QUOTA_PERIOD = timedelta(minutes=5)
REFUSALS = {401: "The access token is invalid", 429: "Too many requests", 503: "Remote data could not be fetched"}


class Mastodon(Fake):
    """token: the shop's. quota: requests in five minutes. looks_until_ready: how often an upload must be looked at.

    heartbeat: seconds between the lines that keep a stream open.
    """

    kind = "mastodon"
    visibilities = frozenset({"public", "private"})
    memory = ("server", "_keys")

    def __init__(
        self,
        *,
        shop: Actor,
        token: str,
        domains: Sequence[str] = ("klets.example", "", "fietspad.example"),
        quota: int = 300,
        looks_until_ready: int = 1,
        heartbeat: float = 15.0,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.token, self.quota, self.looks_until_ready, self.heartbeat = token, quota, looks_until_ready, heartbeat
        self._shop_actor, self._domains = shop, domains
        self._keys: dict[str, tuple[datetime, Post]] = {}
        self._calls: deque[datetime] = deque()
        self._events: list[tuple[str, Any]] = []

    async def open(self, port: int) -> None:
        await super().open(port)
        if not hasattr(self, "server"):
            self.server = Server(home=self.url, shop=self._shop_actor, domains=self._domains, started=self.now())
        self.address = f"@{self._shop_actor.username}@{self.server.domain}"

    # ---------------------------------------------------------------------------------------------- the web

    async def answer(self, request: Request) -> Answer:
        headers: dict[str, str] = {}
        with self.lock:
            try:
                if open_page := api.respond(self, request, api.OPEN):
                    return open_page
                given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
                if (given or request.fields.get("access_token")) != self.token:
                    return self.refuse(request, 401, None)
                left, until = self._spend()
                headers = self._quota_headers(left, until)
                if left < 0:
                    return self.refuse(request, 429, None)
                if request.path.startswith("/api/v1/streaming/user"):
                    only_notices = request.path.endswith("/notification")
                    return Answer(200, headers={"Content-Type": "text/event-stream"}, stream=self._stream(only_notices))
                answer = api.respond(self, request, api.WITH_TOKEN) or answer_json({"error": "Record not found"}, 404)
            except Refusal as refusal:
                answer = answer_json({"error": refusal.sentence}, refusal.status)
            except ValueError:
                answer = answer_json({"error": "There was a problem parsing the request."}, 400)

        answer.headers |= headers
        return answer

    def refuse(self, request: Request, status: int, retry_after: int | None) -> Answer:
        """A 429 tells when to come back by X-RateLimit-Reset; Retry-After comes from the proxies in front."""
        until = self.now() + timedelta(seconds=retry_after or 0)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 429:
            headers |= self._quota_headers(0, until if retry_after is not None else self.now() + QUOTA_PERIOD)
        return answer_json({"error": REFUSALS.get(status, "Something went wrong")}, status, headers)

    def _spend(self) -> tuple[int, datetime]:
        """Calls left in this period, negative when there were none, and when the period ends."""
        now = self.now()
        while self._calls and self._calls[0] <= now - QUOTA_PERIOD:
            self._calls.popleft()
        self._calls.append(now)
        return self.quota - len(self._calls), self._calls[0] + QUOTA_PERIOD

    def _quota_headers(self, left: int, until: datetime) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.quota),
            "X-RateLimit-Remaining": str(max(0, left)),
            "X-RateLimit-Reset": until.isoformat().replace("+00:00", "Z"),
        }

    async def _stream(self, only_notices: bool) -> AsyncIterator[bytes]:
        with self.bell.ear() as ear:
            with self.lock:
                place = len(self._events)
            yield b":)\n"
            while True:
                with self.lock:
                    fresh, place = self._events[place:], len(self._events)
                for name, payload in self.mischief.dealt(fresh):
                    if name == "notification" or not only_notices:
                        await asyncio.sleep(self.mischief.lateness())
                        yield entities.event(name, payload)
                if not await ear.wait(self.heartbeat):
                    yield b":thump\n"

    def _push(self, name: str, payload: Any) -> None:
        self._events.append((name, payload))
        self.bell.ring()

    # ---------------------------------------------------------------------------------------------- the shop

    def published_before(self, key: str) -> Post | None:
        """What this idempotency key made within the hour."""
        made = self._keys.get(key) if key else None
        if made is None or made[0] < self.now() - KEY_LIFE or made[1].is_deleted:
            return None
        return made[1]

    def publish_for_shop(self, text: str, *, key: str, **how: Any) -> Post:
        at = self.now()
        post = self.server.publish(self.server.shop, text, at=at, **how)
        if key:
            self._keys[key] = (at, post)
        parent = post.in_reply_to.id if post.in_reply_to else ""
        self.record(
            "sent", key=key, place=self.place_of(post), ref=post.id, text=text, visibility=post.visibility, to=parent
        )
        return post

    def place_of(self, post: Post) -> str:
        """Whom a post of the shop speaks to: the author it answers, else the first it names."""
        if post.in_reply_to and post.in_reply_to.author is not self.server.shop:
            return post.in_reply_to.author.acct
        return post.mentions[0].acct if post.mentions else ""

    def notification_json(self, notice: Notification) -> dict[str, Any]:
        return self.mischief.with_news(entities.notification_json(notice, self.server))

    def notify(self, kind: str, actor: Actor, ref: str | None = None) -> None:
        """Another kind of notice, such as "favourite", or one that no client knows yet."""
        with self.lock:
            post = self._post(ref) if ref else None
            self._announce(self.server.notify(kind, self.server.account_of(actor, self.now()), post, self.now()))

    def enrol(self, actor: Actor) -> str:
        """Let a person exist who has not written yet; gives the name by which the shop can address them."""
        with self.lock:
            return f"@{self.server.account_of(actor, self.now()).acct}"

    def limit(self, actor: Actor) -> None:
        """From now on this person's mentions wait in the notification requests."""
        with self.lock:
            self.server.account_of(actor, self.now()).is_limited = True

    def _announce(self, notice: Notification) -> None:
        if not notice.is_filtered:
            self._push("notification", self.notification_json(notice))

    # ---------------------------------------------------------------------------------------------- the stage

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
        at = at or self.now()
        with self.lock:
            author, shop = self.server.account_of(actor, at), self.server.shop
            if addressed and f"@{shop.username}".lower() not in text.lower():
                text = f"{self.address} {text}"
            files: list[File] = [self.server.add_file(each, at=at) for each in media]
            try:
                post = self.server.publish(
                    author,
                    text,
                    at=at,
                    visibility="public" if public else "direct",
                    in_reply_to=in_reply_to,
                    files=files,
                    spoiler_text=title,
                    language=actor.language,
                )
            except Refusal as refusal:
                raise StageError(refusal.sentence) from refusal
            self.record("said", place=author.acct, ref=post.id, text=text, visibility=post.visibility)
            if shop in post.mentions:
                self._announce(self.server.notify("mention", author, post, at))
        return post.id

    def edit(self, ref: str, text: str) -> None:
        with self.lock:
            post = self._post(ref)
            if self.server.shop in post.mentions and f"@{self.server.shop.username}" not in text:
                text = f"{self.address} {text}"
            self.server.edit(post, text, at=self.now())
            self.record("changed", place=post.author.acct, ref=ref, text=text)
            if self.server.shop in post.mentions:
                self._push("status.update", entities.post_json(post, self.server))

    def delete(self, ref: str) -> None:
        with self.lock:
            post = self._post(ref)
            self.server.delete(post)
            self.record("withdrawn", place=post.author.acct, ref=ref)
            if self.server.shop in post.mentions:
                self._push("delete", post.id)

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        with self.lock:
            account = self.server.account_of(actor, self.now())
            heard = [
                Heard(
                    stage=self.kind,
                    ref=post.id,
                    text=post.text,
                    public=post.is_public,
                    at=post.created_at,
                    in_reply_to=post.in_reply_to.id if post.in_reply_to else None,
                    media=tuple(
                        Attachment(each.name, each.content_type, each.content, each.description or "")
                        for each in post.media
                    ),
                )
                for post in self.server.shop.posts
                if self._concerns(post, account)
            ]
        return after_ref(heard, after)

    def _concerns(self, post: Post, account: Account) -> bool:
        """A person is told about posts that name them, and finds public answers beneath their own posts."""
        is_answer = post.is_public and post.in_reply_to is not None and post.in_reply_to.author is account
        return is_answer or account in post.mentions

    def _post(self, ref: str) -> Post:
        post = self.server.posts.get(ref)
        if post is None or post.is_deleted:
            raise StageError("There is no such post.")
        return post
