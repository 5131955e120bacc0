"""Notifications and statuses as the desk's words.

A delivery is one notification, exactly as the server gave it. Where the poll learnt something beside it, one key
`klankbord` is added: {"is_filtered", "root", "thread", "parent"}; three kinds of delivery are no notification at all
and say so in `klankbord.event`: "delete" (with id), "status.update" and "own" (with status), named after the stream's
events.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from klankbord.contract import (
    Account,
    Arrived,
    AuthorKind,
    Context,
    Deleted,
    Delivery,
    Edited,
    Ignored,
    Item,
    Media,
    MediaKind,
    Person,
    Place,
    Unknown,
    Visibility,
    parse_each,
)
from klankbord.kernel import text as texts

from .content import status_text
from .server import Credentials, realm

_LONGEST_ID = 200
_RAW_KEPT = 20_000
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)  # older than any of these servers
_CLOCK_DIFFERENCE = timedelta(minutes=5)
_LATE = timedelta(days=1)
_OPEN = ("public", "unlisted")  # anyone can read these
_MEDIA = {
    "image": MediaKind.IMAGE,
    "gifv": MediaKind.VIDEO,
    "video": MediaKind.VIDEO,
    "audio": MediaKind.AUDIO,
}
_NOT_FOR_THE_DESK = {
    "follow",
    "follow_request",
    "favourite",
    "reblog",
    "poll",
    "status",
    "quoted_update",
    "severed_relationships",
    "annual_report",
    "admin.sign_up",
    "admin.report",
}


def parse(delivery: Delivery, account: Account[Credentials]) -> list[Item]:
    return parse_each([delivery], lambda each: _read(each, account))


def _read(delivery: Delivery, account: Account[Credentials]) -> Iterable[Item]:
    said = json.loads(delivery.body)
    beside = said.get("klankbord") or {}
    match beside.get("event"):
        case "delete":
            yield Deleted(_id(said["id"]), at=_moment(beside.get("at"), delivery)[0])
        case "status.update":
            yield _edit(said["status"], delivery)
        case "own":
            yield _own_answer(said["status"], beside, account, delivery)
        case _:
            yield _notification(said, beside, account, delivery)


def _notification(
    said: Mapping[str, Any], beside: Mapping[str, Any], account: Account[Credentials], delivery: Delivery
) -> Item:
    kind, status = str(said["type"]), said.get("status")
    if kind in _NOT_FOR_THE_DESK:
        return Ignored(kind, external_id=f"notification:{_word(said.get('id'))}")
    if kind in ("mention", "quote") and status:
        if str(status["account"]["id"]) == account.facts.get("account_id"):
            return _own_answer(status, beside, account, delivery)
        return _message(status, kind, beside, account, delivery)
    if kind == "update" and status:
        return _edit(status, delivery)
    who = said.get("account")
    return Unknown(
        kind=texts.one_line(kind, limit=60),
        at=_moment(said.get("created_at"), delivery)[0],
        external_id=f"notification:{_word(said.get('id'))}",
        place=_place(status, status["account"], beside, {}) if status and status.get("account") else None,
        person=_person(who, account) if who else None,
        raw=texts.clean(delivery.body.decode("utf-8", "replace"))[:_RAW_KEPT],
    )


def _message(
    status: Mapping[str, Any],
    kind: str,
    beside: Mapping[str, Any],
    account: Account[Credentials],
    delivery: Delivery,
) -> Arrived:
    author, raw_html = status["account"], str(status.get("content") or "")
    html = texts.clean(raw_html)
    at, about_time = _moment(status.get("created_at"), delivery)
    remarks = [
        ("filtered-by-server", bool(beside.get("is_filtered"))),
        ("quotes-us", kind == "quote"),
        ("bot-account", bool(author.get("bot"))),
        ("sensitive", bool(status.get("sensitive"))),
        ("characters-removed", html != raw_html.replace("\r\n", "\n").replace("\r", "\n")),
        (about_time, bool(about_time)),
    ]
    quoted = (status.get("quote") or {}).get("quoted_status") or {}
    return Arrived(
        external_id=_id(status["id"]),
        place=_place(status, author, beside, quoted if kind == "quote" else beside.get("parent") or {}),
        person=_person(author, account),
        text=status_text(status),
        html=html,
        at=at,
        media=tuple(_media(each) for each in status.get("media_attachments") or []),
        thread_ids=_thread_ids(status, beside, account),
        in_reply_to=_word(status.get("in_reply_to_id")),
        language=_word(status.get("language")),
        is_automatic=bool(author.get("bot")),
        also_to=_others(status, account),
        remarks=tuple(name for name, holds in remarks if holds),
        facts=_facts(status),
    )


def _own_answer(
    status: Mapping[str, Any], beside: Mapping[str, Any], account: Account[Credentials], delivery: Delivery
) -> Item:
    """What a colleague wrote on the server's own pages, or what we sent ourselves (then the desk knows the id)."""
    partner_id = _word(status.get("in_reply_to_account_id"))
    named = {str(each["id"]): each for each in status.get("mentions") or []}
    partner = named.get(partner_id) or next(iter(named.values()), None)
    if partner is None:
        return Ignored("own-post", external_id=_id(status["id"]))
    return Arrived(
        external_id=_id(status["id"]),
        place=_place(status, partner, beside, {}),
        person=_person(partner, account),
        text=status_text(status),
        html=texts.clean(str(status.get("content") or "")),
        at=_moment(status.get("created_at"), delivery)[0],
        media=tuple(_media(each) for each in status.get("media_attachments") or []),
        is_own=True,
        author_kind=AuthorKind.AGENT,
        thread_ids=_thread_ids(status, beside, account),
        in_reply_to=_word(status.get("in_reply_to_id")),
        language=_word(status.get("language")),
        facts=_facts(status),
    )


