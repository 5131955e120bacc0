"""What crosses from the limited child: it comes back equal, and nothing else is taken for it."""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from klankbord.kernel.codec import Codec


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...] = ()
    colour: Colour = Colour.RED
    at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stranger:
    name: str = ""


CODEC = Codec(Leaf, Tree, Colour)


@pytest.mark.parametrize(
    "value",
    [
        Tree(),
        Tree((Leaf("a", b"\x00\xff" * 9), Leaf("", b""), Leaf("\ud83c é", b"last")), Colour.BLUE),
        Tree(at=datetime(2026, 11, 22, 20, 15, tzinfo=UTC), facts={"!": "Leaf", "v": (1, None, True, 2.5, {"x": ()})}),
        {"key": b"first", "more": (b"second", "plain")},
    ],
)
def test_a_value_comes_back_as_it_went(value: Any) -> None:
    assert CODEC.loads(CODEC.dumps(value)) == value


def test_a_file_takes_no_more_room_than_its_bytes() -> None:
    assert len(CODEC.dumps(Leaf("x", bytes(1_000_000)))) < 1_000_100


def written(head: Any, tail: bytes = b"") -> bytes:
    text = json.dumps(head).encode()
    return struct.pack(">I", len(text)) + text + tail


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\x00\x00\xffx", id="cut off"),
        pytest.param(written({"!": "Stranger", "name": "x"}), id="a class that is not on the list"),
        pytest.param(CODEC.dumps(Leaf("x"))[:-1], id="half a document"),
        pytest.param(written({"name": "x"}), id="no class at all"),
        pytest.param(written({"!": "Leaf", "name": "x", "power": 9}), id="a field that is none"),
        pytest.param(written({"!": "Leaf"}), id="a field too few"),
        pytest.param(written({"!": ["Leaf"]}), id="a class that is a list"),
        pytest.param(written({"!": "Colour", "v": "green"}), id="an unknown word"),
        pytest.param(written({"!": "bytes", "v": [0, 9]}, b"12345678"), id="bytes beyond the end"),
        pytest.param(written({"!": "bytes", "v": [-4, 4]}, b"12345678"), id="bytes before the beginning"),
        pytest.param(written({"!": "bytes", "v": [0.0, 4.0]}, b"12345678"), id="bytes between bytes"),
        pytest.param(written({"!": "datetime", "v": 5}), id="a moment that is a number"),
        pytest.param(written({"!": "map", "v": []}), id="a map that is a list"),
        pytest.param(struct.pack(">I", 200_000) + b"[" * 200_000, id="E15 too deep"),
    ],
)
def test_a_lie_is_a_value_error_and_nothing_worse(lie: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        CODEC.loads(lie)
