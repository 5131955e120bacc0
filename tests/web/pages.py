"""Reading pages as a person does: by what is written on them."""

from __future__ import annotations

import html
import re
from typing import Any

FRAGMENT = {"HX-Request": "true"}


def text_of(response: Any) -> str:
    """The visible words, in order, with single spaces."""
    page = response.content.decode()
    page = re.sub(r"(?s)<(head|template|select)\b.*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def field(response: Any, name: str) -> str:
    """The value of the first form field of that name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found, f"no field {name}"
    return html.unescape(found[1])


def mode(response: Any, visibility: str = "") -> str:
    """Where a reply goes, as the composer offers it."""
    found = re.findall(r'<option value="([0-9a-f-]+:\w+)"', response.content.decode())
    return next(each for each in found if each.endswith(visibility))
