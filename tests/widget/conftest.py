"""A site with our chat on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from desk_builder import Desk
from klankbord.doors.widget.limits import limiter

from .widget_site import Site


@pytest.fixture
def site(desk: Desk, settings: Any) -> Site:
    # Static files under their plain names: nothing is collected here.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    desk.now = datetime.now(UTC)  # the door has its own clock
    limiter.forget()
    return Site(desk)
