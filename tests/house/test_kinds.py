"""The name of a channel stands in its folder; everybody else asks for capabilities."""

from __future__ import annotations

import ast
import re

from tree import PRODUCT, files, name_of, parsed, python

KINDS = {path.parent.name for path in (PRODUCT / "channels").glob("*/adapter.py")}
# Those who set the stage for a demo or a measurement name what stands on it.
STAGE = {"src/klankbord/flows/demo_seed.py", "src/klankbord/doors/cli/benches/place.py"}


def test_no_code_decides_by_the_name_of_a_channel():
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in python(PRODUCT)
        if "channels" not in path.parts and name_of(path) not in STAGE
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Compare) and compares_a_kind(node)
    ]
    assert found == []


def compares_a_kind(node: ast.Compare) -> bool:
    """`inbox.kind == "mastodon"`, and the same with `!=`, `in` and `not in`."""
    sides = [node.left, *node.comparators]
    asks = any(getattr(each, "attr", getattr(each, "id", "")) == "kind" for each in sides)
    words = {each.value for side in sides for each in ast.walk(side) if isinstance(each, ast.Constant)}
    return asks and not KINDS.isdisjoint(words)


def test_no_template_decides_by_the_name_of_a_channel():
    names = "|".join(sorted(KINDS))
    asking = re.compile(rf"""(?<!field\.)\bkind\s*(?:==|!=|in)\s*["'](?:{names})["']""")
    assert [name_of(path) for path in files(PRODUCT, ".html") if asking.search(path.read_text())] == []


def test_only_the_desks_own_chat_is_imported_by_name():
    """Web chat has no platform but ourselves: its visitors come in by a door of the house."""
    found = {
        name_of(path)
        for path in python(PRODUCT)
        if "channels" not in path.parts
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[:2] == ["klankbord", "channels"]
        and (node.module or "").split(".")[2:3] not in ([], ["sandboxed"])
    }
    assert {name for name in found if not name.startswith("src/klankbord/flows/visitors/")} == set()
