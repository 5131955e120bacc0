"""A reply as a status.

Whoever is named in a status reads it, and a reply that names nobody reaches nobody: so the contact is put in front when
the agent did not, and a private reply that names someone else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from klankbord.contract import (
    Account,
    Outgoing,
    Receipt,
    Refused,
    TooLong,
    Unavailable,
    Uncertain,
    Unsupported,
    Upload,
    Visibility,
    Wires,
)
from klankbord.kernel import text as texts

from .content import text_of_html
from .server import Credentials, Server, is_missing

# A name in a text, not a mail address nor the path of a link: @sanne or @sanne@mastodon.nl
_NAME = re.compile(r"(?<![\w/@.])@(?P<user>\w+(?:[\w.-]*\w)?)(?P<domain>@[\w-]+(?:\.[\w-]+)+)?", re.ASCII)
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_MIRRORED = ("public", "unlisted")
_MEDIA_ROUNDS = 12


def count(text: str, *, per_link: int) -> int:
    """The length as Mastodon counts: graphemes, links alike, of a name only the part before the server."""
    return texts.length(_NAME.sub(r"@\g<user>", text), unit="graphemes", per_link=per_link)


def send(
    outgoing: Outgoing,
    account: Account[Credentials],
    wires: Wires,
    *,
    maximum: int,
    per_link: int,
    pause: Callable[[float], object],
) -> Receipt:
    """Post the reply. The same key within an hour gives the status of the first time (Idempotency-Key)."""
    server = Server(account, wires)
    text = _addressed(outgoing, account, server)
    if (length := count(text, per_link=per_link)) > maximum:
        raise TooLong(length=length, limit=maximum)
    visibility = _visibility(outgoing)
    said: dict[str, Any] = {"status": text, "visibility": visibility}
    if target := outgoing.in_reply_to or outgoing.target:
        said["in_reply_to_id"] = target
    if outgoing.uploads:
        said["media_ids"] = [_upload(each, server, pause) for each in outgoing.uploads]
    response = server.post("/api/v1/statuses", json=said, headers={"Idempotency-Key": outgoing.key})
    if is_missing(response):
        raise Refused(
            "The post you answer is no longer there, or its author shut us out.", code="gone", place_is_gone=True
        )
    return _receipt(response.json())


def look_up(outgoing: Outgoing, account: Account[Credentials], wires: Wires) -> Receipt | None:
    """Find a reply of ours with these words under the status it answers (or among our latest)."""
    server = Server(account, wires)
    ours = str(account.facts.get("account_id") or "")
    if not ours:
        raise Unsupported("Connect this account again: Klankbord does not know its own name on the server.")
    wanted = _comparable(_addressed(outgoing, account, server))
    for status in _candidates(outgoing, server, ours):
        is_known = str(status["id"]) in outgoing.thread_ids
        is_ours = str((status.get("account") or {}).get("id")) == ours
        if is_ours and not is_known and _comparable(text_of_html(str(status.get("content") or ""))) == wanted:
            return _receipt(status)
    return None


def _candidates(outgoing: Outgoing, server: Server, ours: str) -> Sequence[Mapping[str, Any]]:
    if target := outgoing.in_reply_to or outgoing.target:
        response = server.get(f"/api/v1/statuses/{target}/context")
        if is_missing(response):
            return []
        below: list[Mapping[str, Any]] = response.json()["descendants"]
        return [each for each in below if str(each.get("in_reply_to_id")) == target]
    latest: list[Mapping[str, Any]] = server.read(f"/api/v1/accounts/{ours}/statuses", [("limit", "40")])
    return latest


def _comparable(text: str) -> str:
    return texts.fold(_NAME.sub(r"@\g<user>", text))


def _addressed(outgoing: Outgoing, account: Account[Credentials], server: Server) -> str:
    """The text with its reader in it, and in a private reply nobody else."""
    acct = outgoing.to.username or _acct_of(outgoing.to.external_id, server)
    own_host = server.base.partition("://")[2]
    reader = _full_name(acct, own_host)
    named = {
        _full_name(found.group().removeprefix("@"), own_host) for found in _NAME.finditer(_LINK.sub(" ", outgoing.text))
    }
    if outgoing.visibility == Visibility.PRIVATE:
        ourselves = _full_name(str(account.facts.get("acct") or ""), own_host)
        others = sorted(named - {reader, ourselves})
        if others:
            raise Refused(
                f"This private reply names somebody who would then read it; leave the @ out: {others[0]}",
                code="names-others",
            )
    return outgoing.text if reader in named else f"@{acct} {outgoing.text}"


def _acct_of(account_id: str, server: Server) -> str:
    response = server.get(f"/api/v1/accounts/{account_id}")
    if is_missing(response):
        raise Refused("This account no longer exists.", code="gone", place_is_gone=True)
    return str(response.json()["acct"])


def _full_name(acct: str, own_host: str) -> str:
    return (acct if "@" in acct else f"{acct}@{own_host}").casefold()


def _visibility(outgoing: Outgoing) -> str:
    """As public as what it answers; unlisted when we do not know, so that timelines stay free of our replies."""
    if outgoing.visibility == Visibility.PRIVATE:
        return "direct"
    theirs = outgoing.facts.get("visibility")
    return str(theirs) if theirs in _MIRRORED else "unlisted"


def _upload(upload: Upload, server: Server, pause: Callable[[float], object]) -> str:
    try:
        response = server.post(
            "/api/v2/media",
            files={"file": (upload.name, upload.read(), upload.content_type)},
            data={"description": upload.description} if upload.description else None,
            timeout=30.0,
        )
    except Uncertain as error:  # a file that no status names is seen by nobody and swept by the server
        raise Unavailable("The Mastodon server did not take the file in time.", code="media-time-out") from error
    if is_missing(response):
        raise Refused("This server takes no files.", code="no-media")
    media_id, status = str(response.json()["id"]), response.status
    for _ in range(_MEDIA_ROUNDS):
        if status == 200:
            return media_id
        pause(1.0)
        status = server.get(f"/api/v1/media/{media_id}").status  # 206 as long as the server works on it
    raise Unavailable("The Mastodon server is still working on the file.", retry_after=30.0, code="media-busy")


def _receipt(status: Mapping[str, Any]) -> Receipt:
    facts = {"uri": str(status.get("uri") or ""), "visibility": str(status.get("visibility") or "")}
    moment = datetime.fromisoformat(str(status["created_at"]))
    return Receipt(
        external_ids=(str(status["id"]),),
        at=moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC),
        url=str(status.get("url") or ""),
        facts=facts,
    )