def _edit(status: Mapping[str, Any], delivery: Delivery) -> Edited:
    return Edited(
        external_id=_id(status["id"]),
        text=status_text(status),
        html=texts.clean(str(status.get("content") or "")),
        at=_moment(status.get("edited_at"), delivery)[0],
    )


def _place(
    status: Mapping[str, Any], contact: Mapping[str, Any], beside: Mapping[str, Any], shown_above: Mapping[str, Any]
) -> Place:
    """Direct messages stand with their partner, everything else with its contact under the first status above it.

    A status for followers only stands apart from the public one it may hang under, and a visibility word that we do
    not know counts as direct: a reply must never be seen by more people than the message was.
    """
    word, who = str(status.get("visibility") or ""), _id(contact["id"])
    root = _id(beside.get("root") or status.get("in_reply_to_id") or status["id"])
    if word in _OPEN:
        key, visibility = f"status:{root}:{who}", Visibility.PUBLIC
    elif word == "private":
        key, visibility = f"followers:{root}:{who}", Visibility.PRIVATE
    else:
        key, visibility = f"direct:{who}", Visibility.PRIVATE
    return Place(
        key=key,
        visibility=visibility,
        url=_word(status.get("url")) if root == _id(status["id"]) else "",
        context=_context(shown_above) if shown_above else None,
        post=f"status:{root}" if visibility is Visibility.PUBLIC else "",
        facts={
            "visibility": texts.one_line(word, limit=30),
            "private_place_key": f"direct:{who}",  # where our private reply, and the answer to it, will stand
        },
    )


def _context(status: Mapping[str, Any]) -> Context:
    author = status.get("account") or {}
    images = [each for each in status.get("media_attachments") or [] if each.get("type") == "image"]
    return Context(
        text=status_text(status),
        author=_word(author.get("display_name") or author.get("acct")),
        url=_word(status.get("url")),
        posted_at=_moment_of(status.get("created_at")),
        image_url=_word(images[0].get("preview_url") or images[0].get("url")) if images else "",
    )


def _thread_ids(status: Mapping[str, Any], beside: Mapping[str, Any], account: Account[Credentials]) -> tuple[str, ...]:
    """Earlier statuses between this contact and us, nearest first: a direct message, too, belongs to the case of the
    public one it answers. The poll names them where it saw the thread; else the parent counts when it is ours or the
    contact's own: what someone says under a stranger's complaint is no part of it."""
    if "thread" in beside:
        return tuple(_id(each) for each in beside["thread"])
    parent, parent_author = _word(status.get("in_reply_to_id")), _word(status.get("in_reply_to_account_id"))
    is_ours = bool(parent_author) and parent_author == account.facts.get("account_id")
    is_answer_of_ours = str(status["account"]["id"]) == account.facts.get("account_id")
    return (
        (parent,) if parent and (is_ours or is_answer_of_ours or parent_author == str(status["account"]["id"])) else ()
    )


def _person(account_seen: Mapping[str, Any], account: Account[Credentials]) -> Person:
    username = _word(account_seen.get("acct") or account_seen.get("username"))
    return Person(
        external_id=_id(account_seen["id"]),
        name=_word(account_seen.get("display_name")) or username.partition("@")[0],
        username=username,
        realm=realm(account),
        avatar_url=_word(account_seen.get("avatar")),
        profile_url=_word(account_seen.get("url")),
        facts={"uri": _word(account_seen.get("uri")), "is_bot": bool(account_seen.get("bot"))},
    )


def _media(attached: Mapping[str, Any]) -> Media:
    # A server that has not copied a picture from afar gives no `url`, only where it stood first.
    url = _word(attached.get("url") or attached.get("remote_url"))
    return Media(
        kind=_MEDIA.get(str(attached.get("type")), MediaKind.FILE),
        name=texts.one_line(url.rpartition("/")[2].partition("?")[0], limit=120),
        url=url,
        description=texts.clean(str(attached.get("description") or ""))[:1500],
        refused="" if url else "The server has not received this file.",
    )


def _others(status: Mapping[str, Any], account: Account[Credentials]) -> tuple[str, ...]:
    ours = account.facts.get("account_id")
    return tuple("@" + _word(each.get("acct")) for each in status.get("mentions") or [] if str(each.get("id")) != ours)


def _facts(status: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uri": _word(status.get("uri")),
        "url": _word(status.get("url")),
        "visibility": texts.one_line(str(status.get("visibility") or ""), limit=30),
    }


def _id(value: Any) -> str:
    """A platform id, as text. Raises ValueError for what cannot be one."""
    is_like_an_id = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    word = str(value)
    if not is_like_an_id or not 0 < len(word) <= _LONGEST_ID or texts.clean(word) != word:
        raise ValueError(f"not an id: {value!r:.60}")
    return word


def _word(value: Any) -> str:
    return texts.one_line(str(value), limit=2_000) if value is not None else ""


def _moment(value: Any, delivery: Delivery) -> tuple[datetime, str]:
    """A moment of the server, and what is odd about it; the moment of arrival where it gives none that makes sense."""
    moment = _moment_of(value)
    if moment is None or moment < _EARLIEST:
        return delivery.received_at, "time-unclear"
    if moment > delivery.received_at + _CLOCK_DIFFERENCE:
        return delivery.received_at, "time-in-future"
    is_late = moment < delivery.received_at - _LATE and not delivery.is_history
    return moment, "arrived-late" if is_late else ""


def _moment_of(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
