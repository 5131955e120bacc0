"""Hostile and careless deliveries: what every channel makes of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from benches_of import bench_of, fixtures_of
from every_channel import can, channels_where, every_channel, every_fixture, parsed

from klankbord import channels
from klankbord.contract import (
    Account,
    Arrived,
    BadSignature,
    Context,
    Delivery,
    Item,
    Malformed,
    Media,
    Person,
    Place,
    Transport,
    secret_names,
)

# ------------------------------------------------------------------------------------------------ signatures


def has_signed_webhook(kind: str) -> bool:
    return Transport.WEBHOOK in can(kind).transports and can(kind).is_signed


every_signed_channel = channels_where(has_signed_webhook)


def signed(kind: str) -> tuple[Account[Any], Delivery]:
    account = bench_of(kind).account()
    return account, bench_of(kind).sign(fixtures_of(kind)[0][1], account)


@every_signed_channel
def test_a_rightly_signed_delivery_passes(kind: str) -> None:
    account, delivery = signed(kind)
    channels.channel(kind).verify(delivery, account)


@every_signed_channel
def test_w1_a_delivery_without_signature_is_refused(kind: str) -> None:
    account, delivery = signed(kind)
    with pytest.raises(BadSignature):
        channels.channel(kind).verify(replace(delivery, headers={}, query={}), account)


@every_signed_channel
def test_w2_a_delivery_with_a_wrong_signature_is_refused(kind: str) -> None:
    account, delivery = signed(kind)
    for wrong in ({k: f"{v}0" for k, v in delivery.headers.items()}, dict.fromkeys(delivery.headers, "é\ud800")):
        with pytest.raises(BadSignature):
            channels.channel(kind).verify(replace(delivery, headers=wrong, query={}), account)


@channels_where(lambda kind: has_signed_webhook(kind) and getattr(bench_of(kind), "SIGNATURE_COVERS_BODY", True))
def test_w2_a_changed_body_is_refused(kind: str) -> None:
    account, delivery = signed(kind)
    with pytest.raises(BadSignature):
        channels.channel(kind).verify(replace(delivery, body=delivery.body + b" "), account)


@every_signed_channel
def test_w3_an_account_without_secret_lets_nothing_in(kind: str) -> None:
    account, delivery = signed(kind)
    names = dict.fromkeys(secret_names(type(account.credentials)), "")
    bare = replace(account, credentials=replace(account.credentials, **names), hook_secret="")
    for attempt in (delivery, replace(delivery, headers={}), bench_of(kind).sign(delivery.body, bare)):
        with pytest.raises(BadSignature):
            channels.channel(kind).verify(attempt, bare)


@every_signed_channel
def test_w4_the_signature_of_another_account_is_refused(kind: str) -> None:
    account, delivery = signed(kind)
    other = bench_of(kind).other_account()
    with pytest.raises(BadSignature):
        channels.channel(kind).verify(delivery, other)
    with pytest.raises(BadSignature):
        channels.channel(kind).verify(bench_of(kind).sign(delivery.body, other), account)


@channels_where(lambda kind: not has_signed_webhook(kind))
def test_a_channel_without_signed_webhook_has_no_open_one(kind: str) -> None:
    delivery = Delivery(b"{}", datetime(2026, 11, 2, tzinfo=UTC))
    with pytest.raises(BadSignature):
        channels.channel(kind).verify(delivery, bench_of(kind).account())


@every_channel
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "<b>1</b>"},
        {"hub.mode": "subscribe", "hub.verify_token": "guess", "hub.challenge": "<b>1</b>"},
    ],
)
def test_w17_a_handshake_with_a_wrong_token_echoes_nothing(kind: str, query: dict[str, str]) -> None:
    delivery = Delivery(b"", datetime(2026, 11, 2, tzinfo=UTC), query=query)
    answer = channels.channel(kind).handshake(delivery, bench_of(kind).account())
    assert answer is None or (answer.status == 403 and b"<b>" not in answer.body)


# ------------------------------------------------------------------------------------------------ hostile input


def mutations(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Variations that platforms, proxies and attackers produce."""
    yield "truncated", body[: len(body) // 2]
    yield "empty", b""
    yield "byte by byte wrong", body.replace(b"e", b"\xff")
    yield "twice", body + body
    try:
        document = json.loads(body)
    except ValueError:
        yield "lines reversed", b"\n".join(reversed(body.splitlines()))
        yield "nul", body.replace(b"e", b"\x00")
        return
    for path in list(_paths(document)):
        yield f"without {path}", _json(_changed(document, path, lambda holder, key: holder.pop(key)))
        for value in (None, [], {}, "", "\x00", "😀\ud83d", -1, 1e308, True, "x" * 5_000):
            yield f"{path} is {value!r:.20}", _json(_changed(document, path, lambda h, k, v=value: _put(h, k, v)))
        yield f"{path} as text or number", _json(_changed(document, path, _swap_type))
    yield "unknown fields everywhere", _json(_with_unknown_fields(document))
    yield "reversed", _json(_reversed(document))
    yield "unescaped", json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    yield "in a list", _json([document, document])
    yield "keys twice", b"{" + b'"id":"a","type":"b",' * 2 + b'"z":1}'
    yield "depth 10,000", b"[" * 10_000 + b"]" * 10_000
    yield "objects 10,000 deep", b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    yield "only null", b"null"
    yield "only a number", b"1e400"
    yield "not a number", b"NaN"
    yield "endless number", b"9" * 10_000
    yield "lone surrogates", b'{"id":"\\ud800","text":"\\udfff"}'


def _paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in children:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _paths(value, (*path, key))


def _changed(document: Any, path: tuple[Any, ...], change: Any) -> Any:
    copy = deepcopy(document)
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return copy


def _put(holder: Any, key: Any, value: Any) -> None:
    holder[key] = value


def _swap_type(holder: Any, key: Any) -> None:
    value = holder[key]
    if isinstance(value, str):
        holder[key] = int(value) if value.isascii() and value.isdecimal() else 12345678901234567890
    elif isinstance(value, int):
        holder[key] = str(value)


def _with_unknown_fields(document: Any) -> Any:
    if isinstance(document, dict):
        return {**{key: _with_unknown_fields(each) for key, each in document.items()}, "new_in_v99": {"a": [1]}}
    return [_with_unknown_fields(each) for each in document] if isinstance(document, list) else document


def _reversed(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _reversed(each) for key, each in reversed(document.items())}
    return [_reversed(each) for each in reversed(document)] if isinstance(document, list) else document


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


@every_fixture
def test_w10_w14_w15_w16_whatever_is_done_to_a_fixture_gives_clean_items(kind: str, name: str, body: bytes) -> None:
    for what, mutation in mutations(body):
        items = parsed(kind, mutation)
        assert items, what
        for item in items:
            check_item(item, f"{name}, {what}")


@every_fixture
def test_every_item_of_a_fixture_is_clean(kind: str, name: str, body: bytes) -> None:
    for item in parsed(kind, body):
        check_item(item, name)


def check_item(item: Item, what: str) -> None:
    """Ids are text, moments are aware and in UTC, and nothing holds what a database refuses."""
    assert isinstance(item, get_args(Item)), what
    if isinstance(item, Arrived):
        assert item.external_id, what
        assert item.place.key, what
        assert item.person.external_id, what
    _check_value(item, what)


def _check_value(value: Any, what: str) -> None:
    if isinstance(value, Malformed):
        assert isinstance(value.raw, bytes), what
        _check_value(value.reason, what)
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            found = getattr(value, each.name)
            if each.type in {"str"}:
                assert isinstance(found, str), f"{what}: {type(value).__name__}.{each.name} is {found!r}"
            if isinstance(value, Arrived | Person | Place | Context | Media) or each.name != "raw":
                _check_value(found, what)
    elif isinstance(value, datetime):
        assert value.tzinfo is not None, what
        assert value.utcoffset() == UTC.utcoffset(None), what
    elif isinstance(value, str):
        assert "\x00" not in value, what
        value.encode()  # raises for a lone surrogate
    elif isinstance(value, dict):
        for key, each in value.items():
            _check_value(key, what)
            _check_value(each, what)
    elif isinstance(value, tuple | list):
        for each in value:
            _check_value(each, what)
