"""Another system of the shop, such as its web shop's message box, that speaks the desk's open `api` channel.

It posts signed events to the desk's address, and takes signed replies on /replies and the desk's own events on /events.
Written from the page that a customer of the desk reads, nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from ..stage import Actor, Attachment, Heard, StageError
from .courier import Courier
from .fake import Fake, after_ref
from .web import Answer, Request, answer_json

SIGNATURE = "X-Klankbord-Signature"
TOLERANCE = 300  # seconds between our clock and a signature's
LIMIT = 10_000


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    moment = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={mac}"


def is_genuine(body: bytes, header: str, *, secret: str, now: datetime) -> bool:
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", header)
    if not found or abs(int(found[1]) - now.timestamp()) > TOLERANCE:
        return False
    expected = sign(body, secret=secret, at=datetime.fromtimestamp(int(found[1]), UTC))
    return hmac.compare_digest(expected, header)


@dataclass(slots=True)
class Line:
    """One message in the partner's own books. key: the desk's id of a reply."""

    id: str
    place: str
    person: str
    text: str
    at: datetime
    is_public: bool
    is_ours: bool = False  # the shop's
    key: str = ""
    in_reply_to: str | None = None
    media: tuple[Attachment, ...] = ()


class Partner(Fake):
    """hook_url: the desk's address for our events; events wait until it is known."""

    kind = "api"
    memory = ("hook_url", "lines", "files", "gone", "refusals", "_taken", "_noticed", "_early")
    visibilities = frozenset({"public", "private"})

    def __init__(self, *, secret: str, hook_url: str = "", first_pause: float = 0.5, **common: Any) -> None:
        super().__init__(**common)
        self.secret, self.hook_url = secret, hook_url
        self.courier = Courier(loop=self.loop, mischief=self.mischief, first_pause=first_pause)
        self.lines: dict[str, Line] = {}
        self.files: dict[str, Attachment] = {}
        self.gone: set[str] = set()
        self.refusals: dict[str, str] = {}
        self._taken: dict[str, Line] = {}
        self._noticed: set[str] = set()
        self._early: list[tuple[str, Any]] = []
        self._start = secrets.token_hex(3)

    async def shut(self) -> None:
        await self.courier.shut()
        await super().shut()

    # ---------------------------------------------------------------------------------------------- towards us

    async def answer(self, request: Request) -> Answer:
        with self.lock:
            if request.method == "GET" and (found := re.fullmatch(r"/files/([\w-]+)/.*", request.path)):
                file = self.files.get(found[1])
                return Answer(200, file.content, {"Content-Type": file.content_type}) if file else Answer(404)
            if request.method != "POST" or request.path not in {"/replies", "/events"}:
                return answer_json({"error": "not here"}, 404)
            header = request.headers.get(SIGNATURE.lower(), "")
            if not is_genuine(request.body, header, secret=self.secret, now=self.now()):
                self.record("refused", text="signature", place=request.path)
                return answer_json({"error": "wrong signature"}, 401)
            try:
                value = request.json()
            except ValueError:
                return answer_json({"error": "not JSON"}, 400)
            key = request.headers.get("idempotency-key", "")
            return self._take_reply(value, key) if request.path == "/replies" else self._take_event(value, key)

    def _take_reply(self, value: dict[str, Any], key: str) -> Answer:
        if value.get("type") == "ping":
            self.record("greeted")
            return answer_json({})
        identity, place = str(value["id"]), value["place"]
        if earlier := self._taken.get(identity):
            self.record("repeated", key=identity, place=earlier.place, ref=earlier.id, text=earlier.text)
            return answer_json({"id": earlier.id, "url": self._page(earlier)})
        if place["target"] in self.gone:
            return answer_json({"error": "this conversation no longer exists"}, 410)
        if reason := self.refusals.get(place["target"]):
            return answer_json({"error": reason}, 422)
        if len(value["text"]) > LIMIT or (key and key != identity):
            return answer_json({"error": "too long, or the key is not the id"}, 422)
        line = self._add(
            place=place["target"],
            person=value["to"]["id"],
            text=value["text"],
            at=self.now(),
            is_public=place.get("visibility") == "public",
            is_ours=True,
            key=identity,
            in_reply_to=value.get("in_reply_to") or None,
            media=tuple(read_attachment(each) for each in value.get("attachments", ())),
        )
        self._taken[identity] = line
        self.record("sent", key=identity, place=line.place, ref=line.id, text=line.text, author=value.get("author", ""))
        return answer_json({"id": line.id, "url": self._page(line)})

    def _take_event(self, value: Any, key: str) -> Answer:
        """The desk tells what happened there; each id counts once."""
        identity = key or str(value.get("id", "") if isinstance(value, dict) else "")
        kind = "repeated" if identity and identity in self._noticed else "noticed"
        self._noticed.add(identity)
        self.record(kind, key=identity, text=json.dumps(value, ensure_ascii=False))
        return answer_json({})

    def _page(self, line: Line) -> str:
        return f"{self.url}/messages/{line.id}"

    # ---------------------------------------------------------------------------------------------- from us

    def connect(self, hook_url: str) -> None:
        """Learn the desk's address; what waited goes out."""
        with self.lock:
            self.hook_url, early, self._early = hook_url, self._early, []
            for lane, event in early:
                self.post(lane, event)

    def _control(self, request: Request) -> Answer:
        if request.method == "POST" and request.path == "/_control/connect":
            self.connect(str(request.fields["hook_url"]))
            return answer_json({})
        return super()._control(request)

    def post(self, lane: str, event: Any) -> None:
        """Send one event, or a list of them as a batch. Events of one lane keep their order."""
        with self.lock:
            if not self.hook_url:
                self._early.append((lane, event))
                return
        self.courier.put(lane, functools.partial(self._post, lane, event))

    async def _post(self, lane: str, event: Any) -> bool:
        events = event if isinstance(event, list) else [event]
        value = [self.mischief.with_news(each) for each in self.mischief.dealt(events)]
        body = json.dumps(value if isinstance(event, list) else value[0], ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", SIGNATURE: sign(body, secret=self.secret, at=self.now())}
        ref = str(events[0].get("id", ""))
        try:
            response = await self.courier.post(self.hook_url, body, headers)
        except httpx.HTTPError as error:
            self.record("undelivered", place=lane, ref=ref, text=type(error).__name__)
            return False
        self.record(
            "delivered" if response.is_success else "undelivered", place=lane, ref=ref, status=response.status_code
        )
        return response.is_success

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
        with self.lock:
            answered = self._line(in_reply_to) if in_reply_to else None
            place = f"box-{actor.username}"
            if public:
                place = answered.place if answered and answered.is_public else f"wall-{self._next_number()}"
            line = self._add(
                place=place,
                person=person_id(actor),
                text=text,
                at=at or self.now(),
                is_public=public,
                in_reply_to=in_reply_to,
                media=tuple(media),
            )
            self.record("said", place=place, ref=line.id, text=text)
            event = {**self._message(line, actor), "place": self._place(line, title)}
            self.post(place, event)
        return line.id

    def edit(self, ref: str, text: str) -> None:
        with self.lock:
            line = self._own(ref)
            line.text = text
            self.record("changed", place=line.place, ref=ref, text=text)
            self.post(line.place, {"type": "edit", "id": ref, "text": text, "at": self.now().isoformat()})

    def delete(self, ref: str) -> None:
        with self.lock:
            line = self._own(ref)
            del self.lines[ref]
            self.record("withdrawn", place=line.place, ref=ref)
            self.post(line.place, {"type": "delete", "id": ref, "at": self.now().isoformat()})

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        with self.lock:
            heard = [
                Heard(self.kind, line.id, line.text, line.is_public, line.at, line.in_reply_to, line.media)
                for line in self.lines.values()
                if line.is_ours and line.person == person_id(actor)
            ]
        return after_ref(heard, after)

    def confirm(self, ref: str, state: str) -> None:
        """Tell the desk what became of its reply: "delivered", "read" or "failed"."""
        line = self._line(ref)
        self.post(line.place, {"type": "receipt", "id": ref, "state": state, "at": self.now().isoformat()})

    def answer_here(self, actor: Actor, text: str, *, author: str) -> str:
        """A colleague answers in this system instead of at the desk."""
        with self.lock:
            line = self._add(
                place=f"box-{actor.username}",
                person=person_id(actor),
                text=text,
                at=self.now(),
                is_public=False,
                is_ours=True,
            )
            whose = {"is_own": True, "author": author, "author_kind": "agent"}
            self.post(line.place, {**self._message(line, actor), **whose, "place": self._place(line, "")})
        return line.id

    def _message(self, line: Line, actor: Actor) -> dict[str, Any]:
        person = {"id": line.person, "name": actor.name, "username": actor.username, "email": actor.email}
        event: dict[str, Any] = {
            "type": "message",
            "id": line.id,
            "person": person,
            "text": line.text,
            "at": line.at.isoformat(),
            "language": actor.language,
            "attachments": [self._offer(each) for each in line.media],
        }
        return {**event, "in_reply_to": line.in_reply_to} if line.in_reply_to else event

    def _place(self, line: Line, title: str) -> dict[str, Any]:
        return {"id": line.place, "visibility": "public" if line.is_public else "private", "title": title}

    def _offer(self, file: Attachment) -> dict[str, Any]:
        """Put a file where the desk can fetch it."""
        identity = secrets.token_urlsafe(12)
        self.files[identity] = file
        facts = {"name": file.name, "type": file.content_type, "size": len(file.content)}
        return {"url": f"{self.url}/files/{identity}/{file.name}", **facts, "description": file.description}

    def _add(self, **values: Any) -> Line:
        line = Line(id=f"p-{self._next_number()}", **values)
        self.lines[line.id] = line
        return line

    def _next_number(self) -> str:
        return f"{self._start}-{len(self.lines) + 1:06d}-{secrets.token_hex(2)}"

    def _line(self, ref: str) -> Line:
        if ref not in self.lines:
            raise StageError("There is no such message.")
        return self.lines[ref]

    def _own(self, ref: str) -> Line:
        line = self._line(ref)
        if line.is_ours:
            raise StageError("This message is somebody else's.")
        return line


def person_id(actor: Actor) -> str:
    return f"c-{actor.username}"


def read_attachment(value: dict[str, Any]) -> Attachment:
    content = base64.b64decode(value.get("data", ""))
    return Attachment(value.get("name", ""), value.get("type", ""), content, value.get("description", ""))
