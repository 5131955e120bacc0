"""What happens when: the one visible list. A reaction gets all events of its kind in the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from . import acknowledging, media

Event = Mapping[str, Any]
Reaction = Callable[[Sequence[Event], datetime], None]

REACTIONS: dict[str, tuple[Reaction, ...]] = {
    "conversation opened": (acknowledging.acknowledge,),
    "message received": (media.fetch_later,),
    "replied elsewhere": (media.fetch_later,),
}


def react(events: Sequence[Event], *, now: datetime) -> None:
    """Run the reactions of a batch of events, inside its transaction."""
    for kind, reactions in REACTIONS.items():
        of_kind = [event for event in events if event["kind"] == kind]
        if of_kind:
            for reaction in reactions:
                reaction(of_kind, now)
