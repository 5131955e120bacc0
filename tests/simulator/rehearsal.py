"""A stage in memory, with an agent who answers as told: for rehearsing stories without any platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from klankbord_simulator.stage import Actor, Attachment, Heard, StageError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
VISIBILITIES: Mapping[str, frozenset[str]] = {
    "mastodon": frozenset({"public", "private"}),
    "telegram": frozenset({"private"}),
    "email": frozenset({"private"}),
    "webchat": frozenset({"private"}),
    "api": frozenset({"private"}),
}


@dataclass
class Said:
    ref: str
    actor: Actor
    text: str
    public: bool
    in_reply_to: str | None
    title: str
    media: tuple[Attachment, ...]
    addressed: bool
    is_automatic: bool = False
    is_deleted: bool = False


Agent = Callable[["MemoryStage", Said], None]


@dataclass
class MemoryStage:
    """agent: called with every message, answers through `answer`; None never answers."""

    kind: str
    agent: Agent | None = None
    said: list[Said] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    heard: dict[str, list[Heard]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return "@wolkenzonen" if self.kind == "mastodon" else ""

    @property
    def visibilities(self) -> frozenset[str]:
        return VISIBILITIES[self.kind]

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
        if ("public" if public else "private") not in self.visibilities:
            raise StageError("not here")
        message = Said(
            f"{self.kind}-{len(self.said) + 1}", actor, text, public, in_reply_to, title, tuple(media), addressed
        )
        self.said.append(message)
        if self.agent is not None:
            self.agent(self, message)
        return message.ref

    def auto_reply(self, actor: Actor, text: str, *, title: str, in_reply_to: str | None) -> str:
        message = Said(f"{self.kind}-{len(self.said) + 1}", actor, text, False, in_reply_to, title, (), True, True)
        self.said.append(message)
        return message.ref

    def edit(self, ref: str, text: str) -> None:
        if self.kind == "email":
            raise StageError("a mail cannot be changed")
        self.edits.append((ref, text))

    def delete(self, ref: str) -> None:
        next(message for message in self.said if message.ref == ref).is_deleted = True

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        heard = self.heard.get(actor.username, [])
        places = [place for place, each in enumerate(heard) if each.ref == after]
        return iter(heard[places[0] + 1 :] if places else heard)

    def answer(self, message: Said, text: str, *, public: bool | None = None) -> None:
        heard = self.heard.setdefault(message.actor.username, [])
        is_public = message.public if public is None else public
        heard.append(Heard(self.kind, f"{message.ref}-answer-{len(heard)}", text, is_public, NOON, message.ref))


def all_stages(agent: Agent | None = None) -> list[MemoryStage]:
    return [MemoryStage(kind, agent) for kind in VISIBILITIES]


def polite_agent(stage: MemoryStage, message: Said) -> None:
    """Apologises, moves to private, asks three things, then settles it: all a good agent ever does."""
    lines = (
        "Wat vervelend, sorry! Ik stuur je een privébericht.",
        "Fijn dat je er bent. Mag ik je ordernummer?",
        "Dank je. Klopt je adres nog, en heb je misschien een foto?",
        "Komt donderdag goed uit?",
        "Geregeld, je hoort vandaag nog van ons.",
    )
    so_far = len(stage.heard.get(message.actor.username, []))
    stage.answer(message, lines[min(so_far, len(lines) - 1)], public=message.public and so_far == 0)
