"""A worker process: a few threads that each do one kind of turn for ever. Stateless; any number may run.

Each loop looks for work, does a turn, and rests only when there was none. A NOTIFY wakes it early; without one it
looks again within half a second, so a lost hint costs no more than that. A database that is away is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from procrastinate.contrib.django import app as jobs
from psycopg_pool import PoolTimeout

from klankbord.desk.inboxes import deliveries

from . import calling, clockwork, delivery, polling, visitors, works
from .intake import take_in_lane
from .listening import Listeners
from .wiring import wires

log = logging.getLogger(__name__)

_INTAKE_THREADS = 2
_SEND_THREADS = 16
_SENDS_PER_INBOX = 6
_BREATH_SECONDS = 0.02
_SWEEP_SECONDS = 5
_HOUSE_SECONDS = 3600
_VISITORS_SECONDS = 30


class Worker:
    """conninfo: for the one LISTEN connection, with this role's start options."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._stop = threading.Event()
        self._intake, self._outbox = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._senders = ThreadPoolExecutor(_SEND_THREADS, thread_name_prefix="send")
        self._flight = delivery.Flight(most=_SEND_THREADS, most_per_inbox=_SENDS_PER_INBOX, ended=self._sent)
        self._callers = ThreadPoolExecutor(8, thread_name_prefix="webhook")
        self._calls = calling.Flight()
        self._listeners = Listeners(self._stop)
        self._swept = self._kept = self._mailed = 0.0

    def run(self) -> None:
        """Work until `stop` is called."""
        loops: list[tuple[str, Callable[[], int], threading.Event | None, float]] = [
            *((f"intake-{place}", self._take_in, self._intake, 0.5) for place in range(_INTAKE_THREADS)),
            ("delivery", self._deliver, self._outbox, 0.25),
            ("clock", self._tick, None, 1.0),
            ("poll", self._poll, None, 0.5),
            ("webhooks", self._call_webhooks, None, 1.0),
        ]
        self._threads = [
            threading.Thread(target=self._loop, args=(turn, hint, rest), name=name, daemon=True)
            for name, turn, hint, rest in loops
        ]
        self._threads.append(threading.Thread(target=self._hear_hints, name="hints", daemon=True))
        self._threads.append(threading.Thread(target=self._run_jobs, name="jobs", daemon=True))
        for thread in self._threads:
            thread.start()
        self._stop.wait()
        for thread in self._threads:
            thread.join(timeout=25)
        self._senders.shutdown(wait=True)
        self._callers.shutdown(wait=True)

    def stop(self) -> None:
        """Finish the turns that have begun, start no others."""
        self._stop.set()
        self._intake.set()
        self._outbox.set()

    def _loop(self, turn: Callable[[], int], hint: threading.Event | None, rest: float) -> None:
        while not self._stop.is_set():
            if hint is not None:
                hint.clear()
            try:
                done = turn()
            except (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError) as error:
                log.warning("the database is away", extra={"error": type(error).__name__})
                done = 0
                self._stop.wait(0.5)
            except Exception:
                log.exception("a turn failed")
                done = 0
                self._stop.wait(1.0)
            finally:
                with contextlib.suppress(Exception):
                    connection.close()
            if not done:
                # Hints come thick when much arrives, also for lanes that a neighbour holds: not one turn for each.
                self._stop.wait(_BREATH_SECONDS)
                (hint or self._stop).wait(rest)

    def _take_in(self) -> int:
        done = 0
        for lane in deliveries.waiting_lanes():
            if self._stop.is_set():
                break
            done += take_in_lane(lane, now=_now()).deliveries
        return done

    def _deliver(self) -> int:
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            self._swept = time.monotonic()
            delivery.sweep(now=_now(), wires=wires())
        return delivery.deliver(now=_now(), wires=wires(), executor=self._senders, flight=self._flight)

    def _sent(self) -> None:
        """In a sender's thread: its connection goes back to the pool, and its lane may go on."""
        with contextlib.suppress(Exception):
            connection.close()
        self._outbox.set()

    def _tick(self) -> int:
        if time.monotonic() - self._kept > _HOUSE_SECONDS:
            self._kept = time.monotonic()
            clockwork.keep_house(now=_now(), delivery_days=settings.ENVIRONMENT.delivery_days)
        if time.monotonic() - self._mailed > _VISITORS_SECONDS:
            self._mailed = time.monotonic()
            visitors.mail_unseen(now=_now())
        return clockwork.run_timers(now=_now())

    def _call_webhooks(self) -> int:
        done = calling.hand_out(now=_now())
        return done + calling.call_due(now=_now(), http=wires().http, executor=self._callers, flight=self._calls)

    def _poll(self) -> int:
        self._listeners.keep(now=_now())
        done = 0
        for due in polling.claim_due(now=_now()):
            done += polling.poll(due, now=_now())
        return done

    def _hear_hints(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(psycopg.Error), psycopg.connect(self._conninfo, autocommit=True) as listener:
                listener.execute(f"LISTEN {deliveries.WORK}")
                while not self._stop.is_set():
                    for hint in listener.notifies(timeout=1.0, stop_after=1):
                        (self._intake if hint.payload == "intake" else self._outbox).set()
            self._stop.wait(1.0)

    def _run_jobs(self) -> None:
        """The job library's own worker, for everything that is not the message path."""
        while not self._stop.is_set():
            try:
                asyncio.run(self._jobs_until_stopped())
            except Exception as error:
                log.warning("job worker stopped", extra={"error": type(error).__name__})
                self._stop.wait(2.0)

    async def _jobs_until_stopped(self) -> None:
        connector: Any = jobs.connector  # Django's own, which offers one for workers
        worker_app = jobs.with_connector(connector.get_worker_connector())
        async with worker_app.open_async():
            running = asyncio.create_task(
                worker_app.run_worker_async(
                    queues=[works.batch.queue], concurrency=2, install_signal_handlers=False, listen_notify=True,
                    delete_jobs="successful", fetch_job_polling_interval=2.0,
                )
            )  # fmt: skip
            while not self._stop.is_set() and not running.done():
                await asyncio.sleep(0.25)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def _now() -> datetime:
    return datetime.now(UTC)
