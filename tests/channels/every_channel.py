"""Which channels a common test runs for, and what it asks of their benches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from benches_of import bench_of, fixtures_of
from worlds import TROUBLES

from klankbord import channels
from klankbord.contract import (
    Capabilities,
    Item,
)

KINDS = channels.kinds()
FIXTURES = [pytest.param(kind, name, body, id=f"{kind}-{name}") for kind in KINDS for name, body in fixtures_of(kind)]
every_channel = pytest.mark.parametrize("kind", KINDS)
every_fixture = pytest.mark.parametrize(("kind", "name", "body"), FIXTURES)


def can(kind: str) -> Capabilities:
    return channels.channel(kind).capabilities


def channels_where(applies: Callable[[str], bool]) -> pytest.MarkDecorator:
    """The channels to which a test applies. One that cannot even be asked is among them: its test says why."""

    def is_among(kind: str) -> bool:
        try:
            return applies(kind)
        except Exception:
            return True

    return pytest.mark.parametrize("kind", [kind for kind in KINDS if is_among(kind)])


def troubles_of(kind: str) -> Sequence[str]:
    """The troubles that a channel's world can act out; all of them while it has no bench."""
    try:
        return getattr(bench_of(kind), "TROUBLES", TROUBLES)
    except LookupError:
        return TROUBLES


def parsed(kind: str, body: bytes) -> list[Item]:
    account = bench_of(kind).account()
    return channels.channel(kind).parse(bench_of(kind).sign(body, account), account)
