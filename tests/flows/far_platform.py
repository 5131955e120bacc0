"""The far side of the wires: a partner system and a small Mastodon server, which a test can make ill."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from benches.mastodon import SmallServer
from worlds import AnsweringHttp, NoMail, Request

from desk_builder import SECRET, Desk
from klankbord.contract import Response, Wires
from klankbord.desk.conversations.models import Conversation, Message, Outbox, Thread
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership
from klankbord.flows import delivery
from klankbord.flows.reply import send_reply
from klankbord.kernel.ids import random_token
from roles import become_within

REPLIES = "https://partner.example/antwoorden"


class Here(Executor):
    """Runs everything at once in the thread of the test, whose transaction it shares."""

    def submit(self, fn: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*given, **named))
        return done


class FarPlatform:
    """script: what the platform does with the next replies (a response, an error to raise, or a function of the
    request that may do something first); when it is empty it takes them. taken: the replies it accepted, in order."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.script: list[Response | Exception | Callable[[Request], Response]] = []
        self.taken: list[dict[str, Any]] = []
        self.mastodon = SmallServer()
        self.http = AnsweringHttp(self._answer)
        self.wires = Wires(http=self.http, mail=NoMail(), now=lambda: desk.now)

    @property
    def offered(self) -> list[Request]:
        """Every attempt to hand over a reply, also those that failed."""
        return [call for call in self.http.calls if call.method == "POST" and not _is_greeting(call)]

    def inbox(self, name: str = "Webshop", **credentials: Any) -> Inbox:
        """A partner system that takes replies and knows a key when it sees it again."""
        return self.desk.inbox(name, secret=SECRET, reply_url=REPLIES, **credentials)

    def mastodon_inbox(self, name: str = "Mastodon") -> Inbox:
        return self.desk.inbox(name, kind="mastodon", server="toot.example", access_token="toegang-van-regiobus")

    def deliver(self) -> int:
        """One turn of the delivery worker."""
        become_within("worker")
        try:
            return delivery.deliver(now=self.desk.now, wires=self.wires, executor=Here())
        finally:
            become_within("app")

    def deliver_all(self, turns: int = 50) -> int:
        done = 0
        for _ in range(turns):
            tried = self.deliver()
            done += tried
            if not tried:
                break
            self.desk.later(seconds=5)
        return done

    def sweep(self) -> int:
        become_within("worker")
        try:
            return delivery.sweep(now=self.desk.now, wires=self.wires)
        finally:
            become_within("app")

    def _answer(self, request: Request) -> Response:
        if "toot.example" in request.url:
            return self.mastodon.answer(request)
        if _is_greeting(request):
            return Response(200, {}, b"")
        step = self.script.pop(0) if self.script else self.take
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Response) else step(request)

    def take(self, request: Request) -> Response:
        """Accept a reply; the same key again gets the same answer and is no second message."""
        reply = json.loads(request.content or b"")
        if reply["id"] not in {each["id"] for each in self.taken}:
            self.taken.append(reply)
        return Response(200, {"content-type": "application/json"}, json.dumps({"id": f"p-{reply['id']}"}).encode())


def _is_greeting(request: Request) -> bool:
    return bool(request.content) and json.loads(request.content or b"").get("type") == "ping"


def answer(desk: Desk, conversation: Conversation, text: str, by: Membership, **more: Any) -> Message:
    """A person's reply in the conversation's first thread."""
    with desk.open():
        thread = Thread.objects.filter(conversation_id=conversation.id).order_by("created_at", "id")[0]
        return send_reply(
            **{
                "conversation": conversation.id, "thread": thread.id, "text": text, "by": by, "now": desk.now,
                "client_key": random_token(), **more,
            }
        )  # fmt: skip


def again(desk: Desk, row: Any) -> Any:
    """The row as it is now."""
    with desk.open():
        return type(row).objects.get(id=row.id)


def outbox(desk: Desk) -> list[str]:
    """The states of the replies that have not arrived yet, in order."""
    with desk.open():
        return list(Outbox.objects.order_by("id").values_list("state", flat=True))
