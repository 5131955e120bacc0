"""Real mail servers for these tests: without them they are skipped, under KLANKBORD_REQUIRE_ALL they fail."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from mailhouse import MailHouse, Running, why_not


@pytest.fixture(scope="session")
def house() -> Iterator[MailHouse]:
    reason = why_not()
    if reason and os.environ.get("KLANKBORD_REQUIRE_ALL"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with Running() as house:
        yield house
