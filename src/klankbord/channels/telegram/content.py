"""What a Telegram message says and carries, whatever its kind.

Offsets of entities count UTF-16 units: https://core.telegram.org/api/entities
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from klankbord.contract import Media, MediaKind
from klankbord.kernel import text as texts

LARGEST_DOWNLOAD = 20_000_000  # bytes that a bot may fetch

_FILES = {
    "animation": (MediaKind.VIDEO, "video/mp4"),
    "audio": (MediaKind.AUDIO, "audio/mpeg"),
    "document": (MediaKind.FILE, ""),
    "video": (MediaKind.VIDEO, "video/mp4"),
    "video_note": (MediaKind.VIDEO, "video/mp4"),
    "voice": (MediaKind.AUDIO, "audio/ogg"),
}
_WORDS = ("text", "caption", "contact", "location", "venue", "poll", "sticker", "photo", *_FILES)

# What happens to a chat rather than what someone says in it.
_SERVICE = {
    "boost_added",
    "channel_chat_created",
    "chat_background_set",
    "connected_website",
    "delete_chat_photo",
    "forum_topic_closed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "group_chat_created",
    "left_chat_member",
    "message_auto_delete_timer_changed",
    "new_chat_members",
    "new_chat_photo",
    "new_chat_title",
    "pinned_message",
    "proximity_alert_triggered",
    "supergroup_chat_created",
    "video_chat_ended",
    "video_chat_participants_invited",
    "video_chat_scheduled",
    "video_chat_started",
    "write_access_allowed",
}
# Fields that say something about a message but are not its content.
_ABOUT = {
    "author_signature",
    "business_connection_id",
    "caption_entities",
    "chat",
    "date",
    "direct_messages_topic",
    "edit_date",
    "effect_id",
    "entities",
    "external_reply",
    "forward_origin",
    "from",
    "has_media_spoiler",
    "has_protected_content",
    "is_automatic_forward",
    "is_from_offline",
    "is_paid_post",
    "is_topic_message",
    "link_preview_options",
    "media_group_id",
    "message_id",
    "message_thread_id",
    "paid_star_count",
    "quote",
    "reply_markup",
    "reply_to_message",
    "sender_boost_count",
    "sender_business_bot",
    "sender_chat",
    "sender_tag",
    "show_caption_above_media",
    "via_bot",
}


def says_something(message: Mapping[str, Any]) -> bool:
    return any(message.get(word) for word in _WORDS)


def is_service(message: Mapping[str, Any]) -> bool:
    return any(word in message for word in _SERVICE)


def unknown_content(message: Mapping[str, Any]) -> str:
    """Telegram's word for a content that we do not know (yet)."""
    return next((word for word in sorted(message) if word not in _ABOUT), "empty")


def message_text(message: Mapping[str, Any]) -> str:
    """All words of a message, also of those that are no text: a shared contact, a place on the map, a poll."""
    lines = [
        _with_links(message.get("text"), message.get("entities")),
        _with_links(message.get("caption"), message.get("caption_entities")),
        str((message.get("sticker") or {}).get("emoji") or ""),
        _contact(message.get("contact") or {}),
        _venue(message.get("venue") or {}),
        _location((message.get("venue") or message).get("location") or {}),
        _poll(message.get("poll") or {}),
    ]
    return texts.clean("\n".join(line for line in lines if line))


def message_media(message: Mapping[str, Any]) -> tuple[Media, ...]:
    found: list[Media] = []
    if sizes := message.get("photo"):
        found.append(_file(max(sizes, key=lambda size: size["width"] * size["height"]), MediaKind.IMAGE, "image/jpeg"))
    if sticker := message.get("sticker"):
        kind = "video/webm" if sticker.get("is_video") else "application/x-tgsticker"
        is_picture = not sticker.get("is_video") and not sticker.get("is_animated")
        found.append(_file(sticker, MediaKind.STICKER, "image/webp" if is_picture else kind))
    for word, (kind_of_media, content_type) in _FILES.items():
        # An animation is repeated as a document for old clients.
        if message.get(word) and not (word == "document" and message.get("animation")):
            found.append(_file(message[word], kind_of_media, content_type))
    return tuple(found)


def _file(file: Mapping[str, Any], kind: MediaKind, content_type: str) -> Media:
    size = file.get("file_size")
    size = size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else None
    is_too_large = size is not None and size > LARGEST_DOWNLOAD
    given_type = texts.one_line(str(file.get("mime_type") or content_type), limit=120)
    return Media(
        kind=MediaKind.IMAGE if kind == MediaKind.FILE and given_type.startswith("image/") else kind,
        name=texts.one_line(str(file.get("file_name") or ""), limit=200),
        content_type=given_type,
        fetch="" if is_too_large else texts.one_line(str(file["file_id"]), limit=500),
        size=size,
        refused="Telegram lets us fetch files up to 20 MB; this one is larger. Ask for a link or an e-mail."
        if is_too_large
        else "",
    )


def _with_links(text: Any, entities: Any) -> str:
    """The text, with the address behind a word written after that word."""
    if not text:
        return ""
    units = str(text).encode("utf-16-le", "surrogatepass")
    hidden = [each for each in entities or () if each.get("type") == "text_link" and each.get("url")]
    for entity in sorted(hidden, key=lambda each: int(each["offset"]), reverse=True):
        start, end = 2 * int(entity["offset"]), 2 * (int(entity["offset"]) + int(entity["length"]))
        shown = units[start:end].decode("utf-16-le", "replace")
        if 0 <= start < end <= len(units) and shown.rstrip("/") != str(entity["url"]).rstrip("/"):
            units = units[:end] + f" ({entity['url']})".encode("utf-16-le", "surrogatepass") + units[end:]
    return units.decode("utf-16-le", "surrogatepass")


def _contact(contact: Mapping[str, Any]) -> str:
    name = " ".join(str(contact[part]) for part in ("first_name", "last_name") if contact.get(part))
    return ", ".join(part for part in (name, str(contact.get("phone_number") or "")) if part)


def _venue(venue: Mapping[str, Any]) -> str:
    return ", ".join(str(venue[part]) for part in ("title", "address") if venue.get(part))


def _location(location: Mapping[str, Any]) -> str:
    if "latitude" not in location or "longitude" not in location:
        return ""
    latitude, longitude = float(location["latitude"]), float(location["longitude"])
    return f"📍 {latitude:.6f}, {longitude:.6f}" if abs(latitude) <= 90 and abs(longitude) <= 180 else ""


def _poll(poll: Mapping[str, Any]) -> str:
    options: Sequence[Mapping[str, Any]] = poll.get("options") or ()
    return (
        "\n".join([str(poll["question"]), *(f"– {each['text']}" for each in options)]) if poll.get("question") else ""
    )
