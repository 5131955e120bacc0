"""All fakes of one process, for tests and for the demo.

`python -m klankbord_simulator.platforms --port-base 9100 --log platforms.jsonl` runs them alone: it prints one line of
JSON with addresses and credentials, and stops on SIGTERM, SIGINT, or when its standard input ends (with `--tied`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import secrets
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from .ending import ended_by_signal
from .fakes.fake import Fake
from .fakes.loop import LoopThread
from .fakes.mailserver import MailServer
from .fakes.mastodon import Mastodon
from .fakes.partner import Partner
from .fakes.telegram import Telegram
from .faults import Mischief
from .record import Log
from .stage import Actor, Stage

_KEEP_EVERY = 15.0  # seconds
SHOP = Actor(name="Wolk & Zonen", username="wolkenzonen", email="klantenservice@wolkenzonen.example")


class Platforms:
    """Starts and stops the fakes together. Use as a context, or `start` and `stop`.

    port_base: the first of six ports in a row; 0 takes free ones. seed: fixes chance and the credentials, so that a
    demo that is started again still knows them; without it credentials are random. first_pause: seconds before a
    webhook that was not taken comes again.
    """

    def __init__(
        self,
        *,
        shop: Actor = SHOP,
        port_base: int = 0,
        log_file: Path | None = None,
        seed: int | None = None,
        quota: int = 300,
        first_pause: float = 0.5,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.shop, self._port_base, self._seed = shop, port_base, seed
        self.loop, self.log = LoopThread(), Log(log_file, now=now)

        def common(number: int) -> dict[str, Any]:
            return {"loop": self.loop, "log": self.log, "mischief": Mischief(seed=(seed or 0) + number), "now": now}

        self.mastodon = Mastodon(shop=shop, token=self._secret("mastodon"), quota=quota, **common(1))
        token = f"{700_000_001}:{self._secret('telegram')}"
        bot_name = f"{shop.username}_bot"
        self.telegram = Telegram(shop=shop, token=token, bot_name=bot_name, first_pause=first_pause, **common(2))
        self.partner = Partner(secret=self._secret("partner"), first_pause=first_pause, **common(3))
        self.mail = MailServer(shop=shop, password=self._secret("mail"), **common(4))
        self.fakes: tuple[Fake, ...] = (self.mastodon, self.telegram, self.partner, self.mail)

    @property
    def stages(self) -> dict[str, Stage]:
        """The stages by kind."""
        return {fake.kind: fake for fake in self.fakes}

    def start(self) -> None:
        for number, fake in enumerate(self.fakes):
            fake.start(self._port_base + number if self._port_base else 0)

    def stop(self) -> None:
        for fake in self.fakes:
            fake.stop()
        self.loop.stop()
        self.log.close()

    def __enter__(self) -> Platforms:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def addresses(self) -> dict[str, dict[str, Any]]:
        """Where each platform is and how the shop logs in there, by kind. url: the fake, with its control door."""
        return {
            "mastodon": {
                "server": self.mastodon.url,
                "token": self.mastodon.token,
                "address": self.mastodon.address,
                "url": self.mastodon.url,
            },
            "telegram": {
                "server": self.telegram.url,
                "token": self.telegram.token,
                "address": self.telegram.address,
                "url": self.telegram.url,
            },
            "api": {
                "address": self.partner.address,
                "secret": self.partner.secret,
                "replies": f"{self.partner.url}/replies",
                "events": f"{self.partner.url}/events",
                "url": self.partner.url,
            },
            "email": {
                "address": self.shop.email,
                "username": self.shop.email,
                "password": self.mail.shop_box.password,
                "host": "127.0.0.1",
                "smtp_port": self.mail.smtp_port,
                "imap_port": self.mail.imap_port,
                "url": self.mail.url,
            },
        }

    def _secret(self, name: str) -> str:
        if self._seed is None:
            return secrets.token_hex(20)
        return hashlib.sha256(f"{self._seed}/{name}".encode()).hexdigest()[:40]


class Memory:
    """What happened on the platforms, in a file of ours, so that a demo that is started again finds its posts there.

    A file that cannot be read is as good as none: the platforms then begin anew.
    """

    def __init__(self, path: Path, fakes: Sequence[Fake]) -> None:
        self._path, self._fakes = path, fakes

    def recall(self) -> None:
        try:
            kept = pickle.loads(self._path.read_bytes())  # noqa: S301 (written by ourselves, beside the demo's data)
        except (OSError, pickle.UnpicklingError, EOFError, ValueError, AttributeError, ImportError):
            return
        for fake in self._fakes:
            vars(fake).update(kept.get(fake.kind, {}))

    def keep(self) -> None:
        kept = {}
        for fake in self._fakes:
            with fake.lock:  # one copy at a time, so that what belongs together stays together
                kept[fake.kind] = pickle.dumps({name: getattr(fake, name) for name in fake.memory})
        beside = self._path.with_suffix(".new")
        beside.write_bytes(pickle.dumps({kind: pickle.loads(state) for kind, state in kept.items()}))  # noqa: S301
        beside.replace(self._path)


def wait_for_end(ended: threading.Event) -> None:
    """Set the event when whoever started us is gone."""
    sys.stdin.read()
    ended.set()


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the simulated platforms on loopback.")
    parser.add_argument("--port-base", type=int, default=0, help="first of six ports; 0: any free ones")
    parser.add_argument("--log", type=Path, help="file to which every accepted act is appended")
    parser.add_argument("--memory", type=Path, help="file that outlives a restart")
    parser.add_argument("--seed", type=int, help="fixes chance and credentials")
    parser.add_argument("--quota", type=int, default=300, help="Mastodon's requests in five minutes")
    parser.add_argument("--shop-name", default=SHOP.name)
    parser.add_argument("--shop-username", default=SHOP.username)
    parser.add_argument("--shop-email", default=SHOP.email)
    parser.add_argument("--tied", action="store_true", help="also stop when standard input ends")
    chosen = parser.parse_args()
    shop = Actor(name=chosen.shop_name, username=chosen.shop_username, email=chosen.shop_email)
    ended = ended_by_signal()
    if chosen.tied:
        threading.Thread(target=wait_for_end, args=(ended,), daemon=True).start()
    options: dict[str, Any] = {"log_file": chosen.log, "seed": chosen.seed, "quota": chosen.quota}
    found = Platforms(shop=shop, port_base=chosen.port_base, **options)
    memory = Memory(chosen.memory, found.fakes) if chosen.memory else None
    if memory:
        memory.recall()
    with found as platforms:
        print(json.dumps(platforms.addresses()), flush=True)
        while not ended.wait(_KEEP_EVERY):
            if memory:
                memory.keep()
        if memory:
            memory.keep()


if __name__ == "__main__":
    main()
