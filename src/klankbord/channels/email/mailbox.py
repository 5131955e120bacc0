"""An IMAP connection that is logged in, and what its troubles mean.

A mailbox is opened with EXAMINE: reading changes nothing in it, no mail becomes "seen" by us.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

from klankbord import contract
from klankbord.contract import CredentialsRejected, Unavailable, Wires
from klankbord.kernel import text as texts

from .credentials import Credentials

Account: TypeAlias = contract.Account[Credentials]

_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")
_ARRIVED = re.compile(rb'\bINTERNALDATE "\s?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d:\d\d:\d\d [+-]\d{4})"')
_BUSY = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "TOO MANY", "TRY AGAIN", "TEMPORAR")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def troubles() -> tuple[type[Exception], ...]:
    """All that a connection raises when the server is slow, gone, ill or talks nonsense."""
    from imap_tools.errors import ImapToolsError

    return (imaplib.IMAP4.error, ImapToolsError, OSError, EOFError, ValueError, IndexError, KeyError)


@contextlib.contextmanager
def opened(account: Account, wires: Wires, *, selects: bool = True) -> Iterator[Any]:
    """An `imap_tools` mailbox, logged in, with the folder open for reading. Raises CredentialsRejected, Unavailable."""
    ours = account.credentials
    box = wires.mail.imap(host=ours.imap_host, port=int(ours.imap_port), security=ours.imap_security)
    try:
        _log_in(box, ours)
        if selects:
            _select(box, ours.folder)
        yield box
    except troubles() as trouble:
        _drop(box)
        raise Unavailable(
            f"The incoming mail server does not answer as it should: {_words(trouble)}", code="imap"
        ) from trouble
    except BaseException:
        _drop(box)
        raise
    else:
        with contextlib.suppress(*troubles()):
            box.client.logout()


@dataclass(frozen=True, slots=True)
class FolderState:
    """validity: as long as it stays, a number names the same mail. next_uid: greater than all there are."""

    validity: int
    next_uid: int


def state(box: Any, folder: str) -> FolderState:
    """Raises Unavailable when the server does not tell."""
    said = box.folder.status(folder, ("UIDNEXT", "UIDVALIDITY"))
    if "UIDNEXT" not in said or "UIDVALIDITY" not in said:
        raise Unavailable("The incoming mail server does not number its mail.", code="imap")
    return FolderState(said["UIDVALIDITY"], said["UIDNEXT"])


def uids(box: Any, criteria: str) -> list[int]:
    """The numbers of the mails that match, ascending."""
    return sorted({int(each) for each in box.uids(criteria, charset=None) if each.isdecimal()})


def since(day: date) -> str:
    """A search for what arrived on or after a day; IMAP spells months in English."""
    return f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}"


@dataclass(frozen=True, slots=True)
class Description:
    """size: bytes, 0 when the server does not tell. arrived: when the server took it."""

    size: int = 0
    arrived: datetime | None = None


def describe(box: Any, wanted: Sequence[int]) -> dict[int, Description]:
    """Size and arrival of some mails; those that vanished meanwhile are missing."""
    found: dict[int, Description] = {}
    for meta, _ in _fetch(box, wanted, "(UID RFC822.SIZE INTERNALDATE)"):
        if uid := _UID.search(meta):
            size = _SIZE.search(meta)
            found[int(uid[1])] = Description(int(size[1]) if size else 0, _arrival(meta))
    return found


def contents(box: Any, wanted: Sequence[int], *, section: str = "") -> dict[int, bytes]:
    """The bytes of some mails, or of a section of them. What the server leaves out is missing."""
    found: dict[int, bytes] = {}
    for meta, literal in _fetch(box, wanted, f"(UID BODY.PEEK[{section}])"):
        if literal is not None and (uid := _UID.search(meta)) and int(uid[1]) in wanted:
            found[int(uid[1])] = literal
    return found


def can_idle(box: Any) -> bool:
    """Asked after logging in: some servers tell only then."""
    _, said = box.client.capability()
    return b"IDLE" in b" ".join(each for each in said if isinstance(each, bytes)).upper().split()


def _fetch(box: Any, wanted: Sequence[int], parts: str) -> list[tuple[bytes, bytes | None]]:
    """The answers to a FETCH: what was said about each mail, and the literal that came along."""
    if not wanted:
        return []
    status, said = box.client.uid("FETCH", ",".join(map(str, wanted)), parts)
    if status != "OK":
        raise imaplib.IMAP4.error(f"FETCH refused: {said!r}"[:300])
    answers: list[tuple[bytes, bytes | None]] = []
    for each in said:
        if isinstance(each, tuple):
            answers.append((each[0], each[1]))
        elif isinstance(each, bytes):
            if answers and answers[-1][1] is not None and not each.lstrip().split(b" ", 1)[0].isdigit():
                answers[-1] = (answers[-1][0] + b" " + each, answers[-1][1])  # the tail after a literal
            else:
                answers.append((each, None))
    return answers


def _arrival(meta: bytes) -> datetime | None:
    match = _ARRIVED.search(meta)
    if match is None:
        return None
    try:
        return parsedate_to_datetime(b" ".join(match.groups()).decode("ascii")).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _log_in(box: Any, ours: Credentials) -> None:
    from imap_tools.errors import ImapToolsError

    log_in = box.login if (ours.imap_user + ours.imap_password).isascii() else box.login_utf8
    try:
        log_in(ours.imap_user, ours.imap_password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise  # the connection broke: that says nothing about the password
    except (imaplib.IMAP4.error, ImapToolsError) as refusal:
        words = _words(refusal)
        if any(each in words.upper() for each in _BUSY):
            raise Unavailable(
                f"The incoming mail server is busy: {words}", is_inbox_wide=True, code="busy"
            ) from refusal
        raise CredentialsRejected(
            f"The incoming mail server refuses this user name and password: {words}", code="imap-login"
        ) from refusal


def _select(box: Any, folder: str) -> None:
    from imap_tools.errors import MailboxFolderSelectError

    try:
        box.folder.set(folder, readonly=True)
    except MailboxFolderSelectError as refusal:
        raise CredentialsRejected(f"The mailbox has no such folder: {folder}", code="no-folder") from refusal


def _drop(box: Any) -> None:
    with contextlib.suppress(*troubles()):
        box.client.shutdown()


def _words(trouble: Exception) -> str:
    result = getattr(trouble, "command_result", None)
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], list):
        return texts.one_line(
            b" ".join(each for each in result[1] if isinstance(each, bytes)).decode("utf-8", "replace")
        )
    return texts.one_line(str(trouble) or type(trouble).__name__)
