"""HTML of strangers to text and to harmless HTML, so that an agent and a program read the very same words.

One pass over parsed, canonical HTML writes both: what a mail program would not have shown (display:none, nothing-size,
white on white, …) is left out of both, everything else is in both. Styles, forms, names, scripts and remote images
are gone from the HTML; nh3 has the last word over it.
"""

from __future__ import annotations

import html as markup
import re
from dataclasses import dataclass
from urllib.parse import unquote

import nh3

from . import styles
from .lines import LineWriter

LONGEST_HTML = 2_000_000  # characters
MOST_LEVELS = 400
MOST_TAGS = 120_000
MANY_REFERENCES = 20_000
MOST_REFERENCES = 150_000  # the parser slows down with every &…; in one stretch of text

_BLOCK_NAMES = (
    "address article aside center dd details div dl dt figcaption figure footer header hr li main nav section "
    "summary table tbody tfoot thead tr caption ul ol"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_PARAGRAPHS = frozenset(["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "p", "pre"])
_INLINE_NAMES = (
    "a abbr b br cite code col colgroup del em font i img ins kbd mark q s samp small span strike strong sub sup "
    "td th time tt u var wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_TAGS = _BLOCKS | _PARAGRAPHS | _INLINE
_SHOWN_TAGS = _TAGS - {"font"}
_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_GONE_NAMES = (
    "applet audio canvas embed iframe math noscript object script select style svg template textarea title video xml"
)
_WITH_CONTENT_GONE = frozenset(_GONE_NAMES.split())
_SEEN_ATTRIBUTES = {
    "*": {"style", "hidden", "bgcolor", "class", "id"},
    "font": {"color", "size"},
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}
_SHOWN_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}
_SCHEMES = {"http", "https", "mailto", "cid"}
_TOKEN = re.compile(r'<(/)?([a-z][a-z0-9]*)((?: [^\s=>"]+="[^"]*")*) ?/?>|([^<]+|<)')
_ATTRIBUTE = re.compile(r' ([^\s=>"]+)="([^"]*)"')
_ANY_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_NUMBERED = re.compile(r"&#(?:(\d{1,7})|[xX]([0-9a-fA-F]{1,6}));")
_LOOSE_NAMES = (
    "p li td th tr tbody thead tfoot dd dt option optgroup br hr img input meta link col colgroup wbr area base "
    "embed source track param html head body"
)
_CLOSE_THEMSELVES = frozenset(_LOOSE_NAMES.split())
_SCOPES = frozenset({"table", "caption", "button", "object", "applet", "marquee", "template"})
_TAG_LETTERS = re.compile("(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+")
_TAG_LETTER = re.compile("[\U000e0000-\U000e007f]")
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"]+", re.IGNORECASE)


_CANONICAL = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=set(_WITH_CONTENT_GONE),
    attributes=_SEEN_ATTRIBUTES,
    url_schemes=_SCHEMES | {"data"},
    link_rel=None,
)
_SHOWN = nh3.Cleaner(
    tags=set(_SHOWN_TAGS),
    attributes=_SHOWN_ATTRIBUTES,
    url_schemes=_SCHEMES,
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """text and html say the same. hidden_characters: left out of both because nobody would have seen them."""

    text: str
    html: str
    hidden_characters: int = 0
    remote_images: int = 0
    is_cut: bool = False


def render(source: str) -> Rendered:
    """The visible words of some HTML, as text and as harmless HTML. Takes time in proportion to its length."""
    is_cut = len(source) > LONGEST_HTML
    source = _without_comments(source[:LONGEST_HTML])
    if source.count("&") > MANY_REFERENCES:
        source = _NUMBERED.sub(_letter, source)
    if source.count("&") > MOST_REFERENCES or source.count("<") > MOST_TAGS or _is_too_deep(source):
        text = markup.unescape(re.sub(r"<[^>]*>?", " ", source))
        text = "\n".join(line for each in text.split("\n") if (line := " ".join(each.split())))
        return Rendered(text, from_text(text), is_cut=True)
    canonical = _CANONICAL.clean(source)
    pass_ = _Pass(has_style_sheet="<style" in source or "<STYLE" in source)
    for token in _TOKEN.finditer(without_tag_letters(canonical)):
        pass_.take(*token.groups())
    shown = _SHOWN.clean("".join(pass_.html))
    return Rendered(pass_.lines.text(), shown.strip(), pass_.hidden_characters, pass_.remote_images, is_cut)


def without_tag_letters(text: str) -> str:
    """Without letters that no screen shows but every program reads (Unicode tags), but for the flags made of them."""
    return text if text.isascii() or not _TAG_LETTER.search(text) else _TAG_LETTERS.sub("", text)


def harmless(source: str) -> str:
    """Our own HTML for sending: the same tags, no styles, nothing that runs."""
    return _SHOWN.clean(source)


def from_text(text: str) -> str:
    """Plain paragraphs."""
    paragraphs = [each for each in re.split(r"\n{2,}", text.strip("\n")) if each.strip()]
    return "".join(f"<p>{markup.escape(each, quote=False).replace(chr(10), '<br>')}</p>" for each in paragraphs)


@dataclass(slots=True)
class _Frame:
    """What holds inside one open element."""

    tag: str
    look: styles.Look
    is_gone: bool = False  # nothing inside is shown
    is_preformatted: bool = False
    link: str = ""
    link_start: tuple[int, int] = (0, 0)


class _Pass:
    """Writes the text and the HTML of one canonical document side by side."""

    def __init__(self, *, has_style_sheet: bool) -> None:
        self.html: list[str] = []
        self.lines = LineWriter()
        self.hidden_characters = self.remote_images = 0
        self._has_style_sheet = has_style_sheet
        self._stack = [_Frame("", styles.Look())]

    def take(self, end: str | None, tag: str, attributes: str, text: str | None) -> None:
        """One stretch of text, or else one tag; end: "/" for an end tag."""
        top = self._stack[-1]
        if text is not None:
            self._text(text, top)
        elif end:
            self._close(tag)
        else:
            self._open(tag, dict(_ATTRIBUTE.findall(attributes)) if attributes else {}, top)

    def _text(self, raw: str, top: _Frame) -> None:
        if top.is_gone or top.look.is_unreadable:
            self.hidden_characters += sum(not each.isspace() for each in markup.unescape(raw))
            return
        self.html.append(raw)
        self.lines.write(markup.unescape(raw), is_preformatted=top.is_preformatted)

    def _open(self, tag: str, attributes: dict[str, str], top: _Frame) -> None:
        look = top.look
        is_gone = top.is_gone
        if attributes:
            has_unknown_look = self._has_style_sheet and ("class" in attributes or "id" in attributes)
            look = styles.inherit(look, tag, attributes, has_unknown_look=has_unknown_look)
            is_gone = is_gone or look.is_removed
        if tag in _VOID:
            if not is_gone:
                self._void(tag, attributes, top)
            return
        frame = _Frame(tag, look, is_gone, top.is_preformatted or tag == "pre")
        if not is_gone:
            self._write_start(tag, attributes)
            if tag == "a":
                link = markup.unescape(attributes.get("href", "")).strip()
                frame.link, frame.link_start = link if _SAFE_LINK.fullmatch(link) else "", self.lines.here()
        self._stack.append(frame)

    def _write_start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _PARAGRAPHS:
            self.lines.end_paragraph()
        elif tag in _BLOCKS:
            self.lines.end_line()
        elif tag in ("td", "th"):
            self.lines.write(" ")
        if tag == "blockquote":
            self.lines.quote_level += 1
        elif tag == "li":
            self.lines.write("- ")
        if tag != "font":
            self.html.append(f"<{tag}{_attributes(tag, attributes)}>")

    def _void(self, tag: str, attributes: dict[str, str], top: _Frame) -> None:
        if tag == "img":
            self._image(markup.unescape(attributes.get("src", "")), attributes.get("alt", ""), top)
            return
        self.html.append(f"<{tag}>")
        if tag in ("br", "hr"):
            self.lines.end_line(is_forced=tag == "br")

    def _image(self, source: str, alternative: str, top: _Frame) -> None:
        if source.lower().startswith("cid:"):
            self.html.append(f'<img src="{markup.escape(source)}" alt="">')
            return
        if source:
            self.remote_images += 1
        if alternative.strip() and not top.look.is_unreadable:
            self.html.append(f"[{alternative}]")
            self.lines.write(f"[{markup.unescape(alternative)}]")

    def _close(self, tag: str) -> None:
        if len(self._stack) < 2 or self._stack[-1].tag != tag:
            return  # canonical HTML is balanced; a stray end of a void element remains
        frame = self._stack.pop()
        if frame.is_gone:
            return
        if tag == "a" and frame.link:
            self._write_link(frame)
        if tag in _PARAGRAPHS:
            self.lines.end_paragraph()
        elif tag in _BLOCKS:
            self.lines.end_line()
        if tag == "blockquote":
            self.lines.quote_level -= 1
        if tag != "font":
            self.html.append(f"</{tag}>")

    def _write_link(self, frame: _Frame) -> None:
        """The address behind a link belongs to what a reader of the HTML can see, so the text has it too."""
        label = self.lines.since(frame.link_start).strip()
        target = frame.link
        if target.lower().startswith("mailto:"):
            target = unquote(target[7:].partition("?")[0])
        if label and _bare(target) not in _bare(label):
            self.lines.write(f" <{target[:300]}>")


def _attributes(tag: str, attributes: dict[str, str]) -> str:
    if not attributes:
        return ""
    allowed = _SHOWN_ATTRIBUTES.get(tag, ())
    if not allowed:
        return ""
    return "".join([f' {name}="{value.strip()}"' for name, value in attributes.items() if name in allowed])


def _bare(address: str) -> str:
    address = address.lower()
    for scheme in ("http://", "https://"):
        if address.startswith(scheme):
            address = address[len(scheme) :]
            break
    return address.removeprefix("www.").removesuffix("/")


def _letter(reference: re.Match[str]) -> str:
    """A letter beyond ASCII for its number: such letters cannot be markup."""
    number = int(reference[1]) if reference[1] else int(reference[2], 16)
    is_letter = 0xA0 < number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if is_letter else reference.group()


def _without_comments(source: str) -> str:
    """Without <!-- … -->: in mail from Word they are most of the bytes."""
    if "<!--" not in source:
        return source
    kept, position = [], 0
    while (start := source.find("<!--", position)) >= 0:
        end = source.find("-->", start + 4)
        kept.append(source[position:start])
        if end < 0:
            return "".join(kept)
        position = end + 3
    return "".join((*kept, source[position:]))


def _is_too_deep(source: str) -> bool:
    """Deeper than any honest mail: a parser needs time in proportion to depth for every element."""
    if source.count("<") <= MOST_LEVELS:
        return False
    open_tags: list[str] = []
    for match in _ANY_TAG.finditer(source):
        tag = match[2].lower()
        if tag in _CLOSE_THEMSELVES:
            continue
        if not match[1]:
            open_tags.append(tag)
            if len(open_tags) > MOST_LEVELS:
                return True
            continue
        for back in range(1, min(len(open_tags), 12) + 1):
            if open_tags[-back] == tag:
                del open_tags[-back:]
                break
            if open_tags[-back] in _SCOPES:
                break
    return False
