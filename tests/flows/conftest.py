"""What the tests of the use cases share: a platform on the far side, books that must balance, statements counted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

sys.path.append(str(Path(__file__).parent.parent / "channels"))


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Nobody signs in here, and a slow hash for each person is most of a test's time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def platform(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The far side of every channel's wires in this test; see `far_platform.FarPlatform`."""
    from far_platform import FarPlatform

    platform = FarPlatform(desk)
    monkeypatch.setattr("klankbord.flows.connect.wires", lambda: platform.wires)
    return platform


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Counts everything that reaches the database, Django's statements and our own alike: with statements() as n."""
    seen: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
        seen.append(str(query))
        return execute(self, query, *rest, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)

    @contextmanager
    def counting() -> Iterator[list[str]]:
        counted_here: list[str] = []
        start = len(seen)
        yield counted_here
        counted_here.extend(seen[start:])

    return counting


@pytest.fixture
def noor(desk: Any) -> Any:
    """An agent."""
    return desk.person("Noor")


@pytest.fixture
def conversation(desk: Any, platform: Any) -> Any:
    """Of a customer who waits for an answer."""
    [conversation] = desk.receive(platform.inbox(), desk.event(text="Waar blijft mijn kast?"))
    return conversation
