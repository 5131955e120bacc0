"""Which parts of a mail are its words and which are files.

Where there is HTML, the text is made from what the HTML shows, never taken from the plain part beside it: a person
and a program must read the same. That the plain part says something else is remarked.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from klankbord.contract import Media, MediaKind

from . import headers, html
from .reading import Mail, Part, safe_name

LONGEST_TEXT = 500_000  # characters
MOST_FILES = 100

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_CAPTION = re.compile(r"\[(?:cid|image|afbeelding|bild)[^\]\n]{0,200}\]|<[^\s<>]{1,300}>", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_ENDINGS = {
    "text/calendar": "invite.ics",
    "application/ms-tnef": "winmail.dat",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "version.asc",
    "message/delivery-status": "delivery-status.txt",
    "text/rfc822-headers": "headers.txt",
    "text/html": "page.html",
    "text/plain": "text.txt",
    "image/jpeg": "image.jpg",
    "image/png": "image.png",
    "image/gif": "image.gif",
    "application/pdf": "document.pdf",
}
_ENCRYPTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"})
_PASSED_OVER = frozenset({"text/x-amp-html", "text/watch-html"})  # yet another form of the same words


@dataclass(slots=True)
class Body:
    """The words and files of a mail. text and html say the same; html is "" for a plain mail."""

    text: str = ""
    html: str = ""
    media: tuple[Media, ...] = ()
    remarks: tuple[str, ...] = ()
    remote_images: int = 0


def read(mail: Mail) -> Body:
    gathered = _Gathered()
    _gather(mail.root, gathered)
    return _written(gathered)


@dataclass(slots=True)
class _Words:
    """One stretch of the mail, in the forms in which it came."""

    plain: str | None = None
    html: str | None = None


@dataclass(slots=True)
class _Gathered:
    words: list[_Words] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)
    remarks: dict[str, None] = field(default_factory=dict)


def _gather(part: Part, into: _Gathered) -> None:
    if not part.is_multipart:
        _gather_leaf(part, into)
    elif part.kind == "multipart/alternative":
        _gather_alternatives(part, into)
    elif part.kind == "multipart/related":
        root = _root_of(part)
        _gather(root, into)
        into.files.extend(leaf for each in part.children if each is not root for leaf in _leaves(each))
    elif part.kind in ("multipart/signed", "multipart/encrypted"):
        is_signed = part.kind == "multipart/signed"
        into.remarks["signature-not-checked" if is_signed else "encrypted"] = None
        if is_signed:
            _gather(part.children[0], into)
        into.files.extend(leaf for each in part.children[int(is_signed) :] for leaf in _leaves(each))
    else:
        for each in part.children:
            _gather(each, into)


def _gather_leaf(part: Part, into: _Gathered) -> None:
    is_words = part.kind in ("text/plain", "text/html") and not part.is_attachment
    if is_words and (not part.file_name or not into.words):
        text = _decoded(part)
        into.words.append(_Words(html=text) if part.kind == "text/html" else _Words(plain=text))
    else:
        if part.kind in _ENCRYPTED:
            into.remarks["encrypted"] = None
        elif part.kind == "application/ms-tnef":
            into.remarks["outlook-attachment"] = None
        into.files.append(part)


def _gather_alternatives(part: Part, into: _Gathered) -> None:
    """One stretch in several forms: the first plain and the last HTML one count, files among them are kept."""
    stretch, extra = _Words(), _Gathered()
    for each in part.children:
        if each.kind in _PASSED_OVER:
            continue
        inner = _Gathered()
        _gather(each, inner)
        extra.files.extend(inner.files)
        extra.remarks.update(inner.remarks)
        plain, markup = _joined(inner.words)
        if markup is not None:
            stretch.html = markup
        elif plain is not None and stretch.plain is None:
            stretch.plain = plain
    if stretch.plain is not None or stretch.html is not None:
        into.words.append(stretch)
    into.files.extend(extra.files)
    into.remarks.update(extra.remarks)


def _joined(words: list[_Words]) -> tuple[str | None, str | None]:
    """All stretches as one plain text (None where one has none) and as one HTML (None where none has any)."""
    plain = "\n".join(each.plain or "" for each in words) if all(each.plain is not None for each in words) else None
    if not any(each.html is not None for each in words):
        return (plain if words else None), None
    return plain, "<br>".join(
        each.html if each.html is not None else html.from_text(each.plain or "") for each in words
    )


def _written(gathered: _Gathered) -> Body:
    remarks = dict(gathered.remarks)
    body = Body()
    plain, markup = _joined(gathered.words)
    if markup is None:
        body.text = html.without_tag_letters(plain or "")
    else:
        rendered = html.render(markup)
        body.text, body.html, body.remote_images = rendered.text, rendered.html, rendered.remote_images
        plain = None if plain is None else html.without_tag_letters(plain)
        if not body.text.strip() and plain and plain.strip():
            body.text, body.html = plain, ""
            remarks["text-differs-from-html"] = None
        elif plain is not None and plain.strip() and _say_different_things(plain, body.text):
            remarks["text-differs-from-html"] = None
        if rendered.hidden_characters:
            remarks["hidden-text-removed"] = None
        if rendered.remote_images:
            remarks["remote-images-removed"] = None
        if rendered.is_cut:
            remarks["text-cut"] = None
    if len(body.text) > LONGEST_TEXT:
        body.text, body.html = body.text[:LONGEST_TEXT], ""
        remarks["text-cut"] = None
    if len(gathered.files) > MOST_FILES:
        remarks["parts-refused"] = None
    body.text = body.text.strip("\n")
    body.media = tuple(_media(each, number) for number, each in enumerate(gathered.files[:MOST_FILES], start=1))
    body.remarks = tuple(remarks)
    return body


def _say_different_things(plain: str, shown: str) -> bool:
    """Do the two forms differ by more than a link, a bullet or a caption? Short texts may not differ at all."""
    ours, theirs = _words(plain), _words(shown)
    if ours == theirs:
        return False
    shared = (ours & theirs).total()
    longest = max(ours.total(), theirs.total())
    return longest - shared > longest // 20


def _words(text: str) -> Counter[str]:
    """How often each word occurs, apart from links, addresses and captions of pictures."""
    text = text[:50_000]
    if "[" in text or "<" in text:
        text = _CAPTION.sub(" ", text)
    if "@" in text or "://" in text:
        text = " ".join([each for each in text.split() if "@" not in each and "://" not in each])
    return Counter(_WORD.findall(text.casefold()))


def _media(part: Part, number: int) -> Media:
    data = part.data if not part.is_unopened else part.body
    name = part.file_name or _subject_name(part, data) or _ENDINGS.get(part.kind, f"attachment-{number}.bin")
    kind = "application/octet-stream" if part.is_unopened else part.kind
    return Media(
        kind=_kind(kind),
        name=name,
        content_type=kind,
        data=data,
        size=len(data),
        content_id=part.content_id,
    )


def _kind(content_type: str) -> MediaKind:
    if content_type.startswith("image/svg"):
        return MediaKind.FILE  # a drawing that can run scripts is not shown as a picture
    return {"image": MediaKind.IMAGE, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}.get(
        content_type.partition("/")[0], MediaKind.FILE
    )


def _subject_name(part: Part, data: bytes) -> str:
    """A mail within a mail is named after its subject."""
    if part.kind != "message/rfc822":
        return ""
    inner, _ = headers.split(data[: headers.LONGEST_BLOCK])
    return (safe_name(inner.text("subject", limit=80).replace("/", "-").replace("\\", "-")) or "message") + ".eml"


def _root_of(part: Part) -> Part:
    start = part.parameters.get("start", "").strip("<>")
    return next((each for each in part.children if start and each.content_id == start), part.children[0])


def _leaves(part: Part) -> list[Part]:
    return [leaf for each in part.children for leaf in _leaves(each)] if part.is_multipart else [part]


def _decoded(part: Part) -> str:
    if part.kind == "text/html" and "charset" not in part.parameters:
        found = _META_CHARSET.search(part.data[:4_000])
        if found:
            return part.text_in(found[1].decode("ascii"))
    text = part.text_in(part.parameters.get("charset", ""))
    if part.kind == "text/plain" and part.parameters.get("format", "").lower() == "flowed":
        return _unflowed(text, deletes_space=part.parameters.get("delsp", "").lower() == "yes")
    return text


def _unflowed(text: str, *, deletes_space: bool) -> str:
    """Join the soft line ends of RFC 3676, within lines of the same depth of quoting."""
    out: list[str] = []
    open_depth = -1  # the depth of the line that still wants its continuation; -1: none
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content[1:] if content.startswith(" ") else content
        is_soft = content.endswith(" ") and content != "-- "
        if is_soft and deletes_space:
            content = content[:-1]
        if open_depth == depth and content != "-- ":
            out[-1] += content
        else:
            out.append(f"{'>' * depth} {content}" if depth else content)
        open_depth = depth if is_soft else -1
    return "\n".join(out)
