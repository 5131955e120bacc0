"""A desk with an administrator, and another system that asks with that person's token."""

from __future__ import annotations

import pytest
from api_callers import Caller, caller_of

from desk_builder import Desk
from klankbord.desk.organisations.models import Membership, Role


@pytest.fixture
def boss(desk: Desk) -> Membership:
    return desk.person("Baas", Role.ADMINISTRATOR)


@pytest.fixture
def api(desk: Desk, boss: Membership) -> Caller:
    return caller_of(desk, boss)
