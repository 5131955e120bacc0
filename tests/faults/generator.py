"""A platform that brings numbered, signed messages: each is posted again until it is answered 2xx."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from klankbord_simulator.fakes.partner import SIGNATURE, sign
from klankbord_simulator.stories.volume import Number

from .house import House, Target, wait_until

_PATIENCE = 90.0  # seconds for one message


class Generator:
    """conversations × each messages; every conversation is written by one thread, in order.

    duplicates: share that is posted twice. shuffled: over how many places messages may change order on the way.
    """

    def __init__(
        self,
        house: House,
        target: Target,
        *,
        total: int,
        each: int = 20,
        writers: int = 4,
        run: str = "f",
        duplicates: float = 0.0,
        shuffled: int = 0,
        pause: float = 0.0,
    ) -> None:
        self.run, self._house, self._target, self._pause = run, house, target, pause
        self.accepted: set[Number] = set()
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._lock = threading.Lock()
        conversations = max(writers, total // each)
        start = datetime.now(UTC) - timedelta(minutes=20)
        chance = random.Random(7)
        self.threads = [
            threading.Thread(
                target=self._write,
                args=(_plan(range(writer, conversations, writers), each, run, start, duplicates, shuffled, chance),),
                daemon=True,
            )
            for writer in range(writers)
        ]
        self.total = conversations * each

    def start(self) -> Generator:
        for each in self.threads:
            each.start()
        return self

    @property
    def is_running(self) -> bool:
        return any(each.is_alive() for each in self.threads)

    def wait_for(self, share: float) -> None:
        """Until this share of the messages has been accepted."""
        wait_until(
            lambda: len(self.accepted) >= share * self.total or not self.is_running,
            f"{share:.0%} accepted",
            seconds=120,
        )

    def finish(self, *, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        for each in self.threads:
            each.join(max(0.1, deadline - time.monotonic()))
        assert not self.is_running, f"still posting after {seconds} s: {dict(self.answers)}"
        assert not self.failures, self.failures[:3]

    def _write(self, plan: Sequence[tuple[Number, dict[str, Any]]]) -> None:
        connection: http.client.HTTPConnection | None = None
        for number, event in plan:
            body = json.dumps(event).encode()
            deadline = time.monotonic() + _PATIENCE
            while True:
                try:
                    connection = connection or http.client.HTTPConnection("127.0.0.1", self._house.port, timeout=15)
                    status = post(connection, self._target, body)
                except (OSError, http.client.HTTPException) as error:
                    connection = None
                    status, word = 0, type(error).__name__
                else:
                    word = str(status)
                with self._lock:
                    self.answers[word] += 1
                    if 200 <= status < 300:
                        self.accepted.add(number)
                        break
                if time.monotonic() > deadline:
                    self.failures.append(f"{number}: {word}")
                    return
                time.sleep(0.05)
            if self._pause:
                time.sleep(self._pause)


def post(connection: http.client.HTTPConnection, target: Target, body: bytes) -> int:
    """One signed delivery; gives the status."""
    headers = {"Content-Type": "application/json", SIGNATURE: sign(body, secret=target.secret, at=datetime.now(UTC))}
    connection.request("POST", f"/hooks/{target.token}", body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _plan(
    conversations: Sequence[int],
    each: int,
    run: str,
    start: datetime,
    duplicates: float,
    shuffled: int,
    chance: random.Random,
) -> list[tuple[Number, dict[str, Any]]]:
    plan = []
    for place in range(1, each + 1):
        for conversation in conversations:
            number = Number(run, conversation, place, each)
            # The platform's clock runs on with every message of a conversation.
            event = message(number, at=start + timedelta(seconds=place))
            plan += [(number, event)] * (2 if chance.random() < duplicates else 1)
    if shuffled:
        places = [place + chance.uniform(0, shuffled) for place in range(len(plan))]
        plan = [plan[place] for place in sorted(range(len(plan)), key=places.__getitem__)]
    return plan


def message(number: Number, *, at: datetime) -> dict[str, Any]:
    person = f"{number.run}-klant-{number.conversation}"
    return {
        "type": "message",
        "id": f"{number.run}-{number.conversation}-{number.place}",
        "at": at.isoformat(),
        "place": {"id": person, "visibility": "private"},
        "person": {"id": person, "name": f"Klant {number.conversation}"},
        "text": f"Waar blijft mijn pakket? {number}",
    }
