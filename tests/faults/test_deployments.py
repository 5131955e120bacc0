"""A new version is rolled out while messages come in: what runs is asked to end, and ends in time."""

from __future__ import annotations

from .checker import check_intake
from .generator import Generator
from .house import MESSAGES, House, wait_until

_LONGEST = 30.0  # seconds to drain


def test_f6_web_and_worker_that_are_asked_to_end_while_messages_come_in_lose_nothing(house: House) -> None:
    target = house.inbox()
    house.start("web", "worker")
    load = Generator(house, target, total=MESSAGES).start()
    for round_, name in enumerate(("web", "worker", "web", "worker")):
        load.wait_for((round_ + 0.5) / 4)
        assert house.terminate(name) < _LONGEST
        house.start(name)
    load.finish()
    wait_until(house.is_settled, "settling everything", seconds=60 if MESSAGES < 10_000 else 600)
    check_intake(house, target, load.accepted)
    assert len(load.accepted) == load.total
    assert house.one("SELECT count(*) FROM inboxes_deadletter") == 0
