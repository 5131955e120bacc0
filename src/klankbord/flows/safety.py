"""Customers' HTML made harmless, once, on its way into the database: by a parser, with a closed list of tags."""

from __future__ import annotations

import nh3

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_LONGEST_HTML = 500_000


def safe_html(html: str) -> str:
    """HTML without scripts, styles, forms, ids, names, remote images or htmx attributes; "" stays "".

    Images stay only by `cid:`: a picture from elsewhere would tell its sender who reads it, and when.
    """
    if not html:
        return ""
    return nh3.clean(
        html[:_LONGEST_HTML].replace("\x00", ""),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        attribute_filter=_only_own_pictures,
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _only_own_pictures(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src" and not value.lower().startswith("cid:"):
        return None
    return value
