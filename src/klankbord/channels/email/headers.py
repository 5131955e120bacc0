"""The headers of a mail or of a part of it: split, capped and decoded (RFC 5322, 2047, 2231, 6532).

Nothing here raises for what a mail holds, and everything takes time in proportion to the length of the headers. The
caps keep one monstrous header from costing the others: it is cut, the ones after it are read.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from klankbord.kernel import text as texts

from . import charsets

LONGEST_BLOCK = 64 * 1024
LONGEST_HEADER = 16 * 1024
LONGEST_SCAN = 1024 * 1024
MOST_HEADERS = 1_000
MOST_PARAMETERS = 100

# Read even after the caps are reached: without these a mail has no sender, no thread and no brakes.
_VITAL_NAMES = (
    "from sender to cc subject date message-id in-reply-to references return-path auto-submitted precedence "
    "list-id content-type content-transfer-encoding content-disposition content-id mime-version"
)
_VITAL = frozenset(_VITAL_NAMES.split())
_HEADER = re.compile(rb"([!-9;-~]{1,76})[ \t]*:(.*)", re.DOTALL)
_END_OF_BLOCK = re.compile(rb"\r?\n\r?\n|\r\r(?!\n)")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,70})\?([bBqQ])\?([^?]*+)\?=")
_ENCODED_GAP = re.compile(r"(\?=)[ \t\r\n]+(?==\?)")
_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+("(?:[^"\\]|\\.)*+"?|[^;]*+)|;?[^;]++|;', re.DOTALL)
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_FIRST_WORD = re.compile(r"[^\s;]+")


@dataclass(frozen=True, slots=True)
class Headers:
    """by_name: names in lower case, with their raw, unfolded values from top to bottom. is_cut: some were left out."""

    by_name: dict[str, list[str]]
    is_cut: bool = False

    def get(self, name: str) -> str:
        """The first value of that name, raw; "" when there is none."""
        found = self.by_name.get(name)
        return found[0] if found else ""

    def all(self, name: str) -> list[str]:
        return self.by_name.get(name, [])

    def has(self, name: str) -> bool:
        return name in self.by_name

    def text(self, name: str, *, limit: int = 998) -> str:
        """The decoded value on one line: whatever an encoded word hides, no line end comes out."""
        return one_line(self.get(name), limit=limit)


def split(raw: bytes) -> tuple[Headers, int]:
    """The headers at the start of a mail or part, and where its body begins."""
    start = _start(raw)
    end = _END_OF_BLOCK.search(raw, start)
    if raw[start : start + 2] == b"\r\n" or raw[start : start + 1] == b"\n":
        return Headers({}), start + (2 if raw[start : start + 1] == b"\r" else 1)
    stop, body = (end.start(), end.end()) if end else (len(raw), len(raw))
    return _capped(raw[start : min(stop, start + LONGEST_SCAN)], is_cut=stop - start > LONGEST_SCAN), body


def one_line(value: str, *, limit: int = 998) -> str:
    """A header's value for people: decoded, on one line, without control characters."""
    return texts.one_line(decode_words(value), limit=limit)


def decode_words(value: str) -> str:
    """The value with its encoded words (RFC 2047) decoded, also where they stand within quotes or glued to text."""
    if "=?" not in value:
        return value
    return _join_words(_ENCODED_GAP.sub(r"\1", value))


@dataclass(frozen=True, slots=True)
class Parameterised:
    """A value such as `text/plain; charset=utf-8`. value: lower case. parameters: decoded, names in lower case."""

    value: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=512)
def parameterised(header: str) -> Parameterised:
    """Split a Content-Type or Content-Disposition and join its continued parameters (RFC 2231)."""
    first = _FIRST_WORD.match(header.strip())
    value = first.group().lower() if first else ""
    start = header.find(";")
    if start < 0:
        return Parameterised(value, {})
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(header, start):
        if match[1] is None:
            continue
        if len(pieces) >= MOST_PARAMETERS:
            break
        section = _SECTION.fullmatch(match[1].lower())
        if section:
            name, number, is_extended = section.groups()
            pieces.setdefault(name, {}).setdefault(int(number or 0), (_unquoted(match[2]), bool(is_extended)))
    return Parameterised(value, {name: _joined(sections) for name, sections in pieces.items()})


