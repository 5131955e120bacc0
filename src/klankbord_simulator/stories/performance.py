"""One story, played by one person: types, waits, listens, answers, thanks, and sometimes comes back.

A performance never sleeps. `step(now)` does what is due and says when it wants to be called again; times are seconds
of story time, so the same performance runs in a demonstration and, within a second, in a test.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, runtime_checkable

from ..stage import Actor, Attachment, Heard, Stage, StageError
from .cast import SHOP, Role, fill
from .drawings import DESCRIPTIONS, draw_picture, draw_sticker
from .habits import Tempo, misspell, typing_seconds
from .hearing import hears, is_automatic, promises_more
from .model import Act, AutoReply, Edit, Location, Say, Spot, Sticker, Story, VoiceNote, When, Withdraw
from .sounds import record_voice

_MINUTE = 60.0
_THREADED = {"mastodon", "email", "api"}  # elsewhere a chat is one line, and naming a message would quote it
_TITLED = {"email", "api"}
_KINDS = {
    Spot.MASTODON: "mastodon",
    Spot.MASTODON_DIRECT: "mastodon",
    Spot.TELEGRAM: "telegram",
    Spot.EMAIL: "email",
    Spot.WEBCHAT: "webchat",
    Spot.API: "api",
}


class Ending(enum.StrEnum):
    THANKED = "thanked"  # answered, and content enough to say so
    LEFT = "left"  # wanted no answer and got none
    GAVE_UP = "gave up"  # waited in vain


@runtime_checkable
class AnswersByItself(Protocol):
    """A stage whose people have machines that answer for them, marked as such (a vacation note by mail)."""

    def auto_reply(self, actor: Actor, text: str, *, title: str, in_reply_to: str | None) -> str: ...


@dataclass(frozen=True, slots=True)
class Line:
    """What was said, when (seconds of story time) and where. speaker: "customer" or "shop". failed: why it was not."""

    at: float
    kind: str
    public: bool
    speaker: str
    text: str
    ref: str
    failed: str = ""


def spots_on(stages: Mapping[str, Stage], story: Story) -> list[Spot]:
    """The story's spots that exist on these stages, best first."""
    return [spot for spot in story.spots if _find(stages, spot) is not None]


def _find(stages: Mapping[str, Stage], spot: Spot) -> tuple[Stage, bool] | None:
    """The stage of a spot, and whether one speaks in public there."""
    stage = stages.get(_KINDS[spot])
    if stage is None:
        return None
    public = spot.is_public or (spot is Spot.API and "private" not in stage.visibilities)
    return (stage, public) if ("public" if public else "private") in stage.visibilities else None


