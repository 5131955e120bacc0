"""What a story is made of: who writes, what is said, and what follows on the desk's answer.

A story is data. `customers.py` plays it: it fills the placeholders, types at a human pace, listens, and picks the
first branch that fits the answer it hears.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Spot(enum.StrEnum):
    """Where a customer can stand. A story names the spots it suits; the first one that exists is used."""

    MASTODON = "mastodon public"
    MASTODON_DIRECT = "mastodon direct"
    TELEGRAM = "telegram"
    EMAIL = "email"
    WEBCHAT = "webchat"
    API = "api"

    @property
    def is_public(self) -> bool:
        return self is Spot.MASTODON

    @property
    def in_private(self) -> Spot:
        """The spot of the same platform where nobody else reads along."""
        return Spot.MASTODON_DIRECT if self is Spot.MASTODON else self


class Hears(enum.StrEnum):
    """What a customer can hear in an answer; `hearing.py` says how."""

    ORDER_QUESTION = "asks for the order number"
    ADDRESS_QUESTION = "asks for an address, a postcode, a phone number or a name"
    PHOTO_QUESTION = "asks for a picture"
    INVITATION = "moves to private"
    APOLOGY = "says sorry"
    QUESTION = "contains a question"
    ANYTHING = "any answer"


@dataclass(frozen=True, slots=True)
class Say:
    """One message. text may hold {placeholders}; pause: seconds of silence before the typing starts.

    in_private: said where only the desk reads it. on: said on another spot, by the same person.
    pictures: names of drawings (see `drawings.py`). pastes: the text goes at once, as a machine or a pasting person
    does it. addressed: False for a public post about the shop that does not name its account.
    """

    text: str
    pause: float = 0.0
    in_private: bool = False
    on: Spot | None = None
    subject: str = ""
    pictures: tuple[str, ...] = ()
    pastes: bool = False
    addressed: bool = True


@dataclass(frozen=True, slots=True)
class Edit:
    """The last message, put right."""

    text: str
    pause: float = 20.0


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The last message, taken back."""

    pause: float = 30.0


@dataclass(frozen=True, slots=True)
class VoiceNote:
    seconds: int
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Sticker:
    emoji: str
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Location:
    latitude: float
    longitude: float
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class AutoReply:
    """A mail program's own answer: nobody typed it, nobody waits for a reply to it."""

    subject: str
    text: str
    pause: float = 2.0


Act = Say | Edit | Withdraw | VoiceNote | Sticker | Location | AutoReply


@dataclass(frozen=True, slots=True)
class When:
    """What the customer does upon the first answer that fits. Used once. ends: nothing more is said afterwards."""

    hears: Hears
    acts: tuple[Act, ...]
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """What the customer does after waiting for an answer; minutes count from the customer's own last word."""

    minutes: float
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Reopening:
    """The customer comes back after all. hours: since the thanks. chance: 0..1, drawn from the seed."""

    hours: float
    acts: tuple[Act, ...]
    thanks: tuple[Act, ...]
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class Person:
    """Who writes. Empty words are drawn from the seed, fitting the story's language.

    email: local part and domain, with placeholders; a reserved domain, so that no mail can ever leave.
    """

    first: str = ""
    last: str = ""
    email: str = ""
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One customer's case, from the first word to the thanks.

    language: BCP 47. spots: best first. themes: what it is an example of, from `themes.py`.
    signature: closes every mail. quotes: mails repeat what they answer, as most mail programs do.
    typos: the person makes some, drawn from the seed. wants_answer: False for spam and the like: an answer is never
    missed. has_personal_data: contains fake personal data on purpose, to try the desk's guards.
    gives_up_after: minutes of silence after the last `Silence` before the person lets go.
    """

    id: str
    title: str
    language: str
    spots: tuple[Spot, ...]
    themes: frozenset[str]
    opening: tuple[Act, ...]
    whens: tuple[When, ...] = ()
    silences: tuple[Silence, ...] = ()
    thanks: tuple[Act, ...] = ()
    reopening: Reopening | None = None
    person: Person = Person()
    subject: str = ""
    signature: str = ""
    quotes: bool = True
    typos: bool = False
    wants_answer: bool = True
    has_personal_data: bool = False
    gives_up_after: float = 45.0


def says(*texts: str, pause: float = 0.0) -> tuple[Act, ...]:
    """A message, or a burst of short ones."""
    return tuple(Say(text, pause=pause if place == 0 else 0.0) for place, text in enumerate(texts))


def tells(*texts: str) -> tuple[Act, ...]:
    """The same, where only the desk reads it."""
    return tuple(Say(text, in_private=True) for text in texts)


def waits(*steps: tuple[float, str]) -> tuple[Silence, ...]:
    """Impatience in steps of (minutes, words)."""
    return tuple(Silence(minutes, says(text)) for minutes, text in steps)


def themes(*names: str) -> frozenset[str]:
    return frozenset(names)


def texts_of(acts: Sequence[Act]) -> list[str]:
    """Every text in acts, for checks."""
    return [act.text for act in acts if isinstance(act, Say | Edit | AutoReply)]


def acts_of(story: Story) -> tuple[Act, ...]:
    """Every act a story may come to, whatever the desk answers."""
    branches = [act for when in story.whens for act in when.acts]
    impatience = [act for silence in story.silences for act in silence.acts]
    again = [*story.reopening.acts, *story.reopening.thanks] if story.reopening else []
    return (*story.opening, *branches, *impatience, *story.thanks, *again)