def _start(raw: bytes) -> int:
    """Where the headers begin: after an mbox "From " line or stray empty lines that some servers leave."""
    start = 0
    while raw[start : start + 1] in (b"\r", b"\n") and start < 64:
        start += 1
    if raw[start : start + 1] in (b"\r", b"\n") or start >= len(raw):
        return 0
    if raw[start : start + 5] == b"From " or raw[start : start + 6] == b">From ":
        end = raw.find(b"\n", start)
        return end + 1 if end >= 0 else len(raw)
    return start


def _capped(block: bytes, *, is_cut: bool) -> Headers:
    by_name: dict[str, list[str]] = {}
    count, room = 0, LONGEST_BLOCK
    for raw in _unfolded(block):
        match = _HEADER.match(raw)
        if match is None:
            continue
        name, value = match[1].decode("ascii").lower(), match[2].strip()
        if count >= MOST_HEADERS or len(value) > room:
            is_cut = True
            if name not in _VITAL or name in by_name:
                continue
        if len(value) > LONGEST_HEADER:
            value, is_cut = _ends_of(value), True
        room -= len(value)
        count += 1
        by_name.setdefault(name, []).append(_unicode(value))
    return Headers(by_name, is_cut)


def _unfolded(block: bytes) -> Iterator[bytes]:
    """Logical headers: a line that begins with white space continues the one before."""
    gathered: list[bytes] = []
    for line in _LINE_END.split(block):
        if line[:1] in (b" ", b"\t") and gathered:
            gathered.append(line)
        else:
            if gathered:
                yield b"".join(gathered)
            gathered = [line]
    if gathered:
        yield b"".join(gathered)


def _ends_of(value: bytes) -> bytes:
    """The first and the last part: of a References the last ids matter most, of a To the first addresses."""
    half = LONGEST_HEADER // 2
    return value[:half].rpartition(b" ")[0] + b" " + value[-half:].partition(b" ")[2]


def _unicode(value: bytes) -> str:
    text = value.decode("ascii") if value.isascii() else charsets.decode(value)
    return text.replace("\x00", "")


def _join_words(value: str) -> str:
    """Decode word by word, but join neighbours of one character set first: a letter may be cut between two words."""
    out: list[str] = []
    pending, charset, position = b"", "", 0
    for match in _ENCODED_WORD.finditer(value):
        between = value[position : match.start()]
        if between or match[1].lower() != charset:
            out.append(charsets.decode(pending, charset))
            out.append(between)
            pending, charset = b"", match[1].lower()
        pending += _word(match[2], match[3])
        position = match.end()
    return "".join((*out, charsets.decode(pending, charset), value[position:]))


def _word(encoding: str, payload: str) -> bytes:
    raw = payload.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw, header=True)
    return base64_bytes(raw)


def base64_bytes(raw: bytes) -> bytes:
    """Base64 as forgiving as mail needs: foreign characters skipped, missing padding added, a torn end dropped."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        pure = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        pure = pure[: len(pure) - 1] if len(pure) % 4 == 1 else pure
        return binascii.a2b_base64(pure + b"=" * (-len(pure) % 4))


def _unquoted(value: str) -> str:
    value = value.strip()
    if value.startswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1] if value.endswith('"') and len(value) > 1 else value[1:])
    return value


def _joined(sections: Mapping[int, tuple[str, bool]]) -> str:
    """One parameter from its numbered sections. Only the first extended one names the character set."""
    if not any(is_extended for _, is_extended in sections.values()):
        return texts.clean(decode_words("".join(sections[number][0] for number in sorted(sections))))
    charset, raw = "", b""
    for number in sorted(sections):
        value, is_extended = sections[number]
        if is_extended and value.count("'") >= 2 and not raw:
            charset, _, value = value.split("'", 2)
        raw += unquote_to_bytes(value) if is_extended else value.encode("utf-8", "replace")
    return texts.clean(charsets.decode(raw, charset or "utf-8"))
