"""Mastodon and servers that speak its language: mentions and direct messages in, replies out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from klankbord.contract import (
    Account,
    Action,
    Arrived,
    BaseChannel,
    Capabilities,
    ChannelError,
    Deleted,
    Delivery,
    Edited,
    Health,
    HealthCheck,
    HealthState,
    Ignored,
    Item,
    LengthUnit,
    MediaLimit,
    Outgoing,
    Polled,
    Receipt,
    Refused,
    SendRate,
    TextLimit,
    TooLong,
    Transport,
    Unknown,
    Upload,
    Visibility,
    Wires,
)

from . import acts, poll, send, stream
from .parse import parse
from .server import Credentials, Server, find_facts

_ROOM_FOR_THE_NAME = 32  # "@", a name of at most 30 letters, a space: the address that `send` puts in front
_PER_LINK = 23


class Mastodon(BaseChannel):
    kind: ClassVar[str] = "mastodon"
    label: ClassVar[str] = "Mastodon"
    Credentials: ClassVar[type] = Credentials
    capabilities: ClassVar[Capabilities] = Capabilities(
        answers_one=True,
        transports=frozenset({Transport.POLL, Transport.LISTEN}),
        visibilities=frozenset({Visibility.PUBLIC, Visibility.PRIVATE}),
        receives=frozenset({Arrived, Edited, Deleted, Unknown, Ignored}),
        actions=frozenset({Action.REPLY, Action.PRIVATE_REPLY, Action.LIKE, Action.DELETE_OWN}),
        text=TextLimit(maximum=500, unit=LengthUnit.GRAPHEMES, per_link=_PER_LINK),
        media=MediaLimit(count=4, bytes_each=16_000_000, content_types=("image/", "video/", "audio/")),
        rate=SendRate(per_second=1.0, burst=10),  # 300 requests in five minutes, shared with the poll
        takes_idempotency_key=True,
        can_look_up=True,
        is_signed=False,
        third_parties_may_read="Administrators of both servers can read direct messages on Mastodon.",
    )

    def __init__(self, *, pause: Callable[[float], object] = time.sleep) -> None:
        """pause: how to wait (seconds) while the server works on a file."""
        self._pause = pause

    def parse(self, delivery: Delivery, account: Account[Any]) -> list[Item]:
        return parse(delivery, account)

    def connect(self, account: Account[Any], wires: Wires) -> Mapping[str, Any]:
        return find_facts(account, wires)

    def poll(self, account: Account[Any], cursor: Mapping[str, Any], wires: Wires) -> Polled:
        return poll.poll(account, cursor, wires)

    def backfill(self, account: Account[Any], cursor: Mapping[str, Any], wires: Wires) -> Polled:
        return poll.backfill(account, cursor, wires)

    def listen(self, account: Account[Any], wires: Wires, wake: Callable[[], None], stop: threading.Event) -> None:
        stream.listen(account, wires, wake, stop)

    def send(self, outgoing: Outgoing, account: Account[Any], wires: Wires) -> Receipt:
        limit = self.text_limit(account)
        length = self.length(outgoing.text, account)
        if limit.maximum is not None and length > limit.maximum:
            raise TooLong(length=length, limit=limit.maximum)
        _check_uploads(outgoing.uploads, self.capabilities.media, account)
        return send.send(
            outgoing,
            account,
            wires,
            maximum=self._server_maximum(account),
            per_link=limit.per_link or _PER_LINK,
            pause=self._pause,
        )

    def look_up(self, outgoing: Outgoing, account: Account[Any], wires: Wires) -> Receipt | None:
        return send.look_up(outgoing, account, wires)

    def act(
        self, action: Action, external_id: str, account: Account[Any], wires: Wires, *, is_undone: bool = False
    ) -> None:
        acts.act(action, external_id, Server(account, wires), is_undone=is_undone)

    def length(self, text: str, account: Account[Any]) -> int:
        return send.count(text, per_link=self.text_limit(account).per_link or _PER_LINK)

    def text_limit(self, account: Account[Any]) -> TextLimit:
        """What the server allows, less the room for the contact's name: a text within it can always be sent."""
        return TextLimit(
            maximum=self._server_maximum(account) - _ROOM_FOR_THE_NAME,
            unit=LengthUnit.GRAPHEMES,
            per_link=int(account.facts.get("characters_per_link") or _PER_LINK),
        )

    def health(self, account: Account[Any], wires: Wires) -> Health:
        server = Server(account, wires)
        try:
            server.read("/api/v1/accounts/verify_credentials")
        except ChannelError as error:
            return Health(HealthState.BROKEN, (HealthCheck("Access", False, error.sentence),))
        has_spare = server.remaining is None or server.remaining >= 30
        checks = (
            HealthCheck("Access", True),
            HealthCheck("Stream", *_stream_is_up(account, wires)),
            HealthCheck(
                "Requests left", has_spare, "" if has_spare else "Nearly all requests of these five minutes are used."
            ),
        )
        is_well = all(check.is_well for check in checks)
        return Health(HealthState.WELL if is_well else HealthState.AILING, checks)

    def _server_maximum(self, account: Account[Any]) -> int:
        return int(account.facts.get("max_characters") or self.capabilities.text.maximum or 500)


def _check_uploads(uploads: Sequence[Upload], limit: MediaLimit, account: Account[Any]) -> None:
    most = int(account.facts.get("max_media") or limit.count)
    if len(uploads) > most:
        raise Refused(f"This server takes at most {most} files in one reply.", code="too-many-files")
    for upload in uploads:
        is_image = upload.content_type.startswith("image/")
        largest = int(account.facts.get("image_bytes" if is_image else "video_bytes") or limit.bytes_each)
        if upload.size > min(largest, limit.bytes_each):
            raise Refused(f"This file is larger than the server takes: {upload.name}", code="too-large")
        taken = account.facts.get("media_types") or limit.content_types
        if not upload.content_type.startswith(tuple(taken)):
            raise Refused(f"This server does not take such a file: {upload.name}", code="media-type")


def _stream_is_up(account: Account[Any], wires: Wires) -> tuple[bool, str]:
    sentence = "This server has no working stream: new messages are found by asking, so a little later."
    try:
        response = wires.http.request("GET", stream.streaming_base(account) + "/api/v1/streaming/health")
    except ChannelError:
        return False, sentence
    return (True, "") if response.status == 200 else (False, sentence)
