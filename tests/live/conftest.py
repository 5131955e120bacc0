from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo


@pytest.fixture
def owner(transactional_db: None) -> str:
    """The database words of its owner."""
    settings: Any = connection.settings_dict
    return make_conninfo(
        "", dbname=settings["NAME"], user=settings["USER"], host=settings["HOST"], port=settings["PORT"] or None
    )
