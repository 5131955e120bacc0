"""Archives of public conversations, as CSV: read, checked row by row, and ordered into threads by their reply links.

Columns: tweet_id, author_id, inbound, created_at and text; in_response_to_tweet_id where a message answers another.
Brands are the authors of what is not inbound. Knows no database: what comes out are plain posts in order of time.
"""

from __future__ import annotations

import csv
import gzip
import html
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from klankbord.kernel.text import clean, one_line

NEEDED = ("tweet_id", "author_id", "inbound", "created_at", "text")
NO_BRAND = "No brand"

_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_LONGEST_ID = 300
_LARGEST_CELL = 1_000_000
_MENTION = re.compile(r"@(\w+)")

# Receives the number of a row that is left out, as a spreadsheet numbers it (the header is row 1), and why.
Complain = Callable[[int, str], None]


class NotAnArchive(Exception):
    """The file as a whole cannot be read; the message says why."""


@dataclass(slots=True)
class Post:
    """One message of the archive.

    parent: the message of the file that it answers, "" when none. root: the first message of its thread.
    brand: whose inbox it belongs in. person: the customer who wrote it, or for whom it was.
    """

    id: str
    author: str
    is_ours: bool
    at: datetime
    text: str
    parent: str
    root: str = ""
    brand: str = ""
    person: str = ""


@dataclass(slots=True)
class Archive:
    """posts: in order of time. rows: data rows in the file. remarks: what one should know of the file as a whole."""

    posts: list[Post]
    rows: int
    skipped: int
    remarks: list[str] = field(default_factory=list)

    @property
    def brands(self) -> list[str]:
        return sorted({post.brand for post in self.posts})


def read_archive(path: Path, complain: Complain) -> Archive:
    """Read a plain or gzipped CSV file. Rows that cannot be read are left out.   Raises: NotAnArchive."""
    remarks: list[str] = []
    text = _decoded(_bytes_of(path), remarks)
    posts: list[Post] = []
    rows = skipped = 0
    for number, row in _rows(text, path):
        rows += 1
        try:
            if isinstance(row, csv.Error):
                raise ValueError(f"it is not CSV: {row}")
            posts.append(_post(row))
        except ValueError as error:
            skipped += 1
            complain(number, str(error))
    thread_up(posts)
    posts.sort(key=lambda post: (post.at, post.id))
    return Archive(posts, rows, skipped, remarks)


def _bytes_of(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise NotAnArchive(f"{path} is damaged: it ends too early or is no gzip file.") from error
    except OSError as error:
        raise NotAnArchive(f"{path} cannot be read: {error.strerror or error}.") from error


def _decoded(content: bytes, remarks: list[str]) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        remarks.append("The file is not UTF-8; it was read as Windows-1252.")
        return content.decode("cp1252", errors="replace")


def _rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, str | None] | csv.Error]]:
    """Data rows with their numbers, or why there is none at that place."""
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = reader.fieldnames or []
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        found = one_line(", ".join(columns), limit=200) or "none at all"
        raise NotAnArchive(f"{path} has no column {', '.join(missing)}. Its columns are: {found}.")
    number = 1
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, error
        else:
            yield number, row


def _post(row: Mapping[str, str | None]) -> Post:
    """Raises ValueError with the reason why this row cannot be used."""
    values = {name: (row.get(name) or "").strip() for name in (*NEEDED, "in_response_to_tweet_id")}
    for name in NEEDED:
        if not values[name]:
            raise ValueError(f"{name} is empty")
    is_inbound = _YES_NO.get(values["inbound"].lower())
    if is_inbound is None:
        raise ValueError(f"inbound is {one_line(values['inbound'], limit=40)!r}, not True or False")
    text = clean(html.unescape(values["text"])).strip()
    if not text:
        raise ValueError("text is empty")
    own = _id(values["tweet_id"], "tweet_id")
    parent = _id(values["in_response_to_tweet_id"], "in_response_to_tweet_id")
    return Post(
        id=own,
        author=_id(values["author_id"], "author_id"),
        is_ours=not is_inbound,
        at=_moment(values["created_at"]),
        text=text,
        parent="" if parent == own else parent,
    )


def _id(value: str, name: str) -> str:
    # Tables that once held an empty cell write whole numbers as 12.0.
    value = value.removesuffix(".0") if value.removesuffix(".0").isdecimal() else value
    if len(value) > _LONGEST_ID or one_line(value) != value:
        raise ValueError(f"{name} is {one_line(value, limit=40)!r}, which is no id")
    return value


def _moment(value: str) -> datetime:
    with suppress(ValueError, OverflowError):
        return datetime.strptime(value, "%a %b %d %H:%M:%S %z %Y").astimezone(UTC)
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    raise ValueError(f"created_at is {one_line(value, limit=40)!r}, which is no moment")


# ------------------------------------------------------------------------------------------ threads, brands, people


def thread_up(posts: Sequence[Post]) -> None:
    """Fill in root, brand and person. A link to a message outside the file starts a thread."""
    by_id: dict[str, Post] = {}
    for post in posts:
        by_id.setdefault(post.id, post)
    for post in posts:
        if post.parent not in by_id:
            post.parent = ""
    for post in posts:
        post.root = _root(post, by_id)
    threads: dict[str, list[Post]] = {}
    for post in sorted(posts, key=lambda post: (post.at, post.id)):
        threads.setdefault(post.root, []).append(post)
    names = {post.author.lower(): post.author for post in posts if post.is_ours}
    for thread in threads.values():
        for post in thread:
            post.brand = one_line(_brand(post, thread, by_id, names), limit=90)
            post.person = _person(post, thread, by_id)


def _ancestors(post: Post, by_id: Mapping[str, Post]) -> Iterator[Post]:
    """What it answers, and what that answers. Links that bite their own tail end where they began."""
    seen = {post.id}
    while post.parent and post.parent not in seen:
        post = by_id[post.parent]
        seen.add(post.id)
        yield post


def _root(post: Post, by_id: Mapping[str, Post]) -> str:
    line = [post]
    for each in _ancestors(post, by_id):
        if each.root:
            return each.root
        line.append(each)
    last = line[-1]
    # In a ring there is no first message by links, so the oldest takes that place.
    root = min(line, key=lambda each: (each.at, each.id)).id if last.parent else last.id
    for each in line:
        each.root = root
    return root


def _brand(post: Post, thread: Sequence[Post], by_id: Mapping[str, Post], names: Mapping[str, str]) -> str:
    """Whose inbox: the author's own, or that of the brand it speaks with."""
    if post.is_ours:
        return post.author
    brands = list(dict.fromkeys(each.author for each in thread if each.is_ours))
    if len(brands) > 1:
        answered = [each.author for each in thread if each.is_ours and each.parent == post.id]
        answers = [by_id[post.parent].author] if post.parent and by_id[post.parent].is_ours else []
        brands = answers + answered + brands
    mentioned = [names[name.lower()] for name in _MENTION.findall(post.text) if name.lower() in names]
    return next(iter([*brands, *mentioned]), NO_BRAND)


def _person(post: Post, thread: Sequence[Post], by_id: Mapping[str, Post]) -> str:
    """The customer: the author, or the one whom our message answers or names."""
    if not post.is_ours:
        return post.author
    above = next((each.author for each in _ancestors(post, by_id) if not each.is_ours), "")
    named = next((name for name in _MENTION.findall(post.text) if name.isdecimal()), "")
    first = next((each.author for each in thread if not each.is_ours), "")
    return above or named or first or f"unknown {post.root}"
