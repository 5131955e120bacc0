"""What the doctor found: each thing that was looked at, why it matters, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """name: what was looked at. what: how it is. why, advice: only of what is wrong."""

    name: str
    what: str
    why: str = ""
    advice: str = ""

    @property
    def is_well(self) -> bool:
        return not self.advice


def judged(name: str, is_well: bool, what: str, *, why: str, advice: str) -> Finding:
    """A finding that says why and what to do only when something is wrong."""
    return Finding(name, what) if is_well else Finding(name, what, why, advice)
