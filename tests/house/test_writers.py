"""Who writes what: a conversation's state and a message have few writers, and this list names them all."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from tree import PRODUCT, parsed, python

CASES = {"desk/conversations/cases.py", "desk/conversations/arrivals.py", "desk/conversations/services.py"}

# Everything below is relative to src/klankbord.
MAKE_MESSAGES = {
    "desk/conversations/arrivals.py",  # what came in, as a set; called by flows/intake
    "flows/sending.py",  # replies of people and of the desk itself
    "flows/reply.py",  # notes
    "flows/shifts.py",  # a note in each conversation that changes hands, gone when that is undone
    "flows/bulk_reply.py",  # the same words to many
}
CHANGE_MESSAGES = MAKE_MESSAGES | {
    "desk/conversations/rearranging.py",  # it went along to another conversation
    "flows/delivery.py",  # on its way, or nobody knows
    "flows/scheduling.py",  # when it leaves, and that it does
    "flows/receipts.py",  # what the platform said of it
    "flows/platform_acts.py",  # liked, hidden or deleted on its platform
    "flows/intake/rows.py",  # the same message in a second mailbox
    "flows/intake/echoes.py",  # the platform told of our own message before it answered us
}
WRITE_CONVERSATIONS = {"desk/conversations/cases.py"}
SET_STATUS = {
    "desk/conversations/rearranging.py",  # merged, or by itself again
    "desk/conversations/case.py",
    "desk/conversations/cases.py",
    "desk/conversations/services.py",
    "desk/conversations/bulk.py",  # the same deed on many, and its undoing
    "flows/intake/settling.py",  # imported history waits for nobody
    "flows/reply.py",  # taking a reply back puts the status back
    "flows/scheduling.py",  # a case was put aside for a reply that does not leave after all
}

# They fill a throw-away desk with rows, as its owner.
BENCH = {"doors/cli/benches/seed.py", "doors/cli/benches/searching.py"}

MAKES, CHANGES = {"create", "bulk_create", "get_or_create", "update_or_create"}, {"update", "delete", "bulk_update"}
SQL = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+conversations_(message|conversation)\b")


def test_messages_are_made_in_few_places():
    assert writers(PRODUCT)["make message"] - MAKE_MESSAGES == BENCH


def test_messages_change_where_something_happened_to_them_and_nowhere_else():
    found = writers(PRODUCT)
    assert (found["change message"] | found["make message"]) - CHANGE_MESSAGES == BENCH


def test_conversations_are_written_by_the_desk():
    found = writers(PRODUCT)
    assert (found["make conversation"] | found["change conversation"]) - WRITE_CONVERSATIONS <= BENCH


def test_a_status_changes_by_an_arrival_or_an_act():
    assert {relative(path) for path in python(PRODUCT) if sets_status(parsed(path))} - SET_STATUS == set()


def relative(path: Path) -> str:
    return path.relative_to(PRODUCT).as_posix()


def writers(folder: Path) -> dict[str, set[str]]:
    """What is done to which model → the files that do it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in python(folder):
        for deed in deeds(parsed(path)):
            found[deed].add(relative(path))
    return found


def deeds(module: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for verb, table in SQL.findall(node.value):
                found.add(f"{'make' if verb == 'INSERT INTO' else 'change'} {table}")
        if isinstance(node, ast.Call):
            verb, model = call_of(node)
            if model in ("Message", "Conversation"):
                found.add(f"{verb} {model.lower()}")
    return found


def call_of(node: ast.Call) -> tuple[str, str]:
    """Verb and model of `Message(…)`, `insert(Message, …)`, `message.save(…)` or `Message.objects.….create(…)`."""
    called, first = node.func, node.args[0] if node.args else None
    if isinstance(called, ast.Name):
        if called.id in ("insert", "update") and isinstance(first, ast.Name):
            return ("make" if called.id == "insert" else "change"), first.id
        return "make", called.id
    if isinstance(called, ast.Attribute) and called.attr == "save" and isinstance(called.value, ast.Name):
        return "change", called.value.id.capitalize()
    if isinstance(called, ast.Attribute) and called.attr in MAKES | CHANGES:
        below: ast.expr = called.value
        while isinstance(below, (ast.Attribute, ast.Call)):
            below = below.value if isinstance(below, ast.Attribute) else below.func
        if isinstance(below, ast.Name):
            return ("make" if called.attr in MAKES else "change"), below.id
    return "", ""


def sets_status(module: ast.Module) -> bool:
    """Whether it assigns to `case.status`, alone or among others."""
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for each in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if ast.unparse(each) in ("case.status", "conversation.status"):
                        return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Case":
            return any(each.arg in ("status", None) for each in node.keywords)
    return False
