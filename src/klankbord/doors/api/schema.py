"""The schema of the API (OpenAPI 3.1), made once from the views, and the page that explains it to people."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from .api import api
from .problems import CONTENT_TYPE


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
