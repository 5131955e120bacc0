"""The shop's pages as HTML, without inline style or script, so that the strictest policy can hold."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from .words import PRODUCTS, WORDS

_HERE = Path(__file__).parent
MAIL_ADDRESS = "klantenservice@wolkenzonen.example"
_ICON_COLOURS = {"d-sun": 'fill="#d99a2b"', "d-sun2": 'fill="#c2502f"', "d-cloud": 'fill="#fff" stroke="#55616d"'}
PATHS: Mapping[str, tuple[str, str]] = {
    "/": ("nl", "home"),
    "/contact": ("nl", "contact"),
    "/en": ("en", "home"),
    "/en/contact": ("en", "contact"),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the chat widget comes from. url: scheme and host, without a path. key: the widget's public key."""

    url: str
    key: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
            raise ValueError(f"{self.url} is not an address like http://localhost:8000.")
        # The address is written into a header and an attribute: nothing may follow the host.
        if any(sign in self.url for sign in " ;,'\"<>\r\n"):
            raise ValueError("The address of the desk holds signs that do not belong in one.")

    @property
    def origin(self) -> str:
        return self.url.rstrip("/")


def content_policy(desk: Desk) -> str:
    """Only the desk's widget may run, be framed, be called and bring its own pictures and styles."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {desk.origin}",
            f"connect-src {desk.origin}",
            f"frame-src {desk.origin}",
            f"style-src 'self' {desk.origin}",
            f"img-src 'self' {desk.origin}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def render_page(path: str, desk: Desk) -> str:
    """A whole page; the page for lost visitors when there is nothing at the path."""
    lang, page = PATHS.get(path, ("en" if path.startswith("/en/") else "nl", "lost"))
    words = {name: html.escape(text) for name, text in WORDS[lang].items()}
    prefix, other_prefix, other = ("/en", "", "nl") if lang == "en" else ("", "/en", "en")
    tail = "/contact" if page == "contact" else ""
    facts = {
        **words,
        "lang": lang,
        "other_lang": other,
        "home_path": prefix or "/",
        "contact_path": f"{prefix}/contact",
        "contact_current": ' aria-current="page"' if page == "contact" else "",
        "other_path": f"{other_prefix}{tail}" or "/",
        "mark": _file("drawings/mark.svg"),
        "desk": html.escape(desk.origin),
        "widget_key": html.escape(desk.key),
        "mail_address": MAIL_ADDRESS,
        "page_title": words["home_title"] if page == "home" else f"{words[f'{page}_title']} · Wolk &amp; Zonen",
    }
    if page == "home":
        facts["hero_drawing"] = Template(_file("drawings/hero.svg")).substitute(title=words["hero_picture"])
        facts["products"] = "\n".join(_products(lang))
    main = Template(_file(f"{page}.html")).substitute(facts)
    return Template(_file("base.html")).substitute(facts, main=main)


def stylesheet() -> str:
    return _file("shop.css")


def icon() -> str:
    """The mark as a file of its own, with its colours written in: the pages' mark takes them from the stylesheet."""
    mark = _file("drawings/mark.svg").replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    for name, colours in _ICON_COLOURS.items():
        mark = mark.replace(f'class="{name}"', colours)
    return mark


def _products(lang: str) -> list[str]:
    return [
        f'<li class="{product.drawing}">{_file(f"drawings/{product.drawing}.svg")}<h3>{html.escape(product.name)}</h3>'
        f'<p>{html.escape(product.kind[lang])}</p><p class="price">{html.escape(product.price[lang])}</p></li>'
        for product in PRODUCTS
    ]


@cache
def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8").strip()
