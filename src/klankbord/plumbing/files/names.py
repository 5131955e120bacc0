"""The name a file is shown under and saved as. The store never uses it."""

from __future__ import annotations

import re
import unicodedata

from klankbord.kernel.text import graphemes

_LIMIT_BYTES = 180  # in UTF-8; file systems stop at 255, and a browser may add " (1)"
_EXTENSION_BYTES = 20
_LONGEST_READ = 4096  # characters, from the end, where the name itself is
_SEPARATORS = re.compile(r"[/\\]")
_FORBIDDEN = re.compile(r'[<>:"|?*]')  # on Windows; a colon would also open a second stream behind the name
_RESERVED = re.compile(r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|com[0-9]|lpt[0-9])\s*(?:\.|$)", re.IGNORECASE)
# Control, format (zero width, direction), surrogate, private use, unassigned.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def display_name(raw: str, *, fallback: str = "file") -> str:
    """A sender's file name, harmless on a screen, in a header and on a disk; `fallback` when nothing is left of it.

    Normalised first, so that look-alikes (a full-width slash) become what they imitate, and only then made safe.
    """
    text = unicodedata.normalize("NFKC", _visible(unicodedata.normalize("NFKC", raw[-_LONGEST_READ:])))
    name = next((part for part in map(_tidy, reversed(_SEPARATORS.split(text))) if part), "")
    if not name:
        return fallback
    if _RESERVED.match(name):
        name = "_" + name
    return _shortened(name)


def _visible(text: str) -> str:
    """Without what cannot be seen; line ends and tabs part words, so they become spaces."""
    text = re.sub(r"[\t\n\v\f\r\x85\u2028\u2029]", " ", text)
    return "".join(character for character in text if unicodedata.category(character) not in _INVISIBLE)


def _tidy(part: str) -> str:
    # Dots in front hide a file or configure a web server; dots and spaces at the end vanish on Windows.
    return " ".join(_FORBIDDEN.sub("_", part).split()).lstrip(". ").rstrip(". ")


def _shortened(name: str) -> str:
    if len(name.encode()) <= _LIMIT_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > _EXTENSION_BYTES:
        stem, dot, extension = name, "", ""
    room = _LIMIT_BYTES - len((dot + extension).encode())
    kept, used = [], 0
    for grapheme in graphemes(stem):
        used += len(grapheme.encode())
        if used > room:
            break
        kept.append(grapheme)
    # A single grapheme can be longer than a name may be (a letter under a thousand accents): then its start must do.
    short = "".join(kept) or stem.encode()[:room].decode(errors="ignore")
    return short.rstrip(". ") + dot + extension
