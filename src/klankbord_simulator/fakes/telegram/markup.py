"""Telegram's HTML: text with entities out, or the sentence with which Telegram refuses it."""

from __future__ import annotations

import html
import re
from typing import Any

KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
PIECE = re.compile(r"<(/?)([a-zA-Z][\w-]*)?([^<>]*)(>?)|(&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)|([^<&]+|&)")


class ParseError(Exception):
    """Telegram's own description of what is wrong."""


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_html(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Plain text and its entities, offsets in UTF-16 units. Raises ParseError."""
    plain, entities, opened = "", [], []
    for found in PIECE.finditer(text):
        closing, name, attributes, end, reference, words = found.groups()
        if words or reference:
            plain += words or html.unescape(reference)
            continue
        at, name = len(text[: found.start()].encode()), (name or "").lower()
        if not end:
            raise ParseError(f"Unclosed start tag at byte offset {at}")
        if not closing:
            if name not in KINDS:
                raise ParseError(f'Unsupported start tag "{name}" at byte offset {at}')
            opened.append((name, attributes, utf16_length(plain)))
            continue
        if not opened:
            raise ParseError(f"Unexpected end tag at byte offset {at}")
        start_name, attributes, start = opened.pop()
        if name and name != start_name:
            raise ParseError(f'Unmatched end tag at byte offset {at}, expected "</{start_name}>", found "</{name}>"')
        entity: dict[str, Any] = {"offset": start, "length": utf16_length(plain) - start, "type": KINDS[start_name]}
        if start_name == "a":
            address = re.search(r'href\s*=\s*"([^"]*)"', attributes)
            entity["url"] = html.unescape(address[1]) if address else ""
        if entity["length"]:
            entities.append(entity)
    if opened:
        raise ParseError(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return plain, sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def found_entities(text: str) -> list[dict[str, Any]]:
    """What Telegram itself recognises in a text without markup."""
    kinds = (("bot_command", r"(?<!\S)/\w{1,32}\b"), ("url", r"https?://\S+"), ("hashtag", r"(?<!\S)#\w+"))
    return [
        {
            "offset": utf16_length(text[: found.start()]),
            "length": utf16_length(found[0]),
            "type": kind,
        }
        for kind, pattern in kinds
        for found in re.finditer(pattern, text)
    ]
