"""Initials on a colour: how people without a picture are told apart."""

from __future__ import annotations

import zlib
from functools import lru_cache

from klankbord.kernel.text import graphemes

_COLOURS = 7


@lru_cache(maxsize=4000)
def initials(name: str) -> str:
    """One or two letters; the first character where a name has no letters (an emoji, a number)."""
    words = [word for word in name.replace("@", " ").split() if any(each.isalnum() for each in word)]
    if not words:
        return (graphemes(name.strip()) or ["?"])[0]
    letters = ["".join(each for each in word if each.isalnum()) for word in words]
    chosen = letters[0][:1] + (letters[-1][:1] if len(letters) > 1 else letters[0][1:2])
    return chosen.upper()


def of_colleague(own: str, name: str) -> str:
    """A colleague's own initials, first and last where there are more than a small circle holds; else the name's."""
    letters = graphemes(own.strip())
    return "".join(letters if len(letters) < 3 else [letters[0], letters[-1]]) or initials(name)


def colour(key: object) -> int:
    """1-7, the same for the same key in every process."""
    return zlib.crc32(str(key).encode()) % _COLOURS + 1
