"""What the simulated Mastodon server knows and how its state changes. No network here; the caller holds the lock."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ...stage import Actor, Attachment
from .people import Account, File, Notification, Post
from .rendering import counted_length, mentioned

MAXIMUM_CHARACTERS = 500
MAXIMUM_FILES = 4
VISIBILITIES = ("public", "unlisted", "private", "direct")


class Refusal(Exception):
    """The server says no, with a status and its own sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


NOT_FOUND = (404, "Record not found")


class Server:
    """home: the server's own address. domains: where people live, by turns; "" is this server."""

    def __init__(self, *, home: str, shop: Actor, domains: Sequence[str], started: datetime) -> None:
        self.home, self.domain, self.domains = home, home.split("//")[1], domains
        self.accounts: dict[str, Account] = {}
        self.posts: dict[str, Post] = {}
        self.files: dict[str, File] = {}
        self.notifications: list[Notification] = []
        self._last_id = 0
        # A server that is started again must not give numbers that a client has already read past.
        self._last_notice = int(started.timestamp() * 1000)
        self.shop = self._enrol(shop, domain="", at=started)

    # ---------------------------------------------------------------------------------------------- people

    def account_of(self, actor: Actor, at: datetime) -> Account:
        """The actor's account, made when first needed."""
        domain = self.domains[zlib.crc32(actor.username.encode()) % len(self.domains)]
        acct = f"{actor.username}@{domain}" if domain else actor.username
        return self.accounts.get(acct.lower()) or self._enrol(actor, domain=domain, at=at)

    def _enrol(self, actor: Actor, *, domain: str, at: datetime) -> Account:
        identity = self._new_id(at)
        acct = f"{actor.username}@{domain}" if domain else actor.username
        home = f"https://{domain}" if domain else self.home
        account = Account(
            id=identity,
            username=actor.username,
            acct=acct,
            name=actor.name,
            url=f"{home}/@{actor.username}",
            uri=f"{home}/users/{actor.username}",
            avatar=f"{self.home}/avatars/{identity}.svg?{actor.avatar_colour.removeprefix('#')}",
            created_at=at,
        )
        self.accounts[acct.lower()] = account
        return account

    def find(self, handle: str) -> Account | None:
        """The account for "name" or "name@server", in any case."""
        handle = handle.lower().removesuffix(f"@{self.domain}")
        return self.accounts.get(handle)

    def by_id(self, identity: str) -> Account:
        for account in self.accounts.values():
            if account.id == identity:
                return account
        raise Refusal(*NOT_FOUND)

    # ---------------------------------------------------------------------------------------------- posts

    def publish(
        self,
        author: Account,
        text: str,
        *,
        at: datetime,
        visibility: str = "public",
        in_reply_to: str | None = None,
        files: Sequence[File] = (),
        spoiler_text: str = "",
        sensitive: bool = False,
        language: str | None = None,
    ) -> Post:
        self._check(text, spoiler_text, visibility, files)
        parent = self.posts.get(in_reply_to) if in_reply_to else None
        if in_reply_to and (parent is None or parent.is_deleted or not parent.is_for(author)):
            raise Refusal(404, "The post you are trying to reply to does not appear to exist.")
        identity = self._new_id(at)
        post = Post(
            id=identity,
            author=author,
            text=text,
            visibility=visibility,
            created_at=at,
            uri=f"{author.uri}/statuses/{identity}",
            url=f"{author.url}/{identity}",
            in_reply_to=parent,
            mentions=tuple(each for each in mentioned(text, find=self.find) if each is not author),
            spoiler_text=spoiler_text,
            sensitive=sensitive or bool(spoiler_text),
            language=language,
            media=tuple(files),
        )
        self.posts[identity] = post
        author.posts.append(post)
        if parent:
            parent.answers.append(post)
        return post

    def notify(self, kind: str, account: Account, post: Post | None, at: datetime) -> Notification:
        self._last_notice += 1
        identity = str(self._last_notice)
        notice = Notification(identity, kind, at, account, post, is_filtered=account.is_limited and kind == "mention")
        self.notifications.append(notice)
        return notice

    def edit(self, post: Post, text: str, *, at: datetime, spoiler_text: str = "", **changes: Any) -> Post:
        self._check(text, spoiler_text, post.visibility, changes.get("media", post.media))
        post.history.append({"text": post.text, "at": post.edited_at or post.created_at})
        post.text, post.edited_at, post.spoiler_text = text, at, spoiler_text
        post.media = changes.get("media", post.media)
        found = mentioned(text, find=self.find)
        post.mentions = tuple(each for each in found if each is not post.author)
        return post

    def delete(self, post: Post) -> None:
        """Gone for everyone; its notifications go with it."""
        post.is_deleted = True
        post.author.posts.remove(post)
        self.notifications = [each for each in self.notifications if each.post is not post]

    def seen_by(self, account: Account, identity: str) -> Post:
        """The post, when the account may see it. Raises Refusal."""
        post = self.posts.get(identity)
        if post is None or post.is_deleted or not post.is_for(account):
            raise Refusal(*NOT_FOUND)
        return post

    def own(self, account: Account, identity: str) -> Post:
        post = self.seen_by(account, identity)
        if post.author is not account:
            raise Refusal(*NOT_FOUND)
        return post

    def ancestors(self, post: Post, reader: Account) -> list[Post]:
        chain: list[Post] = []
        while (post := post.in_reply_to) and not post.is_deleted and post.is_for(reader):  # type: ignore[assignment]
            chain.insert(0, post)
        return chain

    def descendants(self, post: Post, reader: Account) -> list[Post]:
        """Depth first, each branch in order of time."""
        answers = [each for each in post.answers if not each.is_deleted and each.is_for(reader)]
        return [one for each in answers for one in (each, *self.descendants(each, reader))]

    # ---------------------------------------------------------------------------------------------- files

    def add_file(self, attachment: Attachment, *, at: datetime, looks_until_ready: int = 0) -> File:
        identity = self._new_id(at)
        description = attachment.description or None
        file = File(identity, attachment.name, attachment.content_type, attachment.content, description)
        self.files[identity] = replace(file, looks_until_ready=looks_until_ready)
        return self.files[identity]

    # ---------------------------------------------------------------------------------------------- help

    def _check(self, text: str, spoiler_text: str, visibility: str, files: Sequence[File]) -> None:
        if not text.strip() and not files:
            raise Refusal(422, "Validation failed: Text can't be blank")
        if counted_length(text) + len(spoiler_text) > MAXIMUM_CHARACTERS:
            raise Refusal(422, f"Validation failed: Text character limit of {MAXIMUM_CHARACTERS} exceeded")
        if visibility not in VISIBILITIES:
            raise Refusal(422, "Validation failed: Visibility is not included in the list")
        if len(files) > MAXIMUM_FILES:
            raise Refusal(422, f"Validation failed: Cannot attach more than {MAXIMUM_FILES} files")
        if any(file.looks_until_ready for file in files):
            raise Refusal(422, "Cannot attach files that have not finished processing. Try again in a moment!")

    def _new_id(self, at: datetime) -> str:
        """Time-ordered and larger than a float can hold exactly, as on real servers."""
        self._last_id = max(self._last_id + 1, int(at.astimezone(UTC).timestamp() * 1000) << 16)
        return str(self._last_id)
