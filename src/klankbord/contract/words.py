"""The few words that everything else uses: who sees it, who wrote it, what kind of file, how far it got."""

from __future__ import annotations

import enum


class Visibility(enum.StrEnum):
    PUBLIC = "public"  # anyone can read it
    PRIVATE = "private"  # only the person (and us) can read it


class AuthorKind(enum.StrEnum):
    """Who wrote a message. Platforms treat text typed by a person differently, so it is kept from the first line."""

    CONTACT = "contact"
    AGENT = "agent"
    BOT = "bot"
    SYSTEM = "system"  # acknowledgements, out-of-hours replies


class MediaKind(enum.StrEnum):
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    STICKER = "sticker"
    LOCATION = "location"


class ReceiptState(enum.StrEnum):
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
