"""How channels are called on screens."""

from __future__ import annotations

from functools import cache

from klankbord.flows import connect


@cache
def labels() -> dict[str, str]:
    return {card.kind: card.label for card in connect.catalogue()}


def label_of(kind: str) -> str:
    """The channel's own name; its kind where its package is no longer installed."""
    return labels().get(kind) or kind.replace("_", " ").capitalize()
