"""Accounts, posts, files and notifications of the simulated server, as plain state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True, eq=False)
class Account:
    """acct: "name" for people of this server, "name@server" for others."""

    id: str
    username: str
    acct: str
    name: str
    url: str
    uri: str
    avatar: str
    created_at: datetime
    is_bot: bool = False
    is_limited: bool = False  # their mentions wait in the notification requests
    posts: list[Post] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class File:
    id: str
    name: str
    content_type: str
    content: bytes
    description: str | None
    looks_until_ready: int = 0

    @property
    def type(self) -> str:
        family = self.content_type.split("/")[0]
        return family if family in {"image", "video", "audio"} else "unknown"


@dataclass(slots=True, eq=False)
class Post:
    id: str
    author: Account
    text: str
    visibility: str
    created_at: datetime
    uri: str
    url: str
    in_reply_to: Post | None = None
    mentions: tuple[Account, ...] = ()
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    media: tuple[File, ...] = ()
    edited_at: datetime | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    is_deleted: bool = False
    answers: list[Post] = field(default_factory=list)

    @property
    def is_public(self) -> bool:
        return self.visibility in {"public", "unlisted"}

    def is_for(self, account: Account) -> bool:
        return self.is_public or self.author is account or account in self.mentions


@dataclass(slots=True, eq=False)
class Notification:
    id: str
    type: str
    created_at: datetime
    account: Account
    post: Post | None
    is_filtered: bool = False
