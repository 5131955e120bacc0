"""Bytes to text: the character sets that mail may use, and what to do with those that lie about theirs.

UTF-7 and other escape-based sets that can hide markup are never decoded; ISO-2022-JP and -KR are, before anything
looks for markup.
"""

from __future__ import annotations

import codecs

_ALLOWED = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    # What calls itself ASCII or Latin-1 is, in mail, nearly always its superset from Windows.
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "windows-1252": "cp1252",
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (*range(2, 9), *range(10, 12), *range(13, 17))},
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-9": "cp1254",
    **{f"windows-{page}": f"cp{page}" for page in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258, 874)},
    "ibm437": "cp437",
    "ibm850": "cp850",
    "ibm866": "cp866",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "shift-jis": "cp932",
    "windows-31j": "cp932",
    "euc-jp": "euc-jp",
    "iso-2022-jp": "iso2022_jp_3",
    "euc-kr": "cp949",
    "ks-c-5601-1987": "cp949",
    "iso-2022-kr": "iso2022_kr",
    "tis-620": "cp874",
}
_ALIASES = {
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "ascii": "us-ascii",
    "ansi-x3.4-1968": "us-ascii",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "iso8859-1": "iso-8859-1",
    "iso-8859-1-windows-3.1-latin-1": "windows-1252",
    "iso8859-15": "iso-8859-15",
    "latin-9": "iso-8859-15",
    "cp932": "shift-jis",
    "ms-kanji": "shift-jis",
    "sjis": "shift-jis",
    "x-sjis": "shift-jis",
    "cp936": "gbk",
    "x-gbk": "gbk",
    "cp949": "euc-kr",
    "ks-c-5601": "euc-kr",
    "korean": "euc-kr",
    "mac": "macintosh",
    "x-mac-roman": "macintosh",
    "unicode": "utf-16",
    **{f"cp{page}": f"windows-{page}" for page in (1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258, 874)},
    **{f"cp{page}": f"ibm{page}" for page in (437, 850, 866)},
}
_LATIN = frozenset({"cp1252"})
_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be"})


def decode(raw: bytes, charset: str = "") -> str:
    """The text of some bytes that say they are in `charset`. Never raises; what cannot be read becomes �."""
    codec = _codec(charset)
    if raw.isascii() and b"\x1b" not in raw and codec not in _WIDE:
        return raw.decode("ascii")
    if codec is None or codec in _LATIN:
        # Valid UTF-8 with letters beyond ASCII is UTF-8, whatever it says: Latin text is never so by accident.
        return _strictly(raw, "utf-8") or _western(raw)
    text = _strictly(raw, codec)
    if text is not None:
        return text
    if codec == "utf-8":
        # A few stray bytes in real UTF-8 (a cut multi-byte letter) must not turn the whole text into mojibake.
        lenient = raw.decode("utf-8", "replace")
        return lenient if lenient.count("\ufffd") * 20 < sum(byte > 127 for byte in raw) else _western(raw)
    return _strictly(raw, "utf-8") or raw.decode(codec, "replace")


def _codec(charset: str) -> str | None:
    name = charset.strip().strip("\"'").lower().replace("_", "-").partition("*")[0]
    return _ALLOWED.get(_ALIASES.get(name, name))


def _strictly(raw: bytes, codec: str) -> str | None:
    try:
        return codecs.decode(raw, codec)
    except (UnicodeError, ValueError):
        return None


def _western(raw: bytes) -> str:
    return raw.decode("cp1252", "replace")
