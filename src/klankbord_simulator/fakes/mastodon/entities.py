"""The JSON objects of Mastodon's API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from .people import Account, File, Notification, Post
from .rendering import CHARACTERS_PER_LINK, render
from .server import MAXIMUM_CHARACTERS, MAXIMUM_FILES, Server

Json = dict[str, Any]


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def account_json(account: Account, server: Server) -> Json:
    blank = f"{server.home}/headers/original/missing.png"
    return {
        "id": account.id,
        "username": account.username,
        "acct": account.acct,
        "display_name": account.name,
        "locked": False,
        "bot": account.is_bot,
        "discoverable": True,
        "indexable": False,
        "group": False,
        "created_at": moment(account.created_at.replace(hour=0, minute=0, second=0, microsecond=0)),
        "note": "",
        "url": account.url,
        "uri": account.uri,
        "avatar": account.avatar,
        "avatar_static": account.avatar,
        "header": blank,
        "header_static": blank,
        "followers_count": 0,
        "following_count": 0,
        "statuses_count": len(account.posts),
        "last_status_at": account.posts[-1].created_at.date().isoformat() if account.posts else None,
        "hide_collections": None,
        "emojis": [],
        "fields": [],
        **({"limited": True} if account.is_limited else {}),
    }


def credential_account_json(account: Account, server: Server) -> Json:
    return {
        **account_json(account, server),
        "source": {
            "privacy": "public",
            "sensitive": False,
            "language": None,
            "note": "",
            "fields": [],
            "follow_requests_count": 0,
            "hide_collections": None,
            "discoverable": True,
            "indexable": False,
        },
        "role": {"id": "-99", "name": "", "permissions": "65536", "color": "", "highlighted": False},
    }


def file_json(file: File, server: Server) -> Json:
    url = None if file.looks_until_ready else f"{server.home}/media/{file.id}/original/{file.name}"
    return {
        "id": file.id,
        "type": file.type,
        "url": url,
        "preview_url": url,
        "remote_url": None,
        "preview_remote_url": None,
        "text_url": None,
        "meta": {},
        "description": file.description,
        "blurhash": None,
    }


def post_json(post: Post, server: Server, *, with_source: bool = False) -> Json:
    """with_source: the plain text instead of HTML, as a deletion answers."""
    content = {"text": post.text} if with_source else {"content": render(post.text, find=server.find, home=server.home)}
    return {
        "id": post.id,
        "created_at": moment(post.created_at),
        "in_reply_to_id": post.in_reply_to.id if post.in_reply_to else None,
        "in_reply_to_account_id": post.in_reply_to.author.id if post.in_reply_to else None,
        "sensitive": post.sensitive,
        "spoiler_text": post.spoiler_text,
        "visibility": post.visibility,
        "language": post.language,
        "uri": post.uri,
        "url": post.url,
        "replies_count": sum(not each.is_deleted for each in post.answers),
        "reblogs_count": 0,
        "favourites_count": 0,
        "quotes_count": 0,
        "edited_at": moment(post.edited_at) if post.edited_at else None,
        "favourited": False,
        "reblogged": False,
        "muted": False,
        "bookmarked": False,
        "filtered": [],
        "content": "",
        **content,
        "reblog": None,
        "quote": None,
        "application": {"name": "Web", "website": None} if post.author is server.shop else None,
        "account": account_json(post.author, server),
        "media_attachments": [file_json(file, server) for file in post.media],
        "mentions": [
            {"id": each.id, "username": each.username, "url": each.url, "acct": each.acct} for each in post.mentions
        ],
        "tags": [],
        "emojis": [],
        "card": None,
        "poll": None,
    }


def notification_json(notice: Notification, server: Server) -> Json:
    value = {
        "id": notice.id,
        "type": notice.type,
        "created_at": moment(notice.created_at),
        "group_key": f"ungrouped-{notice.id}",
        "account": account_json(notice.account, server),
        **({"filtered": True} if notice.is_filtered else {}),
    }
    if notice.post:
        value["status"] = post_json(notice.post, server)
    return value


def request_json(notices: list[Notification], server: Server) -> Json:
    """One waiting request: all filtered mentions of one account."""
    first, last = notices[0], notices[-1]
    return {
        "id": str(int(first.account.id) + 1),
        "created_at": moment(first.created_at),
        "updated_at": moment(last.created_at),
        "notifications_count": str(len(notices)),
        "account": account_json(first.account, server),
        "last_status": post_json(last.post, server) if last.post else None,
    }


def history_json(post: Post, server: Server) -> list[Json]:
    versions = [*post.history, {"text": post.text, "at": post.edited_at or post.created_at}]
    return [
        {
            "content": render(version["text"], find=server.find, home=server.home),
            "spoiler_text": post.spoiler_text,
            "sensitive": post.sensitive,
            "created_at": moment(version["at"]),
            "account": account_json(post.author, server),
            "media_attachments": [file_json(file, server) for file in post.media],
            "emojis": [],
        }
        for version in versions
    ]


def instance_json(server: Server, *, version: int) -> Json:
    configuration = {
        "urls": {"streaming": server.home.replace("http", "ws", 1)},
        "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
        "statuses": {
            "max_characters": MAXIMUM_CHARACTERS,
            "max_media_attachments": MAXIMUM_FILES,
            "characters_reserved_per_url": CHARACTERS_PER_LINK,
        },
        "media_attachments": {
            "supported_mime_types": ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "audio/mpeg"],
            "description_limit": 1500,
            "image_size_limit": 16_777_216,
            "image_matrix_limit": 33_177_600,
            "video_size_limit": 103_809_024,
        },
        "polls": {"max_options": 4, "max_characters_per_option": 50, "min_expiration": 300, "max_expiration": 2629746},
        "translation": {"enabled": False},
    }
    people = {"users": {"active_month": len(server.accounts)}}
    if version == 1:
        return {
            "uri": server.domain,
            "title": "Fake square",
            "short_description": "",
            "description": "",
            "email": "",
            "version": "4.4.3",
            "urls": {"streaming_api": server.home.replace("http", "ws", 1)},
            "stats": {"user_count": len(server.accounts), "status_count": len(server.posts), "domain_count": 1},
            "languages": ["nl", "en"],
            "registrations": False,
            "approval_required": False,
            "invites_enabled": False,
            "configuration": configuration,
            "contact_account": account_json(server.shop, server),
            "rules": [],
        }
    return {
        "domain": server.domain,
        "title": "Fake square",
        "version": "4.4.3",
        "source_url": "",
        "description": "",
        "usage": people,
        "thumbnail": {"url": f"{server.home}/thumbnail.png"},
        "icon": [],
        "languages": ["nl", "en"],
        "configuration": configuration,
        "registrations": {"enabled": False, "approval_required": False, "message": None, "url": None},
        "api_versions": {"mastodon": 6},
        "contact": {"email": "", "account": account_json(server.shop, server)},
        "rules": [],
    }


def event(name: str, payload: Any) -> bytes:
    """One server-sent event; an id travels as bare text, an object as JSON."""
    data = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return f"event: {name}\ndata: {data}\n\n".encode("utf-8", "replace")
