"""Which channels there are: every folder here with an `adapter.py`, and outside packages that join by entry point.

A channel's folder holds `__init__.py`, `adapter.py`, `README.md`, `README.nl.md`, `logo.svg` and `fixtures/`. Its
`__init__.py` only names the class, so that listing the channels costs no import of any of them:

    channel = "adapter:Mastodon"

An outside package offers the same folder under the entry point group `klankbord.channels`; the entry point's name is
the kind, its value the dotted name of the package with that `__init__.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from importlib.metadata import entry_points
from importlib.resources.abc import Traversable
from pathlib import Path

from klankbord.contract import Channel

ENTRY_POINTS = "klankbord.channels"


class UnknownChannel(KeyError):
    """No folder and no installed package offers this kind."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind

    def __str__(self) -> str:
        return f"There is no channel {self.kind!r}."


def kinds() -> tuple[str, ...]:
    """The kinds of all channels, in alphabetical order. Imports none of them."""
    return tuple(sorted(_packages()))


@cache
def channel(kind: str) -> Channel:
    """The one, stateless, channel of a kind; imported at its first use. Raises UnknownChannel."""
    package = import_module(_package(kind))
    module, _, name = str(package.channel).partition(":")
    found = getattr(import_module(f".{module}", package.__name__), name)()
    if not isinstance(found, Channel) or found.kind != kind:
        raise TypeError(f"{package.__name__} does not offer a channel of kind {kind!r}")
    return found


def readme(kind: str, language: str = "en") -> str:
    """How to connect it, as Markdown; in English where the language has no text of its own."""
    folder = folder_of(kind)
    translated = folder / f"README.{language}.md"
    return (translated if translated.is_file() else folder / "README.md").read_text(encoding="utf-8")


def logo(kind: str) -> str:
    """The channel's mark, as SVG."""
    return (folder_of(kind) / "logo.svg").read_text(encoding="utf-8")


def folder_of(kind: str) -> Traversable:
    """The channel's folder. Raises UnknownChannel."""
    return resources.files(_package(kind))


@dataclass(frozen=True, slots=True)
class Features:
    """What one channel can do, for a table beside the others. Numbers: 0 is none, None is without limit."""

    kind: str
    label: str
    transports: tuple[str, ...]
    visibilities: tuple[str, ...]
    receives: tuple[str, ...]
    actions: tuple[str, ...]
    text_limit: int | None
    text_unit: str
    attachments: int
    reply_window_hours: float | None
    receipts: tuple[str, ...]
    takes_idempotency_key: bool
    can_look_up: bool


def feature_matrix() -> tuple[Features, ...]:
    """All channels side by side, derived from what they declare."""
    return tuple(_features(channel(kind)) for kind in kinds())


def _features(one: Channel) -> Features:
    can = one.capabilities
    return Features(
        kind=one.kind,
        label=one.label,
        transports=tuple(sorted(each.value for each in can.transports)),
        visibilities=tuple(sorted(each.value for each in can.visibilities)),
        receives=tuple(sorted(each.__name__ for each in can.receives)),
        actions=tuple(sorted(each.value for each in can.actions)),
        text_limit=can.text.maximum,
        text_unit=can.text.unit.value,
        attachments=can.media.count,
        reply_window_hours=can.window.duration.total_seconds() / 3600 if can.window.duration else None,
        receipts=tuple(sorted(each.value for each in can.receipts)),
        takes_idempotency_key=can.takes_idempotency_key,
        can_look_up=can.can_look_up,
    )


def _package(kind: str) -> str:
    try:
        return _packages()[kind]
    except KeyError:
        raise UnknownChannel(kind) from None


@cache
def _packages() -> dict[str, str]:
    # Our own come last, so that no installed package can put itself in the place of one of them.
    outside = {each.name: each.value for each in entry_points(group=ENTRY_POINTS)}
    ours = {each.parent.name for each in Path(__file__).parent.glob("*/adapter.py")}
    return outside | {kind: f"{__name__}.{kind}" for kind in ours}
