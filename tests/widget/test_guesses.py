"""Guesses at the widget's door: what is another's and what never was cannot be told apart, by work neither."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from .test_attacks import chat_with_file
from .widget_site import Site


def work_of(ask: Any) -> list[str]:
    """The statements that an answer costs, without their values."""
    with CaptureQueriesContext(connection) as queries:
        assert ask().status_code == 404
    return [re.sub(r"'[^']*'|\b\d+\b|_x\d+", "?", each["sql"]) for each in queries]


def test_c1_a_file_of_somebody_else_costs_the_same_work_as_one_that_never_was(site: Site) -> None:
    _, theirs = chat_with_file(site)
    thief = site.visitor()
    foreign, unknown = (work_of(lambda each=each: thief.get(f"attachments/{each}")) for each in (theirs, uuid.uuid4()))
    assert foreign == unknown


@pytest.mark.parametrize("path", ["history", "attachments/0193f0a0-0000-7000-8000-000000000000"])
def test_c1_a_guessed_token_costs_the_same_work_as_one_that_is_over(site: Site, path: str) -> None:
    from klankbord.desk.inboxes.models import VisitorSession

    stranger, former = site.visitor(), site.visitor()
    VisitorSession.objects.all().delete()
    stranger.token = "a" * len(former.token)
    assert work_of(lambda: stranger.get(path)) == work_of(lambda: former.get(path))
