"""The part of a message in which the words stand, with the words marked. Plain text in, plain text out: who shows it
escapes it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from klankbord.kernel.text import fold, one_line

Snippet = list[tuple[str, bool]]  # pieces in order; True: one of the words

_LONGEST = 6000  # characters that are looked through
_AROUND, _ROOM = 60, 220  # characters before the first word, and in all
_WORD = re.compile(r"[^\W_]+")


def flat(text: str) -> str:
    """On one line, with letters and their accents in one."""
    return unicodedata.normalize("NFC", one_line(text, limit=_LONGEST))


def spoken_words(text: str) -> set[str]:
    """The folded words of what `cut_out` looks through."""
    return {_folded(word) for word in _WORD.findall(flat(text))}


def cut_out(text: str, marked: Collection[str]) -> Snippet:
    """The surroundings of the first marked word; the beginning of the text when none stands in it."""
    line = flat(text)
    first = next((word.start() for word in _WORD.finditer(line) if _folded(word.group()) in marked), 0)
    start = 0 if first <= _AROUND else _border(line, first - _AROUND, first)
    end = len(line) if len(line) - start <= _ROOM else _border(line, start + _ROOM - 20, start + _ROOM)
    pieces: Snippet = [("… ", False)] if start else []
    done = start
    for word in _WORD.finditer(line, start, end):
        if _folded(word.group()) in marked:
            pieces += [(line[done : word.start()], False), (word.group(), True)]
            done = word.end()
    pieces.append((line[done:end].rstrip() + (" …" if end < len(line) else ""), False))
    return [piece for piece in pieces if piece[0]]


def _border(line: str, start: int, end: int) -> int:
    """Where a word begins between two places; the first of them when nowhere."""
    found = line.find(" ", start, end)
    return found + 1 if found >= 0 else start


@lru_cache(maxsize=20_000)
def _folded(word: str) -> str:
    return word.lower() if word.isascii() else fold(word)
