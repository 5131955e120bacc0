"""Getting updates ourselves, where Telegram cannot reach us.

The cursor: {"offset": the first update not yet had, "asked_at": when we last asked}. Telegram forgets updates after a
day, so a longer silence of ours is reported as a gap instead of passing unseen.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from klankbord.contract import Account, ChannelError, Delivery, Polled, Unavailable, Wires

from .bot import Bot, Credentials

UPDATES = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "my_chat_member",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
)
_KEPT = timedelta(hours=24)
_PAGE = 100
_LONG = 25  # seconds that Telegram may hold our question while nothing comes
_SHORT_PAUSE, _PAUSE = 2.0, 30.0


def is_fetched(account: Account[Credentials]) -> bool:
    """Do we fetch, or does Telegram bring? `connect` decided."""
    delivery = account.facts.get("delivery") or ("poll" if account.credentials.is_polling else "webhook")
    return bool(delivery == "poll")


def poll(account: Account[Credentials], cursor: Mapping[str, Any], wires: Wires) -> Polled:
    """What waits at Telegram. The first time too: nobody has seen it yet, and nowhere else is it kept."""
    if not is_fetched(account):
        return Polled((), cursor)
    now = wires.now()
    asked: dict[str, Any] = {"limit": _PAGE, "timeout": 0, "allowed_updates": list(UPDATES)}
    if cursor.get("offset"):
        asked["offset"] = int(cursor["offset"])
    updates = Bot(account, wires).ask("getUpdates", asked)
    if not isinstance(updates, list):
        raise Unavailable("Telegram gave no list of messages.", code="not-a-list")
    deliveries = [Delivery(json.dumps(update).encode(), received_at=now) for update in updates]
    if gap := _gap(cursor, now):
        deliveries.insert(0, Delivery(json.dumps({"klankbord": gap}).encode(), received_at=now))
    offset = max((int(update["update_id"]) + 1 for update in updates), default=int(cursor.get("offset") or 0))
    return Polled(
        tuple(deliveries), {"offset": str(offset), "asked_at": now.isoformat()}, has_more=len(updates) == _PAGE
    )


def listen(account: Account[Credentials], wires: Wires, wake: Callable[[], None], stop: threading.Event) -> None:
    """Ask without an offset, which confirms nothing, and wake the poll as soon as anything waits.

    The poll may ask at the same time: Telegram then ends this question with a 409, and we ask again a little later.
    """
    if not is_fetched(account):
        stop.wait()
        return
    while not stop.is_set():
        pause = _SHORT_PAUSE
        try:
            waiting = Bot(account, wires).ask(
                "getUpdates",
                {"limit": 1, "timeout": _LONG, "allowed_updates": list(UPDATES)},
                timeout=_LONG + 10.0,
            )
            if waiting:
                wake()
        except ChannelError as error:
            pause = _SHORT_PAUSE if error.code == "409" else _PAUSE
        stop.wait(pause)


def _gap(cursor: Mapping[str, Any], now: datetime) -> dict[str, str] | None:
    if not cursor.get("asked_at"):
        return None
    before = datetime.fromisoformat(str(cursor["asked_at"]))
    if now - before <= _KEPT:
        return None
    return {"event": "gap", "from": before.isoformat(), "until": (now - _KEPT).isoformat()}
