"""What went wrong, as a document (RFC 9457): the same shape for every error that this door can give."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """type: what kind of problem, one word that never changes. detail: a sentence for who reads the log.

    errors: what in the request is wrong, each with where it stands and why.
    """

    def __init__(
        self,
        status: int,
        type: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(type)
        self.status, self.type, self.detail = status, type, detail
        self.headers, self.errors = dict(headers or {}), list(errors)

    def as_response(self) -> HttpResponse:
        document: dict[str, Any] = {
            "type": f"urn:klankbord:problem:{self.type}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
        }
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = self.errors
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        return HttpResponse(body, status=self.status, content_type=CONTENT_TYPE, headers=self.headers)


def unauthorised() -> Problem:
    return Problem(
        401, "token", "Send a token of this desk: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"}
    )


def not_found() -> Problem:
    return Problem(404, "not-found", "This does not exist, or this token may not see it.")


def invalid(detail: str, *where: str) -> Problem:
    errors = [{"where": "/".join(where), "why": detail}] if where else []
    return Problem(422, "invalid", detail, errors=errors)
