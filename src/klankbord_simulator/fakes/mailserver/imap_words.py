"""Reading IMAP commands, number sets and searches."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser

from .boxes import Mail

Word = str | bytes | list["Word"]  # bytes: a literal
TOKEN = re.compile(r'"((?:\\.|[^"\\])*)"|(\()|(\))|\x00(\d+)\x00|([^\s()"\x00\[]+(?:\[[^\]]*\](?:<[\d.]+>)?)?)')
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n$")
LITERAL_LIMIT = 30_000_000
FLAG_WORDS = {
    "ANSWERED": "\\Answered",
    "DELETED": "\\Deleted",
    "DRAFT": "\\Draft",
    "FLAGGED": "\\Flagged",
    "SEEN": "\\Seen",
    "RECENT": "\\Recent",
}


class BadCommand(Exception):
    """Answered with BAD."""


async def read_command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[Word] | None:
    """The words of the next command, literals fetched; None at the end of the connection."""
    text, literals = "", list[bytes]()
    while line := await reader.readline():
        announced = LITERAL.search(line)
        if not announced:
            return parse(text + line.decode("utf-8", "replace").rstrip("\r\n"), literals)
        if int(announced[1]) > LITERAL_LIMIT:
            raise BadCommand("Literal too large")
        if not announced[2]:
            writer.write(b"+ Ready for literal data\r\n")
            await writer.drain()
        text += line[: announced.start()].decode("utf-8", "replace") + f"\0{len(literals)}\0"
        literals.append(await reader.readexactly(int(announced[1])))
    return None


def parse(text: str, literals: Sequence[bytes] = ()) -> list[Word]:
    stack: list[list[Word]] = [[]]
    for found in TOKEN.finditer(text):
        quoted, opening, closing, literal, atom = found.groups()
        if opening:
            stack.append([])
        elif closing:
            if len(stack) == 1:
                raise BadCommand("Unexpected )")
            inner = stack.pop()
            stack[-1].append(inner)
        elif literal is not None:
            stack[-1].append(literals[int(literal)])
        else:
            stack[-1].append(atom if atom is not None else re.sub(r"\\(.)", r"\1", quoted))
    if len(stack) != 1:
        raise BadCommand("Missing )")
    return stack[0]


def plain(word: Word) -> str:
    if isinstance(word, list):
        raise BadCommand("Unexpected list")
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else word


def in_set(words: str, numbers: Sequence[int]) -> list[int]:
    """The numbers named by a set such as "3,7:9,12:*", in order.

    The star is the highest number there is, so "12:*" names at least the last one, even when that is below 12.
    """
    highest, chosen = max(numbers, default=0), set[int]()
    for part in words.split(","):
        try:
            ends = [highest if each == "*" else int(each) for each in part.split(":", 1)]
        except ValueError as error:
            raise BadCommand("Invalid set") from error
        low, high = min(ends), max(ends)
        chosen.update(number for number in numbers if low <= number <= high)
    return sorted(chosen)


def search(criteria: Sequence[Word], mails: Sequence[Mail]) -> list[Mail]:
    """The mails that match all criteria."""
    words, found = list(criteria), list(mails)
    if words and plain_or_empty(words[0]) == "CHARSET":
        del words[:2]
    while words:
        kept = {id(mail) for mail in take_one(words, mails)}
        found = [mail for mail in found if id(mail) in kept]
    return found


def plain_or_empty(word: Word) -> str:
    return "" if isinstance(word, list) else plain(word).upper()


def take_one(words: list[Word], mails: Sequence[Mail]) -> list[Mail]:
    """Take one criterion off the front; gives the mails it matches."""
    first = words.pop(0)
    if isinstance(first, list):
        return search(first, mails)
    key = plain(first).upper()
    if key == "ALL":
        return list(mails)
    if key == "NOT":
        excluded = {id(mail) for mail in take_one(words, mails)}
        return [mail for mail in mails if id(mail) not in excluded]
    if key == "OR":
        either = {id(mail) for mail in (*take_one(words, mails), *take_one(words, mails))}
        return [mail for mail in mails if id(mail) in either]
    if key in FLAG_WORDS:
        return [mail for mail in mails if FLAG_WORDS[key] in mail.flags]
    if key.removeprefix("UN") in FLAG_WORDS:
        return [mail for mail in mails if FLAG_WORDS[key.removeprefix("UN")] not in mail.flags]
    if key == "NEW":
        return [mail for mail in mails if "\\Seen" not in mail.flags]
    if re.fullmatch(r"[\d*:,]+", key):
        places = in_set(key, range(1, len(mails) + 1))
        return [mails[place - 1] for place in places]
    if not words:
        raise BadCommand(f"Unknown search key {key}")
    return with_value(key, words, mails)


def with_value(key: str, words: list[Word], mails: Sequence[Mail]) -> list[Mail]:
    value = plain(words.pop(0))
    match key:
        case "UID":
            numbers = set(in_set(value, [mail.uid for mail in mails]))
            return [mail for mail in mails if mail.uid in numbers]
        case "KEYWORD":
            return [mail for mail in mails if value in mail.flags]
        case "UNKEYWORD":
            return [mail for mail in mails if value not in mail.flags]
        case "SINCE" | "SENTSINCE":
            return [mail for mail in mails if mail.at.date() >= read_date(value)]
        case "BEFORE" | "SENTBEFORE":
            return [mail for mail in mails if mail.at.date() < read_date(value)]
        case "ON" | "SENTON":
            return [mail for mail in mails if mail.at.date() == read_date(value)]
        case "LARGER":
            return [mail for mail in mails if len(mail.raw) > int(value)]
        case "SMALLER":
            return [mail for mail in mails if len(mail.raw) < int(value)]
        case "FROM" | "TO" | "CC" | "SUBJECT":
            return [mail for mail in mails if value.lower() in header(mail, key).lower()]
        case "HEADER":
            wanted = plain(words.pop(0)).lower()
            return [mail for mail in mails if has_header(mail, value) and wanted in header(mail, value).lower()]
        case "TEXT" | "BODY":
            return [mail for mail in mails if value.lower().encode() in mail.raw.lower()]
    raise BadCommand(f"Unknown search key {key}")


def has_header(mail: Mail, name: str) -> bool:
    return BytesHeaderParser().parsebytes(mail.raw).get(name) is not None


def header(mail: Mail, name: str) -> str:
    value = str(BytesHeaderParser().parsebytes(mail.raw).get(name, ""))
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError):
        return value


def read_date(text: str) -> date:
    try:
        day, month, year = text.split("-")
        return date(int(year), MONTHS.index(month.lower()) + 1, int(day))
    except ValueError as error:
        raise BadCommand("Invalid date") from error


def internal_date(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day:2d}-{MONTHS[at.month - 1].capitalize()}-{at:%Y %H:%M:%S} +0000"
