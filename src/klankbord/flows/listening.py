"""Long-lived streams and IDLE: one thread per inbox that has one. They only wake the poll."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

from klankbord import channels
from klankbord.contract import ChannelError, Transport
from klankbord.desk.inboxes.models import Inbox, InboxState, Poll
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.wall import organisation

from .accounts import Connected, open_account
from .polling import wake
from .wiring import wires

log = logging.getLogger(__name__)

_LOOK_SECONDS = 15.0


class Listeners:
    """Keeps a thread for each inbox whose channel can hold a stream open."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._running: dict[UUID, tuple[threading.Thread, threading.Event]] = {}
        self._looked = 0.0

    def keep(self, *, now: datetime) -> None:
        """Start what is missing, end what is no longer wanted; looks every quarter minute."""
        if time.monotonic() - self._looked < _LOOK_SECONDS and self._looked:
            return
        self._looked = time.monotonic()
        wanted = {
            poll.inbox_id: poll.organisation_id
            for poll in Poll.objects.all()
            if Transport.LISTEN in channels.channel(poll.kind).capabilities.transports
        }
        for inbox_id in [
            key for key, (thread, _) in self._running.items() if not thread.is_alive() or key not in wanted
        ]:
            self._running.pop(inbox_id)[1].set()
        for inbox_id, organisation_id in wanted.items():
            if inbox_id not in self._running:
                ended = threading.Event()
                thread = threading.Thread(
                    target=self._listen, args=(inbox_id, organisation_id, ended), name=f"listen-{inbox_id}", daemon=True
                )
                self._running[inbox_id] = (thread, ended)
                thread.start()

    def _listen(self, inbox_id: UUID, organisation_id: UUID, ended: threading.Event) -> None:
        """One inbox's stream, until it ends; `keep` starts it again."""
        stop = _Either(self._stop, ended)
        try:
            with organisation(organisation_id):
                connected = _connected(inbox_id, organisation_id)
            connection.close()
            if connected is not None:
                connected.channel.listen(connected.account, wires(), lambda: _wake(inbox_id), stop)
        except ChannelError as error:
            log.info("stream ended", extra={"inbox": str(inbox_id), "error": error.code or type(error).__name__})
        except Exception:
            log.exception("stream failed", extra={"inbox": str(inbox_id)})
        finally:
            with contextlib.suppress(Exception):
                connection.close()
            ended.wait(5.0)  # a stream that cannot be opened is not tried faster than this


def _wake(inbox_id: UUID) -> None:
    wake(inbox_id, now=datetime.now(UTC))
    connection.close()


def _connected(inbox_id: UUID, organisation_id: UUID) -> Connected | None:
    inbox = Inbox.objects.filter(id=inbox_id, state__in=(InboxState.CONNECTED, InboxState.PAUSED)).first()
    return open_account(inbox, Organisation.objects.get(id=organisation_id)) if inbox is not None else None


class _Either(threading.Event):
    """Set when either of two events is."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        super().__init__()
        self._events = (first, second)

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)

    def wait(self, timeout: float | None = None) -> bool:
        ends = None if timeout is None else time.monotonic() + timeout
        while not self.is_set() and (ends is None or time.monotonic() < ends):
            self._events[0].wait(0.2 if ends is None else min(0.2, max(0.0, ends - time.monotonic())))
        return self.is_set()
