"""Feed an archive of public conversations through the real intake, and check the ledger against the file.

FILE is CSV, plain or gzipped, with the columns tweet_id, author_id, inbound, created_at, text and
in_response_to_tweet_id. Each brand gets an inbox of the api channel; its messages are posted there in order of time,
signed, as history: no clock starts and nothing is sent. A second run finds only duplicates. When no web process or
worker runs, they are started for the purpose.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from .archive import Archive, NotAnArchive, Post, read_archive
from .main import CommandError

if TYPE_CHECKING:
    from klankbord.desk.organisations.models import Organisation
    from klankbord.flows.replaying import BrandInbox

    from .posting import Door

_AT_ONCE = 400  # posts that are grouped by inbox into deliveries when there is no pace to keep
_COMPLAINTS = 20
_PATIENCE = 120.0  # seconds without any progress in the intake


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--speed", type=float, default=0.0, metavar="N", help="N times as fast as it happened; 0: as fast as possible"
    )
    parser.add_argument("--organisation", default="", metavar="SLUG", help="needed when there are several")


def run(options: argparse.Namespace) -> int:
    if options.speed < 0:
        raise CommandError("--speed is 0 or more.")
    archive = _read(options.file)
    if not archive.posts:
        raise CommandError(
            f"{options.file} has no row that can be used: {archive.rows} rows, {archive.skipped} left out."
        )
    from .posting import desk_with_door

    with desk_with_door() as find_door:
        result = _replay(archive, options.organisation, options.speed, find_door)
    print(result.summary(archive))
    return 0 if result.adds_up(archive) else 1


@dataclass(frozen=True, slots=True)
class Result:
    """counts: what this run added to the ledger of the brands' inboxes. stored: how many ids of the file stand in the
    desk, of `wanted` different ones. seconds: from the first post until everything was taken in."""

    counts: Mapping[str, int]
    stored: int
    wanted: int
    seconds: float

    def adds_up(self, archive: Archive) -> bool:
        known = self.counts["message"] + self.counts["duplicate"]
        return len(archive.posts) == self.counts["accepted"] == known and self.stored == self.wanted

    def summary(self, archive: Archive) -> str:
        outcomes = ("message", "change", "duplicate", "ignored", "dead", "waiting")
        parts = " + ".join(f"{self.counts[name]:,} {_words(name, self.counts[name])}" for name in outcomes)
        is_right = self.adds_up(archive)
        return "\n".join(
            (
                f"file      {archive.rows:,} rows = {len(archive.posts):,} messages + {archive.skipped:,} left out",
                f"posted    {len(archive.posts):,} messages to {len(archive.brands):,} inboxes in {self.seconds:.1f} s",
                f"ledger    {self.counts['accepted']:,} accepted = {parts}",
                f"desk      {self.stored:,} of {self.wanted:,} different ids of the file stand in the desk",
                "It adds up." if is_right else "It does NOT add up: see `klankbord ledger`, and run this again.",
            )
        )


def _words(outcome: str, count: int) -> str:
    return f"{outcome}s" if outcome in ("message", "change", "duplicate") and count != 1 else outcome


def _read(path: Path) -> Archive:
    complaints = 0

    def complain(row: int, reason: str) -> None:
        nonlocal complaints
        complaints += 1
        if complaints <= _COMPLAINTS:
            print(f"row {row} left out: {reason}", file=sys.stderr)

    try:
        archive = read_archive(path, complain)
    except NotAnArchive as error:
        raise CommandError(str(error)) from error
    if complaints > _COMPLAINTS:
        print(f"… and {complaints - _COMPLAINTS} more", file=sys.stderr)
    for remark in archive.remarks:
        print(remark, file=sys.stderr)
    return archive


def _replay(archive: Archive, slug: str, speed: float, find_door: Callable[[BrandInbox], Door]) -> Result:
    from klankbord.desk.wall import organisation
    from klankbord.flows.replaying import counted, inbox_of_brand, stored

    from .progress import Progress

    chosen = _organisation(slug)
    with organisation(chosen.id):
        inboxes = {brand: inbox_of_brand(brand, now=datetime.now(UTC)) for brand in archive.brands}
        before = counted([each.id for each in inboxes.values()])
    door = find_door(next(iter(inboxes.values())))
    began = time.monotonic()
    progress, done = Progress(len(archive.posts), "messages posted"), 0
    for together in _in_time(archive.posts, speed):
        for inbox, events in _by_inbox(together, inboxes):
            door.post(inbox, events)
        done += len(together)
        progress.at(done)
    progress.end()

    def added() -> dict[str, int]:
        with organisation(chosen.id):
            now = counted([each.id for each in inboxes.values()])
        return {name: count - before[name] for name, count in now.items()}

    counts = _wait_for_intake(added, len(archive.posts))
    wanted: dict[UUID, list[str]] = {}
    for post in {(post.brand, post.id): post for post in archive.posts}.values():
        wanted.setdefault(inboxes[post.brand].id, []).append(post.id)
    with organisation(chosen.id):
        found = stored(wanted)
    return Result(counts, found, sum(len(ids) for ids in wanted.values()), time.monotonic() - began)


def _organisation(slug: str) -> Organisation:
    """The one that was asked for; on a desk without any, a new one of that name."""
    from klankbord.desk.organisations.models import Organisation
    from klankbord.flows.founding import found_organisation

    from .organisations import chosen_organisation

    if Organisation.objects.exists():
        return chosen_organisation(slug)
    slug = slug or "archive"
    print(f"There was no organisation yet: made {slug}.", file=sys.stderr)
    return found_organisation(name=slug.capitalize(), slug=slug, now=datetime.now(UTC), language="en")


def _in_time(posts: Sequence[Post], speed: float) -> Iterator[Sequence[Post]]:
    """What is posted together: everything as fast as it goes, or each when its moment comes."""
    if not speed:
        for start in range(0, len(posts), _AT_ONCE):
            yield posts[start : start + _AT_ONCE]
        return
    began = time.monotonic()
    for post in posts:
        due = began + (post.at - posts[0].at).total_seconds() / speed
        time.sleep(max(0.0, due - time.monotonic()))
        yield [post]


def _by_inbox(
    posts: Sequence[Post], inboxes: Mapping[str, BrandInbox]
) -> Iterator[tuple[BrandInbox, list[dict[str, object]]]]:
    per_brand: dict[str, list[dict[str, object]]] = {}
    for post in posts:
        per_brand.setdefault(post.brand, []).append(_event(post))
    for brand, events in per_brand.items():
        yield inboxes[brand], events


def _event(post: Post) -> dict[str, object]:
    """The post in the words of the api channel (see its README)."""
    event: dict[str, object] = {
        "type": "message",
        "history": True,
        "id": post.id,
        "at": post.at.isoformat(),
        "place": {"id": post.root, "visibility": "public"},
        "person": {"id": post.person, "username": post.person},
        "text": post.text,
    }
    if post.parent:
        event |= {"in_reply_to": post.parent, "thread_ids": [post.parent]}
    if post.is_ours:
        event |= {"is_own": True, "author": post.author}
    return event


def _wait_for_intake(added: Callable[[], dict[str, int]], posted: int) -> dict[str, int]:
    """Until nothing waits any more, or nothing happens any more."""
    from .progress import Progress

    progress = Progress(posted, "messages taken in")
    last, since = -1, time.monotonic()
    while True:
        counts = added()
        settled = counts["accepted"] - counts["waiting"]
        progress.at(settled)
        if counts["waiting"] <= 0 and settled >= posted:
            break
        if settled != last:
            last, since = settled, time.monotonic()
        elif time.monotonic() - since > _PATIENCE:
            print(f"Nothing was taken in for {_PATIENCE:.0f} s; is a worker running?", file=sys.stderr)
            break
        time.sleep(0.2)
    progress.end()
    return counts
