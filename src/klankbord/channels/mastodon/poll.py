"""What is new on the server: mentions since the last one seen, mentions that the server holds back, and what became of
statuses that we saw before.

Edits and deletions are told on the stream only, and the stream has no memory. So the cursor carries the statuses seen
last, and every poll looks at a few of them again.

The cursor: {"last": id of the newest notification seen, "requests": {account id: moment of its newest held-back
mention}, "watched": [[status id, edited_at], …], next to be looked at first}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from klankbord.contract import Account, ChannelError, Delivery, Polled, Response, Wires

from .server import Credentials, Server, is_missing, is_surely_gone

_TYPES = [("types[]", word) for word in ("mention", "update", "quote")]
_PAGE = "40"
_PAGES_AT_ONCE = 2  # each mention may cost one more request, and a poll should be over within a minute
_REQUEST_PAGES = 5
_WATCHED = 100
_LOOKED_AT_AGAIN = 10
_SPARE_REQUESTS = 60  # below this many left in the server's window, only new mentions are fetched


def poll(account: Account[Credentials], cursor: Mapping[str, Any], wires: Wires) -> Polled:
    server = Server(account, wires)
    if not cursor:
        return Polled((), _start_from_now(server, account))
    fresh, last, has_more = _new_notifications(server, str(cursor["last"]))
    watched = [(str(each[0]), str(each[1])) for each in cursor.get("watched") or []]
    requests = {str(who): str(moment) for who, moment in (cursor.get("requests") or {}).items()}
    told: list[dict[str, Any]] = []
    if not has_more:
        held_back, requests = _held_back(server, account, requests)
        fresh += held_back
        told, watched = _look_again(server, watched)
    seen = {each for each, _ in watched}
    for notification in fresh:
        told += _with_surroundings(server, account, notification, seen=seen)
        seen |= set(_versions(told))
    watched = _watch(watched, told)
    return Polled(
        tuple(_delivery(each, wires) for each in told),
        {"last": last, "requests": requests, "watched": [list(each) for each in watched]},
        has_more=has_more,
    )


def backfill(account: Account[Credentials], cursor: Mapping[str, Any], wires: Wires) -> Polled:
    """Older mentions, newest first, a page at a time."""
    before = [("max_id", str(cursor["before"]))] if cursor.get("before") else []
    page = Server(account, wires).read("/api/v1/notifications", [*_TYPES, ("limit", _PAGE), *before])
    if not page:
        return Polled((), cursor)
    deliveries = tuple(_delivery(each, wires, is_history=True) for each in page)
    return Polled(deliveries, {"before": str(page[-1]["id"])}, has_more=True)


def _start_from_now(server: Server, account: Account[Credentials]) -> dict[str, Any]:
    newest = server.read("/api/v1/notifications", [*_TYPES, ("limit", "1")])
    # No notification yet: everything that comes is after "0", whatever the server's ids look like.
    return {
        "last": str(newest[0]["id"]) if newest else "0",
        "requests": {_requester(each): str(each["updated_at"]) for each in _requests(server, account)},
        "watched": [],
    }


def _new_notifications(server: Server, last: str) -> tuple[list[dict[str, Any]], str, bool]:
    """Notifications after `last`, oldest first, the id of the newest, and whether there may be more at once."""
    found: dict[str, dict[str, Any]] = {}
    for number in range(_PAGES_AT_ONCE):
        try:
            response = server.get("/api/v1/notifications", [*_TYPES, ("limit", _PAGE), ("min_id", last)])
            page = response.json()
        except ChannelError:
            if number == 0:
                raise
            return list(found.values()), last, True  # what we have is safe; the next poll meets the error itself
        if not isinstance(page, list):
            break
        unseen = [each for each in reversed(page) if str(each["id"]) not in found]
        if not unseen:  # the end; also a server that does not know min_id and repeats itself
            return list(found.values()), last, False
        found.update((str(each["id"]), each) for each in unseen)
        last = _next_min_id(response) or str(page[0]["id"])
    return list(found.values()), last, True


def _next_min_id(response: Response) -> str:
    """The id from which the server says to go on. Only its id is used: where we ask is ours to decide."""
    for link in response.headers.get("link", "").split(","):
        address, _, rest = link.partition(";")
        if 'rel="prev"' in rest.replace(" ", ""):
            return parse_qs(urlsplit(address.strip().strip("<>")).query).get("min_id", [""])[0]
    return ""


def _held_back(
    server: Server, account: Account[Credentials], known: Mapping[str, str]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Mentions that the server keeps from the list of notifications (new or limited accounts), not seen before."""
    found: list[dict[str, Any]] = []
    now_known: dict[str, str] = {}
    try:
        for request in _requests(server, account):
            who, newest = _requester(request), str(request["updated_at"])
            before = known.get(who, "")
            if newest != before:
                found += _held_back_of(server, request, after=before)
            now_known[who] = newest
    except ChannelError:
        return found, {**known, **now_known}
    return found, now_known


