"""Events of other systems on the `api` channel: tidy, untidy and hostile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from benches_of import bench_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import NOW

from klankbord import channels
from klankbord.contract import (
    Arrived,
    AuthorKind,
    Deleted,
    Delivery,
    Item,
    Malformed,
    MediaKind,
    ReceiptArrived,
    Unknown,
    Visibility,
)

api = channels.channel("api")
bench = bench_of("api")

MESSAGE = {
    "type": "message",
    "id": "m-1",
    "at": "2026-11-02T08:00:00Z",
    "place": {"id": "chat-42"},
    "person": {"id": "klant-9"},
    "text": "Waar is mijn pakket?",
}


def parse(document: Any, *, is_history: bool = False) -> list[Item]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return api.parse(Delivery(body, NOW, is_history=is_history), bench.account())


def message(**changes: Any) -> Arrived:
    (item,) = parse({**MESSAGE, **changes})
    assert isinstance(item, Arrived), item
    return item


# ------------------------------------------------------------------------------------------------ moments


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-02T08:00:00Z",
        "2026-11-02T09:00:00+01:00",
        "2026-11-02 08:00:00",
        "20261102T080000Z",
        1793606400,
        1793606400.0,
        "1793606400",
        1793606400000,
        "1793606400000",
        1793606400000000,
        1793606400000000000,
    ],
)
def test_w11_a_moment_is_understood_in_every_common_form(at: Any) -> None:
    item = message(at=at)
    assert (item.at, item.remarks) == (datetime(2026, 11, 2, 8, tzinfo=UTC), ())


@pytest.mark.parametrize("at", [0, "0", 1, -1, 1793606400e60, 10**400, "gisteren", "", "24:00", True, [], {}, "٣"])
def test_w11_a_moment_that_cannot_be_true_is_that_of_arrival_and_marked(at: Any) -> None:
    item = message(at=at)
    assert (item.at, item.remarks) == (NOW, ("time-unclear",))


@pytest.mark.parametrize("at", ["2026-11-02T09:06:00Z", "2031-01-01T00:00:00Z", 4102444800, "9999-12-31T23:59:59Z"])
def test_w11_a_moment_in_the_future_is_that_of_arrival_and_marked(at: Any) -> None:
    item = message(at=at)
    assert (item.at, item.remarks) == (NOW, ("time-in-future",))


def test_w11_a_clock_that_runs_a_little_ahead_is_no_matter() -> None:
    assert message(at="2026-11-02T09:01:00Z").at == NOW
    assert message(at="2026-11-02T09:01:00Z").remarks == ()


def test_w11_a_message_of_eight_days_ago_is_marked_unless_it_is_history() -> None:
    assert message(at="2026-10-25T09:00:00Z").remarks == ("arrived-late",)
    (item,) = parse({**MESSAGE, "at": "2026-10-25T09:00:00Z"}, is_history=True)
    assert isinstance(item, Arrived)
    assert item.remarks == ()


# ------------------------------------------------------------------------------------------------ messages


def test_ids_beyond_what_a_float_holds_stay_exact() -> None:
    assert message(id=9007199254740993123).external_id == "9007199254740993123"


@pytest.mark.parametrize("wrong", [1.5, True, [], {}, " ", "a\x00b", "\ud800", "x" * 501, None, ""])
def test_an_id_that_would_have_to_be_cleaned_is_malformed(wrong: Any) -> None:
    for changed in ({"id": wrong}, {"place": {"id": wrong}}, {"person": {"id": wrong}}):
        (item,) = parse({**MESSAGE, **changed})
        assert isinstance(item, Malformed)


def test_w15_what_a_database_refuses_is_taken_out_and_marked() -> None:
    item = message(text="a\x00b\ud83d", person={"id": "k", "name": "An\x00na"}, facts={"a\x00": ["b\x00"]})
    assert (item.text, item.person.name, item.facts) == ("ab\N{REPLACEMENT CHARACTER}", "Anna", {"a": ["b"]})
    assert item.remarks == ("characters-removed",)


def test_visibility_is_private_unless_said_and_never_guessed() -> None:
    assert message().place.visibility is Visibility.PRIVATE
    assert message(place={"id": "p", "visibility": "public"}).place.visibility is Visibility.PUBLIC
    (item,) = parse({**MESSAGE, "place": {"id": "p", "visibility": "everyone"}})
    assert isinstance(item, Malformed)


def test_an_own_message_names_who_wrote_it_and_a_customer_cannot_pose_as_one() -> None:
    own = message(is_own=True, author="Bram", author_kind="bot", key="0193-reply")
    assert (own.is_own, own.author_kind, own.author_name, own.client_key) == (
        True,
        AuthorKind.BOT,
        "Bram",
        "0193-reply",
    )
    posing = message(is_own="true", author="Bram", author_kind="agent")
    assert (posing.is_own, posing.author_kind, posing.author_name) == (False, AuthorKind.CONTACT, "")


def test_attachments_are_described_and_a_bad_one_does_not_cost_the_message() -> None:
    item = message(
        text="",
        attachments=[
            {"url": "https://shop.example/1", "type": "Video/MP4", "size": 9, "description": "Een deur"},
            {"url": "javascript:alert(1)", "name": "x.html"},
            {"url": "file:///etc/passwd"},
            None,
        ],
    )
    assert [(each.kind, bool(each.refused)) for each in item.media] == [
        (MediaKind.VIDEO, False),
        (MediaKind.FILE, True),
        (MediaKind.FILE, True),
        (MediaKind.FILE, True),
    ]
    assert (item.media[0].size, item.media[0].description) == (9, "Een deur")
    assert all(not each.url.startswith(("javascript", "file")) for each in item.media)


def test_links_that_are_no_web_addresses_are_left_out() -> None:
    person = {"id": "k", "avatar_url": "javascript:alert(1)", "profile_url": "https://a.example/\n<script>"}
    item = message(person=person, place={"id": "p", "url": "data:text/html,x", "context": {"url": "vbscript:x"}})
    assert (item.person.avatar_url, item.person.profile_url, item.place.url) == ("", "", "")
    assert item.place.context is not None
    assert item.place.context.url == ""


# ------------------------------------------------------------------------------------------------ bodies


def test_w10_one_bad_event_among_a_thousand_costs_only_itself() -> None:
    events: list[Any] = [{**MESSAGE, "id": f"m-{n}"} for n in range(1_000)]
    events[499] = {"type": "message", "id": "m-499"}
    items = parse(events)
    assert [type(item) for item in items] == [Arrived] * 499 + [Malformed] + [Arrived] * 500
    assert b"m-499" in items[499].raw  # type: ignore[union-attr]


def test_more_than_a_thousand_events_are_refused_as_a_whole() -> None:
    for count in (0, 1_001):
        (item,) = parse([MESSAGE] * count)
        assert isinstance(item, Malformed)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"text": "\xff\xfe"}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"9" * 10_000,
        json.dumps(MESSAGE).encode("utf-16"),
    ],
)
def test_w14_a_body_that_is_not_our_format_is_one_malformed_item(body: bytes) -> None:
    (item,) = parse(body)
    assert isinstance(item, Malformed)
    assert item.raw == body[:20_000]


@pytest.mark.parametrize(
    "before", [b'[{"type":"reaction","x":', b'{"type":"message","facts":{"x":', b'{"type":"x","place":']
)
def test_w14_a_body_just_less_deep_than_the_reader_can_go_does_not_raise(before: bytes) -> None:
    after = {b"[": b"]", b"{": b"}"}
    closing = b"".join(after[bytes([each])] for each in reversed(before) if bytes([each]) in after)
    for depth in range(880, 1_000):
        assert len(parse(before + b"[" * depth + b"]" * depth + closing)) == 1


def test_w14_a_key_that_comes_twice_counts_as_the_last() -> None:
    (item,) = parse(json.dumps(MESSAGE).encode()[:-1] + b', "id": "m-2"}')
    assert isinstance(item, Arrived)
    assert item.external_id == "m-2"


def test_w14_numbers_that_are_none_do_not_reach_the_database() -> None:
    (item,) = parse(json.dumps(MESSAGE).encode()[:-1] + b', "facts": {"a": NaN, "b": 1e400, "c": -Infinity, "d": 1.5}}')
    assert isinstance(item, Arrived)
    assert item.facts == {"a": None, "b": None, "c": None, "d": 1.5}


def test_w16_an_unknown_type_keeps_its_place_and_its_content() -> None:
    (item,) = parse({**MESSAGE, "type": "reaction", "emoji": "👍"})
    assert isinstance(item, Unknown)
    assert (item.kind, item.place and item.place.key, item.person and item.person.external_id) == (
        "reaction",
        "chat-42",
        "klant-9",
    )
    assert "👍" in item.raw


def test_w8_w9_receipts_edits_and_deletes_need_nothing_but_the_id() -> None:
    items = parse([{"type": "delete", "id": "m-9"}, {"type": "receipt", "id": "m-9", "state": "read"}] * 2)
    assert [type(item) for item in items] == [Deleted, ReceiptArrived, Deleted, ReceiptArrived]
    assert isinstance(parse({"type": "receipt", "state": "read"})[0], Malformed)
    assert isinstance(parse({"type": "receipt", "id": "m", "state": "eaten"})[0], Malformed)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*MESSAGE, "facts", "attachments", "thread_ids", "is_own", "author_kind", "state", "html"]),
        _json | st.sampled_from(["message", "edit", "delete", "receipt"]),
    )
)
def test_w14_w16_no_event_whatever_its_shape_raises(event: dict[str, Any]) -> None:
    for document in (event, {**MESSAGE, **event}):
        items = parse(json.dumps(document).encode())
        assert len(items) == 1
        assert items == parse(json.dumps(document).encode())


@settings(deadline=None)
@given(st.binary())
def test_w14_no_body_raises(body: bytes) -> None:
    assert parse(body)
