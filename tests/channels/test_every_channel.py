"""What holds for every channel, whatever its platform. A channel's folder and bench are all that it takes to join."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from benches_of import bench_of, expected_of, fixtures_of
from sentences import sentences
from worlds import TROUBLES

from klankbord import channels
from klankbord.contract import (
    Account,
    Action,
    Arrived,
    BadSignature,
    Channel,
    Context,
    CredentialsRejected,
    Delivery,
    Health,
    Item,
    Malformed,
    Media,
    Person,
    Place,
    Receipt,
    Refused,
    TooLong,
    Transport,
    Unavailable,
    Uncertain,
    Unsupported,
    Upload,
    secret_names,
)

KINDS = channels.kinds()
FIXTURES = [pytest.param(kind, name, body, id=f"{kind}-{name}") for kind in KINDS for name, body in fixtures_of(kind)]
every_channel = pytest.mark.parametrize("kind", KINDS)
every_fixture = pytest.mark.parametrize(("kind", "name", "body"), FIXTURES)

_EXPECTED_TROUBLE: dict[str, type[Exception] | tuple[type[Exception], ...]] = {
    "no-connection": Unavailable,
    "lost-answer": Uncertain,
    "too-fast": Unavailable,
    "ill": (Unavailable, Uncertain),
    "html": (Unavailable, Uncertain),
    "rejected": CredentialsRejected,
}


def parsed(kind: str, body: bytes) -> list[Item]:
    account = bench_of(kind).account()
    return channels.channel(kind).parse(bench_of(kind).sign(body, account), account)


# ------------------------------------------------------------------------------------------------ the declaration


@every_channel
def test_the_folder_declares_a_complete_channel(kind: str) -> None:
    channel = channels.channel(kind)
    can = channel.capabilities
    assert isinstance(channel, Channel)
    assert channel.kind == kind
    assert channel.label
    assert can.transports
    assert can.visibilities
    assert Arrived in can.receives
    assert can.receives <= set(get_args(Item))
    assert can.text.maximum is None or can.text.maximum > 0
    assert (can.media.count > 0) == (can.media.bytes_each > 0)
    assert channel.text_limit(bench_of(kind).account()) is not None


@every_channel
def test_every_credential_can_be_asked_for_on_a_form(kind: str) -> None:
    credentials = channels.channel(kind).Credentials
    assert dataclasses.is_dataclass(credentials)
    assert credentials.__dataclass_params__.frozen
    for each in dataclasses.fields(credentials):
        assert each.metadata.get("label"), f"{each.name} has no label"
        assert each.metadata["kind"] in {"text", "password", "email", "url", "number", "lines", "tick"}
        is_optional = each.default is not dataclasses.MISSING or each.default_factory is not dataclasses.MISSING
        assert each.metadata["is_required"] or is_optional, f"{each.name} may stay empty but has no default"


@every_channel
@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_page_that_says_how_to_connect_is_there_in_both_languages(kind: str, language: str) -> None:
    text = channels.readme(kind, language)
    assert text.startswith("# ")
    assert len(text) > 300
    assert language == "en" or text != channels.readme(kind, "en")
    assert ("Verified against" if language == "en" else "Gecontroleerd tegen") in text


@every_channel
def test_the_logo_is_a_small_drawing_that_runs_and_fetches_nothing(kind: str) -> None:
    logo = channels.logo(kind)
    assert len(logo) < 4_000
    root = ElementTree.fromstring(logo)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    for element in root.iter():
        assert element.tag.rpartition("}")[2] not in {"script", "image", "use", "foreignObject", "style", "a"}
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert not name.endswith("href")
            assert "url(http" not in value


@every_channel
def test_a_channel_loads_no_web_framework_and_no_database(kind: str) -> None:
    program = (
        "import sys; from klankbord import channels; channels.channel(sys.argv[1]); "
        "print(sorted({name.split('.')[0] for name in sys.modules} & "
        "{'django', 'psycopg', 'sqlite3', 'procrastinate', 'httpx', 'requests', 'imap_tools'}), "
        "sorted(name for name in sys.modules if name.startswith('klankbord.') and name.split('.')[1] not in "
        "{'channels', 'contract', 'kernel'}), "
        "sorted({name.split('.')[2] for name in sys.modules if name.startswith('klankbord.channels.')}))"
    )
    done = subprocess.run([sys.executable, "-c", program, kind], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == f"[] [] ['{kind}']", done.stderr


def test_listing_the_channels_imports_none_of_them() -> None:
    program = (
        "import sys; from klankbord import channels; channels.kinds(); "
        "print([name for name in sys.modules if name.startswith('klankbord.channels.')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_an_unknown_kind_has_a_name_of_its_own() -> None:
    with pytest.raises(channels.UnknownChannel, match="There is no channel 'pigeon'"):
        channels.channel("pigeon")
    with pytest.raises(KeyError):
        channels.readme("pigeon")


def test_the_feature_matrix_has_a_row_for_every_channel() -> None:
    assert [row.kind for row in channels.feature_matrix()] == list(KINDS)
    for row in channels.feature_matrix():
        can = channels.channel(row.kind).capabilities
        assert row.text_limit == can.text.maximum
        assert set(row.actions) == {str(each) for each in can.actions}


# ------------------------------------------------------------------------------------------------ signatures

SIGNED = [
    kind
    for kind in KINDS
    if Transport.WEBHOOK in channels.channel(kind).capabilities.transports
    and channels.channel(kind).capabilities.is_signed
]
every_signed_channel = pytest.mark.parametrize("kind", SIGNED)


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


@every_signed_channel
def test_w2_a_changed_body_is_refused(kind: str) -> None:
    if not getattr(bench_of(kind), "SIGNATURE_COVERS_BODY", True):
        return  # the platform sends a fixed secret; there is no signature over the body to break
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


@every_channel
def test_an_unsigned_channel_has_no_open_webhook(kind: str) -> None:
    channel = channels.channel(kind)
    if not channel.capabilities.is_signed or Transport.WEBHOOK not in channel.capabilities.transports:
        with pytest.raises(BadSignature):
            channel.verify(Delivery(b"{}", datetime(2026, 11, 2, tzinfo=UTC)), bench_of(kind).account())


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


# ------------------------------------------------------------------------------------------------ fixtures


@every_channel
def test_there_are_fixtures(kind: str) -> None:
    assert fixtures_of(kind)


@every_fixture
def test_a_fixture_means_what_stands_beside_it(kind: str, name: str, body: bytes) -> None:
    assert sentences(parsed(kind, body)) == expected_of(kind, name)


@every_fixture
def test_nothing_in_a_fixture_is_malformed(kind: str, name: str, body: bytes) -> None:
    assert [each for each in parsed(kind, body) if isinstance(each, Malformed)] == []


@every_fixture
def test_parsing_twice_gives_the_same_and_changes_nothing(kind: str, name: str, body: bytes) -> None:
    account = bench_of(kind).account()
    delivery = bench_of(kind).sign(body, account)
    before = deepcopy((delivery, account))
    first = channels.channel(kind).parse(delivery, account)
    assert channels.channel(kind).parse(delivery, account) == first
    assert (delivery, account) == before


@every_channel
def test_the_fixtures_show_every_kind_of_item_that_the_channel_declares(kind: str) -> None:
    shown = {type(item) for _, body in fixtures_of(kind) for item in parsed(kind, body)}
    assert channels.channel(kind).capabilities.receives <= shown


@every_channel
def test_the_fixtures_show_every_visibility_that_the_channel_declares(kind: str) -> None:
    items = [item for _, body in fixtures_of(kind) for item in parsed(kind, body)]
    shown = {item.place.visibility for item in items if isinstance(item, Arrived)}
    assert shown == channels.channel(kind).capabilities.visibilities


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


# ------------------------------------------------------------------------------------------------ sending


@every_channel
def test_a_reply_is_taken_and_its_receipt_names_it(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    world = bench.world()
    receipt = channel.send(bench.outgoing(), bench.account(), world.wires)
    assert isinstance(receipt, Receipt)
    assert receipt.external_ids
    assert all(isinstance(each, str) and each for each in receipt.external_ids)
    assert receipt.at.utcoffset() == UTC.utcoffset(None)
    assert receipt.state in channel.capabilities.receipts
    if getattr(bench, "TROUBLES", TROUBLES):
        assert world.calls


@every_channel
def test_o5_a_text_over_the_limit_is_split_or_refused_before_anything_is_sent(kind: str) -> None:
    bench, channel, account = bench_of(kind), channels.channel(kind), bench_of(kind).account()
    limit = channel.text_limit(account)
    if limit.maximum is None:
        return  # nothing is too long here
    world = bench.world()
    outgoing = bench.outgoing(text="woord " * (limit.maximum // 6) + "x" * 40)
    assert channel.length(outgoing.text, account) > limit.maximum
    if limit.splits:
        assert len(channel.send(outgoing, account, world.wires).external_ids) > 1
        return
    with pytest.raises(TooLong) as refusal:
        channel.send(outgoing, account, world.wires)
    assert (refusal.value.limit, world.calls) == (limit.maximum, [])


@every_channel
def test_o5_a_text_of_exactly_the_limit_goes_as_one(kind: str) -> None:
    bench, channel, account = bench_of(kind), channels.channel(kind), bench_of(kind).account()
    limit = channel.text_limit(account)
    if limit.maximum is None:
        return  # nothing is too long here
    text = "a" * limit.maximum
    assert channel.length(text, account) == limit.maximum
    assert len(channel.send(bench.outgoing(text=text), account, bench.world().wires).external_ids) == 1


@every_channel
@pytest.mark.parametrize("trouble", TROUBLES)
def test_o1_o2_o3_trouble_while_sending_becomes_the_error_that_decides_what_happens_next(
    kind: str, trouble: str
) -> None:
    bench = bench_of(kind)
    if trouble not in getattr(bench, "TROUBLES", TROUBLES):
        return  # this channel's way out cannot have this trouble
    world = bench.world(trouble)
    with pytest.raises(_EXPECTED_TROUBLE[trouble]) as raised:
        channels.channel(kind).send(bench.outgoing(), bench.account(), world.wires)
    assert raised.value.sentence
    if trouble == "too-fast":
        assert raised.value.retry_after == 7
    secrets = {getattr(bench.account().credentials, name) for name in secret_names(type(bench.account().credentials))}
    assert not [each for each in secrets if each and each in str(raised.value)]


@every_channel
def test_an_attachment_goes_along_or_is_refused_before_anything_is_sent(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    limit = channel.capabilities.media
    content_type = next((f"{each}png" if each.endswith("/") else each for each in limit.content_types), "image/png")
    upload = Upload("kaart.png", content_type, size=len(PIXEL), read=lambda: PIXEL)
    world = bench.world()
    if limit.count:
        assert channel.send(replace(bench.outgoing(), uploads=(upload,)), bench.account(), world.wires).external_ids
        return
    with pytest.raises((Unsupported, Refused)):
        channel.send(replace(bench.outgoing(), uploads=(upload,)), bench.account(), world.wires)
    assert world.calls == []


@every_channel
def test_more_or_larger_attachments_than_declared_are_refused_before_anything_is_sent(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    limit = channel.capabilities.media
    content_type = next((f"{each}png" if each.endswith("/") else each for each in limit.content_types), "image/png")
    upload = Upload("kaart.png", content_type, size=len(PIXEL), read=lambda: PIXEL)
    too_many = (upload,) * (limit.count + 1)
    too_large = (replace(upload, size=limit.bytes_each + 1),)
    for uploads in (too_many, too_large):
        world = bench.world()
        with pytest.raises((Unsupported, Refused)):
            channel.send(replace(bench.outgoing(), uploads=uploads), bench.account(), world.wires)
        assert world.calls == []


@every_channel
def test_a_key_is_sent_along_where_the_platform_takes_one(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    if not channel.capabilities.takes_idempotency_key or not getattr(bench, "TROUBLES", TROUBLES):
        return
    world = bench.world()
    channel.send(bench.outgoing(), bench.account(), world.wires)
    assert bench.outgoing().key in repr(world.calls)


@every_channel
def test_o1_a_lost_message_can_be_looked_up_where_declared(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    outgoing, account = bench.outgoing(), bench.account()
    if not channel.capabilities.can_look_up:
        with pytest.raises(Unsupported):
            channel.look_up(outgoing, account, bench.world().wires)
        return
    world = bench.world()
    assert channel.look_up(outgoing, account, world.wires) is None
    receipt = channel.send(outgoing, account, world.wires)
    found = channel.look_up(outgoing, account, world.wires)
    assert found is not None
    assert found.external_ids == receipt.external_ids


@every_channel
def test_every_declared_action_can_be_done(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    assert Action.REPLY in channel.capabilities.actions or not channel.capabilities.actions
    for action in channel.capabilities.actions - {Action.REPLY}:
        world = bench.world()
        bench.act(action, world)
        assert world.calls or not getattr(bench, "TROUBLES", TROUBLES), action


# ------------------------------------------------------------------------------------------------ keeping in touch


@every_channel
def test_connecting_finds_facts_that_can_be_stored(kind: str) -> None:
    bench = bench_of(kind)
    facts = channels.channel(kind).connect(bench.account(), bench.world().wires)
    assert json.loads(json.dumps(dict(facts))) == dict(facts)


@every_channel
def test_a_poll_brings_deliveries_and_a_cursor_that_can_be_stored(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    if Transport.POLL not in channel.capabilities.transports:
        return
    world = bench.world()
    first = channel.poll(bench.account(), {}, world.wires)
    cursor = json.loads(json.dumps(dict(first.cursor)))
    second = channel.poll(bench.account(), cursor, world.wires)
    for delivery in (*first.deliveries, *second.deliveries):
        assert channel.parse(delivery, bench.account())


@every_channel
def test_listening_ends_when_it_must(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    if Transport.LISTEN not in channel.capabilities.transports:
        return
    stop, woken = threading.Event(), threading.Event()
    stop.set()
    thread = threading.Thread(
        target=channel.listen, args=(bench.account(), bench.world().wires, woken.set, stop), daemon=True
    )
    thread.start()
    thread.join(timeout=10)
    assert not thread.is_alive()


@every_channel
def test_health_has_a_sentence_for_what_is_wrong(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    assert isinstance(channel.health(bench.account(), bench.world().wires), Health)
    if "rejected" in getattr(bench, "TROUBLES", TROUBLES):
        health = channel.health(bench.account(), bench.world("rejected").wires)
        assert health.state == "broken"
        assert [check.sentence for check in health.checks if not check.is_well]


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)
