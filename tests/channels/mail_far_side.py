"""A mail server on the far side of real `smtplib` and `imap_tools` clients, over a pair of sockets: no ports.

It speaks as much SMTP and IMAP as a mailbox needs, remembers what was said to it, and can be told to misbehave.
"""

from __future__ import annotations

import imaplib
import re
import smtplib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import imap_tools

from klankbord.contract import Unavailable

ARRIVED = datetime(2026, 11, 2, 8, 59, tzinfo=UTC)


@dataclass
class Stored:
    raw: bytes
    arrived: datetime = ARRIVED
    size: int | None = None  # as announced; None: the real one


@dataclass
class MailFarSide:
    """calls: what was said over SMTP, and every mail that was taken. spoken: the same for IMAP.

    trouble: a word of `worlds.TROUBLES`. smtp_answers: what to answer to a command (MAIL, RCPT, DATA, "." for the end
    of the data) instead of yes; "" closes the connection. ill_mails: by number, how fetching that mail goes wrong:
    "drop", "no", "nil" or "garbage".
    """

    trouble: str = ""
    mails: dict[int, Stored] = field(default_factory=dict)
    validity: int = 7
    smtp_answers: dict[str, str] = field(default_factory=dict)
    ill_mails: dict[int, str] = field(default_factory=dict)
    login_answer: str = ""
    status_answer: str = ""
    imap_greeting: bytes = b"* OK ready\r\n"
    has_idle: bool = True
    calls: list[Any] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    idling: list[socket.socket] = field(default_factory=list)
    is_idle: threading.Event = field(default_factory=threading.Event)

    # -------------------------------------------------------------------------------------------- the wire

    def imap(self, *, host: str, port: int, security: str, timeout: float = 30.0) -> Any:
        self._check_connection()
        near = self._connect(self._speak_imap)

        class Client(imaplib.IMAP4):
            def _create_socket(self, timeout: float | None) -> socket.socket:
                return near

        class Mailbox(imap_tools.BaseMailBox):
            def _get_mailbox_client(self) -> imaplib.IMAP4:
                return Client(host, port, 2.0)

        try:
            return Mailbox()
        except (imaplib.IMAP4.error, OSError):
            raise Unavailable("The mail server does not greet as one.", code="no-connection") from None

    def smtp(self, *, host: str, port: int, security: str, timeout: float = 15.0) -> smtplib.SMTP:
        self._check_connection()
        near = self._connect(self._speak_smtp)

        class Client(smtplib.SMTP):
            def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
                return near

        return Client(host, port, local_hostname="desk.example", timeout=2.0)

    def _check_connection(self) -> None:
        if self.trouble == "no-connection":
            raise Unavailable("No connection.", code="no-connection")

    def _connect(self, speak: Callable[[socket.socket], None]) -> socket.socket:
        near, far = socket.socketpair()
        near.settimeout(2.0)
        far.settimeout(10.0)
        threading.Thread(target=self._served, args=(speak, far), daemon=True).start()
        return near

    def _served(self, speak: Callable[[socket.socket], None], far: socket.socket) -> None:
        with far:
            try:
                speak(far)
            except (OSError, _Hangup):
                return

    # -------------------------------------------------------------------------------------------- SMTP

    def _speak_smtp(self, far: socket.socket) -> None:
        lines = far.makefile("rb")
        far.sendall(b"220 mail.example ESMTP\r\n")
        for raw in lines:
            line = raw.decode("utf-8", "replace").strip()
            word = line.split(" ", 1)[0].upper()
            self.calls.append(line if word != "AUTH" else "AUTH")
            if word in ("EHLO", "HELO"):
                far.sendall(b"250-mail.example\r\n250-SIZE 30000000\r\n250 AUTH PLAIN\r\n")
            elif word == "AUTH":
                far.sendall(b"535 5.7.8 Wrong password\r\n" if self.trouble == "rejected" else b"235 2.7.0 Welcome\r\n")
            elif word == "DATA":
                if self._answer(far, "DATA", "354 Go on"):
                    self._take_data(far, lines)
            elif word == "QUIT":
                far.sendall(b"221 Bye\r\n")
                return
            elif word == "MAIL" and self.trouble == "ill":
                far.sendall(b"451 4.3.0 Out of order\r\n")
            else:
                self._answer(far, word, "250 2.0.0 Ok")

    def _answer(self, far: socket.socket, word: str, usual: str) -> bool:
        answer = self.smtp_answers.get(word, usual)
        if not answer:
            raise _Hangup
        far.sendall(answer.encode() + b"\r\n")
        return answer == usual

    def _take_data(self, far: socket.socket, lines: Any) -> None:
        content = []
        for line in lines:
            if line == b".\r\n":
                break
            content.append(line[1:] if line.startswith(b"..") else line)
        self.calls.append(b"".join(content))
        if self.trouble == "lost-answer":
            raise _Hangup
        self._answer(far, ".", "250 2.0.0 Queued")

    # -------------------------------------------------------------------------------------------- IMAP

    def _speak_imap(self, far: socket.socket) -> None:
        lines = far.makefile("rb")
        far.sendall(self.imap_greeting)
        for raw in lines:
            line = raw.decode("utf-8", "replace").strip()
            tag, _, command = line.partition(" ")
            self.spoken.append(command)
            word = command.split(" ", 2)[0].upper()
            if word == "LOGIN" and (self.login_answer or self.trouble == "rejected"):
                far.sendall(f"{tag} {self.login_answer or 'NO [AUTHENTICATIONFAILED] Wrong password'}\r\n".encode())
            elif word == "CAPABILITY":
                idle = b" IDLE" if self.has_idle else b""
                far.sendall(b"* CAPABILITY IMAP4rev1" + idle + b"\r\n" + tag.encode() + b" OK done\r\n")
            elif word == "STATUS":
                state = f"UIDNEXT {max(self.mails, default=0) + 1} UIDVALIDITY {self.validity}"
                said = self.status_answer or f"* STATUS INBOX ({state})"
                far.sendall(f"{said}\r\n{tag} OK done\r\n".encode())
            elif word in ("EXAMINE", "SELECT"):
                far.sendall(f"* {len(self.mails)} EXISTS\r\n{tag} OK [READ-ONLY] done\r\n".encode())
            elif command.upper().startswith("UID SEARCH"):
                found = " ".join(map(str, self._found(command[11:])))
                far.sendall(f"* SEARCH {found}\r\n{tag} OK done\r\n".encode())
            elif command.upper().startswith("UID FETCH"):
                self._give(far, tag, command)
            elif word == "IDLE":
                self._idle(far, lines, tag)
            elif word == "LOGOUT":
                far.sendall(f"* BYE\r\n{tag} OK done\r\n".encode())
                return
            else:
                far.sendall(f"{tag} OK done\r\n".encode())

    def _found(self, criteria: str) -> list[int]:
        if match := re.fullmatch(r"UID (\d+):(\*|\d+)", criteria):
            highest = max(self.mails, default=0)
            low, high = int(match[1]), highest if match[2] == "*" else int(match[2])
            # A range that ends in * always holds the last mail, as RFC 3501 §6.4.8 has it.
            return [uid for uid in sorted(self.mails) if min(low, high) <= uid <= max(low, high)]
        if match := re.fullmatch(r"UID (\d+)", criteria):
            return [uid for uid in self.mails if uid == int(match[1])]
        if match := re.fullmatch(r"SINCE (\d+-\w+-\d+)", criteria):
            day = datetime.strptime(match[1], "%d-%b-%Y").replace(tzinfo=UTC)
            return [uid for uid, mail in self.mails.items() if mail.arrived >= day]
        return sorted(self.mails)

    def _give(self, far: socket.socket, tag: str, command: str) -> None:
        numbers, parts = command.split(" ", 3)[2:]
        for uid in (int(each) for each in numbers.split(",") if int(each) in self.mails):
            mail = self.mails[uid]
            if "BODY" not in parts:
                arrived = mail.arrived.strftime("%d-%b-%Y %H:%M:%S +0000")
                size = mail.size if mail.size is not None else len(mail.raw)
                far.sendall(f'* {uid} FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE "{arrived}")\r\n'.encode())
                continue
            match self.ill_mails.get(uid):
                case "drop":
                    raise _Hangup
                case "no":
                    far.sendall(f"{tag} NO [SERVERBUG] Cannot read\r\n".encode())
                    return
                case "garbage":
                    far.sendall(b"\xff\xfe<html>not IMAP</html>\r\n" * 3)
                    raise _Hangup
                case "nil":
                    far.sendall(f"* {uid} FETCH (UID {uid} BODY[] NIL)\r\n".encode())
                    continue
            raw = mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if "HEADER" in parts else mail.raw
            far.sendall(f"* {uid} FETCH (BODY[] {{{len(raw)}}}\r\n".encode() + raw + f" UID {uid})\r\n".encode())
        far.sendall(f"{tag} OK done\r\n".encode())

    def _idle(self, far: socket.socket, lines: Any, tag: str) -> None:
        far.sendall(b"+ idling\r\n")
        self.idling.append(far)
        self.is_idle.set()
        lines.readline()
        self.idling.remove(far)
        far.sendall(f"{tag} OK done\r\n".encode())

    def announce(self) -> None:
        """Tell those who wait that there is new mail."""
        for far in self.idling:
            far.sendall(f"* {len(self.mails)} EXISTS\r\n".encode())

    def hang_up(self) -> None:
        for far in self.idling:
            far.shutdown(socket.SHUT_RDWR)

    def put(self, raw: bytes, **told: Any) -> int:
        """Store a mail and give its number."""
        uid = max(self.mails, default=0) + 1
        self.mails[uid] = Stored(raw, **told)
        return uid


class _Hangup(Exception):
    pass
