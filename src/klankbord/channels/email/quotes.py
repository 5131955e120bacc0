"""What is new in a mail and what only repeats earlier ones.

Works line by line, in one pass, on the words that mail programs put above a quote in Dutch, English, German and
French. Every line ends up in exactly one of the two, whole; when in doubt a line counts as new, because a folded
complaint is worse than a visible quote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_HEADER_LINES = 4  # over which an "On … wrote:" may be wrapped
LONGEST_HEADER_LINE = 500
MOST_SIGNATURE_LINES = 12

# "On … wrote:" and its likes: the date or time that must be inside is checked apart.
_WROTE = re.compile(
    r"(?:"
    r"(?:op|on|am|le|den|el)\s.{4,}(?:schreef|geschreven|wrote|schrieb|geschrieben|a écrit)\b.{0,120}:"
    r"|.{2,160}\b(?:schreef op|wrote on|schrieb am|a écrit le)\s.{4,}:"
    r"|.{2,160}\b(?:schreef|wrote|schrieb|a écrit)\s?:"
    r"|\d{4}-\d\d-\d\d \d\d?:\d\d.{3,160}<[^<>\s]+@[^<>\s]+>:"
    r")",
    re.IGNORECASE | re.DOTALL,
)
_STARTS_HEADER = re.compile(
    r"(?:op|on|am|le|den|el)\s|\d{4}-\d\d-\d\d |.{2,160}(?:schreef|wrote|schrieb|écrit)", re.IGNORECASE
)
_HAS_MOMENT = re.compile(r"\d{1,2}[:.h]\d{2}\b|@")
_BY_THE_WRITER = re.compile(
    r"\b(?:schreef (?:ik|wij|we)\b|(?:heb|hebben) (?:ik|wij|we)\b|(?:i|we) wrote\b|wrote (?:to|you)\b"
    r"|schrieb (?:ich|wir)\b|(?:habe|haben) (?:ich|wir)\b|j'ai écrit|nous avons écrit"
    r"|\b(?:mij|me|ons|us|mir|uns)\s?:$)",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"[>\s*]*-{2,}\s*(?:oorspronkelijk bericht|origineel bericht|original message|original appointment"
    r"|ursprüngliche nachricht|originalnachricht|message d['’]origine|message original)\s*-{2,}\s*\*?",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"[>\s*]*(?:-{2,}\s*(?:doorgestuurd bericht|doorgestuurd|forwarded message|weitergeleitete nachricht"
    r"|message transféré|message transmis)\s*-{2,}|(?:begin (?:doorgestuurd|forwarded) (?:bericht|message)"
    r"|anfang der weitergeleiteten (?:nachricht|e-mail)|début du message (?:transféré|réexpédié))\s*:)\s*\*?",
    re.IGNORECASE,
)
_RULE = re.compile(r"[_=\-]{10,}\s*")
_LABEL = re.compile(r"\*?(?P<label>[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ \-]{0,18}?)\s?\*?:\*?(?:\s|$)")
_FROM = frozenset({"van", "from", "von", "de"})
_SENT = frozenset({"verzonden", "datum", "sent", "date", "gesendet", "envoyé", "envoyé le", "verzonden op", "gestuurd"})
_TO = frozenset({"aan", "to", "an", "à", "a"})
_SUBJECT = frozenset({"onderwerp", "subject", "betreff", "objet"})
_FIELDS = {"from": _FROM, "sent": _SENT, "to": _TO, "subject": _SUBJECT}
_OTHER = frozenset(
    {"cc", "bcc", "kopie", "antwoord aan", "reply-to", "priority", "prioriteit", "importance", "urgentie"}
)
_FORWARD_SUBJECT = re.compile(r"\s*(?:fwd?|fw|doorst|dst|wg|tr|doorgestuurd)\s*:", re.IGNORECASE)
_DEVICE = re.compile(
    r"\s*(?:(?:verzonden|verstuurd|gestuurd) (?:vanaf|vanuit|met|via|van) .{2,60}|sent from .{2,60}"
    r"|get outlook for .{2,60}"
    r"|outlook voor (?:ios|android) (?:downloaden|ophalen).{0,60}|von mein\w+ .{2,40} gesendet.?|gesendet von .{2,60}"
    r"|envoyé (?:de(?:puis)?) .{2,60}|download outlook .{2,60}|outlook für .{2,60})\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Split:
    """text: what is new, with quotes that it answers piece by piece. quoted: the rest, in its order."""

    text: str
    quoted: str


def is_forward(subject: str) -> bool:
    """Does the subject say that somebody else's mail was passed on? Then that mail is the message."""
    return _FORWARD_SUBJECT.match(subject) is not None


