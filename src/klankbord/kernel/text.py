"""Text: clean what arrives, count it as platforms do, cut it where people see a border."""

from __future__ import annotations

import re
import unicodedata

import regex

_GRAPHEME = regex.compile(r"\X")
_LINK = regex.compile(r"https?://[^\s<>\"]+", regex.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # turn the direction of writing, also of what stands behind
_SURROGATE = regex.compile(r"[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that a database and a page can hold: no control characters, no lone surrogates, LF line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _CONTROL.sub("", text))


def one_line(text: str, *, limit: int = 200) -> str:
    """The text on one line, `limit` characters at most: a name or title that can stand within a sentence of ours."""
    return cut(" ".join(_TURNS.sub("", clean(text)).split()), limit)


def graphemes(text: str) -> list[str]:
    """What a reader would call characters: an emoji family is one."""
    return _GRAPHEME.findall(text)


def cut(text: str, limit: int, *, ellipsis: str = "…") -> str:
    """At most `limit` characters as columns count them, an ellipsis for what was left out; no grapheme is broken."""
    if len(text) <= limit:
        return text
    room = limit - len(ellipsis)
    head = text[: max(room, 0) + 1]
    if head.isascii() and "\r" not in head:  # there every character is a grapheme, the next one included
        return text[:room] + ellipsis
    end = 0
    for match in _GRAPHEME.finditer(text):
        if match.end() > limit - len(ellipsis):
            break
        end = match.end()
    # One grapheme that is longer than the room (a letter under a thousand accents) is cut inside, not left out.
    return (text[:end] or text[: limit - len(ellipsis)]) + ellipsis


def length(text: str, *, unit: str, per_link: int | None = None) -> int:
    """The length in a platform's unit: characters (code points), graphemes, utf-16 units or bytes (UTF-8).

    per_link: what every link counts for, however long it is.
    """
    links = 0
    if per_link is not None:
        text, links = _LINK.subn("", text)
    return _measure(text, unit) + links * (per_link or 0)


def split(text: str, limit: int, *, unit: str) -> list[str]:
    """Cut a text into parts of at most `limit` units: at paragraphs, else lines, else sentences, else words, and only
    within a word at grapheme borders. Joining the parts gives back every visible character in order."""
    parts: list[str] = []
    rest = text.strip()
    while rest and _measure(rest, unit) > limit:
        head = _longest_head(rest, limit, unit)
        border = max(_border(head, "\n\n"), 0) or _border(head, "\n") or _sentence_border(head) or _border(head, " ")
        head = head[:border] if border else head
        parts.append(head.strip())
        rest = rest[len(head) :].strip()
    return [part for part in [*parts, rest] if part]


def fold(text: str) -> str:
    """A key for comparing and searching: lower case, accents removed, white space folded."""
    plain = _BEYOND_ASCII.sub(_without_accents, unicodedata.normalize("NFKD", text))
    return " ".join(plain.casefold().split())


def _without_accents(letters: re.Match[str]) -> str:
    return "".join([each for each in letters.group() if not unicodedata.combining(each)])


def _measure(text: str, unit: str) -> int:
    if unit == "characters":
        return len(text)
    if unit == "graphemes":
        return len(graphemes(text))
    if unit == "utf-16 units":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    if unit == "bytes":
        return len(text.encode("utf-8", "surrogatepass"))
    raise ValueError(f"unknown unit {unit!r}")


def _longest_head(text: str, limit: int, unit: str) -> str:
    used, end = 0, 0
    for match in _GRAPHEME.finditer(text):
        used += _measure(match.group(), unit)
        if used > limit:
            break
        end = match.end()
    return text[:end] if end else text[:1]  # a single grapheme over the limit: cut inside it rather than never end


def _border(head: str, mark: str) -> int:
    """Where to cut after `mark`, when that keeps at least half of the head; else 0."""
    found = head.rfind(mark)
    return found + len(mark) if found >= len(head) // 2 else 0


def _sentence_border(head: str) -> int:
    return max(_border(head, mark) for mark in (". ", "! ", "? "))
