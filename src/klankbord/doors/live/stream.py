"""`GET /live`: the agents' event stream, native ASGI.

    id: 4711
    event: changes
    data: [{"conversation":"…","inbox":"…","thread":"…","what":"message"}]

what: message, state, receipt, viewing, typing. `event: refresh` says that too much was missed to tell: fetch anew.
A reader hears of inboxes they may see, in one organisation, and nothing else; that is looked at again every few
seconds, so that whoever was signed out, removed or demoted stops hearing within ten.
"""

from __future__ import annotations

from functools import cache

import psycopg
from django.http.cookie import parse_cookie
from psycopg_pool import PoolTimeout

from klankbord.plumbing.eventstream import (
    Changes,
    Doorkeeper,
    Receive,
    Scope,
    Seat,
    Send,
    headers_of,
    refuse,
    serve,
)
from klankbord.plumbing.live import Hub, Subscription

from .admission import Reader, readers, session_cookie


async def stream_changes(hub: Hub, scope: Scope, receive: Receive, send: Send) -> None:
    """One request to `/live`."""
    await _stream_of(hub)(scope, receive, send)


@cache
def _stream_of(hub: Hub) -> LiveStream:
    return LiveStream(hub)


class LiveStream:
    """One per process, beside its hub."""

    def __init__(self, hub: Hub, *, look_again_seconds: float = 6.0) -> None:
        self._hub = hub
        self._doorkeeper: Doorkeeper[str, Reader] = Doorkeeper(lambda keys: readers(hub, keys), look_again_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await refuse(send, 405)
            return
        headers = headers_of(scope)
        session_key = session_cookie(parse_cookie(headers.named.get("cookie", "")))
        try:
            async with self._doorkeeper.seat(session_key) as seat:
                if seat is None:
                    await refuse(send, 401)
                else:
                    await self._serve(seat, headers.last_event_id, receive, send)
        except (psycopg.Error, PoolTimeout):
            await refuse(send, 503)

    async def _serve(self, seat: Seat[str, Reader], last_event_id: str, receive: Receive, send: Send) -> None:
        organisation_id = seat.value.organisation_id

        async def choose(changes: Changes) -> Changes:
            # Somebody who moved to another organisation in the meantime gets a new stream there.
            if seat.value.organisation_id != organisation_id:
                return []
            return [change for change in changes if change.get("inbox") in seat.value.inboxes]

        def watch(subscription: Subscription) -> None:
            seat.subscription = subscription

        await serve(
            self._hub,
            str(organisation_id),
            last_event_id=last_event_id,
            choose=choose,
            receive=receive,
            send=send,
            subscribed=watch,
        )
