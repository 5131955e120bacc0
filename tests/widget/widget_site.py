"""A site with our chat on it, and people who visit it."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from desk_builder import Desk
from klankbord.desk.conversations.models import Message, Thread
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership
from klankbord.doors.widget.gate import make_stamp
from klankbord.flows import reply
from klankbord.flows.accounts import unseal
from klankbord.flows.delivery import deliver
from klankbord.flows.wiring import wires
from roles import become_within

ORIGIN = "https://morgenster.example"
SECRET = "een-heel-lang-geheim-van-de-webwinkel-zelf"


class Site:
    """A site that shows the chat of one inbox."""

    def __init__(self, desk: Desk, name: str = "Morgenster", **credentials: Any) -> None:
        self.desk = desk
        self.inbox: Inbox = desk.inbox(
            name, kind="webchat", **{"site_name": name, "origins": ORIGIN, "identity_secret": SECRET, **credentials}
        )
        self.key: str = unseal(self.inbox.credentials)["hook_token"]

    def visitor(self, **begin: Any) -> Visitor:
        return Visitor(self, **begin)

    def stamp(self, *, seconds_ago: float = 30) -> str:
        return make_stamp(self.key, at=datetime.now(UTC) - timedelta(seconds=seconds_ago))

    def tick(self) -> None:
        """The door has its own clock; the desk follows it."""
        self.desk.now = datetime.now(UTC)

    def answer(self, text: str, by: Membership) -> Message:
        """An agent's reply in the newest thread of this chat, delivered."""
        self.tick()
        with self.desk.open():
            thread = Thread.objects.filter(inbox_id=self.inbox.id).order_by("-id")[0]
            message = reply.send_reply(
                conversation=thread.conversation_id, thread=thread.id, text=text, by=by, now=self.desk.now,
                client_key=uuid.uuid4().hex,
            )  # fmt: skip
        self.send_out()
        return message

    def send_out(self) -> None:
        """Let the worker deliver all that waits."""
        become_within("worker")
        deliver(now=self.desk.now + timedelta(minutes=1), wires=wires(), executor=AtOnce())
        become_within("app")


class AtOnce(Executor):
    """Does the work in the thread that asks, so that it stays in the test's transaction."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Visitor:
    """A browser with the chat open. Speaks the widget's API as the frame does."""

    def __init__(self, site: Site, **begin: Any) -> None:
        self.site, self.origin = site, begin.pop("origin", ORIGIN)
        self.client = Client(enforce_csrf_checks=True)
        self.token = ""
        self.begun = self.begin(**begin)
        self.token = self.begun.json().get("token", "")

    def begin(self, **changes: Any) -> Any:
        stamp = self.site.stamp()
        return self.post("conversations", {"key": self.site.key, "stamp": stamp, "website": "", **changes})

    def say(self, text: str, *, client_id: str = "", **more: Any) -> Any:
        client_id = client_id or uuid.uuid4().hex
        return self.post("messages", {"text": text, "language": "nl", **more}, HTTP_IDEMPOTENCY_KEY=client_id)

    def read(self) -> list[dict[str, Any]]:
        """What stands in the chat."""
        answer = self.get("history")
        assert answer.status_code == 200, answer.content
        return list(answer.json()["messages"])

    def attach(self, name: str, data: bytes) -> Any:
        return self.client.post("/widget/v1/attachments", {"file": SimpleUploadedFile(name, data)}, **self._headers())

    def post(self, path: str, document: Any, **headers: Any) -> Any:
        body = document if isinstance(document, bytes) else json.dumps(document)
        return self.client.post(
            f"/widget/v1/{path}", body, content_type="application/json", **self._headers(), **headers
        )

    def get(self, path: str, **headers: Any) -> Any:
        return self.client.get(f"/widget/v1/{path}", **self._headers(), **headers)

    def _headers(self) -> dict[str, str]:
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.token}"} if self.token else {}
        return headers | ({"HTTP_ORIGIN": self.origin} if self.origin else {})


class Sheet:
    """A browser without a script, with the form open. Sends what a person fills in, and what the page holds."""

    def __init__(self, site: Site, *, seconds_ago: float = 30, language: str = "nl") -> None:
        self.site, self.language = site, language
        self.client = Client(enforce_csrf_checks=True)
        self.address = f"/widget/v1/form?key={site.key}"
        self.stamp = site.stamp(seconds_ago=seconds_ago)

    def open(self) -> Any:
        return self.client.get(self.address, HTTP_ACCEPT_LANGUAGE=self.language)

    def send(self, *, headers: dict[str, str] | None = None, **fields: str) -> Any:
        """headers: instead of those of a browser on our own page."""
        filled = {"text": "Hebben jullie hem in beuken?", "email": "anouk@example.nl", "name": "", "website": ""}
        return self.client.post(
            self.address, filled | {"stamp": self.stamp} | fields, HTTP_ACCEPT_LANGUAGE=self.language,
            **({"HTTP_ORIGIN": "http://testserver"} if headers is None else headers),
        )  # fmt: skip
