"""Mailboxes: folders of raw mails with the numbers that IMAP promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True, eq=False)
class Mail:
    uid: int
    raw: bytes
    at: datetime
    flags: set[str] = field(default_factory=set)
    is_unreadable: bool = False  # every FETCH of its body fails


@dataclass(slots=True)
class Folder:
    name: str
    uidvalidity: int
    mails: list[Mail] = field(default_factory=list)
    next_uid: int = 1

    def add(self, raw: bytes, at: datetime, flags: set[str] | None = None) -> Mail:
        mail = Mail(self.next_uid, raw, at, set(flags or ()))
        self.mails.append(mail)
        self.next_uid += 1
        return mail

    def remove(self, uids: set[int]) -> None:
        self.mails = [mail for mail in self.mails if mail.uid not in uids]

    def renumber(self) -> None:
        """As after a restore of the server: other numbers, and a UIDVALIDITY that says so."""
        self.uidvalidity += 1
        for number, mail in enumerate(self.mails, start=1):
            mail.uid = number
        self.next_uid = len(self.mails) + 1


@dataclass(slots=True)
class Mailbox:
    """A person's or the shop's mail. Without a password nobody can log in."""

    address: str
    uidvalidity: int
    password: str = ""
    folders: dict[str, Folder] = field(default_factory=dict)

    @property
    def inbox(self) -> Folder:
        return self.folder("INBOX")

    def folder(self, name: str) -> Folder:
        """The folder, made when needed."""
        name = "INBOX" if name.upper() == "INBOX" else name
        return self.folders.setdefault(name, Folder(name, self.uidvalidity + len(self.folders)))


def plain_address(address: str) -> str:
    """Without the tag after a plus, in lower case."""
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
