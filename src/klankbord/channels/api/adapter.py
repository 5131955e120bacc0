"""Our own channel for other systems: signed events come in, signed replies go out."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, TypeAlias

from klankbord import contract
from klankbord.channels.api.events import read_events
from klankbord.contract import (
    Arrived,
    BadSignature,
    BaseChannel,
    Capabilities,
    CredentialsRejected,
    Deleted,
    Delivery,
    Edited,
    Health,
    HealthCheck,
    HealthState,
    Item,
    MediaLimit,
    Outgoing,
    Receipt,
    ReceiptArrived,
    ReceiptState,
    Refused,
    Response,
    SendRate,
    TextLimit,
    TooLong,
    Transport,
    Unavailable,
    Visibility,
    Wires,
    ask,
)
from klankbord.kernel import signatures
from klankbord.kernel import text as texts

SHORTEST_SECRET = 16
_LONGEST_WAIT = 86_400.0


@dataclass(frozen=True)
class Credentials:
    """reply_url: empty for a system that only sends."""

    secret: str = field(
        metadata=ask(
            "Shared secret", "At least 16 characters. The other system signs with it, and so do we.", is_secret=True
        )
    )
    reply_url: str = field(
        default="",
        metadata=ask("Address for replies", "Where we post what agents write.", is_required=False, kind="url"),
    )


Account: TypeAlias = contract.Account[Credentials]


class Api(BaseChannel):
    kind = "api"
    label = "API"
    capabilities: ClassVar[Capabilities] = Capabilities(
        answers_one=True,
        transports=frozenset({Transport.WEBHOOK}),
        visibilities=frozenset(Visibility),
        receives=frozenset({Arrived, Edited, Deleted, ReceiptArrived}),
        text=TextLimit(maximum=10_000),
        media=MediaLimit(count=5, bytes_each=5_000_000),
        rate=SendRate(per_second=20.0, burst=50),
        takes_idempotency_key=True,
        receipts=frozenset(ReceiptState),
        has_title=True,
        has_html=True,
    )
    Credentials = Credentials

    def verify(self, delivery: Delivery, account: Account) -> None:
        header = delivery.headers.get(signatures.HEADER, "")
        secret = account.credentials.secret
        if len(secret) < SHORTEST_SECRET:
            raise BadSignature("This inbox has no secret of at least 16 characters.")
        if not signatures.is_authentic(header, delivery.body, secret=secret, at=delivery.received_at):
            raise BadSignature("The signature is missing, wrong, or more than five minutes away from our clock.")

    def parse(self, delivery: Delivery, account: Account) -> list[Item]:
        return read_events(delivery)

    def connect(self, account: Account, wires: Wires) -> Mapping[str, Any]:
        if len(account.credentials.secret) < SHORTEST_SECRET:
            raise CredentialsRejected("The secret has fewer than 16 characters.", code="short-secret")
        if account.credentials.reply_url:
            _taken(_post({"type": "ping", "at": _iso(wires.now())}, "", account, wires), wires.now())
        return {}

    def send(self, outgoing: Outgoing, account: Account, wires: Wires) -> Receipt:
        """Post the reply. The same `outgoing.key` may be posted again: the other system takes a key once."""
        if not account.credentials.reply_url:
            raise Refused("This inbox only receives: it has no address for replies.", code="no-reply-url")
        length, limit = self.length(outgoing.text, account), self.capabilities.text.maximum or 0
        if length > limit:
            raise TooLong(length=length, limit=limit)
        _check_uploads(outgoing, self.capabilities.media)
        now = wires.now()
        answer = _taken(_post(_reply(outgoing, now), outgoing.key, account, wires), now)
        external_id = answer.get("id")
        if isinstance(external_id, bool) or not isinstance(external_id, str | int):
            external_id = ""  # it did not name one: then our own key is the message's id
        url = answer.get("url")
        return Receipt(
            external_ids=(texts.clean(str(external_id)).strip()[:500] or outgoing.key,),
            at=now,
            url=url if isinstance(url, str) and url.startswith(("http://", "https://")) else "",
        )

    def health(self, account: Account, wires: Wires) -> Health:
        if not account.credentials.reply_url:
            check = HealthCheck("Replies", False, "There is no address for replies: this inbox only receives.")
            return Health(HealthState.AILING, (check,))
        try:
            self.connect(account, wires)
        except contract.ChannelError as error:
            return Health(HealthState.BROKEN, (HealthCheck("Replies", False, error.sentence),))
        return Health(
            HealthState.WELL, (HealthCheck("Replies", True, "The other system answers our signed greeting."),)
        )


def _reply(outgoing: Outgoing, now: datetime) -> dict[str, Any]:
    return {
        "type": "reply",
        "id": outgoing.key,
        "at": _iso(now),
        "place": {"id": outgoing.place_key, "target": outgoing.target, "visibility": outgoing.visibility.value},
        "to": {"id": outgoing.to.external_id, "name": outgoing.to.name, "email": outgoing.to.email},
        "title": outgoing.title,
        "text": outgoing.text,
        "html": outgoing.html,
        "author": outgoing.author_name,
        "author_kind": outgoing.author_kind.value,
        "is_automatic": outgoing.is_automatic,
        "in_reply_to": outgoing.in_reply_to,
        "thread_ids": list(outgoing.thread_ids),
        "attachments": [
            {
                "name": each.name,
                "type": each.content_type,
                "description": each.description,
                "data": base64.b64encode(each.read()).decode(),
            }
            for each in outgoing.uploads
        ],
    }


def _check_uploads(outgoing: Outgoing, limit: MediaLimit) -> None:
    if len(outgoing.uploads) > limit.count:
        raise Refused(f"At most {limit.count} attachments go with one reply.", code="too-many-attachments")
    if any(each.size > limit.bytes_each for each in outgoing.uploads):
        raise Refused("An attachment is larger than 5 MB.", code="attachment-too-large")


def _post(document: Mapping[str, Any], key: str, account: Account, wires: Wires) -> Response:
    body = json.dumps(document, ensure_ascii=True).encode()
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        signatures.HEADER: signatures.sign(body, secret=account.credentials.secret, at=wires.now()),
    }
    if key:
        headers["idempotency-key"] = key
    return wires.http.request("POST", account.credentials.reply_url, headers=headers, content=body)


def _taken(response: Response, now: datetime) -> Mapping[str, Any]:
    """The other system's JSON answer, {} when it had nothing to say. Raises Refused or Unavailable for a no."""
    status = response.status
    if 200 <= status < 300:
        if not response.body.strip():
            return {}
        # A page with status 200 is a log-in wall or a proxy, not a yes. Asking again is safe: a key is taken once.
        answer = response.json()
        return answer if isinstance(answer, dict) else {}
    if status in {408, 425, 429} or status >= 500:
        wait = _seconds(response.headers.get("retry-after", ""), now)
        raise Unavailable(
            f"The other system answered {status}.", retry_after=wait, is_inbox_wide=status == 429, code=str(status)
        )
    if status in {401, 403}:
        raise CredentialsRejected(f"The other system refuses our signature ({status}).", code=str(status))
    sentence = f"The other system answered {status}. {_reason(response)}".strip()
    raise Refused(sentence, code=str(status), place_is_gone=status == 410)


def _reason(response: Response) -> str:
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        return ""
    reason = answer.get("error") if isinstance(answer, dict) else ""
    return texts.one_line(reason) if isinstance(reason, str) else ""


def _seconds(retry_after: str, now: datetime) -> float | None:
    """The wait that a Retry-After header asks for, in seconds or as a date; at most a day."""
    try:
        wanted = float(retry_after) if retry_after.strip().isdecimal() else _until(retry_after, now)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wanted, 0.0), _LONGEST_WAIT)


def _until(date: str, now: datetime) -> float:
    moment = parsedate_to_datetime(date)
    return moment.timestamp() - now.timestamp()


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