def _held_back_of(server: Server, request: Mapping[str, Any], *, after: str) -> list[dict[str, Any]]:
    who = _requester(request)
    page = server.read(
        "/api/v1/notifications", [*_TYPES, ("limit", _PAGE), ("account_id", who), ("include_filtered", "true")]
    )
    theirs = [each for each in reversed(page) if _requester(each) == who and str(each["created_at"]) > after]
    if not theirs and (status := request.get("last_status")):  # a server that lists none still shows the last one
        theirs = [{"id": request["id"], "type": "mention", "account": request["account"], "status": status}]
    return [{**each, "klankbord": {"is_filtered": True}} for each in theirs]


def _requests(server: Server, account: Account[Credentials]) -> Iterable[dict[str, Any]]:
    if account.facts.get("has_requests") is False:
        return
    before: list[tuple[str, str]] = []
    for _ in range(_REQUEST_PAGES):
        response = server.get("/api/v1/notifications/requests", [("limit", _PAGE), *before])
        page = [] if is_missing(response) else response.json()
        yield from page
        if len(page) < int(_PAGE):
            return
        before = [("max_id", str(page[-1]["id"]))]


def _requester(request: Mapping[str, Any]) -> str:
    return str(request["account"]["id"])


def _look_again(server: Server, watched: list[tuple[str, str]]) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """What became of statuses seen before: edits and deletions, and the list with those looked at moved to its end."""
    told: list[dict[str, Any]] = []
    looked_at: list[tuple[str, str]] = []
    gone: set[str] = set()
    for status_id, version in watched[:_LOOKED_AT_AGAIN]:
        if server.remaining is not None and server.remaining < _SPARE_REQUESTS:
            break
        try:
            response = server.get(f"/api/v1/statuses/{status_id}")
            status = None if is_missing(response) else dict(response.json())
        except (ChannelError, TypeError, ValueError):
            break
        if status is None:
            if is_surely_gone(response):
                gone.add(status_id)
                told.append({"id": status_id, "klankbord": {"event": "delete", "at": server.wires.now().isoformat()}})
            continue
        edited_at = str(status.get("edited_at") or "")
        looked_at.append((status_id, edited_at))
        if edited_at != version:
            told.append({"status": status, "klankbord": {"event": "status.update"}})
    done = {each for each, _ in looked_at} | gone
    return told, [each for each in watched if each[0] not in done] + looked_at


def _with_surroundings(
    server: Server, account: Account[Credentials], notification: dict[str, Any], *, seen: set[str]
) -> list[dict[str, Any]]:
    """The notification with what it answers, after any answer of ours in that thread that was not seen before."""
    status = notification.get("status") or {}
    if notification.get("type") != "mention" or not status.get("in_reply_to_id") or not _has_spare(server):
        return [notification]
    try:
        response = server.get(f"/api/v1/statuses/{status['id']}/context")
        above = [] if is_missing(response) else response.json()["ancestors"]
    except (ChannelError, KeyError, TypeError):
        above = []
    if not above:
        return [notification]
    ours, contact, root = str(account.facts.get("account_id")), str(status["account"]["id"]), str(above[0]["id"])
    line = [each for each in above if _is_between(each, ours, contact)]
    around = [each for each in above if each not in line]
    told: list[dict[str, Any]] = []
    for place, answer in enumerate(line):
        if _author(answer) == ours and str(answer["id"]) not in seen:
            told.append({"status": answer, "klankbord": {"event": "own", "root": root, "thread": _ids(line[:place])}})
    beside = {**notification.get("klankbord", {}), "root": root, "thread": _ids(line)}
    if around:
        beside["parent"] = around[-1]
    return [*told, {**notification, "klankbord": beside}]


def _ids(line: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(each["id"]) for each in reversed(line)]


def _is_between(status: Mapping[str, Any], ours: str, contact: str) -> bool:
    """Is it the contact's, or an answer of ours to the contact?"""
    return _author(status) == contact or (
        _author(status) == ours and str(status.get("in_reply_to_account_id")) == contact
    )


def _author(status: Mapping[str, Any]) -> str:
    return str((status.get("account") or {}).get("id"))


def _has_spare(server: Server) -> bool:
    return server.remaining is None or server.remaining >= _SPARE_REQUESTS


def _watch(watched: list[tuple[str, str]], told: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Add the statuses just told, and forget the oldest beyond what we can look at."""
    new = _versions(told)
    return [*((each, version) for each, version in watched if each not in new), *new.items()][-_WATCHED:]


def _versions(told: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {
        str(each["status"]["id"]): str(each["status"].get("edited_at") or "") for each in told if each.get("status")
    }


def _delivery(said: Mapping[str, Any], wires: Wires, *, is_history: bool = False) -> Delivery:
    return Delivery(body=json.dumps(said).encode(), received_at=wires.now(), is_history=is_history)
