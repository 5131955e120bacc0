"""How channels are called and marked on screens."""

from __future__ import annotations

from functools import cache

from klankbord.flows import connect
from klankbord.flows.connect import ChannelCard


@cache
def _cards() -> dict[str, ChannelCard]:
    return {card.kind: card for card in connect.catalogue(language="en")}


def label_of(kind: str) -> str:
    """The channel's own name; its kind where its package is no longer installed."""
    card = _cards().get(kind)
    return card.label if card else kind.replace("_", " ").capitalize()


def logo_of(kind: str) -> str:
    """The channel's mark as SVG, "" where its package is no longer installed."""
    card = _cards().get(kind)
    return card.logo_svg if card else ""
