"""The API itself: how its operations are declared, and what their errors become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import TypeAdapter

from klankbord.desk.errors import DeskError, NotAllowed, NotFound, SomebodyAnswered
from klankbord.flows.versions import Changed

from .documents import ProblemDocument
from .door import caller_of
from .problems import Problem, not_found

_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)
_PROBLEMS = dict.fromkeys((400, 401, 403, 404, 422, 429), ProblemDocument)
_WRITING_PROBLEMS = dict.fromkeys((409, 412, 413, 415), ProblemDocument)

api = NinjaAPI(
    title="Klankbord",
    version="1",
    description="Conversations of a webcare desk, for other systems. Times are in UTC. Pages go on from `next`.",
    docs_url=None,
    openapi_url=None,
    urls_namespace="api",
)


class Token(HttpBearer):
    """The scope that an operation needs. The token itself was looked at by the door."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Any:
        caller = caller_of(request)
        if self.scope and self.scope not in caller.scopes:
            raise Problem(403, "scope", f"This token may not do this: it lacks the scope {self.scope}.")
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return caller_of(request)


def operation(
    method: str, path: str, *, scope: str, response: Any, tag: str, status: int = 200, **more: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a view. Its name is the operation's; its docstring is for those who read the reference."""

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        problems = _PROBLEMS if method == "GET" else {**_PROBLEMS, **_WRITING_PROBLEMS}
        first = (view.__doc__ or view.__name__).strip().splitlines()[0].rstrip(".")
        declared = api.api_operation(
            [method], path, auth=Token(scope), response={status: response, **problems}, operation_id=view.__name__,
            url_name=f"api_{view.__name__}", tags=[tag], summary=first,
            openapi_extra={"x-scope": scope, **more},
        )  # fmt: skip
        return declared(view)

    return declare


def document(content: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """What goes out. Written straight from plain values: validating what we made ourselves would cost most of it."""
    return HttpResponse(
        _ANYTHING.dump_json(content), status=status, content_type="application/json", headers=headers or {}
    )


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Any) -> HttpResponse:
    return problem.as_response()  # type: ignore[no-any-return]


@api.exception_handler(DeskError)
def _desk_error(request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error, NotFound):
        return not_found().as_response()
    word = {NotAllowed: "role", SomebodyAnswered: "answered", Changed: "changed"}.get(type(error))
    return Problem(
        error.status, word or ("invalid" if error.status == 422 else "conflict"), error.sentence
    ).as_response()


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    """Where and why, and nothing of what was sent: it may be a secret, or half a megabyte."""
    errors = [
        {"where": "/".join(str(each) for each in found["loc"])[:200], "why": found["msg"]} for found in error.errors
    ]
    return Problem(422, "invalid", "Something in the request is not right.", errors=errors[:20]).as_response()


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    return Problem(error.status_code, "bad-request", "The body is not JSON.").as_response()
