"""What holds for every channel, whatever its platform. A folder and a bench are all that it takes to join."""

from __future__ import annotations

import dataclasses
import json
import threading
from copy import deepcopy
from typing import get_args
from xml.etree import ElementTree

import pytest
from benches_of import bench_of, expected_of, fixtures_of
from every_channel import can, channels_where, every_channel, every_fixture, parsed, troubles_of
from fresh import printed_by
from sentences import sentences

from klankbord import channels
from klankbord.contract import (
    Arrived,
    Channel,
    Health,
    Item,
    Malformed,
    Transport,
)

# ------------------------------------------------------------------------------------------------ the declaration


@every_channel
def test_the_folder_declares_a_complete_channel(kind: str) -> None:
    channel, declared = channels.channel(kind), can(kind)
    assert isinstance(channel, Channel)
    assert channel.kind == kind
    assert channel.label
    assert declared.transports
    assert declared.visibilities
    assert Arrived in declared.receives
    assert declared.receives <= set(get_args(Item))
    assert declared.text.maximum is None or declared.text.maximum > 0
    assert (declared.media.count > 0) == (declared.media.bytes_each > 0)
    assert channel.text_limit(bench_of(kind).account()) is not None


@every_channel
def test_every_credential_can_be_asked_for_on_a_form(kind: str) -> None:
    credentials = channels.channel(kind).Credentials
    assert dataclasses.is_dataclass(credentials)
    assert credentials.__dataclass_params__.frozen
    for each in dataclasses.fields(credentials):
        assert each.metadata.get("label"), f"{each.name} has no label"
        assert each.metadata["kind"] in {"text", "password", "email", "url", "number", "lines", "tick"}
        assert not each.metadata["choices"] or each.default in each.metadata["choices"], f"{each.name} starts unchosen"
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
    assert printed_by(program, kind) == f"[] [] ['{kind}']"


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
    assert can(kind).receives <= shown


@every_channel
def test_the_fixtures_show_every_visibility_that_the_channel_declares(kind: str) -> None:
    items = [item for _, body in fixtures_of(kind) for item in parsed(kind, body)]
    shown = {item.place.visibility for item in items if isinstance(item, Arrived)}
    assert shown == can(kind).visibilities


# ------------------------------------------------------------------------------------------------ keeping in touch


@every_channel
def test_connecting_finds_facts_that_can_be_stored(kind: str) -> None:
    bench = bench_of(kind)
    facts = channels.channel(kind).connect(bench.account(), bench.world().wires)
    assert json.loads(json.dumps(dict(facts))) == dict(facts)


@channels_where(lambda kind: Transport.POLL in can(kind).transports)
def test_a_poll_brings_deliveries_and_a_cursor_that_can_be_stored(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    world = bench.world()
    first = channel.poll(bench.account(), {}, world.wires)
    cursor = json.loads(json.dumps(dict(first.cursor)))
    second = channel.poll(bench.account(), cursor, world.wires)
    for delivery in (*first.deliveries, *second.deliveries):
        assert channel.parse(delivery, bench.account())


@channels_where(lambda kind: Transport.LISTEN in can(kind).transports)
def test_listening_ends_when_it_must(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
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
    if "rejected" in troubles_of(kind):
        health = channel.health(bench.account(), bench.world("rejected").wires)
        assert health.state == "broken"
        assert [check.sentence for check in health.checks if not check.is_well]
