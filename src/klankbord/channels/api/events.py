"""Events of our own format, as other systems send them (README.md describes it), translated to the desk's words.

The sender is trusted to be who it says, not to be tidy: ids may be numbers, moments may be in any common form, text
may hold what a database refuses. What is merely untidy is cleaned and marked; what cannot be understood is Malformed,
alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from klankbord.contract import (
    Arrived,
    AuthorKind,
    Context,
    Deleted,
    Delivery,
    Edited,
    Item,
    Malformed,
    Media,
    MediaKind,
    Person,
    Place,
    ReceiptArrived,
    ReceiptState,
    Unknown,
    Visibility,
    parse_each,
)
from klankbord.kernel import text as texts

MOST_EVENTS = 1_000
MOST_ATTACHMENTS = 50

_LONGEST_ID = 500
_DEEPEST_FACT = 20
_RAW_KEPT = 20_000

_MEDIA_KINDS = {"image": MediaKind.IMAGE, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}

# Above each of these a number cannot be a moment in seconds (milliseconds, microseconds) of this century.
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCK_DIFFERENCE = timedelta(minutes=5)
_LATE = timedelta(days=1)


def read_events(delivery: Delivery) -> list[Item]:
    """The items of a delivery: one per event, in the order given. A body that is not our format is one Malformed."""
    try:
        document = _read_json(delivery.body)
    except (ValueError, RecursionError) as error:
        reason = "too deeply nested" if isinstance(error, RecursionError) else f"not JSON: {error}"
        return [Malformed(reason[:300], delivery.body[:_RAW_KEPT])]
    events = document if isinstance(document, list) else [document]
    if not 1 <= len(events) <= MOST_EVENTS:
        return [Malformed(f"{len(events)} events; 1 to {MOST_EVENTS} are taken at once", delivery.body[:_RAW_KEPT])]
    return parse_each(events, lambda event: _read_event(event, delivery))


def _read_json(body: bytes) -> Any:
    """JSON in UTF-8. Numbers that are none (NaN, 1e400) become null, as no database keeps them."""
    return json.loads(
        body.decode("utf-8-sig"),
        parse_constant=lambda word: None,
        parse_float=lambda digits: number if math.isfinite(number := float(digits)) else None,
    )


def _read_event(event: Any, delivery: Delivery) -> Iterable[Item]:
    if not isinstance(event, dict):
        raise TypeError("an event is a JSON object")
    if _tick(event, "history"):
        delivery = replace(delivery, is_history=True)
    reader = _READERS.get(_word(event.get("type", "message")))
    return [reader(event, delivery) if reader else _unknown(event, delivery)]


def _message(event: Mapping[str, Any], delivery: Delivery) -> Item:
    moment = _moment(event.get("at"), delivery)
    text, was_text_cleaned = _text(event, "text")
    html, was_html_cleaned = _text(event, "html")
    media = _attachments(event.get("attachments"))
    if not text.strip() and not media:
        raise ValueError("a message has a text or an attachment")
    is_own = _tick(event, "is_own")
    return Arrived(
        external_id=_id(event, "id"),
        place=_place(event["place"], delivery),
        person=_person(event["person"]),
        text=text,
        html=html,
        at=moment.at,
        media=media,
        is_own=is_own,
        author_kind=_author_kind(event) if is_own else AuthorKind.CONTACT,
        author_name=_line(event, "author") if is_own else "",
        thread_ids=tuple(_as_id(each) for each in event.get("thread_ids") or ()),
        client_key=_id(event, "key", is_required=False),
        in_reply_to=_id(event, "in_reply_to", is_required=False),
        language=_line(event, "language"),
        is_automatic=_tick(event, "is_automatic"),
        is_context=_tick(event, "is_context"),
        is_history=_tick(event, "history"),
        remarks=moment.remarks + (("characters-removed",) if was_text_cleaned or was_html_cleaned else ()),
        facts=_facts(event),
    )


def _edit(event: Mapping[str, Any], delivery: Delivery) -> Item:
    if not isinstance(event["text"], str):
        raise TypeError("text is a string")
    return Edited(
        external_id=_id(event, "id"),
        text=_text(event, "text")[0],
        html=_text(event, "html")[0],
        at=_moment(event.get("at"), delivery).at,
    )


def _delete(event: Mapping[str, Any], delivery: Delivery) -> Item:
    return Deleted(external_id=_id(event, "id"), at=_moment(event.get("at"), delivery).at)


def _receipt(event: Mapping[str, Any], delivery: Delivery) -> Item:
    external_id = _id(event, "id", is_required=False)
    place_key = _id(event, "place", is_required=False)
    up_to = _moment(event["up_to"], delivery).at if event.get("up_to") is not None else None
    if not external_id and not (place_key and up_to):
        raise ValueError("a receipt names a message (id), or a place and the moment up to which it holds (up_to)")
    return ReceiptArrived(
        state=ReceiptState(event["state"]),
        at=_moment(event.get("at"), delivery).at,
        external_id=external_id,
        place_key=place_key,
        up_to=up_to,
        reason=_line(event, "reason"),
    )


def _unknown(event: Mapping[str, Any], delivery: Delivery) -> Item:
    place, person = event.get("place"), event.get("person")
    return Unknown(
        kind=_word(event["type"]),
        at=_moment(event.get("at"), delivery).at,
        external_id=_id(event, "id", is_required=False),
        place=_place(place, delivery) if isinstance(place, dict) else None,
        person=_person(person) if isinstance(person, dict) else None,
        raw=texts.clean(json.dumps(event, ensure_ascii=False))[:_RAW_KEPT],
    )


_READERS = {"message": _message, "edit": _edit, "delete": _delete, "receipt": _receipt}


# ------------------------------------------------------------------------------------------------ parts of a message


def _place(place: Mapping[str, Any], delivery: Delivery) -> Place:
    key = _id(place, "id")
    context = place.get("context")
    return Place(
        key=key,
        visibility=Visibility(place.get("visibility", Visibility.PRIVATE)),
        target=_id(place, "target", is_required=False) or key,
        title=_line(place, "title"),
        url=_link(place, "url"),
        context=_context(context, delivery) if isinstance(context, dict) else None,
        facts=_facts(place),
        post=_id(place, "post", is_required=False),
    )


def _context(context: Mapping[str, Any], delivery: Delivery) -> Context:
    at, audience = context.get("at"), context.get("audience")
    return Context(
        text=_text(context, "text")[0],
        author=_line(context, "author"),
        url=_link(context, "url"),
        posted_at=_moment(at, delivery).at if at is not None else None,
        audience=audience if isinstance(audience, int) and 0 <= audience < 2**53 else None,
        image_url=_link(context, "image_url"),
    )


def _person(person: Mapping[str, Any]) -> Person:
    return Person(
        external_id=_id(person, "id"),
        name=_line(person, "name"),
        username=_line(person, "username"),
        email=_line(person, "email"),
        phone=_line(person, "phone"),
        avatar_url=_link(person, "avatar_url"),
        profile_url=_link(person, "profile_url"),
        is_proven=_tick(person, "is_proven"),
        facts=_facts(person),
    )


def _author_kind(event: Mapping[str, Any]) -> AuthorKind:
    kind = AuthorKind(event.get("author_kind", AuthorKind.AGENT))
    if kind == AuthorKind.CONTACT:
        raise ValueError("our own message was not written by the contact")
    return kind


def _attachments(raws: Any) -> tuple[Media, ...]:
    if raws is None:
        return ()
    if not isinstance(raws, list) or len(raws) > MOST_ATTACHMENTS:
        raise ValueError(f"attachments is a list of at most {MOST_ATTACHMENTS}")
    return tuple(_attachment(each) for each in raws)


def _attachment(raw: Any) -> Media:
    """One bad attachment does not cost the message: it is shown as refused."""
    if not isinstance(raw, dict):
        return Media(MediaKind.FILE, refused="The attachment was not described.")
    content_type, size, url = _line(raw, "type").lower(), raw.get("size"), _link(raw, "url")
    return Media(
        kind=_MEDIA_KINDS.get(content_type.partition("/")[0], MediaKind.FILE),
        name=_line(raw, "name"),
        content_type=content_type,
        url=url,
        size=size if isinstance(size, int) and 0 <= size < 2**53 else None,
        content_id=_line(raw, "content_id"),
        description=_line(raw, "description"),
        refused="" if url else "The attachment has no web address.",
    )


# ------------------------------------------------------------------------------------------------ single values


@dataclass(frozen=True, slots=True)
class _Moment:
    at: datetime
    remarks: tuple[str, ...] = ()


def _moment(value: Any, delivery: Delivery) -> _Moment:
    """A moment in whatever common form; the moment of arrival where it is absent or cannot be true."""
    now = delivery.received_at.astimezone(UTC)
    if value is None:
        return _Moment(now)
    at = _read_moment(value)
    if at is None or at < _EARLIEST:
        return _Moment(now, ("time-unclear",))
    if at > now + _CLOCK_DIFFERENCE:
        return _Moment(now, ("time-in-future",))
    is_late = now - at > _LATE and not delivery.is_history
    return _Moment(min(at, now), ("arrived-late",) if is_late else ())


def _read_moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, str) and not value.strip().replace(".", "", 1).isdecimal():
            at = datetime.fromisoformat(value.strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, bool):
            return None
        number = float(value)
        divisor = next((divisor for above, divisor in _UNITS if number > above), 1.0)
        return datetime.fromtimestamp(number / divisor, tz=UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _id(holder: Mapping[str, Any], name: str, *, is_required: bool = True) -> str:
    value = holder.get(name)
    if value is None or value == "":
        if is_required:
            raise KeyError(name)
        return ""
    return _as_id(value)


def _as_id(value: Any) -> str:
    """An id as text. One that would have to be cleaned is refused: two different ids must not become the same."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError("an id is a string or a whole number")
    text = str(value)
    if not text.strip() or len(text) > _LONGEST_ID or texts.clean(text) != text:
        raise ValueError(f"an id is at most {_LONGEST_ID} ordinary characters")
    return text


