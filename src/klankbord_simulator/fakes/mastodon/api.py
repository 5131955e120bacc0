"""Mastodon's addresses: a request of the shop in, an answer out. The caller holds the fake's lock."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from ...stage import Attachment
from ..web import Answer, Request, answer_json, answer_text
from . import entities
from .people import Notification, Post
from .server import NOT_FOUND, Refusal

if TYPE_CHECKING:
    from .fake import Mastodon

T = TypeVar("T", Post, Notification)


def read_instance(fake: Mastodon, request: Request, version: str) -> Answer:
    return answer_json(entities.instance_json(fake.server, version=int(version)))


def stream_health(fake: Mastodon, request: Request) -> Answer:
    return answer_text("OK")


def read_file(fake: Mastodon, request: Request, identity: str, name: str) -> Answer:
    file = fake.server.files.get(identity)
    if file is None:
        raise Refusal(*NOT_FOUND)
    return Answer(200, file.content, {"Content-Type": file.content_type})


def read_avatar(fake: Mastodon, request: Request, identity: str) -> Answer:
    colour = next((name for name, _ in request.query if re.fullmatch(r"[0-9a-fA-F]{3,8}", name)), "64748b")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="#{colour}"/></svg>'
    )
    return answer_text(svg, content_type="image/svg+xml")


def verify_credentials(fake: Mastodon, request: Request) -> Answer:
    return answer_json(entities.credential_account_json(fake.server.shop, fake.server))


def read_account(fake: Mastodon, request: Request, identity: str) -> Answer:
    return answer_json(entities.account_json(fake.server.by_id(identity), fake.server))


def look_up_account(fake: Mastodon, request: Request) -> Answer:
    account = fake.server.find(str(request.fields.get("acct", "")).removeprefix("@"))
    if account is None:
        raise Refusal(*NOT_FOUND)
    return answer_json(entities.account_json(account, fake.server))


def account_posts(fake: Mastodon, request: Request, identity: str) -> Answer:
    author = fake.server.by_id(identity)
    posts = [post for post in live_posts(fake) if post.author is author]
    return page(fake, request, posts, lambda post: entities.post_json(post, fake.server), usual=20, most=40)


def tag_posts(fake: Mastodon, request: Request, tag: str) -> Answer:
    named = re.compile(rf"#{re.escape(tag)}\b", re.IGNORECASE)
    posts = [post for post in live_posts(fake) if post.visibility == "public" and named.search(post.text)]
    return page(fake, request, posts, lambda post: entities.post_json(post, fake.server), usual=20, most=40)


def live_posts(fake: Mastodon) -> list[Post]:
    shop = fake.server.shop
    posts = [post for post in fake.server.posts.values() if not post.is_deleted and post.is_for(shop)]
    return sorted(posts, key=lambda post: int(post.id))


# ------------------------------------------------------------------------------------------------ notifications


def notifications(fake: Mastodon, request: Request) -> Answer:
    types, unwanted = request.fields.get("types"), request.fields.get("exclude_types", [])
    only_from = request.fields.get("account_id")
    with_filtered = request.fields.get("include_filtered") in {"true", "1", True}
    found = [
        notice
        for notice in fake.server.notifications
        if (types is None or notice.type in types)
        and notice.type not in unwanted
        and (only_from is None or notice.account.id == only_from)
        and (with_filtered or not notice.is_filtered)
    ]
    return page(fake, request, found, fake.notification_json, usual=40, most=80)


def one_notification(fake: Mastodon, request: Request, identity: str) -> Answer:
    for notice in fake.server.notifications:
        if notice.id == identity:
            return answer_json(fake.notification_json(notice))
    raise Refusal(*NOT_FOUND)


def waiting_requests(fake: Mastodon) -> dict[str, list[Notification]]:
    waiting: dict[str, list[Notification]] = {}
    for notice in fake.server.notifications:
        if notice.is_filtered:
            waiting.setdefault(str(int(notice.account.id) + 1), []).append(notice)
    return waiting


def notification_requests(fake: Mastodon, request: Request) -> Answer:
    waiting = waiting_requests(fake)
    return answer_json([entities.request_json(each, fake.server) for each in reversed(waiting.values())])


def one_request(fake: Mastodon, request: Request, identity: str) -> Answer:
    waiting = waiting_requests(fake)
    if identity not in waiting:
        raise Refusal(*NOT_FOUND)
    return answer_json(entities.request_json(waiting[identity], fake.server))


def accept_request(fake: Mastodon, request: Request, identity: str) -> Answer:
    waiting = waiting_requests(fake)
    if identity not in waiting:
        raise Refusal(*NOT_FOUND)
    for notice in waiting[identity]:
        notice.is_filtered = notice.account.is_limited = False
    fake.bell.ring()
    return answer_json({})


# ------------------------------------------------------------------------------------------------ posts


def publish(fake: Mastodon, request: Request) -> Answer:
    key = request.headers.get("idempotency-key", "")
    if earlier := fake.published_before(key):
        fake.record("repeated", key=key, place=fake.place_of(earlier), ref=earlier.id, text=earlier.text)
        return answer_json(entities.post_json(earlier, fake.server))
    post = fake.publish_for_shop(
        str(request.fields.get("status") or ""),
        key=key,
        visibility=request.fields.get("visibility") or "public",
        in_reply_to=request.fields.get("in_reply_to_id") or None,
        files=[chosen_file(fake, identity) for identity in request.fields.get("media_ids") or []],
        spoiler_text=request.fields.get("spoiler_text") or "",
        sensitive=request.fields.get("sensitive") in {"true", "1", True},
        language=request.fields.get("language") or None,
    )
    return answer_json(entities.post_json(post, fake.server))


def read_post(fake: Mastodon, request: Request, identity: str) -> Answer:
    return answer_json(fake.mischief.with_news(entities.post_json(seen(fake, identity), fake.server)))


def read_posts(fake: Mastodon, request: Request) -> Answer:
    """Several at once; those that are gone or hidden are simply missing."""
    wanted = request.fields.get("id", [])
    return answer_json([entities.post_json(post, fake.server) for post in live_posts(fake) if post.id in wanted])


def read_context(fake: Mastodon, request: Request, identity: str) -> Answer:
    post, server = seen(fake, identity), fake.server
    around = {"ancestors": server.ancestors(post, server.shop), "descendants": server.descendants(post, server.shop)}
    return answer_json({side: [entities.post_json(each, server) for each in posts] for side, posts in around.items()})


def read_history(fake: Mastodon, request: Request, identity: str) -> Answer:
    return answer_json(entities.history_json(seen(fake, identity), fake.server))


def read_source(fake: Mastodon, request: Request, identity: str) -> Answer:
    post = seen(fake, identity)
    return answer_json({"id": post.id, "text": post.text, "spoiler_text": post.spoiler_text})


def edit_post(fake: Mastodon, request: Request, identity: str) -> Answer:
    post = fake.server.own(fake.server.shop, identity)
    changes: dict[str, Any] = {}
    if "media_ids" in request.fields:
        changes["media"] = tuple(chosen_file(fake, each) for each in request.fields["media_ids"])
    text, spoiler = str(request.fields.get("status") or ""), request.fields.get("spoiler_text") or ""
    fake.server.edit(post, text, at=fake.now(), spoiler_text=spoiler, **changes)
    fake.record("edited", place=fake.place_of(post), ref=post.id, text=text)
    return answer_json(entities.post_json(post, fake.server))


def delete_post(fake: Mastodon, request: Request, identity: str) -> Answer:
    post = fake.server.own(fake.server.shop, identity)
    value = entities.post_json(post, fake.server, with_source=True)
    fake.server.delete(post)
    fake.record("deleted", place=fake.place_of(post), ref=post.id)
    return answer_json(value)


def like_post(fake: Mastodon, request: Request, identity: str, wish: str) -> Answer:
    post = seen(fake, identity)
    fake.record("liked" if wish == "favourite" else "unliked", place=fake.place_of(post), ref=post.id)
    return answer_json({**entities.post_json(post, fake.server), "favourited": wish == "favourite"})


def seen(fake: Mastodon, identity: str) -> Post:
    return fake.server.seen_by(fake.server.shop, identity)


# ------------------------------------------------------------------------------------------------ files


def upload(fake: Mastodon, request: Request) -> Answer:
    description = str(request.fields.get("description") or "")
    sent = request.files.get("file")
    if sent is None:
        raise Refusal(422, "Validation failed: File can't be blank")
    if not sent.content_type.startswith(("image/", "video/", "audio/")):
        raise Refusal(422, "Validation failed: File content type is invalid, File is invalid")
    attachment = Attachment(sent.name, sent.content_type, sent.content, description)
    file = fake.server.add_file(attachment, at=fake.now(), looks_until_ready=fake.looks_until_ready)
    fake.record("uploaded", ref=file.id, text=description, name=sent.name, size=len(sent.content))
    return answer_json(entities.file_json(file, fake.server), 202 if file.looks_until_ready else 200)


def look_at_file(fake: Mastodon, request: Request, identity: str) -> Answer:
    """Each look brings the processing one step on."""
    file = chosen_file(fake, identity)
    file.looks_until_ready = max(0, file.looks_until_ready - 1)
    return answer_json(entities.file_json(file, fake.server), 206 if file.looks_until_ready else 200)


def chosen_file(fake: Mastodon, identity: str) -> Any:
    file = fake.server.files.get(str(identity))
    if file is None:
        raise Refusal(*NOT_FOUND)
    return file


# ------------------------------------------------------------------------------------------------ pages


def page(
    fake: Mastodon, request: Request, items: Sequence[T], as_json: Callable[[T], Any], *, usual: int, most: int
) -> Answer:
    """Newest first. min_id gives the oldest page after it, since_id the newest; Link names the neighbours."""
    values = request.fields
    limit = min(max(int(values.get("limit") or usual), 1), most)
    above = int(values.get("min_id") or values.get("since_id") or 0)
    below = int(values["max_id"]) if values.get("max_id") else None
    found = [item for item in items if int(item.id) > above and (below is None or int(item.id) < below)]
    chosen = found[:limit] if values.get("min_id") else found[-limit:]
    chosen = chosen[::-1]
    headers = {}
    if chosen:
        links: list[str] = [neighbour(fake, request, "next", "max_id", chosen[-1].id)] if len(chosen) == limit else []
        headers["Link"] = ", ".join([*links, neighbour(fake, request, "prev", "min_id", chosen[0].id)])
    return answer_json([as_json(item) for item in fake.mischief.dealt(chosen)], headers=headers)


def neighbour(fake: Mastodon, request: Request, relation: str, name: str, identity: str) -> str:
    kept = [(each, text) for each, text in request.query if each not in {"min_id", "max_id", "since_id"}]
    return f'<{fake.url}{request.path}?{urlencode([*kept, (name, identity)])}>; rel="{relation}"'


Handler = Callable[..., Answer]
OPEN: tuple[tuple[str, str, Handler], ...] = (
    ("GET", r"/api/v([12])/instance", read_instance),
    ("GET", r"/api/v1/streaming/health", stream_health),
    ("GET", r"/media/(\d+)/original/(.+)", read_file),
    ("GET", r"/avatars/(\d+)\.svg", read_avatar),
)
WITH_TOKEN: tuple[tuple[str, str, Handler], ...] = (
    ("GET", r"/api/v1/accounts/verify_credentials", verify_credentials),
    ("GET", r"/api/v1/accounts/lookup", look_up_account),
    ("GET", r"/api/v1/accounts/(\d+)", read_account),
    ("GET", r"/api/v1/accounts/(\d+)/statuses", account_posts),
    ("GET", r"/api/v1/timelines/tag/(\w+)", tag_posts),
    ("GET", r"/api/v1/notifications", notifications),
    ("GET", r"/api/v1/notifications/requests", notification_requests),
    ("GET", r"/api/v1/notifications/requests/(\d+)", one_request),
    ("POST", r"/api/v1/notifications/requests/(\d+)/accept", accept_request),
    ("GET", r"/api/v1/notifications/(\d+)", one_notification),
    ("POST", r"/api/v1/statuses", publish),
    ("GET", r"/api/v1/statuses", read_posts),
    ("GET", r"/api/v1/statuses/(\d+)", read_post),
    ("PUT", r"/api/v1/statuses/(\d+)", edit_post),
    ("DELETE", r"/api/v1/statuses/(\d+)", delete_post),
    ("POST", r"/api/v1/statuses/(\d+)/(favourite|unfavourite)", like_post),
    ("GET", r"/api/v1/statuses/(\d+)/context", read_context),
    ("GET", r"/api/v1/statuses/(\d+)/history", read_history),
    ("GET", r"/api/v1/statuses/(\d+)/source", read_source),
    ("POST", r"/api/v[12]/media", upload),
    ("GET", r"/api/v1/media/(\d+)", look_at_file),
)


def respond(fake: Mastodon, request: Request, table: Sequence[tuple[str, str, Handler]]) -> Answer | None:
    """The answer of the first matching address; None when there is none. Raises Refusal."""
    for method, pattern, handler in table:
        found = re.fullmatch(pattern, request.path.rstrip("/"))  # Rails does not mind a last slash
        if found and request.method == method:
            return handler(fake, request, *found.groups())
    return None
