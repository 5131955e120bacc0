"""The page that says what the product survives names tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from tree import ROOT

PAGE = ROOT / "docs" / "what-it-survives.md"
LINK = re.compile(r'\[[^\]]+\]\(\.\./(tests/\S+\.py) "([^"]+)"\)')  # a file, and what its tests are called
# Tests begin their names with the cases that they prove; a reader wants the sentence behind them.
CASES = re.compile(r"^test_(?:[a-z]\d+_)*(?:and_)?")


def rows() -> list[str]:
    """The lines of all tables, without their heads."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [line for line in lines if not line.startswith(("| Thrown at it", "|---"))]


@cache
def sentences_of(path: str) -> set[str]:
    """What the tests of a file are called, as sentences."""
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {each.name for each in ast.walk(module) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {CASES.sub("", name).replace("_", " ") for name in names if name.startswith("test_")}


def named() -> list[tuple[str, str]]:
    links = LINK.findall(PAGE.read_text(encoding="utf-8"))
    return sorted({(path, sentence) for path, sentences in links for sentence in sentences.split(" · ")})


@pytest.mark.parametrize(("path", "sentence"), named(), ids=lambda each: each[:60])
def test_every_test_that_the_page_names_is_there(path: str, sentence: str) -> None:
    assert (ROOT / path).is_file()
    assert sentence in sentences_of(path)


def test_every_row_says_what_is_thrown_what_happens_and_where_to_see_it() -> None:
    assert len(rows()) > 90
    for row in rows():
        thrown, happens, seen = (cell.strip() for cell in row.strip("| ").split(" | "))
        assert thrown, row
        assert happens, row
        assert LINK.search(seen), row
