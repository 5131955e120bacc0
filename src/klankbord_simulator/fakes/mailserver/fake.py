"""The mail server's office: who has a mailbox, what happens to a mail, and the stage for people."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from ...stage import Actor, Attachment, Heard, StageError
from ..fake import Fake, after_ref
from . import imap, letters, smtp
from .boxes import Mail, Mailbox, plain_address

FIRST_LINE = 60


class MailServer(Fake):
    """shop: whose mail address is the shop's mailbox. is_strict: unknown people are refused with 550 at once; else
    mail for other domains is taken and a report follows, as happens with relays."""

    kind = "email"
    memory = ("boxes", "shop_box", "_said")
    visibilities = frozenset({"private"})

    def __init__(self, *, shop: Actor, password: str, is_strict: bool = False, **common: Any) -> None:
        super().__init__(**common)
        self.address, self.domain, self.is_strict = shop.email, shop.email.rpartition("@")[2], is_strict
        self.host = f"mx.{self.domain}"
        self.boxes: dict[str, Mailbox] = {}
        self.shop_box = self.add_box(shop.email, password)
        self._said: dict[str, tuple[Actor, bytes]] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self.smtp_port = self.imap_port = 0

    # ---------------------------------------------------------------------------------------------- life

    async def open(self, port: int) -> None:
        """Three ports: the control door on `port`, SMTP and IMAP on the next two."""
        await super().open(port)
        self.smtp_port = await self._listen(self.smtp_port or (port + 1 if port else 0), smtp.SmtpSession, smtp.Hangup)
        self.imap_port = await self._listen(self.imap_port or (port + 2 if port else 0), imap.ImapSession, imap.Hangup)

    async def _listen(self, port: int, session: Callable[..., Any], hangup: type[Exception]) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            with contextlib.suppress(hangup, OSError, EOFError, TimeoutError, asyncio.CancelledError):
                await session(self, reader, writer).run()
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", port, limit=2**18)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def shut(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().shut()

    # ---------------------------------------------------------------------------------------------- the office

    def add_box(self, address: str, password: str = "") -> Mailbox:
        """The mailbox of this address, made when needed."""
        address = plain_address(address)
        box = self.boxes.setdefault(address, Mailbox(address, int(self.now().timestamp()), password))
        box.password = password or box.password
        return box

    def log_in(self, name: str, password: str) -> Mailbox | None:
        box = self.boxes.get(plain_address(name))
        return box if box and box.password and secrets.compare_digest(box.password, password) else None

    def refusal_of(self, to: str, *, is_known: bool) -> str:
        """Why SMTP does not take mail for this address; empty when it does."""
        address = plain_address(to)
        is_ours = address.rpartition("@")[2] == self.domain
        if not is_ours and not is_known:
            return f"554 5.7.1 <{to}>: Relay access denied"
        if address not in self.boxes and (is_ours or self.is_strict):
            return f"550 5.1.1 <{to}>: Recipient address rejected: User unknown in local recipient table"
        return ""

    def take(self, raw: bytes, sender: str, recipients: Sequence[str]) -> str:
        """Accept a mail from SMTP; gives the queue's name for it."""
        number = secrets.token_hex(5).upper()
        with self.lock:
            message = letters.read(raw)
            key = str(message.get("Message-ID", ""))
            writer = sender or letters.address_of(message["From"])
            kind = "sent" if writer.lower().endswith(f"@{self.domain}") else "said"
            for to in recipients:
                facts = {"subject": str(message.get("Subject", "")), "sender": sender, "queue": number}
                self.record(kind, key=key, place=plain_address(to), ref=key, text=letters.text_of(message), **facts)
                self._carry(raw, sender, to)
        return number

    def _carry(self, raw: bytes, sender: str, to: str) -> None:
        """Bring a mail to a mailbox, or a report to its sender. A mail without a sender never causes a report."""
        box = self.boxes.get(plain_address(to))
        if box:
            self.deliver(raw, sender=sender, to=to)
        elif sender:
            report = letters.undeliverable(
                raw, to=to, sender=sender, server=self.host, message_id=self._new_id(self.host), at=self.now()
            )
            self.record("bounced", place=plain_address(to), text=sender)
            if plain_address(sender) in self.boxes:
                self.deliver(report, sender="", to=sender)

    def deliver(self, raw: bytes, *, sender: str, to: str, at: datetime | None = None) -> None:
        """Put raw bytes into a mailbox, whatever they are; duplicates and lateness as the mood is."""
        stamped = letters.stamped(raw, sender=sender, to=to, server=self.host, at=at or self.now())
        for each in self.mischief.dealt([stamped]):
            put = functools.partial(self._put, each, to, at)
            if lateness := self.mischief.lateness():
                self.loop.loop.call_soon_threadsafe(self.loop.loop.call_later, lateness, put)
            else:
                put()

    def _put(self, raw: bytes, to: str, at: datetime | None) -> Mail:
        with self.lock:
            mail = self.boxes[plain_address(to)].inbox.add(raw, at or self.now())
        self.bell.ring()
        return mail

    def renumber(self, folder: str = "INBOX") -> None:
        """Give the shop's folder a new UIDVALIDITY and new numbers, and end the sessions that knew the old ones."""
        with self.lock:
            self.shop_box.folder(folder).renumber()
        self.loop.run(self._end_sessions())

    async def _end_sessions(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    # ---------------------------------------------------------------------------------------------- the stage

    def enrol(self, actor: Actor) -> None:
        """Give a person a mailbox, so that mail to them arrives also when they never wrote."""
        with self.lock:
            self.add_box(actor.email)

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
            raise StageError("A mail is private.")
        at, message_id = at or self.now(), self._new_id(actor.email.rpartition("@")[2])
        with self.lock:
            self.enrol(actor)
            answers = letters.read(self._mail(in_reply_to, actor)) if in_reply_to else None
            to, subject = self.address, title or text.strip().splitlines()[0][:FIRST_LINE]
            if answers is not None:
                is_own = letters.address_of(answers["From"]) == actor.email.lower()
                to = self.address if is_own else letters.address_of(answers["Reply-To"] or answers["From"])
                subject = title or f"Re: {str(answers['Subject'] or '').removeprefix('Re: ')}"
            raw = letters.write(
                actor, text, to=to, subject=subject, message_id=message_id, at=at, answers=answers, media=media
            )
            self._said[message_id] = (actor, raw)
            self.record("said", key=message_id, place=actor.email.lower(), ref=message_id, text=text, subject=subject)
            self._carry_at(raw, actor.email, to, at)
        return message_id

    def replies_to(self, actor: Actor, *, after: str | None = None) -> Iterator[Heard]:
        with self.lock:
            box = self.boxes.get(plain_address(actor.email))
            mails = list(box.inbox.mails) if box else []
        return after_ref([self._heard(mail) for mail in mails], after)

    def _heard(self, mail: Mail) -> Heard:
        message = letters.read(mail.raw)
        return Heard(
            stage=self.kind,
            ref=str(message.get("Message-ID", mail.uid)),
            text=letters.text_of(message),
            public=False,
            at=mail.at,
            in_reply_to=str(message["In-Reply-To"]) if message["In-Reply-To"] else None,
            media=letters.attachments_of(message),
        )

    def received_by(self, actor: Actor) -> list[bytes]:
        """The raw mails in a person's mailbox, for checks on headers."""
        with self.lock:
            box = self.boxes.get(plain_address(actor.email))
            return [mail.raw for mail in box.inbox.mails] if box else []

    def _mail(self, ref: str, actor: Actor) -> bytes:
        if ref in self._said:
            return self._said[ref][1]
        for raw in self.received_by(actor):
            if str(letters.read(raw).get("Message-ID", "")) == ref:
                return raw
        raise StageError("There is no such mail.")

    def _carry_at(self, raw: bytes, sender: str, to: str, at: datetime) -> None:
        if plain_address(to) in self.boxes:
            self.deliver(raw, sender=sender, to=to, at=at)
        else:
            self._carry(raw, sender, to)

    def _new_id(self, domain: str) -> str:
        return f"<{secrets.token_hex(12)}@{domain}>"
