"""A stage in another process, reached through the control door of its fake (see `fakes/fake.py`)."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..stage import Actor, Attachment, Heard, Stage, StageError
from ..webchat_stage import WebchatStage

_PRIVATE = frozenset({"private"})
_VISIBILITIES: Mapping[str, frozenset[str]] = {
    "mastodon": frozenset({"public", "private"}),
    "telegram": _PRIVATE,
    "email": _PRIVATE,
    "webchat": _PRIVATE,
    "api": _PRIVATE,
}
_TIMEOUT_SECONDS = 20.0


class FarStage:
    """url: of the fake, such as "http://127.0.0.1:4021"; loopback only. address: how people name the shop there.

    Every act raises OSError while nobody is there.
    """

    def __init__(self, kind: str, url: str, address: str = "") -> None:
        if urlsplit(url).scheme != "http" or urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError(f"{url} is not a simulated platform on this machine.")
        self.kind, self.visibilities, self.address = kind, _VISIBILITIES[kind], address
        self._door = f"{url.rstrip('/')}/_control/stage"

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
        files = [{**asdict(each), "content": base64.b64encode(each.content).decode()} for each in media]
        return str(
            self._act(
                "say",
                actor=asdict(actor),
                text=text,
                public=public,
                in_reply_to=in_reply_to,
                title=title,
                media=files,
                addressed=addressed,
                at=at.isoformat() if at else None,
            )
        )

    def edit(self, ref: str, text: str) -> None:
        self._act("edit", ref=ref, text=text)

    def delete(self, ref: str) -> None:
        self._act("delete", ref=ref)

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        for each in self._act("replies_to", actor=asdict(actor), after=after):
            media = tuple(
                Attachment(**{**file, "content": base64.b64decode(file["content"])}) for file in each.pop("media")
            )
            yield Heard(**{**each, "at": datetime.fromisoformat(each["at"]), "media": media})

    def _act(self, act: str, **values: Any) -> Any:
        request = urllib.request.Request(  # noqa: S310 (the scheme was checked when the stage was made)
            f"{self._door}/{act}",
            data=json.dumps(values).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 (likewise)
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise StageError(
                    f"{self.kind} refused to {act}: {error.read()[:200].decode(errors='replace')}"
                ) from error


def read_addresses(path: Path) -> list[Stage]:
    """The stages of a file such as {"mastodon": {"url": "http://127.0.0.1:4021", "address": "@wolk@127.0.0.1:4021"}}.

    The chat has no fake: its facts are the desk's "url", the widget's "key" and the shop's "site".
    Kinds that stories do not know are left out.
    """
    addresses = json.loads(path.read_text(encoding="utf-8"))
    return [_stage(kind, facts) for kind, facts in addresses.items() if kind in _VISIBILITIES]


def _stage(kind: str, facts: Mapping[str, str]) -> Stage:
    if kind == "webchat" and "key" in facts:
        return WebchatStage(facts["url"], facts["key"], facts["site"])
    return FarStage(kind, facts["url"], facts.get("address", ""))
