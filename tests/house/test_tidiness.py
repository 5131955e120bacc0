"""What a newcomer should find in order: sizes, docstrings, names, and nothing of the machines it was made on."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from tree import PRODUCT, ROOT, SRC, files, name_of, parsed, python, tracked

LINES = 450


def test_a_module_is_short_enough_to_read():
    """A longer one holds two nouns: make it a folder."""
    long = [name_of(path) for path in python() if lines_of(path) > LINES]
    assert long == []


def test_scripts_styles_and_tests_stay_readable_too():
    assert [name_of(path) for path in files(ROOT, ".js", ".css") + python(ROOT / "tests") if lines_of(path) > 750] == []


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_module_says_what_it_is():
    """Django's apps.py is a form that says it by itself."""
    written = [path for path in python() if path.name != "apps.py" and parsed(path).body]
    assert [name_of(path) for path in written if not ast.get_docstring(parsed(path))] == []


def test_migrations_are_named_by_a_person():
    names = [path.stem for path in files(SRC, ".py") if path.parent.name == "migrations" and path.stem != "__init__"]
    assert names
    assert [name for name in names if not re.fullmatch(r"\d{4}_[a-z]+(_[a-z]+)*", name) or "_auto" in name] == []


# Written in halves, or this file would contain what it forbids.
MACHINES = [
    "/wo" + "rk/main", "/wo" + "rk/shared", "/op" + "t/venv", "/op" + "t/pypi", "/op" + "t/wheels", "/tm" + "p/room",
    "/tm" + "p/pgdev", "pythonhost" + "ed.org", "pypi" + ".org", "registry.npm" + "js.org", "deb.deb" + "ian.org",
    "raw.githubuser" + "content", "unpkg" + ".com", "jsdeliv" + "r.net",
]  # fmt: skip
ISSUE = re.compile(r"\b(?:issue|ticket|closes|fixes|see) #\d+\b", re.IGNORECASE)


def test_nothing_speaks_of_the_machines_it_was_made_on_or_fetches_from_elsewhere():
    found = {}
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        if words := [word for word in MACHINES if word in text]:
            found[name_of(path)] = words
    assert found == {}


def test_code_refers_to_no_tracker_that_a_reader_cannot_open():
    assert [name_of(path) for path in python(PRODUCT) if ISSUE.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("name", ["uv", "base", "dev"])
def test_a_lock_holds_names_versions_and_hashes_only(name):
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    packages = [line for line in lines if "==" in line]
    allowed = re.compile(r"#.*|[a-z0-9-]+==[A-Za-z0-9.+]+ \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?")
    assert [line for line in lines if not allowed.fullmatch(line)] == []
    assert packages
    assert not any(after.strip().startswith("#") or "==" in after for after in followers(lines, packages))


def followers(lines: list[str], packages: list[str]) -> list[str]:
    return [lines[lines.index(line) + 1] for line in packages]
