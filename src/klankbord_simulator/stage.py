"""Where simulated people speak: one stage per platform, the same few acts on each.

A story says "Sanne complains in public, hears an answer, sends her order number in private" and does not care how a
platform spells that. The fakes of `fakes/` each offer such a stage; the chat widget's stage lives with the widget.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable


class StageError(Exception):
    """The person cannot do this here: a public mail, an edit of somebody else's post, an unknown message."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who writes to the shop. `username` is unique over all people and holds on every platform.

    language: two letters, such as "nl". avatar_colour: a CSS colour, such as "#c2410c".
    """

    name: str
    username: str
    email: str
    language: str = "nl"
    avatar_colour: str = "#64748b"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along with a message. description: what a blind reader is told."""

    name: str
    content_type: str
    content: bytes
    description: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """Something the shop said that a person can read on this stage, as that person reads it: plain text.

    at: aware, the platform's own time. in_reply_to: the message it answers, where the platform tells.
    """

    stage: str
    ref: str
    text: str
    public: bool
    at: datetime
    in_reply_to: str | None = None
    media: tuple[Attachment, ...] = ()


@runtime_checkable
class Stage(Protocol):
    """One platform as its users know it. Every method may be called from any thread and never waits for the shop.

    kind: "mastodon", "telegram", "email", "api" or "webchat".
    visibilities: some of "public" and "private".
    address: how people name the shop here, such as "@wolk" or a mail address; empty where nobody needs to.
    """

    kind: str
    visibilities: frozenset[str]
    address: str

    def say(
        self,
        actor: Actor,
        text: str,
        *,
        public: bool,
        in_reply_to: str | None = None,
        title: str = "",
        media: Sequence[Attachment] = (),
        addressed: bool = True,
        at: datetime | None = None,
    ) -> str:
        """Write to the shop; gives a reference to the message, unique on this stage.

        in_reply_to: a reference from `say` or from `Heard.ref`; without it a new thread begins where the platform
        has threads. title: the subject line, where there is one. addressed: False for a public post *about* the
        shop that does not name its account. at: aware, for history; else now.
        Raises StageError when the platform has no such visibility or message.
        """
        ...

    def edit(self, ref: str, text: str) -> None:
        """Change one's own message. Raises StageError where people cannot do that."""
        ...

    def delete(self, ref: str) -> None:
        """Take one's own message back. On some platforms the shop is never told. Raises StageError as for edit."""
        ...

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        """What the shop has said to this person so far, oldest first; only what came after reference `after`."""
        ...