def split(text: str, *, is_forwarded: bool = False) -> Split:
    """Tell new words from repeated ones. Where nothing would be new, all of it is."""
    lines = text.split("\n")
    new, old = _divide(lines, is_forwarded=is_forwarded)
    new, signature = _without_signature(new)
    if not any(line.strip() for line in new):
        return Split(text.strip(), "")
    parts = ["\n".join(each).strip("\n") for each in (signature, old)]
    return Split("\n".join(new).strip(), "\n\n".join(each for each in parts if each.strip()))


def _divide(lines: list[str], *, is_forwarded: bool) -> tuple[list[str], list[str]]:
    for at, line in enumerate(lines):
        stripped = line.strip()
        if not stripped:
            continue
        if _FORWARDED.fullmatch(line):
            return _without_tail_quote(lines) if any(each.strip() for each in lines[:at]) else (lines, [])
        if stripped[0] == ">":
            continue
        if _ORIGINAL.fullmatch(line) and not is_forwarded:
            return lines[:at], lines[at:]
        if not is_forwarded and _is_header_block(lines, at):
            start = at - 1 if at and _RULE.fullmatch(lines[at - 1]) else at
            return lines[:start], lines[start:]
        if length := _header_length(lines, at):
            return _after_header(lines, at, at + length)
    return _without_tail_quote(lines)


def _header_length(lines: list[str], at: int) -> int:
    """Over how many lines an "On … wrote:" stretches from here, 0 when this is none."""
    if not any(each.rstrip().endswith(":") for each in lines[at : at + MOST_HEADER_LINES]):
        return 0
    if len(lines[at]) > LONGEST_HEADER_LINE or not _STARTS_HEADER.match(lines[at].strip()):
        return 0
    joined = ""
    for length, line in enumerate(lines[at : at + MOST_HEADER_LINES], start=1):
        if not line.strip() or len(line) > LONGEST_HEADER_LINE:
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if joined.endswith(":") and _WROTE.fullmatch(joined):
            is_reply_header = bool(_HAS_MOMENT.search(joined)) and not _BY_THE_WRITER.search(joined)
            return length if is_reply_header or _is_quoted(_next_words(lines, at + length)) else 0
    return 0


def _after_header(lines: list[str], start: int, end: int) -> tuple[list[str], list[str]]:
    """Below an "On … wrote:" stands the quote, and perhaps an answer below or between the quoted lines."""
    if not _is_quoted(_next_words(lines, end)):
        return lines[:start], lines[start:]
    quote_end = _end_of_quote(lines, end)
    rest = lines[quote_end:]
    if not any(line.strip() for line in rest):
        return lines[:start], lines[start:]
    tail, tail_quote = _without_tail_quote(rest)
    if any(_is_quoted(line) for line in tail):
        return [*lines[:end], *lines[end:quote_end], *tail], tail_quote  # answered piece by piece: the pieces stay
    return [*lines[:start], *tail], [*lines[start:quote_end], *tail_quote]


def _without_tail_quote(lines: list[str]) -> tuple[list[str], list[str]]:
    """Take off the lines with > at the very end."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and (_is_quoted(lines[start - 1]) or not lines[start - 1].strip()):
        start -= 1
    return (lines[:start], lines[start:]) if any(_is_quoted(line) for line in lines[start:end]) else (lines, [])


def _end_of_quote(lines: list[str], start: int) -> int:
    end = at = start
    while at < len(lines) and (_is_quoted(lines[at]) or not lines[at].strip()):
        at += 1
        end = at
    return end


def _is_header_block(lines: list[str], at: int) -> bool:
    """The block that Outlook puts above a quote: From, Sent, To, Subject in one of four languages."""
    first = _label(lines[at])
    if first not in _FROM and first not in _SENT:
        return False
    seen: set[str] = set()
    for line in lines[at : at + 9]:
        label = _label(line)
        field = next((name for name, labels in _FIELDS.items() if label in labels), "")
        if field in seen:
            break  # a block has each of them once
        if field:
            seen.add(field)
        elif line.strip() and label not in _OTHER and not line[:1].isspace() and ("@" not in line or len(seen) < 2):
            break
    return "from" in seen and "sent" in seen and len(seen) >= 3


def _label(line: str) -> str:
    if ":" not in line[:24]:
        return ""
    match = _LABEL.match(line[:40].strip() + " ")
    return match["label"].strip().lower() if match else ""


def _without_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """Take off a signature below "-- ", and the line in which a telephone advertises itself."""
    last = len(lines) - 1
    while last >= 0 and not lines[last].strip():
        last -= 1
    for at in range(last, max(-1, last - MOST_SIGNATURE_LINES - 1), -1):
        if lines[at].rstrip() == "--":
            return lines[:at], lines[at:]
    if last >= 0 and len(lines[last]) < 120 and _DEVICE.fullmatch(lines[last]):
        return lines[:last], lines[last:]
    return lines, []


def _is_quoted(line: str) -> bool:
    return line.lstrip()[:1] == ">"


def _next_words(lines: list[str], start: int) -> str:
    for line in lines[start : start + 4]:
        if line.strip():
            return line
    return ""