class Performance:
    """Played from outside by `step`; `ending` is None while it goes on."""

    def __init__(
        self,
        story: Story,
        role: Role,
        spot: Spot,
        stages: Mapping[str, Stage],
        *,
        draw: Random,
        tempo: Tempo,
        now: float,
    ) -> None:
        self.story, self.role, self.spot = story, role, spot
        self.transcript: list[Line] = []
        self.ending: Ending | None = None
        self.actor = Actor(role.name, role.username, role.email, language=role.language, avatar_colour=role.colour)
        self._stages, self._draw, self._tempo = stages, draw, tempo
        self._agenda: list[Act] = []
        self._due = now
        self._branches: list[When] = list(story.whens)
        self._silences = list(story.silences)
        self._last_word = now
        self._unanswered: list[Heard] = []
        self._after: dict[str, str] = {}  # the last thing heard, by kind of stage
        self._latest: dict[str, str] = {}  # the last thing said by anyone, by kind of stage
        self._quoted = ""  # what a mail program would repeat
        self._own: tuple[Stage, str] | None = None
        self._closes = False  # over when the agenda is empty
        self._returns_at: float | None = None
        self._has_returned = False
        self._plan(story.opening, now)

    @property
    def is_dormant(self) -> bool:
        """Thanked, and coming back later: not somebody the desk is busy with."""
        return self._returns_at is not None

    def step(self, now: float) -> float | None:
        """Do what is due; gives the moment of the next step, None when the story is over."""
        self._listen(now)
        if self._returns_at is not None:
            if now < self._returns_at:
                return self._returns_at
            self._come_back(now)
        while self._agenda and self._due <= now:
            self._do(self._agenda.pop(0), now)
            self._last_word = now
            self._plan_next(now)
        if not self._agenda:
            self._choose(now)
        if self.ending is not None:
            return None
        if self._returns_at is not None:
            return self._returns_at
        soon = now + self._tempo.listens_every
        return min(self._due, soon) if self._agenda else soon

    # ------------------------------------------------------------------------------------------ what to do next

    def _choose(self, now: float) -> None:
        if self._closes:
            self._close(now)
        elif self._unanswered:
            self._answer(now)
        elif self._silences and now >= self._last_word + self._silences[0].minutes * _MINUTE:
            self._plan(self._silences.pop(0).acts, now)
        elif not self._silences and now >= self._last_word + self.story.gives_up_after * _MINUTE:
            self.ending = Ending.GAVE_UP if self.story.wants_answer else Ending.LEFT

    def _answer(self, now: float) -> None:
        text = "\n".join(heard.text for heard in self._unanswered)
        is_private = any(not heard.public for heard in self._unanswered)
        self._unanswered.clear()
        reading = self._draw.uniform(*self._tempo.reads)
        for branch in self._branches:
            if hears(text, what=branch.hears, is_private=is_private, began_in_public=self.spot.is_public):
                self._branches.remove(branch)
                self._closes = branch.ends
                return self._plan(branch.acts, now + reading)
        if promises_more(text):
            self._last_word = now  # patience starts afresh
            return None
        self._closes = True
        again = self.story.reopening if self._has_returned else None
        return self._plan(again.thanks if again else self.story.thanks, now + reading)

    def _close(self, now: float) -> None:
        again = self.story.reopening
        if again is None or self._has_returned or self._draw.random() >= again.chance:
            self.ending = Ending.THANKED
            return
        pause = again.hours * 60 * _MINUTE
        self._returns_at = now + (pause if self._tempo.longest_pause is None else min(pause, self._tempo.longest_pause))

    def _come_back(self, now: float) -> None:
        again = self.story.reopening
        assert again is not None
        self._returns_at, self._has_returned, self._closes = None, True, False
        self._branches.clear()
        self._silences.clear()
        self._unanswered.clear()  # what was said to someone who had gone is not what they come back for
        self._plan(again.acts, now)

    def _plan(self, acts: Sequence[Act], now: float) -> None:
        self._agenda = list(acts)
        self._plan_next(now)

    def _plan_next(self, now: float) -> None:
        if not self._agenda:
            return
        act, typing = self._agenda[0], 1.0
        if isinstance(act, Edit) or (isinstance(act, Say) and not act.pastes):
            typing = typing_seconds(act.text, tempo=self._tempo, draw=self._draw)
        elif isinstance(act, VoiceNote):
            typing = float(act.seconds)
        self._due = now + act.pause + typing

    # ------------------------------------------------------------------------------------------ hearing

    def _listen(self, now: float) -> None:
        for kind in self._latest:
            stage = self._stages[kind]
            for heard in stage.replies_to(self.actor, after=self._after.get(kind)):
                self._after[kind] = self._latest[kind] = heard.ref
                self.transcript.append(Line(now, kind, heard.public, "shop", heard.text, heard.ref))
                if is_automatic(heard.text):
                    continue
                self._unanswered.append(heard)
                if kind == "email":
                    self._quoted = _quote(heard, self.story.language)

    # ------------------------------------------------------------------------------------------ saying

    def _do(self, act: Act, now: float) -> None:
        match act:
            case Say():
                spot = act.on or (self.spot.in_private if act.in_private else self.spot)
                self._say(act, spot, now)
            case Edit() | Withdraw():
                self._change(act, now)
            case AutoReply():
                self._auto_reply(act, now)
            case VoiceNote():
                voice = Attachment("spraakbericht.ogg", "audio/ogg", record_voice(act.seconds), "Spraakbericht")
                self._say(Say(""), self.spot, now, media=(voice,))
            case Sticker():
                sticker = Attachment("sticker.webp", "image/webp", draw_sticker(act.emoji), act.emoji)
                self._say(Say(""), self.spot, now, media=(sticker,))
            case Location():
                point = f'{{"type":"Point","coordinates":[{act.longitude},{act.latitude}]}}'
                place = Attachment("location.geojson", "application/geo+json", point.encode(), "Locatie")
                self._say(Say(""), self.spot, now, media=(place,))

    def _say(self, act: Say, spot: Spot, now: float, media: tuple[Attachment, ...] = ()) -> None:
        found = _find(self._stages, spot) or (None if act.on else _find(self._stages, self.spot))
        if found is None:
            return  # the other platform of this person is not there today
        stage, public = found
        text = self._words(act.text, stage)
        title = fill(act.subject or self.story.subject, self.role.facts) if stage.kind in _TITLED else ""
        latest = self._latest.get(stage.kind)
        if stage.kind == "email":
            text = self._as_mail(text)
            title = f"Re: {title}" if latest else title
        try:
            ref = stage.say(
                self.actor,
                text,
                public=public,
                in_reply_to=latest if stage.kind in _THREADED else None,
                title=title,
                media=media or self._pictures(act),
                addressed=act.addressed,
            )
        except StageError as error:
            self.transcript.append(Line(now, stage.kind, public, "customer", text, "", failed=str(error)))
            return
        self._latest[stage.kind] = ref
        self._own = (stage, ref)
        self.transcript.append(Line(now, stage.kind, public, "customer", text, ref))

    def _change(self, act: Edit | Withdraw, now: float) -> None:
        if self._own is None:
            return
        stage, ref = self._own
        text = self._words(act.text, stage) if isinstance(act, Edit) else ""
        failed = ""
        try:
            if isinstance(act, Edit):
                stage.edit(ref, text)
            else:
                stage.delete(ref)
        except StageError as error:
            failed = str(error)
        self.transcript.append(Line(now, stage.kind, self.spot.is_public, "customer", text, ref, failed=failed))

    def _auto_reply(self, act: AutoReply, now: float) -> None:
        stage = self._stages["email"]
        title, text = fill(act.subject, self.role.facts), fill(act.text, self.role.facts)
        if not isinstance(stage, AnswersByItself):
            self._say(Say(text, subject=title), Spot.EMAIL, now)
            return
        ref = stage.auto_reply(self.actor, text, title=title, in_reply_to=self._latest.get("email"))
        self.transcript.append(Line(now, "email", False, "customer", text, ref))

    def _words(self, text: str, stage: Stage) -> str:
        if self.story.typos and stage.kind != "email":
            text = misspell(text, draw=self._draw)
        if stage.kind == "mastodon" and stage.address:
            return fill(text, {**self.role.facts, "us": stage.address})
        # Elsewhere one writes to the shop already: to begin with its name would be odd.
        return fill(text.removeprefix("{us} "), {**self.role.facts, "us": SHOP})

    def _as_mail(self, text: str) -> str:
        signature = fill(self.story.signature or "{first}", self.role.facts)
        return f"{text}\n\n{signature}" + (f"\n\n{self._quoted}" if self.story.quotes and self._quoted else "")

    def _pictures(self, act: Say) -> tuple[Attachment, ...]:
        return tuple(
            Attachment(
                f"IMG_{self._draw.randrange(1000, 9999)}.png", "image/png", draw_picture(name), DESCRIPTIONS[name]
            )
            for name in act.pictures
        )


def _quote(heard: Heard, language: str) -> str:
    """An answer as mail programs repeat it under a reply."""
    head = {"en": "On {0:%d %b %Y at %H:%M}, {1} wrote:", "de": "Am {0:%d.%m.%Y um %H:%M} schrieb {1}:"}.get(
        language, "Op {0:%d-%m-%Y} om {0:%H:%M} schreef {1}:"
    )
    return head.format(heard.at, SHOP) + "\n" + "\n".join(f"> {line}".rstrip() for line in heard.text.splitlines())
