"""From bytes to the parts of a mail (RFC 2045, 2046, 2183), within caps.

The splitter is our own: the standard library's is recursive, reads line by line and takes its parameters in quadratic
time, so a small mail can cost seconds or the stack. This one looks for the next boundary in the bytes, goes at most
MOST_LEVELS deep and takes time in proportion to size times depth. What lies beyond the caps stays unopened, as a file.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from dataclasses import dataclass, field

from klankbord.kernel import text as texts

from . import charsets, headers
from .headers import Headers, parameterised

MOST_LEVELS = 50
MOST_PARTS = 300
LONGEST_NAME = 150

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,120}")
_BORDER_TAIL = re.compile(rb"(--)?[ \t]*(?:\r\n|\n|\r|\Z)")


@dataclass(slots=True)
class Part:
    """One node. kind: content type in lower case. body: still encoded; children: only of a multipart."""

    headers: Headers
    kind: str
    body: bytes
    children: list[Part] = field(default_factory=list)
    is_unopened: bool = False  # a multipart beyond the caps

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parameterised(self.headers.get("content-type")).parameters)

    @property
    def is_attachment(self) -> bool:
        return parameterised(self.headers.get("content-disposition")).value == "attachment"

    @property
    def is_multipart(self) -> bool:
        return self.kind.startswith("multipart/") and not self.is_unopened and bool(self.children)

    @property
    def file_name(self) -> str:
        """The name that the sender gave the file, safe to show: it names no folder and hides no ending."""
        disposition = parameterised(self.headers.get("content-disposition")).parameters.get("filename", "")
        return safe_name(disposition or self.parameters.get("name", ""))

    @property
    def content_id(self) -> str:
        return texts.one_line(self.headers.get("content-id").strip().strip("<>"), limit=200)

    @property
    def data(self) -> bytes:
        """The body with its transfer encoding undone."""
        encoding = self.headers.get("content-transfer-encoding").strip().lower().partition(";")[0].strip()
        if encoding == "base64":
            return headers.base64_bytes(self.body)
        if encoding == "quoted-printable":
            return binascii.a2b_qp(self.body)
        return self.body

    def text_in(self, charset: str) -> str:
        return texts.clean(charsets.decode(self.data, charset))


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, split. remarks: what the caps left out."""

    headers: Headers
    root: Part
    remarks: tuple[str, ...]

    def parts(self) -> list[Part]:
        """All nodes, in the order of the mail."""
        found, waiting = [], [self.root]
        while waiting:
            part = waiting.pop()
            found.append(part)
            waiting.extend(reversed(part.children))
        return found


def read(raw: bytes) -> Mail:
    """Split a mail. Never raises: whatever the bytes are, they are at least a mail without headers."""
    budget = _Budget()
    top, start = headers.split(raw)
    root = _part(top, raw[start:], level=0, budget=budget, default="text/plain")
    remarks = [*(["headers-cut"] if top.is_cut else []), *(["parts-refused"] if budget.is_exceeded else [])]
    return Mail(top, root, tuple(remarks))


def safe_name(name: str) -> str:
    """A file name without folders, control, direction and other invisible characters; "" for none.

    Cleaned after composing it, because what composes may be what disguises.
    """
    if not name:
        return ""
    name = unicodedata.normalize("NFC", texts.clean(name)).replace("\n", " ")
    name = "".join(each for each in name if unicodedata.category(each) not in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
    name = " ".join(re.split(r"[/\\]", name)[-1].split()).strip(". ")
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem[: LONGEST_NAME - 20]}….{ending[:16]}" if dot else name[:LONGEST_NAME]


@dataclass(slots=True)
class _Budget:
    parts: int = 0
    is_exceeded: bool = False


def _part(top: Headers, body: bytes, *, level: int, budget: _Budget, default: str) -> Part:
    budget.parts += 1
    declared = parameterised(top.get("content-type"))
    kind = declared.value if _TYPE.fullmatch(declared.value) else default
    part = Part(top, kind, body)
    boundary = declared.parameters.get("boundary", "").encode("utf-8", "replace")
    if not kind.startswith("multipart/"):
        return part
    if not boundary:
        part.kind = "text/plain"  # RFC 2045 §5.2: what cannot be read as said is plain text
        return part
    if level >= MOST_LEVELS:
        budget.is_exceeded = part.is_unopened = True
        return part
    default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    for piece in _pieces(body, boundary):
        if budget.parts >= MOST_PARTS:
            budget.is_exceeded = True
            break
        inner, start = headers.split(piece)
        part.children.append(_part(inner, piece[start:], level=level + 1, budget=budget, default=default))
    if not part.children:
        part.kind = "text/plain"
    return part


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the borders; to the end where the last border is missing."""
    pieces: list[bytes] = []
    start: int | None = None
    mark, position = b"--" + boundary, 0
    while len(pieces) <= MOST_PARTS:
        found = body.find(mark, position)
        if found < 0:
            break
        position = found + len(mark)
        tail = _BORDER_TAIL.match(body, position)
        if tail is None or (found > 0 and body[found - 1] not in b"\r\n"):
            continue
        if start is not None:
            pieces.append(body[start : _before_line_end(body, found, start)])
        start, position = tail.end(), max(tail.end() - 1, position)
        if tail[1]:
            return pieces
    if start is not None and start < len(body):
        pieces.append(body[start:])
    return pieces


def _before_line_end(body: bytes, border: int, start: int) -> int:
    """The line end before a border belongs to the border."""
    end = border
    if end > start and body[end - 1 : end] == b"\n":
        end -= 1
    if end > start and body[end - 1 : end] == b"\r":
        end -= 1
    return end
