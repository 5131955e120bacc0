"""Intake: from a waiting delivery to a message on the screen.

A worker locks a lane and claims its oldest deliveries (`claim`) → each channel translates its own (`reading`) → per
organisation the items are settled as sets: known ones are duplicates or changes, people and places are found or made,
messages stored, conversations moved (`settling`) → events, counters, ledger and open screens hear of it. All in one
transaction: a crash is a rollback. A batch that fails is halved until the culprit stands alone in the dead letters.
"""

from .lane import Result, letter_of, resettle, take_in, take_in_lane

__all__ = ["Result", "letter_of", "resettle", "take_in", "take_in_lane"]
