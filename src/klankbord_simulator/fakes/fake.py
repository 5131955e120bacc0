"""What all fakes share: a loopback address, a mood, a log, a control door, and a stage for people.

The control door stands beside the platform's own addresses and never misbehaves:
    GET  /_control              the kind and the odds
    POST /_control              change odds, {"broken": 0.3}; {"calm": true} ends everything
    POST /_control/next         plan a fault for the next calls, {"fault": "silent", "times": 1, "only": "POST"}
    GET  /_control/log          the log, with ?kind=, place=, key=, after=
    POST /_control/stage/ACT    say, edit, delete or replies_to, for stories told by another process
"""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ..faults import Mischief
from ..record import Entry, Log
from ..stage import Actor, Attachment, Heard, StageError
from .bell import Bell
from .loop import LoopThread
from .web import Answer, Request, Site, WebServer, answer_json, answer_text


class Fake:
    """Base of the fakes. State is changed under `lock`, from any thread; `bell` rings when there is something new."""

    kind = ""
    visibilities: frozenset[str] = frozenset({"private"})
    address = ""
    memory: tuple[str, ...] = ()  # the attributes that hold what happened here; see `platforms.Memory`

    def __init__(
        self,
        *,
        loop: LoopThread,
        log: Log | None = None,
        mischief: Mischief | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.loop, self.log, self.mischief = loop, log or Log(), mischief or Mischief()
        self.now = now or (lambda: datetime.now(UTC))
        self.lock, self.bell = threading.RLock(), Bell()
        self.web = WebServer(Site(self._route, self.refuse, self.mischief.fate))

    # ---------------------------------------------------------------------------------------------- life

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}"

    def start(self, port: int = 0) -> None:
        self.loop.run(self.open(port))

    def stop(self) -> None:
        self.loop.run(self.shut())

    async def open(self, port: int) -> None:
        await self.web.start(port)

    async def shut(self) -> None:
        await self.web.stop()

    # ---------------------------------------------------------------------------------------------- the log

    def record(self, kind: str, **facts: Any) -> Entry:
        return self.log.append(self.kind, kind, **facts)

    def sent_to(self, place: str) -> list[Entry]:
        """What the shop sent to a chat, account or address and the platform accepted, in order."""
        return self.log.entries(fake=self.kind, kind="sent", place=place)

    @property
    def sent(self) -> list[Entry]:
        return self.log.entries(fake=self.kind, kind="sent")

    # ---------------------------------------------------------------------------------------------- the web

    async def answer(self, request: Request) -> Answer:
        """The platform's own addresses."""
        return answer_text("not found", 404)

    def refuse(self, request: Request, status: int, retry_after: int | None) -> Answer:
        """The platform's way of refusing."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return answer_json({"error": f"status {status}"}, status, headers)

    async def _route(self, request: Request) -> Answer:
        if not request.path.startswith("/_control"):
            return await self.answer(request)
        try:
            # A stage may wait for its platform (SMTP), which lives in this very loop.
            return await asyncio.to_thread(self._control, request)
        except (ValueError, TypeError, KeyError, StageError) as error:
            return answer_json({"error": str(error)}, 400)

    def _control(self, request: Request) -> Answer:
        values = request.fields
        match request.method, request.path.removeprefix("/_control").strip("/").split("/"):
            case "GET", [""]:
                facts = {"kind": self.kind, "address": self.address, "visibilities": sorted(self.visibilities)}
                return answer_json({**facts, "odds": asdict(self.mischief.odds)})
            case "POST", [""]:
                if values.pop("calm", False):
                    self.mischief.calm()
                self.mischief.set(**values)
                return answer_json({"odds": asdict(self.mischief.odds)})
            case "POST", ["next"]:
                self.mischief.next(**values)
                return answer_json({})
            case "GET", ["log"]:
                values["after"] = int(values.get("after", 0))
                return answer_json([asdict(entry) for entry in self.log.entries(fake=self.kind, **values)])
            case "POST", ["stage", act]:
                return answer_json(self._perform(act, values))
        return answer_json({"error": "no such control"}, 404)

    def _perform(self, act: str, values: dict[str, Any]) -> Any:
        if "actor" in values:
            values["actor"] = Actor(**values["actor"])
        if values.get("at"):
            values["at"] = datetime.fromisoformat(values["at"])
        media = [
            Attachment(**{**each, "content": base64.b64decode(each["content"])}) for each in values.pop("media", ())
        ]
        match act:
            case "say":
                return self.say(**values, media=media)
            case "edit":
                return self.edit(**values)
            case "delete":
                return self.delete(**values)
            case "replies_to":
                return [heard_as_json(heard) for heard in self.replies_to(**values)]
        raise ValueError(f"No act {act}.")

    # ---------------------------------------------------------------------------------------------- the stage

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
        raise NotImplementedError

    def edit(self, ref: str, text: str) -> None:
        raise StageError(f"Nobody can edit on {self.kind}.")

    def delete(self, ref: str) -> None:
        raise StageError(f"Nobody can delete on {self.kind}.")

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        raise NotImplementedError


def heard_as_json(heard: Heard) -> dict[str, Any]:
    media = [{**asdict(each), "content": base64.b64encode(each.content).decode()} for each in heard.media]
    return {**asdict(heard), "at": heard.at.isoformat(), "media": media}


def after_ref(heard: Sequence[Heard], after: str | None) -> Iterator[Heard]:
    """The ones that come after the one with that reference; all when it is None or unknown."""
    places = [place for place, each in enumerate(heard) if each.ref == after]
    return iter(heard[places[0] + 1 :] if places else heard)
