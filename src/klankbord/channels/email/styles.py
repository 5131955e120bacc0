"""What inline styles do to the visibility of words. Understands only hiding; all else is as if it were not there.

Hiding that is not understood here stays visible in the text and in the HTML alike, because the HTML loses its styles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)

_NEAR = 36  # of 765: closer than this, words do not stand out from their background
_TINY_PX = 2.0
_FAR_PX = -500.0

_COMMENT = re.compile(r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/")
_LENGTH = re.compile(r"(-?\d{0,6}(?:\.\d{0,6})?)\s*(px|pt|em|rem|%|ex|vw|vh|cm|mm|in|pc)?")
_RGB = re.compile(r"rgba?\(\s*([\d.]+)\s*[, ]\s*([\d.]+)\s*[, ]\s*([\d.]+)\s*(?:[,/]\s*([\d.]+%?)\s*)?\)")
_HEX = re.compile(r"#([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{4}|[0-9a-f]{3})\b")
_PX = {"": 1.0, "px": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "%": 0.16, "ex": 8.0, "cm": 37.8, "mm": 3.78}
_NAMED: dict[str, Colour] = {
    "white": WHITE,
    "black": BLACK,
    "snow": (255, 250, 250),
    "ghostwhite": (248, 248, 255),
    "whitesmoke": (245, 245, 245),
    "ivory": (255, 255, 240),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "navy": (0, 0, 128),
    "orange": (255, 165, 0),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How words look at one place. A colour of None is unknown, and unknown is never called hidden."""

    ink: Colour | None = BLACK
    paper: Colour | None = WHITE
    is_removed: bool = False  # this element takes its whole content with it
    is_tiny: bool = False
    is_transparent: bool = False

    @property
    def is_unreadable(self) -> bool:
        if self.is_tiny or self.is_transparent:
            return True
        return self.ink is not None and self.paper is not None and _is_near(self.ink, self.paper)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one style attribute says; None where it says nothing."""

    is_removed: bool = False
    is_tiny: bool | None = None
    is_transparent: bool | None = None
    ink: Colour | None = None
    paper: Colour | None = None
    is_paper_unknown: bool = False


def inherit(look: Look, tag: str, attributes: Mapping[str, str], *, has_unknown_look: bool = False) -> Look:
    """The look inside an element. has_unknown_look: a style sheet that we do not read may colour it."""
    paper, style = attributes.get("bgcolor"), attributes.get("style")
    ink = attributes.get("color") if tag == "font" else None
    is_removed = "hidden" in attributes
    if paper is None and ink is None and style is None and not is_removed and not has_unknown_look:
        return look
    return _inherited(look, has_unknown_look, paper, ink, is_removed, style and style[:4_000])


@lru_cache(maxsize=2048)
def _inherited(
    look: Look, has_unknown_look: bool, paper: str | None, ink: str | None, is_removed: bool, style: str | None
) -> Look:
    """A mail says the same things of its words again and again. paper, ink: the attributes that name a colour."""
    if has_unknown_look:
        look = replace(look, ink=None, paper=None, is_transparent=False)
    if paper is not None:
        look = replace(look, paper=_colour(paper.lower().strip())[0])
    if ink is not None:
        look = replace(look, ink=_colour(ink.lower().strip())[0])
    if is_removed:
        return replace(look, is_removed=True)
    if style is None:
        return look
    rules = _rules(style)
    return Look(
        ink=rules.ink or look.ink,
        paper=None if rules.is_paper_unknown else rules.paper or look.paper,
        is_removed=rules.is_removed,
        is_tiny=look.is_tiny if rules.is_tiny is None else rules.is_tiny,
        is_transparent=look.is_transparent if rules.is_transparent is None else rules.is_transparent,
    )


@lru_cache(maxsize=2048)
def _rules(style: str) -> _Rules:
    said = _declarations(style)
    ink, alpha = _colour(said.get("color", ""))
    background = said.get("background-color") or said.get("background", "")
    paper, paper_alpha = _colour(background)
    size = _pixels(said.get("font-size", ""))
    return _Rules(
        is_removed=_removes(said),
        is_tiny=None if size is None else size <= _TINY_PX,
        is_transparent=None if "color" not in said else alpha is not None and alpha < 0.06,
        ink=ink,
        paper=paper if paper_alpha is None or paper_alpha > 0.5 else None,
        is_paper_unknown="url(" in background or "gradient" in background or "url(" in said.get("background-image", ""),
    )


def _declarations(style: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for each in _COMMENT.sub("", style.lower().replace("&quot;", '"')).split(";"):
        name, colon, value = each.partition(":")
        if colon:
            said[name.strip()] = value.replace("!important", "").strip()
    return said


def _removes(said: Mapping[str, str]) -> bool:
    if said.get("display") == "none" or said.get("visibility") in {"hidden", "collapse"}:
        return True
    if said.get("mso-hide") == "all" or said.get("content-visibility") == "hidden":
        return True
    opacity = said.get("opacity", "")
    if opacity and (_pixels(opacity.rstrip("%")) or 0.0) * (0.01 if "%" in opacity else 1) < 0.06:
        return True
    if said.get("overflow", "").startswith("hidden") and any(
        (size := _pixels(said.get(name, ""))) is not None and size <= _TINY_PX
        for name in ("height", "max-height", "width", "max-width")
    ):
        return True
    if any((_pixels(said.get(name, "")) or 0.0) <= _FAR_PX for name in ("text-indent", "left", "top", "margin-left")):
        return True
    clip = said.get("clip", "") + said.get("clip-path", "")
    return "rect(0" in clip or "inset(100%" in clip or "inset(50%" in clip or "scale(0" in said.get("transform", "")


def _pixels(value: str) -> float | None:
    """A length in pixels, None for what is none."""
    match = _LENGTH.fullmatch(value.strip())
    if match is None or match[1] in ("", "-", ".", "-."):
        return None
    return float(match[1]) * _PX.get(match[2] or "", 10.0)


def _colour(value: str) -> tuple[Colour | None, float | None]:
    """The first colour in a value and how opaque it is, (None, None) when it names none."""
    if not value:
        return None, None
    if found := _HEX.search(value):
        digits = found[1]
        if len(digits) <= 4:
            digits = "".join(each * 2 for each in digits)
        red, green, blue, alpha = (int((digits + "ff")[at : at + 2], 16) for at in (0, 2, 4, 6))
        return (red, green, blue), alpha / 255
    if found := _RGB.search(value):
        red, green, blue = (min(255, int(float("0" + each.rstrip(".")))) for each in found.groups()[:3])
        alpha_text = found[4] or "1"
        factor = 0.01 if alpha_text.endswith("%") else 1.0
        return (red, green, blue), _number(alpha_text.rstrip("%")) * factor
    for word in value.replace(",", " ").split():
        if word == "transparent":
            return None, 0.0
        if word in _NAMED:
            return _NAMED[word], 1.0
    return None, None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


@lru_cache(maxsize=2048)
def _is_near(one: Colour, other: Colour) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) <= _NEAR
