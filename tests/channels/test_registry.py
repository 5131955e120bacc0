"""Which channels there are, and how an outside package joins."""

from __future__ import annotations

from pathlib import Path

import pytest
from every_channel import KINDS, can
from fresh import printed_by

from klankbord import channels


def test_listing_the_channels_imports_none_of_them() -> None:
    program = (
        "import sys; from klankbord import channels; channels.kinds(); "
        "print([name for name in sys.modules if name.startswith('klankbord.channels.')])"
    )
    assert printed_by(program) == "[]"


def test_an_unknown_kind_has_a_name_of_its_own() -> None:
    with pytest.raises(channels.UnknownChannel, match="There is no channel 'pigeon'"):
        channels.channel("pigeon")
    with pytest.raises(KeyError):
        channels.readme("pigeon")


def test_the_feature_matrix_has_a_row_for_every_channel() -> None:
    assert [row.kind for row in channels.feature_matrix()] == list(KINDS)
    for row in channels.feature_matrix():
        assert row.text_limit == can(row.kind).text.maximum
        assert set(row.actions) == {str(each) for each in can(row.kind).actions}


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A folder with an installed package that offers a channel `pigeon`, and claims to be `api` as well."""
    (tmp_path / "acme" / "pigeon").mkdir(parents=True)
    for name, content in {
        "acme/pigeon/__init__.py": 'channel = "adapter:Pigeon"\n',
        "acme/pigeon/adapter.py": """
from dataclasses import dataclass
from klankbord.contract import Arrived, BaseChannel, Capabilities, Transport, Visibility

class Pigeon(BaseChannel):
    kind, label = "pigeon", "Carrier pigeon"
    capabilities = Capabilities(frozenset({Transport.POLL}), frozenset(Visibility), frozenset({Arrived}))

    @dataclass(frozen=True)
    class Credentials:
        pass

    def parse(self, delivery, account):
        return []

    def send(self, outgoing, account, wires):
        raise NotImplementedError
""",
        "acme/pigeon/README.md": "# Pigeons",
        "acme/pigeon/logo.svg": "<svg/>",
        "acme-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme\nVersion: 1\n",
        "acme-1.dist-info/entry_points.txt": "[klankbord.channels]\npigeon = acme.pigeon\napi = acme.pigeon\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_an_outside_package_joins_by_entry_point(acme: Path) -> None:
    program = (
        "from klankbord import channels as c; "
        "print('pigeon' in c.kinds(), c.channel('pigeon').label, c.readme('pigeon', 'nl'), c.logo('pigeon'), "
        "[row.transports for row in c.feature_matrix() if row.kind == 'pigeon'])"
    )
    assert printed_by(program, also_from=acme) == "True Carrier pigeon # Pigeons <svg/> [('poll',)]"


def test_an_outside_package_cannot_take_the_place_of_one_of_ours(acme: Path) -> None:
    program = "from klankbord import channels as c; print(type(c.channel('api')).__module__)"
    assert printed_by(program, also_from=acme) == "klankbord.channels.api.adapter"


def test_an_outside_package_that_offers_another_kind_than_it_says_is_refused(acme: Path) -> None:
    entries = acme / "acme-1.dist-info" / "entry_points.txt"
    entries.write_text("[klankbord.channels]\nraven = acme.pigeon\n")
    program = """
from klankbord import channels
try:
    channels.channel("raven")
except TypeError as error:
    print(error)
"""
    assert printed_by(program, also_from=acme) == "acme.pigeon does not offer a channel of kind 'raven'"
