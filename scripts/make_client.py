"""Write the typed client (documents and operations in src/klankbord_client) from the API's own schema.

python scripts/make_client.py            write it
python scripts/make_client.py --check    say with exit code 1 that it is not what the schema gives
"""

from __future__ import annotations

import json
import keyword
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "klankbord_client"
DOCUMENTS = '''"""Documents of Klankbord's API, written by scripts/make_client.py: change nothing here."""

from __future__ import annotations

from typing import Any, Literal, TypedDict
'''
OPERATIONS = '''"""Operations of Klankbord's API, written by scripts/make_client.py: change nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from .documents import {documents}
'''
_PLAIN = {"string": "str", "integer": "int", "boolean": "bool", "number": "float", "null": "None"}


def main(words: list[str]) -> int:
    written = write(schema())
    if "--check" in words:
        return int(any((TARGET / name).read_text(encoding="utf-8") != text for name, text in written.items()))
    for name, text in written.items():
        (TARGET / name).write_text(text, encoding="utf-8")
    return 0


def schema() -> dict[str, Any]:
    sys.path.insert(0, str(ROOT / "src"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "klankbord.project.settings")
    import django

    django.setup()
    from klankbord.doors.api.schema import schema as found

    return found()


def write(found: dict[str, Any]) -> dict[str, str]:
    """File → text."""
    documents = found["components"]["schemas"]
    # What we send is arguments of operations, and problems are exceptions.
    shown = [name for name in in_order(documents) if not name.startswith(("Given", "Problem"))]
    texts = "\n\n".join([DOCUMENTS, *(document(name, documents[name]) for name in shown)])
    parts = [OPERATIONS.format(documents=", ".join(shown))]
    parts.append('class Operations:\n    """What the API can do; `call` is the transport\'s."""\n')
    parts.append(
        "    def call(\n        self, method: str, path: str, *,"
        " query: dict[str, Any] | None = None, body: Any = None,\n"
        "        idempotency_key: str | None = None, if_match: str | None = None,\n    ) -> Any:\n"
        "        raise NotImplementedError\n"
    )
    for path, methods in found["paths"].items():
        for method, each in methods.items():
            parts.append(operation(path, method, each, documents))
    parts.append(
        "def _said(**given: Any) -> dict[str, Any]:\n    return {n: v for n, v in given.items() if v is not None}\n"
    )
    return {"documents.py": formatted(texts), "operations.py": formatted("\n\n".join(parts))}


def in_order(documents: dict[str, Any]) -> list[str]:
    """Those that others are made of first."""
    done: list[str] = []

    def visit(name: str) -> None:
        for other in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(documents[name])):
            if other not in done and other != name:
                visit(other)
        if name not in done:
            done.append(name)

    for name in sorted(documents):
        visit(name)
    return done


def document(name: str, found: dict[str, Any]) -> str:
    lines = [f"class {name}(TypedDict):"]
    if found.get("description"):
        lines.append(f'    """{" ".join(found["description"].split())}"""\n')
    return "\n".join(lines + [f"    {field}: {type_of(each)}" for field, each in found["properties"].items()])


def type_of(found: dict[str, Any]) -> str:
    if "$ref" in found:
        return str(found["$ref"].rpartition("/")[2])
    if "anyOf" in found:
        return " | ".join(dict.fromkeys(type_of(each) for each in found["anyOf"]))
    if "enum" in found or "const" in found:
        return f"Literal[{', '.join(repr(each) for each in found.get('enum', [found.get('const')]))}]"
    if found.get("type") == "array":
        return f"list[{type_of(found.get('items', {}))}]"
    return _PLAIN.get(str(found.get("type")), "Any")


def operation(path: str, method: str, found: dict[str, Any], documents: dict[str, Any]) -> str:
    of = {where: [each for each in found["parameters"] if each["in"] == where] for where in ("path", "query", "header")}
    given, arguments = ["self"], [repr(method.upper())]
    given += [f"{each['name']}: {type_of(each['schema'])}" for each in of["path"]]
    address = path.removeprefix("/api/v1")
    arguments.append(f'f"{address}"' if of["path"] else f'"{address}"')
    named: list[str] = []
    if "requestBody" in found:
        body = documents[found["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
        fields, required = body["properties"], set(body.get("required", []))
        named += [f"{field}: {type_of(fields[field])}" for field in fields if field in required]
        optional = [field for field in fields if field not in required]
        named += [f"{field}: {type_of(fields[field])} | None = None" for field in optional]
        sent = ", ".join(f"{field!r}: {field}" for field in fields if field in required)
        arguments.append(
            f"body={{{sent}}}"
            if not optional
            else f"body={{{sent}, **_said({', '.join(f'{field}={field}' for field in optional)})}}"
        )
    if of["query"]:
        named += [f"{safe(each['name'])}: {type_of(each['schema'])} | None = None" for each in of["query"]]
        said = ", ".join(f"{name}={safe(name)}" for name in (each["name"] for each in of["query"]))
        arguments.append(f"query=_said({said})")
    for each in of["header"]:
        name = each["name"].lower().replace("-", "_")
        named.append(f"{name}: str | None = None")
        arguments.append(f"{name}={name}")
    if named:
        given += ["*", *named]
    answer = next(each for status, each in found["responses"].items() if int(status) < 300)
    result = type_of(answer["content"]["application/json"]["schema"])
    text = (
        f"    def {found['operationId']}({', '.join(given)})"
        f' -> {result}:\n        """{found["summary"]}."""\n'
        f"        answer: {result} = self.call({', '.join(arguments)})\n        return answer\n"
    )
    if any(each["name"] == "cursor" for each in of["query"]):
        item = type_of(documents[result]["properties"]["items"]["items"])
        passed = [safe(each["name"]) for each in of["query"] if each["name"] != "cursor"]
        signature = ", ".join(each for each in given if not each.startswith("cursor:"))
        forwarded = [each["name"] for each in of["path"]] + [f"{name}={name}" for name in passed] + ["cursor=cursor"]
        text += (
            f"\n    def all_{found['operationId'].removeprefix('list_')}({signature}) -> Iterator[{item}]:\n"
            f'        """{found["summary"]}: all pages, one after the other."""\n'
            f"        cursor: str | None = None\n        while True:\n"
            f"            page = self.{found['operationId']}({', '.join(forwarded)})\n"
            f'            yield from page["items"]\n            cursor = page["next"]\n'
            f"            if cursor is None:\n                return\n"
        )
    return text.replace(" | None | None", " | None")


def safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def formatted(text: str) -> str:
    ruff = Path(sys.executable).with_name("ruff")
    for words in (["check", "--fix", "--quiet", "--exit-zero"], ["format", "--quiet"]):
        command = [str(ruff), *words, "--stdin-filename", str(TARGET / "written.py"), "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        text = done.stdout
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
