"""New mail out of a folder, by number.

A folder numbers its mails upwards (UID) and says when it starts counting anew (UIDVALIDITY). The cursor holds both,
so it does not matter who has read or flagged what. When the counting starts anew, all mail of the last days is fetched
again: the desk knows what it has, and what came in between is not lost.

One mail that cannot be fetched is reported as such and passed over; it never holds up the ones behind it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from klankbord.contract import Delivery, Polled, Unavailable, Wires

from . import arrivals, mailbox
from .mailbox import Account, Description

MOST_PER_POLL = 50
MOST_BYTES_PER_POLL = 30_000_000
LARGEST_MAIL = 25_000_000  # bytes; of a larger one only the headers are fetched
MOST_RECONNECTIONS = 4
RESYNC_MARGIN = timedelta(days=3)
CLOCK_MARGIN = timedelta(hours=1)  # the server's clock is not ours, and it tells whole seconds only
IDLE_SECONDS = 9 * 60.0  # under the 29 minutes of RFC 2177, and under what routers forget a silent connection in

_BREAKS_OFF = "The incoming mail server breaks off whenever a mail is fetched."
_FIRST_WINDOW = 500  # numbers looked through at once when going back


@dataclass(frozen=True, slots=True)
class Position:
    """Where a poll stands. uid: the last number that was dealt with. since: when this inbox was connected; what came
    earlier is history. seen_at: the last successful poll. resync_to: up to here, numbers may be old mail."""

    validity: int
    uid: int
    since: datetime
    seen_at: datetime
    resync_to: int = 0

    def cursor(self) -> dict[str, Any]:
        return {
            "uidvalidity": self.validity,
            "uid": self.uid,
            "since": self.since.isoformat(),
            "seen_at": self.seen_at.isoformat(),
            "resync_to": self.resync_to,
        }


def poll(account: Account, cursor: Mapping[str, Any], wires: Wires) -> Polled:
    """What came after the cursor; {}: nothing yet, only the place from which to go on."""
    now = wires.now()
    with mailbox.opened(account, wires) as box:
        folder = mailbox.state(box, account.credentials.folder)
        if "uid" not in cursor:
            return Polled((), Position(folder.validity, folder.next_uid - 1, now, now).cursor())
        position = _position(cursor, folder, box, now)
        new = [uid for uid in mailbox.uids(box, f"UID {position.uid + 1}:*") if uid > position.uid]
        chunk = new[:MOST_PER_POLL]
        descriptions = mailbox.describe(box, chunk)
        chunk = _within_budget(chunk, descriptions)
        wanted = [uid for uid in chunk if uid in descriptions and not _is_history(uid, descriptions[uid], position)]
        fetched = _fetch_together(box, wanted, descriptions)
    missing = [uid for uid in wanted if uid not in fetched]
    fetched |= _fetch_singly(account, wires, missing, descriptions, position.validity)
    done = _dealt_with(chunk, wanted, fetched)
    if chunk and not done:
        raise Unavailable(_BREAKS_OFF, code="imap")
    deliveries = tuple(
        _delivery(fetched[uid], descriptions[uid], now) for uid in wanted if uid in done and not fetched[uid].is_gone
    )
    position = replace(position, uid=max(done, default=position.uid), seen_at=now)
    return Polled(deliveries, position.cursor(), has_more=len(done) < len(new))


def backfill(account: Account, cursor: Mapping[str, Any], wires: Wires) -> Polled:
    """Older mail, in steps from the newest back. cursor: {} to begin with."""
    now = wires.now()
    with mailbox.opened(account, wires) as box:
        folder = mailbox.state(box, account.credentials.folder)
        before = int(cursor.get("before", 0)) if cursor.get("uidvalidity") == folder.validity else folder.next_uid
        chunk, lowest = _newest_before(box, before)
        descriptions = mailbox.describe(box, chunk)
        chunk = sorted(_within_budget(chunk[::-1], descriptions))
        wanted = [uid for uid in chunk if uid in descriptions]
        fetched = _fetch_together(box, wanted, descriptions)
    missing = [uid for uid in wanted if uid not in fetched]
    fetched |= _fetch_singly(account, wires, missing, descriptions, folder.validity)
    left = [uid for uid in wanted if uid not in fetched]
    if left and left[-1] == wanted[-1]:
        raise Unavailable(_BREAKS_OFF, code="imap")
    border = left[-1] + 1 if left else min(chunk, default=lowest)  # what is left comes with the next step
    deliveries = tuple(
        replace(_delivery(fetched[uid], descriptions[uid], now), is_history=True)
        for uid in wanted
        if uid >= border and not fetched[uid].is_gone
    )
    return Polled(deliveries, {"uidvalidity": folder.validity, "before": border}, has_more=border > 1)


def listen(account: Account, wires: Wires, wake: Callable[[], None], stop: threading.Event) -> None:
    """Wake at news until `stop` is set. A server without IDLE leaves it to the poll.

    Raises Unavailable or CredentialsRejected when the connection ends: whoever listens tries again after a while.
    """
    if stop.is_set():
        return
    with mailbox.opened(account, wires) as box:
        has_idle = mailbox.can_idle(box)
        while has_idle and not stop.is_set():
            box.idle.start()
            wake()  # what came before IDLE began is not announced again
            _wait_for_news(box, wake, stop)
            box.idle.stop()
    if not has_idle:
        stop.wait()


def _wait_for_news(box: Any, wake: Callable[[], None], stop: threading.Event) -> None:
    """One stretch of IDLE."""
    until = time.monotonic() + IDLE_SECONDS
    empty_answers = 0
    while not stop.is_set() and time.monotonic() < until:
        asked_at = time.monotonic()
        news = box.idle.poll(timeout=1.0)
        # A closed connection is always "readable" and gives nothing, at once, again and again.
        empty_answers = empty_answers + 1 if not news and time.monotonic() - asked_at < 0.5 else 0
        if empty_answers >= 5 or any(each.upper().startswith(b"* BYE") for each in news):
            raise Unavailable("The incoming mail server ended the connection.", code="imap")
        if any(each.upper().endswith((b" EXISTS", b" RECENT")) for each in news):
            wake()


# ------------------------------------------------------------------------------------------------ where to go on


def _position(cursor: Mapping[str, Any], folder: mailbox.FolderState, box: Any, now: datetime) -> Position:
    known = Position(
        validity=int(cursor["uidvalidity"]),
        uid=int(cursor["uid"]),
        since=datetime.fromisoformat(cursor["since"]),
        seen_at=datetime.fromisoformat(cursor["seen_at"]),
        resync_to=int(cursor.get("resync_to", 0)),
    )
    if known.validity == folder.validity:
        return known
    recent = mailbox.uids(box, mailbox.since((known.seen_at - RESYNC_MARGIN).date()))
    last = folder.next_uid - 1
    return Position(folder.validity, min(recent, default=last + 1) - 1, known.since, now, resync_to=last)


def _is_history(uid: int, description: Description, position: Position) -> bool:
    """Mail from before this inbox was connected, met again because the folder counts anew."""
    arrived = description.arrived
    return uid <= position.resync_to and arrived is not None and arrived < position.since - CLOCK_MARGIN


def _within_budget(chunk: Sequence[int], descriptions: Mapping[int, Description]) -> list[int]:
    """As many as fit in memory, at least one."""
    chosen: list[int] = []
    total = 0
    for uid in chunk:
        size = descriptions.get(uid, Description()).size
        total += min(size, LARGEST_MAIL) if size <= LARGEST_MAIL else 0
        if chosen and total > MOST_BYTES_PER_POLL:
            break
        chosen.append(uid)
    return chosen


def _newest_before(box: Any, before: int) -> tuple[list[int], int]:
    """The highest numbers below `before`, and how far down was looked. Numbers have gaps, so the window grows."""
    window, low = _FIRST_WINDOW, before
    while low > 1:
        high, low = low - 1, max(1, low - window)
        if found := mailbox.uids(box, f"UID {low}:{high}"):
            return [uid for uid in found if uid < before][-MOST_PER_POLL:], low
        window *= 4
    return [], 1


# ------------------------------------------------------------------------------------------------ fetching


@dataclass(frozen=True, slots=True)
class _Fetched:
    """body: the mail, or its headers when it is too large. failure: why it could not be had."""

    body: bytes = b""
    failure: str = ""
    is_gone: bool = False  # deleted or moved before we came


def _fetch_together(box: Any, wanted: Sequence[int], descriptions: Mapping[int, Description]) -> dict[int, _Fetched]:
    """All at once; whatever goes wrong is left for `_fetch_singly` to find out about."""
    large = [uid for uid in wanted if descriptions[uid].size > LARGEST_MAIL]
    small = [uid for uid in wanted if descriptions[uid].size <= LARGEST_MAIL]
    try:
        found = mailbox.contents(box, small) | mailbox.contents(box, large, section="HEADER")
    except mailbox.troubles():
        return {}
    return {uid: _Fetched(body) for uid, body in found.items() if body}


def _fetch_singly(
    account: Account, wires: Wires, missing: Sequence[int], descriptions: Mapping[int, Description], validity: int
) -> dict[int, _Fetched]:
    """One by one, each tried twice, over a new connection whenever one breaks. What is not dealt with is left out."""
    found: dict[int, _Fetched] = {}
    waiting, failures = list(missing), dict.fromkeys(missing, 0)
    for _ in range(MOST_RECONNECTIONS):
        if not waiting:
            break
        try:
            with mailbox.opened(account, wires) as box:
                if mailbox.state(box, account.credentials.folder).validity != validity:
                    break
                while waiting:
                    uid = waiting[0]
                    failures[uid] += 1  # counted before trying: the attempt may end this connection
                    found[uid] = _fetch_one(box, uid, descriptions[uid])
                    waiting.pop(0)
        except Unavailable as trouble:
            if failures[waiting[0]] == 0:
                break  # not even the connection came about: the server is ill, not the mail
            if failures[waiting[0]] >= 2:
                found[waiting.pop(0)] = _Fetched(failure=trouble.sentence)
    return found


def _fetch_one(box: Any, uid: int, description: Description) -> _Fetched:
    section = "HEADER" if description.size > LARGEST_MAIL else ""
    body = mailbox.contents(box, [uid], section=section).get(uid)
    if body:
        return _Fetched(body)
    if not mailbox.uids(box, f"UID {uid}"):
        return _Fetched(is_gone=True)
    return _Fetched(failure="the mail server lists it but gives no content")


def _dealt_with(chunk: Sequence[int], wanted: Sequence[int], fetched: Mapping[int, _Fetched]) -> list[int]:
    """The numbers over which the cursor may move: up to the first that is still to be fetched."""
    still_wanted = next((uid for uid in wanted if uid not in fetched), None)
    return [uid for uid in chunk if still_wanted is None or uid < still_wanted]


def _delivery(fetched: _Fetched, description: Description, now: datetime) -> Delivery:
    arrived = (description.arrived or now).astimezone(UTC)
    told = {arrivals.ARRIVED_AT: arrived.isoformat()}
    if fetched.failure:
        told[arrivals.UNFETCHABLE] = fetched.failure
    if description.size > LARGEST_MAIL:
        told[arrivals.TOO_LARGE] = str(description.size)
    return Delivery(body=fetched.body, received_at=now, headers=told)
