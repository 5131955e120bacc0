"""The stories of the customers of Wolk & Zonen, an invented web shop in furniture and lamps.

All texts are our own, and so are the people, the shop and everything in it.
"""

from __future__ import annotations

from . import money, odd, parcels, people, praise, products
from .model import Story

ALL_STORIES: tuple[Story, ...] = (
    *parcels.STORIES,
    *products.STORIES,
    *money.STORIES,
    *praise.STORIES,
    *people.STORIES,
    *odd.STORIES,
)

# What a visitor sees first: one of each colour.
FIRST_STORIES = (
    "late-parcel-public",
    "missing-screws",
    "double-direct-debit",
    "compliment-delivery-crew",
    "broken-lamp",
    "angry-moves-to-private",
)


def find_story(identifier: str) -> Story:
    """Raises LookupError for an unknown id."""
    for story in ALL_STORIES:
        if story.id == identifier:
            return story
    raise LookupError(identifier)