def _text(holder: Mapping[str, Any], name: str) -> tuple[str, bool]:
    """The text, and whether characters had to be removed from it."""
    value = holder.get(name)
    if value is None:
        return "", False
    if not isinstance(value, str):
        raise TypeError(f"{name} is a string")
    cleaned = texts.clean(value)
    return cleaned, cleaned != value.replace("\r\n", "\n").replace("\r", "\n")


def _line(holder: Mapping[str, Any], name: str) -> str:
    """A short text on one line; numbers are taken as text, anything else is left out."""
    value = holder.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return texts.one_line(str(value), limit=300)


def _word(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("type is a word")
    return texts.one_line(value, limit=60)


def _link(holder: Mapping[str, Any], name: str) -> str:
    """A web address; anything that is not one is left out, so that no page ever links to `javascript:`."""
    value = holder.get(name)
    if not isinstance(value, str) or len(value) > 2_000 or any(each.isspace() for each in value):
        return ""
    return texts.clean(value) if value.lower().startswith(("http://", "https://")) else ""


def _tick(holder: Mapping[str, Any], name: str) -> bool:
    """Only a JSON true is yes: the word "false" is not."""
    return holder.get(name) is True


def _facts(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = holder.get("facts")
    return {str(key): value for key, value in _plain(facts, 0).items()} if isinstance(facts, dict) else {}


def _plain(value: Any, depth: int) -> Any:
    """The same JSON value without characters that a database refuses."""
    if depth > _DEEPEST_FACT:
        raise ValueError("facts are nested too deeply")
    if isinstance(value, str):
        return texts.clean(value)
    if isinstance(value, list):
        return [_plain(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {texts.clean(key): _plain(each, depth + 1) for key, each in value.items()}
    return value
