"""The transport: one request at a time, tried again when that is safe."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from .operations import Operations

_AGAIN = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 60.0


class ProblemError(Exception):
    """What the desk answered instead (RFC 9457). type: what kind of problem, never changes. errors: what was wrong."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        self.status, self.type = status, str(document.get("type", "")).rpartition(":")[2]
        self.detail, self.errors = str(document.get("detail", "")), list(document.get("errors", []))
        super().__init__(f"{status} {self.type}: {self.detail}")


class Klankbord(Operations):
    """address: of the desk, such as https://desk.example. timeout: seconds. attempts: of a request, at most."""

    def __init__(
        self,
        address: str,
        *,
        token: str,
        timeout: float = 20.0,
        attempts: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if urlsplit(address).scheme not in {"https", "http"}:
            raise ValueError("The address of the desk begins with https://")
        self._root, self._token = f"{address.rstrip('/')}/api/v1", token
        self._timeout, self._attempts, self._sleep = timeout, attempts, sleep
        self.etag = ""  # of the last answer, for if_match

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> Any:
        """Raises ProblemError; URLError when the desk cannot be reached."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if method != "GET":
            headers["Idempotency-Key"] = idempotency_key or uuid.uuid4().hex
        if if_match:
            headers["If-Match"] = if_match
        if body is not None:
            headers["Content-Type"] = "application/json"
        address = f"{self._root}{path}" + (f"?{urlencode(query)}" if query else "")
        content = json.dumps(body).encode() if body is not None else None
        request = Request(address, data=content, headers=headers, method=method)  # noqa: S310 (checked above)
        for attempt in range(1, self._attempts + 1):
            try:
                with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                    self.etag = answer.headers.get("ETag", "")
                    return json.loads(answer.read())
            except HTTPError as error:
                with error:
                    problem = ProblemError(error.code, _document(error.read()))
                    wait = error.headers.get("Retry-After", "")
                if error.code not in _AGAIN or attempt == self._attempts:
                    raise problem from None
                self._sleep(min(float(wait) if wait.isdecimal() else 2.0**attempt, _LONGEST_PAUSE))
            except (URLError, TimeoutError, ConnectionError):
                if attempt == self._attempts:
                    raise
                self._sleep(2.0**attempt)
        raise AssertionError("unreachable")


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
