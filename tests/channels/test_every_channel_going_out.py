"""Sending, and what becomes of trouble on the way: the same for every channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from benches_of import bench_of
from every_channel import KINDS, can, channels_where, every_channel, troubles_of

from klankbord import channels
from klankbord.contract import (
    Action,
    CredentialsRejected,
    Receipt,
    Refused,
    TooLong,
    Unavailable,
    Uncertain,
    Unsupported,
    Upload,
    secret_names,
)

_EXPECTED_TROUBLE: dict[str, type[Exception] | tuple[type[Exception], ...]] = {
    "no-connection": Unavailable,
    "lost-answer": Uncertain,
    "too-fast": Unavailable,
    "ill": (Unavailable, Uncertain),
    "html": (Unavailable, Uncertain),
    "rejected": CredentialsRejected,
}


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
    assert receipt.state in can(kind).receipts
    if troubles_of(kind):
        assert world.calls


@channels_where(lambda kind: can(kind).text.maximum is not None)
def test_o5_a_text_over_the_limit_is_split_or_refused_before_anything_is_sent(kind: str) -> None:
    bench, channel, account = bench_of(kind), channels.channel(kind), bench_of(kind).account()
    limit = channel.text_limit(account)
    assert limit.maximum is not None
    world = bench.world()
    outgoing = bench.outgoing(text="woord " * (limit.maximum // 6) + "x" * 40)
    assert channel.length(outgoing.text, account) > limit.maximum
    if limit.splits:
        assert len(channel.send(outgoing, account, world.wires).external_ids) > 1
        return
    with pytest.raises(TooLong) as refusal:
        channel.send(outgoing, account, world.wires)
    assert (refusal.value.limit, world.calls) == (limit.maximum, [])


@channels_where(lambda kind: can(kind).text.maximum is not None)
def test_o5_a_text_of_exactly_the_limit_goes_as_one(kind: str) -> None:
    bench, channel, account = bench_of(kind), channels.channel(kind), bench_of(kind).account()
    limit = channel.text_limit(account)
    assert limit.maximum is not None
    text = "a" * limit.maximum
    assert channel.length(text, account) == limit.maximum
    assert len(channel.send(bench.outgoing(text=text), account, bench.world().wires).external_ids) == 1


@pytest.mark.parametrize(("kind", "trouble"), [(kind, each) for kind in KINDS for each in troubles_of(kind)])
def test_o1_o2_o3_trouble_while_sending_decides_what_happens_next(kind: str, trouble: str) -> None:
    bench = bench_of(kind)
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
    limit = can(kind).media
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
    limit = can(kind).media
    content_type = next((f"{each}png" if each.endswith("/") else each for each in limit.content_types), "image/png")
    upload = Upload("kaart.png", content_type, size=len(PIXEL), read=lambda: PIXEL)
    too_many = (upload,) * (limit.count + 1)
    too_large = (replace(upload, size=limit.bytes_each + 1),)
    for uploads in (too_many, too_large):
        world = bench.world()
        with pytest.raises((Unsupported, Refused)):
            channel.send(replace(bench.outgoing(), uploads=uploads), bench.account(), world.wires)
        assert world.calls == []


@channels_where(lambda kind: can(kind).takes_idempotency_key and bool(troubles_of(kind)))
def test_a_key_is_sent_along_where_the_platform_takes_one(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    world = bench.world()
    channel.send(bench.outgoing(), bench.account(), world.wires)
    assert bench.outgoing().key in repr(world.calls)


@channels_where(lambda kind: not can(kind).can_look_up)
def test_a_channel_that_cannot_look_up_says_so(kind: str) -> None:
    bench = bench_of(kind)
    with pytest.raises(Unsupported):
        channels.channel(kind).look_up(bench.outgoing(), bench.account(), bench.world().wires)


@channels_where(lambda kind: can(kind).can_look_up)
def test_o1_a_lost_message_can_be_looked_up(kind: str) -> None:
    bench, channel = bench_of(kind), channels.channel(kind)
    outgoing, account = bench.outgoing(), bench.account()
    world = bench.world()
    assert channel.look_up(outgoing, account, world.wires) is None
    receipt = channel.send(outgoing, account, world.wires)
    found = channel.look_up(outgoing, account, world.wires)
    assert found is not None
    assert found.external_ids == receipt.external_ids


@every_channel
def test_every_declared_action_can_be_done(kind: str) -> None:
    bench = bench_of(kind)
    assert Action.REPLY in can(kind).actions or not can(kind).actions
    for action in can(kind).actions - {Action.REPLY}:
        world = bench.world()
        bench.act(action, world)
        assert world.calls or not troubles_of(kind), action


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)
