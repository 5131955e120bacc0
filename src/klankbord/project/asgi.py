"""What the server loads: Django set up first, then the front, whose doors need it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .wsgi import application as screens


def _front() -> Any:
    return import_module("klankbord.project.front").Front(screens)


application = _front()
