"""People who chat on the shop's site: a stage that speaks the widget's own HTTP, as the frame in a browser does.

There is no fake here. What is said goes through the desk's real door; what is heard is what a visitor could read.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import quote, urlsplit

from .stage import Actor, Attachment, Heard, StageError

_TIMEOUT_SECONDS = 20.0
_LONGEST_WAIT = 3.0  # seconds: the door lets nobody in within the first one, and asks the rest to come back
_SETTINGS = re.compile(r'<script id="settings" type="application/json">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Browser:
    """One visitor's browser: what it keeps between two visits."""

    token: str


class WebchatStage:
    """desk_url: such as "http://localhost:8000". key: the widget's public key. site_url: the shop whose page carries
    it, among the widget's allowed sites.

    Every act raises OSError while nobody is there. Visitors have one conversation and no threads, so `in_reply_to` and
    `title` change nothing; what was said cannot be changed or taken back; nothing can be said in the past.
    """

    kind = "webchat"
    visibilities = frozenset({"private"})
    address = ""

    def __init__(self, desk_url: str, key: str, site_url: str) -> None:
        if urlsplit(desk_url).scheme not in {"http", "https"}:
            raise ValueError(f"{desk_url} is not the address of a desk.")
        self._door, self._key = f"{desk_url.rstrip('/')}/widget/v1", key
        self._site = "/".join(site_url.split("/", 3)[:3])
        self._browsers: dict[str, _Browser] = {}
        self._stamp = ""
        self._lock = threading.Lock()

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
        if public:
            raise StageError("A chat has no public side.")
        browser = self._browser(actor)
        files = [self._upload(browser, each) for each in media]
        ref = uuid.uuid4().hex
        page = {"url": f"{self._site}/contact", "title": "Contact"}
        message = {"text": text, "files": files, "language": actor.language, "page": page}
        self._ask("POST", "messages", message, browser, {"Idempotency-Key": ref})
        return ref

    def edit(self, ref: str, text: str) -> None:
        raise StageError("What was said in a chat cannot be changed.")

    def delete(self, ref: str) -> None:
        raise StageError("What was said in a chat cannot be taken back.")

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        browser = self._browsers.get(actor.username)
        if browser is None:
            return
        messages = self._ask("GET", "history", None, browser)["messages"]
        places = [number for number, each in enumerate(messages) if after in (each["id"], each["client_id"])]
        ours = [each for each in messages[places[-1] + 1 if after and places else 0 :] if each["from"] == "us"]
        if ours:
            self._ask("POST", "read", {"up_to": ours[-1]["id"]}, browser)
        for each in ours:
            yield Heard(
                stage=self.kind,
                ref=each["id"],
                text=each["text"],
                public=False,
                at=datetime.fromisoformat(each["at"]),
                media=tuple(self._download(browser, file) for file in each["files"]),
            )

    def type(self, actor: Actor, *, is_typing: bool) -> None:
        """Let the desk see that this person is writing; nothing happens before they said anything."""
        browser = self._browsers.get(actor.username)
        if browser is not None:
            self._ask("POST", "typing", {"typing": is_typing}, browser)

    def leave_address(self, actor: Actor) -> None:
        """Ask for answers by mail."""
        self._ask("POST", "email", {"email": actor.email, "name": actor.name}, self._browser(actor))

    def forget(self, actor: Actor) -> None:
        """The person clears their browser: next time they are somebody new."""
        with self._lock:
            self._browsers.pop(actor.username, None)

    def _browser(self, actor: Actor) -> _Browser:
        with self._lock:
            if actor.username not in self._browsers:
                begun = {"key": self._key, "stamp": self._stamp or self._open_window(), "website": ""}
                self._browsers[actor.username] = _Browser(self._ask("POST", "conversations", begun)["token"])
            return self._browsers[actor.username]

    def _open_window(self) -> str:
        """Load the frame, as a browser does when somebody opens the chat; all visitors of this stage share the look."""
        page = self._open("GET", f"frame?key={quote(self._key)}", None, {"Referer": f"{self._site}/"}).decode()
        found = _SETTINGS.search(page)
        if found is None:
            raise StageError("The chat's page holds no settings.")
        self._stamp = str(json.loads(unescape(found[1]))["stamp"])
        return self._stamp

    def _upload(self, browser: _Browser, file: Attachment) -> str:
        border = uuid.uuid4().hex
        name = file.name.replace('"', "").replace("\r", "").replace("\n", "")
        head = (
            f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {file.content_type}\r\n\r\n"
        )
        body = head.encode() + file.content + f"\r\n--{border}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={border}", **self._headers(browser)}
        return str(json.loads(self._open("POST", "attachments", body, headers))["id"])

    def _download(self, browser: _Browser, file: Mapping[str, Any]) -> Attachment:
        content = self._open("GET", f"attachments/{file['id']}", None, self._headers(browser))
        return Attachment(file["name"], file["type"], content)

    def _ask(
        self,
        method: str,
        path: str,
        document: Mapping[str, Any] | None,
        browser: _Browser | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        body = json.dumps(document).encode() if document is not None else None
        sent = {"Content-Type": "application/json", **self._headers(browser), **(headers or {})}
        return json.loads(self._open(method, path, body, sent))

    def _headers(self, browser: _Browser | None) -> dict[str, str]:
        return {"Origin": self._site} | ({"Authorization": f"Bearer {browser.token}"} if browser else {})

    def _open(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        waited = 0.0
        while True:
            request = urllib.request.Request(  # noqa: S310 (the scheme was checked when the stage was made)
                f"{self._door}/{path}", data=body, headers=dict(headers), method=method
            )
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 (likewise)
                    return bytes(answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    wait = float(error.headers.get("Retry-After") or 0)
                    if error.code != 429 or waited + wait > _LONGEST_WAIT:
                        raise _trouble(error, path) from error
            waited += wait
            time.sleep(wait)


def _trouble(error: urllib.error.HTTPError, path: str) -> Exception:
    """A door that is busy or away is OSError, so that people try later; a refusal is the stage's own."""
    sentence = f"The chat answered {error.code} to {path}: {error.read()[:200].decode(errors='replace')}"
    return OSError(sentence) if error.code == 429 or error.code >= 500 else StageError(sentence)
