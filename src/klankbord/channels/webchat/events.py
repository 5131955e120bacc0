"""What our own door stores for a visitor's act, translated to the desk's words.

The door has checked who may say this; here it is only read. `write_message` and `write_read` make the bodies, so that
the two sides of the format stand in one file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from klankbord.contract import (
    Arrived,
    Context,
    Delivery,
    Ignored,
    Item,
    Malformed,
    Media,
    MediaKind,
    Person,
    Place,
    ReceiptArrived,
    ReceiptState,
    Visibility,
    parse_each,
)
from klankbord.kernel import text as texts

_LONGEST_ID = 300
_RAW_KEPT = 20_000
_MOST_FILES = 50
_MEDIA_KINDS = {"image": MediaKind.IMAGE, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that the door has put into the file store. size: bytes."""

    key: str
    name: str
    content_type: str
    size: int


def write_message(
    *,
    message_id: str,
    visitor: str,
    is_proven: bool,
    text: str,
    at: datetime,
    name: str = "",
    email: str = "",
    language: str = "",
    page_url: str = "",
    page_title: str = "",
    files: Sequence[StoredFile] = (),
) -> bytes:
    """The body of a visitor's message. message_id: the same for every attempt to send it."""
    return _json(
        {
            "type": "message",
            "id": message_id,
            "visitor": {"id": visitor, "is_proven": is_proven, "name": name, "email": email},
            "text": text,
            "at": at.isoformat(),
            "language": language,
            "page": {"url": page_url, "title": page_title},
            "files": [
                {"key": each.key, "name": each.name, "type": each.content_type, "size": each.size} for each in files
            ],
        }
    )


def write_read(*, visitor: str, up_to: datetime, at: datetime) -> bytes:
    """The body of "this visitor has seen everything of ours until then"."""
    return _json({"type": "read", "visitor": {"id": visitor}, "up_to": up_to.isoformat(), "at": at.isoformat()})


def message_id_of(visitor: str, client_id: str) -> str:
    """The id of a visitor's message: theirs to choose, but only among their own."""
    return f"{visitor}/{client_id}"


def client_id_of(message_id: str, visitor: str) -> str:
    """The id that the visitor's page chose, "" when the message is not theirs."""
    head, _, client_id = message_id.rpartition("/")
    return client_id if head == visitor else ""


def read_event(delivery: Delivery, inbox: str) -> list[Item]:
    """The item of a delivery. A body that is not our format is one Malformed. inbox: the realm of the visitors."""
    try:
        document = json.loads(delivery.body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return [Malformed(f"not our format: {type(error).__name__}", delivery.body[:_RAW_KEPT])]
    return parse_each([document], lambda event: _read(event, inbox))


def _read(event: Any, inbox: str) -> Iterable[Item]:
    if not isinstance(event, dict):
        raise TypeError("an event is a JSON object")
    match event.get("type"):
        case "message":
            return [_message(event, inbox)]
        case "read":
            return [_read_up_to(event)]
        case other:
            return [Ignored(f"unknown kind {texts.one_line(str(other), limit=40)}")]


def _message(event: Mapping[str, Any], inbox: str) -> Item:
    visitor = event["visitor"]
    text = texts.clean(_string(event, "text"))
    media = tuple(_media(each) for each in _list(event, "files"))
    if not text.strip() and not media:
        raise ValueError("a message has a text or a file")
    visitor_id = _id(visitor, "id")
    return Arrived(
        external_id=_id(event, "id"),
        place=_place(visitor_id, event.get("page")),
        person=Person(
            external_id=visitor_id,
            realm=inbox,
            name=_line(visitor, "name", 200),
            email=_line(visitor, "email", 254),
            is_proven=visitor.get("is_proven") is True,
        ),
        text=text,
        at=_moment(event, "at"),
        media=media,
        language=_line(event, "language", 8),
    )


def _place(visitor_id: str, page: Any) -> Place:
    """One visitor is one place. The page where they asked is what an agent wants to see first."""
    page = page if isinstance(page, dict) else {}
    url, title = _link(page, "url"), _line(page, "title", 200)
    return Place(
        key=visitor_id,
        visibility=Visibility.PRIVATE,
        target=visitor_id,
        url=url,
        context=Context(text=title, url=url) if title or url else None,
    )


def _read_up_to(event: Mapping[str, Any]) -> Item:
    return ReceiptArrived(
        state=ReceiptState.READ,
        at=_moment(event, "at"),
        place_key=_id(event["visitor"], "id"),
        up_to=_moment(event, "up_to"),
    )


def _media(each: Any) -> Media:
    content_type = _line(each, "type", 120)
    size = each.get("size")
    return Media(
        kind=_MEDIA_KINDS.get(content_type.partition("/")[0], MediaKind.FILE),
        name=_line(each, "name", 200),
        content_type=content_type,
        stored_key=_id(each, "key"),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
    )


def _moment(holder: Mapping[str, Any], name: str) -> datetime:
    moment = datetime.fromisoformat(holder[name])
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _id(holder: Mapping[str, Any], name: str) -> str:
    value = holder[name]
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_ID or texts.clean(value) != value:
        raise ValueError(f"{name} is at most {_LONGEST_ID} ordinary characters")
    return value


def _string(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name, "")
    if not isinstance(value, str):
        raise TypeError(f"{name} is a string")
    return value


def _line(holder: Mapping[str, Any], name: str, limit: int) -> str:
    value = holder.get(name)
    return texts.one_line(value, limit=limit) if isinstance(value, str) else ""


def _list(holder: Mapping[str, Any], name: str) -> list[Any]:
    value = holder.get(name) or []
    if not isinstance(value, list) or len(value) > _MOST_FILES:
        raise TypeError(f"{name} is a list of at most {_MOST_FILES}")
    return value


def _link(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or len(value) > 2_000 or any(each.isspace() for each in value):
        return ""
    return texts.clean(value) if value.lower().startswith(("http://", "https://")) else ""


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=True).encode()
