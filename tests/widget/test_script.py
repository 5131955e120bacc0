"""What a site embeds: light, without cookies, without anything that a strict policy refuses, in two languages."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.test import Client

import klankbord.doors.widget as door

from .widget_site import ORIGIN, Site

FOLDER = Path(door.__file__).parent
SCRIPTS = sorted((FOLDER / "static" / "widget").iterdir())


def test_everything_that_a_page_loads_weighs_less_than_thirty_kilobytes() -> None:
    loaded = [*SCRIPTS, FOLDER / "templates" / "widget" / "frame.html"]
    assert sum(len(gzip.compress(path.read_bytes())) for path in loaded) < 30_000


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_nothing_needs_an_exception_from_a_strict_policy(path: Path) -> None:
    """Text of people never becomes markup, and nothing is evaluated or set in a style attribute."""
    refused = r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|document\.cookie|https?://(?!www\.w3\.org)\w"
    source = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert re.findall(refused, source) == []


def test_both_languages_say_the_same_things() -> None:
    source = (FOLDER / "static" / "widget" / "words.js").read_text(encoding="utf-8")
    dutch, english = (re.findall(r"^    (\w+):", part, re.MULTILINE) for part in source.split("  en: {"))
    assert dutch == english
    frame = (FOLDER / "static" / "widget" / "frame.js").read_text(encoding="utf-8")
    assert set(re.findall(r'\bsay\("(\w+)"', frame)) <= set(dutch)


def test_the_script_is_kept_by_browsers_and_sets_no_cookie(site: Site) -> None:
    first = Client().get("/widget/v1/widget.js", HTTP_ORIGIN=ORIGIN)
    assert (first.status_code, first["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert first["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert first.cookies == {}
    assert Client().get("/widget/v1/widget.js", HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304


def test_c5_words_between_site_and_frame_are_checked_on_both_sides() -> None:
    """The browser's own check of who speaks stands in both scripts, and neither speaks to everybody."""
    outside = (FOLDER / "static" / "widget" / "widget.js").read_text(encoding="utf-8")
    inside = (FOLDER / "static" / "widget" / "frame.js").read_text(encoding="utf-8")
    assert "event.origin !== home || event.source !== frame.contentWindow" in outside
    assert "event.source !== window.parent || !settings.origins.includes(event.origin)" in inside
    assert '"*"' not in outside + inside
