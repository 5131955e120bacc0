"""The SMTP side of the mail server: takes mail in, and can hang or refuse where real ones do."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...faults import Fault

if TYPE_CHECKING:
    from .fake import MailServer

SIZE_LIMIT = 25_000_000
SILENCE = 600.0


class Hangup(Exception):
    """The server closes the connection."""


@dataclass(slots=True)
class Envelope:
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)


class SmtpSession:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._envelope, self._is_known = Envelope(), False

    async def run(self) -> None:
        await self._say(f"220 {self._server.host} ESMTP")
        while line := await self._reader.readline():
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            match verb.upper():
                case "EHLO":
                    extras = (f"SIZE {SIZE_LIMIT}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN")
                    words = [self._server.host, *extras]
                    await self._say(*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}")
                case "HELO":
                    await self._say(f"250 {self._server.host}")
                case "AUTH":
                    await self._log_in(rest)
                case "MAIL":
                    await self._mail_from(rest)
                case "RCPT":
                    await self._rcpt_to(rest)
                case "DATA":
                    await self._take()
                case "RSET":
                    self._envelope = Envelope()
                    await self._say("250 2.0.0 Ok")
                case "NOOP":
                    await self._say("250 2.0.0 Ok")
                case "QUIT":
                    await self._say("221 2.0.0 Bye")
                    return
                case _:
                    await self._say("502 5.5.2 Error: command not recognized")

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()

    async def _ask(self, word: str) -> str:
        await self._say(f"334 {base64.b64encode(word.encode()).decode()}")
        return (await self._reader.readline()).decode().strip()

    async def _log_in(self, rest: str) -> None:
        fate = self._server.mischief.fate("SMTP AUTH")
        if fate.fault == Fault.CUT:
            raise Hangup
        if fate.fault in {Fault.BROKEN, Fault.TOO_MANY}:
            await self._say("454 4.7.0 Temporary authentication failure")
            return
        mechanism, _, first = rest.partition(" ")
        try:
            if mechanism.upper() == "PLAIN":
                _, name, password = base64.b64decode(first or await self._ask("")).decode().split("\0")
            elif mechanism.upper() == "LOGIN":
                name = base64.b64decode(first or await self._ask("Username:")).decode()
                password = base64.b64decode(await self._ask("Password:")).decode()
            else:
                await self._say("504 5.5.4 Unrecognized authentication type")
                return
        except (ValueError, binascii.Error):
            await self._say("501 5.5.2 Cannot decode response")
            return
        self._is_known = fate.fault != Fault.REVOKED and self._server.log_in(name, password) is not None
        if self._is_known:
            await self._say("235 2.7.0 Authentication successful")
        else:
            await self._say("535 5.7.8 Error: authentication failed")

    async def _mail_from(self, rest: str) -> None:
        found = re.match(r"FROM:\s*<([^>]*)>", rest, re.IGNORECASE)
        size = re.search(r"SIZE=(\d+)", rest, re.IGNORECASE)
        if not found:
            await self._say("501 5.1.7 Bad sender address syntax")
        elif size and int(size[1]) > SIZE_LIMIT:
            await self._say("552 5.3.4 Message size exceeds fixed limit")
        else:
            self._envelope = Envelope(found[1])
            await self._say("250 2.1.0 Ok")

    async def _rcpt_to(self, rest: str) -> None:
        found = re.match(r"TO:\s*<([^>]+)>", rest, re.IGNORECASE)
        if self._envelope.sender is None:
            await self._say("503 5.5.1 Error: need MAIL command")
        elif not found:
            await self._say("501 5.1.3 Bad recipient address syntax")
        elif refusal := self._server.refusal_of(found[1], is_known=self._is_known):
            await self._say(refusal)
        else:
            self._envelope.recipients.append(found[1])
            await self._say("250 2.1.5 Ok")

    async def _take(self) -> None:
        if not self._envelope.recipients:
            await self._say("503 5.5.1 Error: need RCPT command")
            return
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        raw = bytearray()
        while (line := await self._reader.readline()) != b".\r\n":
            if not line:
                raise Hangup
            raw += line[1:] if line.startswith(b".") else line
        if len(raw) > SIZE_LIMIT:
            await self._say("552 5.3.4 Error: message file too big")
            return
        await self._decide(bytes(raw))
        self._envelope = Envelope()

    async def _decide(self, raw: bytes) -> None:
        fate = self._server.mischief.fate("SMTP DATA")
        await asyncio.sleep(fate.delay)
        if fate.done:
            number = self._server.take(raw, self._envelope.sender or "", self._envelope.recipients)
        match fate.fault:
            case Fault.CUT | Fault.CUT_AFTER:
                raise Hangup
            case Fault.SILENT:
                await asyncio.wait_for(self._reader.read(1), SILENCE)
                raise Hangup
            case Fault.TOO_MANY:
                await self._say("451 4.7.1 Try again later: too many messages")
            case Fault.BROKEN | Fault.HTML | Fault.EMPTY:
                await self._say("451 4.3.0 Error: queue file write error")
            case Fault.REVOKED:
                await self._say("530 5.7.0 Authentication required")
            case Fault.SLOW:
                for letter in f"250 2.0.0 Ok: queued as {number}\r\n":
                    self._writer.write(letter.encode())
                    await self._writer.drain()
                    await asyncio.sleep(1 / fate.bytes_per_second)
            case _:
                await self._say(f"250 2.0.0 Ok: queued as {number}")
