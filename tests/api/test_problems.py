"""Whatever goes wrong is a problem document; nothing that is sent makes the desk stumble."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_callers import Caller, token_of
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from desk_builder import Desk
from klankbord.desk.organisations.models import Membership
from klankbord.doors.api import door
from klankbord.doors.api.schema import schema
from klankbord.flows import tokens

pytestmark = pytest.mark.django_db


def is_problem(answer: Any, status: int, word: str) -> bool:
    found = answer.json()
    return (
        answer.status_code == found["status"] == status
        and answer["content-type"] == "application/problem+json"
        and found["type"] == f"urn:klankbord:problem:{word}"
        and bool(found["title"])
    )


def test_an_unknown_address_is_a_404(api: Caller) -> None:
    assert is_problem(api.get("/nothing"), 404, "not-found")
    assert is_problem(api.get("/conversations/999"), 404, "not-found")


def test_a_method_that_is_not_there_says_which_are(api: Caller) -> None:
    answer = api.send("delete", "/conversations")
    assert is_problem(answer, 405, "method")
    assert answer["allow"] == "GET"


def test_a_body_that_is_too_large_is_a_413(desk: Desk, api: Caller) -> None:
    assert is_problem(api.post("/conversations/1/notes", {"text": "x" * 600_000}), 413, "too-large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_a_body_of_another_kind_is_a_415(api: Caller, kind: str) -> None:
    answer = api.client.post(
        "/api/v1/conversations/1/notes", b"text=x", content_type=kind, headers={"authorization": f"Bearer {api.token}"}
    )
    assert is_problem(answer, 415, "content-type")


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff\xfe", b'"x"', b"[]", b"null", b"12"])
def test_a_body_that_is_no_document_is_refused(desk: Desk, api: Caller, body: bytes) -> None:
    desk.receive(desk.inbox(), desk.event())
    answer = api.post("/conversations/1/notes", body)
    assert answer.status_code in (400, 422)
    assert answer["content-type"] == "application/problem+json"


def test_what_is_wrong_is_said_with_its_place_and_without_its_value(desk: Desk, api: Caller) -> None:
    answer = api.post("/conversations/1/snooze", {"until": "geheim"})
    assert is_problem(answer, 422, "invalid")
    assert "until" in answer.json()["errors"][0]["where"]
    assert "geheim" not in answer.content.decode()


def test_a_failure_of_ours_is_a_problem_with_a_reference_and_no_trace(
    desk: Desk, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*given: Any, **named: Any) -> None:
        raise ZeroDivisionError("binnenwerk")

    monkeypatch.setattr(door, "resolve", burst)
    answer = api.get("/me")
    assert is_problem(answer, 500, "broken")
    assert "Reference" in answer.json()["detail"]
    assert "binnenwerk" not in answer.content.decode()


def test_a_rate_is_told_and_held_per_token_over_all_processes(
    desk: Desk, boss: Membership, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "BURST", 3)
    monkeypatch.setattr(tokens, "PER_MINUTE", 1)
    answers = [api.get("/me") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert [each["ratelimit"].split(";")[1] for each in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert is_problem(answers[3], 429, "too-often")
    assert int(answers[3]["retry-after"]) >= 1
    assert Caller(token_of(desk, boss)).get("/me").status_code == 200


def test_a_foreign_host_name_is_a_problem_too(api: Caller) -> None:
    assert is_problem(api.get("/me", headers={"host": "kwaad.example"}), 400, "host")


def test_no_answer_may_be_kept_or_shown_by_a_browser(api: Caller) -> None:
    answer = api.get("/me")
    assert answer["cache-control"] == "private, no-store"
    assert answer["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_the_schema_and_its_page_need_no_token() -> None:
    found = Client().get("/api/v1/openapi.json")
    assert found.json()["openapi"].startswith("3.")
    assert {"list_conversations", "send_reply"} <= {
        each["operationId"] for methods in found.json()["paths"].values() for each in methods.values()
    }
    page = Client().get("/api/v1/")
    assert page.status_code == 200
    assert "/api/v1/conversations/{number}/replies" in page.content.decode()
    assert "script-src 'self'" in page["content-security-policy"]


@pytest.mark.parametrize("limit", ["0", "101", "1000000", "-1", "x", ""])
def test_a11_a_page_has_a_bound(api: Caller, limit: str) -> None:
    assert is_problem(api.get("/conversations", limit=limit), 422, "invalid")


def test_a11_a_thousand_filters_are_borne(api: Caller) -> None:
    address = "/api/v1/conversations?" + "&".join(f"f{number}=x" for number in range(1_000))
    answer = api.client.get(address, headers={"authorization": f"Bearer {api.token}"})
    assert answer.status_code in (200, 400, 422)


A4 = ["' OR 1=1 --", "open'; DROP TABLE x; --", "%' AND pg_sleep(9) --", "{$ne: 1}", "\x00", "1)", "\ud800"]


@pytest.mark.parametrize("value", A4)
@pytest.mark.parametrize("name", ["status", "inbox", "owner", "label", "order", "since", "cursor"])
def test_a4_an_operator_in_a_filter_is_a_wrong_value(api: Caller, name: str, value: str) -> None:
    answer = api.get("/conversations", **{name: value.encode("utf-8", "surrogatepass")})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("value", A4)
def test_a4_a_mail_address_is_looked_up_as_it_stands(desk: Desk, api: Caller, value: str) -> None:
    desk.receive(desk.inbox(), desk.event())
    answer = api.get("/contacts", email=value.encode("utf-8", "surrogatepass"))
    assert answer.status_code == 422 or answer.json()["items"] == []


# ------------------------------------------------------------------------- A12: anything, for every operation

TEXTS = some.one_of(
    some.text(max_size=40), some.sampled_from([*A4, "0", "-1", "9" * 40, "null", "true", "", "é" * 300]),
    some.uuids().map(str), some.datetimes().map(lambda moment: moment.isoformat()),
    some.datetimes().map(lambda moment: moment.isoformat() + "Z"),
)  # fmt: skip
VALUES = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), TEXTS),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
FITTING = {"date-time": some.datetimes().map(lambda m: f"{m:%Y-%m-%dT%H:%M:%S}Z"), "uuid": some.uuids().map(str)}


def fitting(found: dict[str, Any]) -> Any:
    """Values that the schema takes, as far as it says."""
    if "anyOf" in found:
        return some.one_of(*map(fitting, found["anyOf"]))
    if "enum" in found or "const" in found:
        return some.sampled_from(found.get("enum", [found.get("const")]))
    if found.get("format") in FITTING:
        return FITTING[found["format"]]
    plain = {
        "integer": some.integers(-5, 200),
        "boolean": some.booleans(),
        "null": some.none(),
        "number": some.floats(),
    }
    return plain.get(found.get("type", ""), TEXTS)


@some.composite
def requests(draw: Any) -> tuple[str, str, dict[str, Any], Any, dict[str, str]]:
    path = draw(some.sampled_from(sorted(schema()["paths"])))
    method = draw(some.sampled_from([*schema()["paths"][path], "get", "post", "put", "delete", "patch"]))
    found = schema()["paths"][path].get(method, {})
    query, address, headers = {}, path.removeprefix("/api/v1"), {}
    for each in found.get("parameters", []):
        value = draw(some.one_of(fitting(each["schema"]), TEXTS))
        if each["in"] == "path":
            value = draw(some.sampled_from([1, value]))
            written = str(value).encode("utf-8", "replace").decode()
            address = address.replace(f"{{{each['name']}}}", written.replace("/", "").replace("?", "") or "x")
        elif each["in"] == "query" and draw(some.booleans()) and value is not None:
            query[each["name"]] = str(value).encode("utf-8", "surrogatepass")
        elif each["in"] == "header" and draw(some.booleans()):
            headers[each["name"]] = draw(some.text(some.characters(min_codepoint=32, max_codepoint=126), max_size=300))
    body = None
    if "requestBody" in found:
        [(_, content)] = found["requestBody"]["content"].items()
        name = content["schema"]["$ref"].rpartition("/")[2]
        fields = schema()["components"]["schemas"][name]["properties"]
        body = {
            field: draw(some.one_of(fitting(each), VALUES)) for field, each in fields.items() if draw(some.booleans())
        }
        body = draw(some.sampled_from([body, draw(VALUES)]))
    return method, address, query, body, headers


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=requests())
def test_a12_no_request_makes_the_desk_stumble(
    lively: Caller, request: tuple[str, str, dict[str, Any], Any, dict[str, str]]
) -> None:
    method, address, query, body, headers = request
    if method == "get":
        answer = lively.get(address, headers=headers, **query)
    else:
        answer = lively.send(method, address, json.dumps(body) if body is not None else None, headers)
    assert answer.status_code < 500, (request, answer.content)
    if answer.status_code >= 400:
        assert answer["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
    declared = schema()["paths"].get(f"/api/v1{address}", {}).get(method, {}).get("responses")
    assert declared is None or str(answer.status_code) in {*declared, "304", "405"}, (request, answer.content)


@pytest.fixture
def lively(desk: Desk, api: Caller, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setattr(tokens, "BURST", 1_000_000)
    desk.receive(desk.inbox(), desk.event())
    return api
