"""A status' HTML as the text a person reads. Markup from other servers is never trusted, only its words are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from klankbord.kernel import text as texts

_MOST = 100_000  # characters of HTML; statuses of long-form servers are far shorter
_PARAGRAPHS = {"p", "div", "blockquote", "ul", "ol", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
_SILENT = {"script", "style", "template", "head", "title"}


def status_text(status: Mapping[str, Any]) -> str:
    """All words of a status: content warning, text and, of a poll, the answers one can choose."""
    warning = str(status.get("spoiler_text") or "").strip()
    body = text_of_html(str(status.get("content") or ""))
    options = [f"– {option.get('title')}" for option in (status.get("poll") or {}).get("options") or []]
    return texts.clean("\n\n".join(part for part in (warning, body, "\n".join(options)) if part))


def text_of_html(html: str) -> str:
    """Words of an HTML fragment: paragraphs apart, links in full where the page would shorten or hide them."""
    reader = _Reader()
    reader.feed(html[:_MOST])
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent = 0
        self._link: tuple[str, bool, int] | None = None  # href, is a mention or hashtag, where its words start

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self._pieces.append("\n")
        elif tag in _PARAGRAPHS:
            self._pieces.append("\n\n")
        elif tag == "li":
            self._pieces.append("\n– ")
        elif tag == "a":
            self._end_link()
            values = dict(attrs)
            classes = set((values.get("class") or "").split())
            self._link = (values.get("href") or "", bool(classes & {"mention", "hashtag"}), len(self._pieces))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(self._silent - 1, 0)
        elif tag in _PARAGRAPHS:
            self._pieces.append("\n\n")
        elif tag == "a":
            self._end_link()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(data)

    def text(self) -> str:
        self._end_link()
        lines = "".join(self._pieces).replace("\xa0", " ").split("\n")
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in lines)).strip()

    def _end_link(self) -> None:
        if self._link is None:
            return
        href, is_name, start = self._link
        self._link = None
        shown = "".join(self._pieces[start:]).strip()
        if is_name or not href.lower().startswith(("http://", "https://")):
            return
        if not shown or _is_address(shown, href):
            self._pieces[start:] = [href]
        else:
            self._pieces.append(f" ({href})")


def _is_address(shown: str, href: str) -> bool:
    """Do the visible words spell the link itself, perhaps without its scheme or its tail?"""
    words = shown.removesuffix("…").removesuffix("...").rstrip("/").casefold()
    bare = re.sub(r"^https?://(www\.)?", "", href.casefold())
    return bool(words) and bare.startswith(re.sub(r"^https?://(www\.)?", "", words))
