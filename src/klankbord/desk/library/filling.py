"""Blanks in a text, such as {voornaam}: which there are, and the text with them filled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# {name} or {name|what to say when nothing is known}. No white space in a name, so that a brace in prose stays one.
_BLANK = re.compile(r"\{([^\W\d][\w-]{0,39})(?:\|([^{}\n]{0,200}))?\}")
SAME = {  # English names of the blanks that are always there
    "firstname": "voornaam", "name": "naam", "company": "bedrijf", "our-name": "bedrijf", "number": "ticket",
}  # fmt: skip
ALWAYS = ("voornaam", "naam", "ticket", "agent", "bedrijf")


@dataclass(frozen=True, slots=True)
class Filled:
    """missing: names of blanks that stayed, because nothing is known or nothing is called so."""

    text: str
    missing: tuple[str, ...] = ()


def fill(text: str, values: Mapping[str, str]) -> Filled:
    """values: by the Dutch name in small letters. What they say is never read for blanks again."""
    missing: list[str] = []

    def said(blank: re.Match[str]) -> str:
        value = values.get(known_as(blank[1]), "") or blank[2]
        if not value:
            missing.append(blank[1])
        return value or blank[0]

    return Filled(_BLANK.sub(said, text), tuple(dict.fromkeys(missing)))


def blanks(text: str) -> tuple[str, ...]:
    """The names in a text, as `fill` looks them up."""
    return tuple(dict.fromkeys(known_as(blank[1]) for blank in _BLANK.finditer(text)))


def known_as(name: str) -> str:
    name = name.casefold()
    return SAME.get(name, name)
