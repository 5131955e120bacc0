"""Every sentence that screens can show, collected from the source: what gettext would have to translate."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

SOURCE = Path(__file__).parents[2] / "src" / "klankbord"
_PLAIN = frozenset({"_", "gettext", "gettext_lazy"})
_WITH_CONTEXT = frozenset({"pgettext", "pgettext_lazy", "meant"})
_WITH_PLURAL = frozenset({"ngettext", "ngettext_lazy"})

# What goes wrong between us and a platform: shown to people by `flows.platform_words`.
_TROUBLES = frozenset(
    {"Refused", "CredentialsRejected", "Unavailable", "Uncertain", "Unsupported", "_unavailable", "_uncertain",
     "NoConnectionError"}
)  # fmt: skip

Key = tuple[str, str, str]  # context, msgid, msgid_plural


def all_strings() -> dict[Key, list[str]]:
    """Sentence -> the files that hold it."""
    found: dict[Key, list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        for key in _of_code(path.read_text(encoding="utf-8"), is_channel="channels" in path.parts,
                            is_said=bool({"channels", "plumbing"} & set(path.parts))):  # fmt: skip
            found[key].append(str(path.relative_to(SOURCE)))
    for path in sorted(SOURCE.rglob("templates/**/*.html")):
        # Templates become Python-like text in which every sentence is a call of gettext.
        code = templatize(path.read_text(encoding="utf-8"))
        for key in _of_template(code):
            found[key].append(str(path.relative_to(SOURCE)))
    return found


def _of_code(code: str, *, is_channel: bool, is_said: bool) -> Iterator[Key]:
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name in _PLAIN and words:
            yield ("", words[0], "")
        elif name in _WITH_CONTEXT and len(words) > 1:
            yield (words[0], words[1], "")
        elif name in _WITH_PLURAL and len(words) > 1:
            yield ("", words[0], words[1])
        elif name == "ask" and is_channel:  # labels and help of a channel's form
            for each in words:
                if each[:1].isupper() or " " in each:  # a function of that name elsewhere asks for methods
                    yield ("", each, "")
        elif name == "Capabilities":
            for option in node.keywords:
                if option.arg == "third_parties_may_read" and isinstance(option.value, ast.Constant):
                    yield ("", str(option.value.value), "")
        elif name in _TROUBLES and is_said and node.args:
            if (sentence := _sentence_of(node.args[0])) is not None:
                yield ("", sentence, "")
        elif name == "HealthCheck" and is_channel:
            for each in words + [
                option.value.value
                for option in node.keywords
                if option.arg in {"name", "sentence"} and isinstance(option.value, ast.Constant)
            ]:
                if isinstance(each, str) and each:
                    yield ("", each, "")


def _sentence_of(node: ast.expr) -> str | None:
    """As `flows.platform_words` looks it up: whole, up to the platform's own words, or with {} for numbers."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
        return str(node.left.value).rstrip()
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = [each.value if isinstance(each, ast.Constant) else "{}" for each in node.values]
    text = "".join(map(str, parts))
    return text.removesuffix(" {}") if text.endswith(": {}") else text


_QUOTED = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf"(?P<name>n?p?gettext|_)\((?P<arguments>(?:\s*{_QUOTED}\s*,?)+)")
_WORD = re.compile(_QUOTED)


def _of_template(code: str) -> Iterator[Key]:
    for call in _CALL.finditer(code):
        words = [ast.literal_eval(word) for word in _WORD.findall(call["arguments"])]
        if call["name"] == "ngettext":
            yield ("", words[0], words[1])
        elif call["name"] == "pgettext":
            yield (words[0], words[1], "")
        else:
            yield ("", words[0], "")
