"""The schema of the API (OpenAPI 3.1), made once from the views, and the page that explains it to people."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from klankbord.desk.integrations.scopes import SCOPES

from . import reading, writing
from .api import api
from .problems import CONTENT_TYPE

_VIEWS = (reading, writing)  # which declare themselves when they are imported


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="api/v1/"), default=str))
    for path in found["paths"].values():
        for each in path.values():
            for status, answer in each["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {CONTENT_TYPE: answer["content"].pop("application/json")}
    found["components"]["securitySchemes"] = {
        "Token": {"type": "http", "scheme": "bearer", "description": "A token that somebody made in the settings."}
    }
    found["servers"] = [{"url": "/"}]
    return found


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(json.dumps(schema(), ensure_ascii=False), content_type="application/json")


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """All operations and documents on one page, written here: no script of anybody else's draws it."""
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema()["paths"].items():
        for method, found in methods.items():
            tags.setdefault(found["tags"][0], []).append(_operation(path, method, found))
    documents = [
        {"name": name, "about": found.get("description", ""), "fields": _fields(found)}
        for name, found in sorted(schema()["components"]["schemas"].items())
    ]
    return render(request, "api/reference.html", {"tags": tags, "documents": documents, "scopes": SCOPES})


def _operation(path: str, method: str, found: dict[str, Any]) -> dict[str, Any]:
    body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answer = next(each for status, each in found["responses"].items() if int(status) < 300)
    return {
        "id": found["operationId"], "method": method.upper(), "path": path, "summary": found["summary"],
        "about": found.get("description", ""), "scope": found.get("x-scope", ""),
        "parameters": [
            {
                "name": each["name"], "where": each["in"], "is_required": each["required"],
                "type": _type(each["schema"]), "about": each.get("description", ""),
            }
            for each in found["parameters"]
        ],
        "body": _type(body) if body else "",
        "answer": _type(answer["content"]["application/json"]["schema"]),
    }  # fmt: skip


def _fields(found: dict[str, Any]) -> list[dict[str, Any]]:
    required = found.get("required", [])
    return [
        {"name": name, "type": _type(each), "is_required": name in required, "about": each.get("description", "")}
        for name, each in found.get("properties", {}).items()
    ]


def _type(found: dict[str, Any]) -> str:
    """In a few words."""
    if "$ref" in found:
        return str(found["$ref"].rpartition("/")[2])
    if "anyOf" in found:
        return " | ".join(dict.fromkeys(_type(each) for each in found["anyOf"]))
    if "enum" in found or "const" in found:
        return " | ".join(json.dumps(each) for each in found.get("enum", [found.get("const")]))
    if found.get("type") == "array":
        return f"[{_type(found.get('items', {}))}]"
    return str(found.get("format") or found.get("type") or "any")
