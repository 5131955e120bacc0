from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from klankbord.desk.organisations.models import Membership


@pytest.fixture
def sign_in() -> Callable[[Membership], Client]:
    """A browser in which this person has signed in, in two steps."""

    def _sign_in(member: Membership, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(member.user)
        session = client.session
        session["has_two_factor"] = True
        session.save()
        return client

    return _sign_in
