"""What a file is, told from its first bytes and never from its name or from what the sender says."""

from __future__ import annotations

import re

SNIFFED_BYTES = 8192
UNKNOWN = "application/octet-stream"

# Everything else is offered as a download only. PDF is missing on purpose: it can carry script.
_INLINE = frozenset(
    {
        *("image/png", "image/jpeg", "image/gif", "image/webp"),
        *("audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4", "audio/aac", "audio/amr"),
        *("video/mp4", "video/webm"),
    }
)

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    *((b"ID3" + version, "audio/mpeg") for version in (b"\x02", b"\x03", b"\x04")),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # Office before 2007, Outlook messages
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
)

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OFFICE_FOLDERS = (
    (b"word/", _OFFICE + "wordprocessingml.document"),
    (b"xl/", _OFFICE + "spreadsheetml.sheet"),
    (b"ppt/", _OFFICE + "presentationml.presentation"),
)

_MEDIA_BRANDS = (
    (b"M4A", "audio/mp4"),
    (b"M4B", "audio/mp4"),
    (b"qt", "video/quicktime"),
    (b"avi", "image/avif"),
    (b"hei", "image/heic"),
    (b"hev", "image/heic"),
    (b"mif1", "image/heic"),
    (b"msf1", "image/heic"),
    (b"3g", "video/3gpp"),
)

# What a browser would take for a page. Searched in the whole head: browsers skip comments and blanks, and some read on.
_MARKUP = re.compile(r"<(?:!doctype|!--|\?xml|[a-z][a-z0-9:-]*[\s/>])", re.IGNORECASE)
_SVG = re.compile(r"<(?:[a-z0-9]+:)?svg[\s/>]", re.IGNORECASE)
_XHTML = re.compile(r"<(?:html|head|body|script|iframe)[\s/>]|<!doctype\s+html", re.IGNORECASE)


def sniff(head: bytes) -> str:
    """The content type of a file that starts like this (the first 8 KiB suffice).

    Text with markup is never "text/plain": text/html, image/svg+xml or application/xml, all of them download only.
    """
    head = head[:SNIFFED_BYTES]
    return _container(head) or _known_start(head) or _text(head) or UNKNOWN


def may_show_inline(content_type: str) -> bool:
    """Whether a browser may show it inside our pages; anything else is sent as an attachment to be saved."""
    return content_type in _INLINE


def _container(head: bytes) -> str:
    kind, form = head[:4], head[8:12]
    if kind == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(form, "")
    if head[4:8] == b"ftyp":
        return next((name for brand, name in _MEDIA_BRANDS if form.startswith(brand)), "video/mp4")
    if kind == b"OggS":
        return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"
    if kind == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if kind in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(head)
    return ""


def _zip(head: bytes) -> str:
    opendocument = re.match(rb".{26}\x08\x00..mimetype(application/vnd\.oasis\.opendocument\.[a-z]+)", head, re.DOTALL)
    if opendocument:
        return opendocument[1].decode()
    if b"[Content_Types].xml" in head or b"_rels/.rels" in head:
        return next((name for folder, name in _OFFICE_FOLDERS if folder in head), "application/zip")
    return "application/zip"


def _known_start(head: bytes) -> str:
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp"
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # the frame of an MPEG stream without tags
        layer = head[1] >> 1 & 3
        if layer == 0:
            return "audio/aac" if head[1] & 0xF6 == 0xF0 else ""
        # Layers II and III; what would be layer I is far more often the mark of UTF-16 text.
        return "audio/mpeg" if layer != 3 and head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3 else ""
    return ""


def _text(head: bytes) -> str:
    text = _decoded(head)
    if text is None:
        return ""
    if _SVG.search(text):
        return "image/svg+xml"
    if _XHTML.search(text):
        return "text/html"
    if _MARKUP.search(text):
        return "application/xml" if text.lstrip("\ufeff \t\r\n").startswith("<?xml") else "text/html"
    return "text/plain"


def _decoded(head: bytes) -> str | None:
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not merely a character cut in two at the end
            return None
        text = head[: error.start].decode(encoding)
    has_control = any(character < " " and character not in "\t\n\r\f\x1b" for character in text)
    return None if has_control or (head and not text) else text
