"""The IMAP side of the mail server: one session, a view of one folder that only changes when the client may be told."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import TYPE_CHECKING

from ...faults import Fate, Fault
from .boxes import Folder, Mail, Mailbox
from .imap_words import BadCommand, Word, in_set, internal_date, plain, read_command, search

if TYPE_CHECKING:
    from .fake import MailServer

CAPABILITIES = "IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN IDLE UIDPLUS MOVE UNSELECT NAMESPACE ID"
SILENCE = 600.0
SECTION = re.compile(r"BODY(?P<peek>\.PEEK)?\[(?P<what>[^\]]*)\](?:<(?P<start>\d+)\.(?P<count>\d+)>)?", re.IGNORECASE)
WITHOUT_LOGIN = {"CAPABILITY", "NOOP", "LOGOUT", "LOGIN", "AUTHENTICATE", "ID"}
WITH_FOLDER = {"FETCH", "STORE", "SEARCH", "COPY", "MOVE", "EXPUNGE", "CLOSE", "UNSELECT", "CHECK", "UID", "IDLE"}


class No(Exception):
    """Answered with NO."""


class Hangup(Exception):
    """The server closes the connection."""


class ImapSession:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._box: Mailbox | None = None
        self._folder: Folder | None = None
        self._view: list[Mail] = []
        self._may_write = True

    async def run(self) -> None:
        self._tell(f"OK [CAPABILITY {CAPABILITIES}] Ready.")
        await self._writer.drain()
        while True:
            try:
                words = await read_command(self._reader, self._writer)
            except BadCommand as error:
                self._tell(f"BAD {error}")
                continue
            if words is None:
                return
            if len(words) > 1:
                await self._answer(plain(words[0]), plain(words[1]).upper(), words[2:])
                await self._writer.drain()
            if len(words) > 1 and plain(words[1]).upper() == "LOGOUT":
                return

    async def _answer(self, tag: str, command: str, words: list[Word]) -> None:
        fate = self._server.mischief.fate(f"IMAP {command}")
        try:
            await self._suffer(fate, command)
            if self._box is None and command not in WITHOUT_LOGIN:
                raise No("[AUTHENTICATIONFAILED] Please log in first.")
            if self._folder is None and command in WITH_FOLDER:
                raise BadCommand("No mailbox selected.")
            sentence = await self._perform(command, words)
            if command not in {"FETCH", "STORE", "SEARCH"}:  # numbers must not change beneath these
                self._refresh()
            self._write(f"{tag} OK {sentence}")
        except No as refusal:
            self._write(f"{tag} NO {refusal}")
        except (BadCommand, IndexError, ValueError) as error:
            self._write(f"{tag} BAD {error}")
        if fate.fault == Fault.CUT_AFTER:
            raise Hangup

    async def _suffer(self, fate: Fate, command: str) -> None:
        await asyncio.sleep(fate.delay)
        match fate.fault:
            case Fault.CUT:
                raise Hangup
            case Fault.SILENT | Fault.SLOW:
                await asyncio.sleep(SILENCE)
            case Fault.HTML:
                self._write("<html><body>502 Bad Gateway</body></html>")
                raise Hangup
            case Fault.TOO_MANY:
                raise No("[LIMIT] Too many requests, slow down.")
            case Fault.BROKEN | Fault.EMPTY:
                raise No("[UNAVAILABLE] Temporary problem, please try again later.")
            case Fault.REVOKED if command in {"LOGIN", "AUTHENTICATE"}:
                raise No("[AUTHENTICATIONFAILED] Authentication failed.")

    async def _perform(self, command: str, words: list[Word]) -> str:
        match command:
            case "CAPABILITY":
                self._tell(f"CAPABILITY {CAPABILITIES}")
            case "NAMESPACE":
                self._tell('NAMESPACE (("" "/")) NIL NIL')
            case "ID":
                self._tell('ID ("name" "fake")')
            case "LOGIN":
                self._log_in(plain(words[0]), plain(words[1]))
                return f"[CAPABILITY {CAPABILITIES}] Logged in"
            case "AUTHENTICATE":
                await self._authenticate(words)
            case "LOGOUT":
                self._tell("BYE Logging out")
            case "IDLE":
                await self._idle()
            case "UID":
                inner = plain(words[0]).upper()
                self._act(inner, words[1:], by_uid=True)
            case _:
                return self._act(command, words, by_uid=False)
        return f"{command} completed."

    def _act(self, command: str, words: list[Word], *, by_uid: bool) -> str:
        """The commands about mailboxes and mails; never waits."""
        with self._server.lock:
            match command:
                case "SELECT" | "EXAMINE":
                    return self._select(plain(words[0]), may_write=command == "SELECT")
                case "LIST" | "LSUB":
                    self._list(plain(words[1]), command)
                case "CREATE":
                    self._create(plain(words[0]))
                case "STATUS":
                    self._status(plain(words[0]), words[1])
                case "APPEND":
                    return self._append(words)
                case "SEARCH":
                    found = search(words, self._view)
                    numbers = [mail.uid if by_uid else self._view.index(mail) + 1 for mail in found]
                    self._tell(" ".join(["SEARCH", *map(str, numbers)]))
                case "FETCH":
                    self._fetch(self._chosen(plain(words[0]), by_uid), words[1], by_uid=by_uid)
                case "STORE":
                    self._store(self._chosen(plain(words[0]), by_uid), plain(words[1]), words[2:], by_uid=by_uid)
                case "COPY" | "MOVE":
                    return self._copy(self._chosen(plain(words[0]), by_uid), plain(words[1]), moves=command == "MOVE")
                case "EXPUNGE":
                    self._expunge(self._chosen(plain(words[0]), True) if words else self._view)
                case "CLOSE":
                    self._expunge(self._view)
                    self._folder, self._view = None, []
                case "UNSELECT":
                    self._folder, self._view = None, []
                case "NOOP" | "CHECK" | "SUBSCRIBE" | "UNSUBSCRIBE":
                    pass
                case _:
                    raise BadCommand(f"Unknown command {command}.")
        return f"{command} completed."

    # ---------------------------------------------------------------------------------------------- login

    def _log_in(self, name: str, password: str) -> None:
        self._box = self._server.log_in(name, password)
        if self._box is None:
            raise No("[AUTHENTICATIONFAILED] Authentication failed.")

    async def _authenticate(self, words: list[Word]) -> None:
        if plain(words[0]).upper() != "PLAIN":
            raise No("Unsupported authentication mechanism.")
        if len(words) == 1:
            self._write("+ ")
            await self._writer.drain()
        given = plain(words[1]) if len(words) > 1 else (await self._reader.readline()).decode()
        _, name, password = base64.b64decode(given).decode().split("\0")
        self._log_in(name, password)

    # ---------------------------------------------------------------------------------------------- folders

    @property
    def _mailbox(self) -> Mailbox:
        if self._box is None:
            raise No("Please log in first.")
        return self._box

    def _known_folder(self, name: str) -> Folder:
        if name.upper() != "INBOX" and name not in self._mailbox.folders:
            raise No(f"[NONEXISTENT] Mailbox doesn't exist: {name}")
        return self._mailbox.folder(name)

    def _select(self, name: str, *, may_write: bool) -> str:
        self._folder, self._view = None, []
        folder = self._known_folder(name)
        self._folder, self._view, self._may_write = folder, list(folder.mails), may_write
        self._tell("FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)")
        self._tell("OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.")
        self._tell(f"{len(folder.mails)} EXISTS")
        self._tell("0 RECENT")
        self._tell(f"OK [UIDVALIDITY {folder.uidvalidity}] UIDs valid")
        self._tell(f"OK [UIDNEXT {folder.next_uid}] Predicted next UID")
        return "[READ-WRITE] Select completed." if may_write else "[READ-ONLY] Examine completed."

    def _list(self, pattern: str, command: str) -> None:
        if pattern == "":
            self._tell(f'{command} (\\Noselect) "/" ""')
            return
        wanted = re.compile(re.escape(pattern).replace(r"\*", ".*").replace("%", "[^/]*"), re.IGNORECASE)
        for name in sorted({"INBOX", *self._mailbox.folders}):
            if wanted.fullmatch(name):
                self._tell(f'{command} (\\HasNoChildren) "/" "{name}"')

    def _create(self, name: str) -> None:
        if name.upper() == "INBOX" or name in self._mailbox.folders:
            raise No("[ALREADYEXISTS] Mailbox already exists")
        self._mailbox.folder(name)

    def _status(self, name: str, items: Word) -> None:
        folder = self._known_folder(name)
        figures = {
            "MESSAGES": len(folder.mails),
            "RECENT": 0,
            "UIDNEXT": folder.next_uid,
            "UIDVALIDITY": folder.uidvalidity,
            "UNSEEN": sum("\\Seen" not in mail.flags for mail in folder.mails),
        }
        wanted = [plain(item).upper() for item in items] if isinstance(items, list) else []
        pairs = " ".join(f"{item} {figures[item]}" for item in wanted if item in figures)
        self._tell(f'STATUS "{folder.name}" ({pairs})')

    def _append(self, words: list[Word]) -> str:
        if plain(words[0]).upper() != "INBOX" and plain(words[0]) not in self._mailbox.folders:
            raise No("[TRYCREATE] Mailbox doesn't exist")
        folder = self._known_folder(plain(words[0]))
        flags = {plain(flag) for word in words[1:-1] if isinstance(word, list) for flag in word}
        raw = words[-1] if isinstance(words[-1], bytes) else plain(words[-1]).encode()
        mail = folder.add(raw, self._server.now(), flags)
        self._server.bell.ring()
        return f"[APPENDUID {folder.uidvalidity} {mail.uid}] Append completed."

    # ---------------------------------------------------------------------------------------------- mails

    def _chosen(self, numbers: str, by_uid: bool) -> list[Mail]:
        if by_uid:
            uids = set(in_set(numbers, [mail.uid for mail in self._view]))
            return [mail for mail in self._view if mail.uid in uids]
        return [self._view[place - 1] for place in in_set(numbers, range(1, len(self._view) + 1))]

    def _fetch(self, mails: list[Mail], wanted: Word, *, by_uid: bool) -> None:
        items = [plain(word) for word in wanted] if isinstance(wanted, list) else [plain(wanted)]
        if items[0].upper() in {"ALL", "FAST"}:
            items = ["FLAGS", "INTERNALDATE", "RFC822.SIZE"]
        if by_uid and "UID" not in [item.upper() for item in items]:
            items.insert(0, "UID")
        places = {id(mail): place for place, mail in enumerate(self._view, start=1)}
        for mail in mails:
            if mail.is_unreadable and any(item.upper().startswith(("BODY", "RFC822")) for item in items):
                raise No("[SERVERBUG] Internal error while reading the mail.")
            self._writer.write(f"* {places[id(mail)]} FETCH (".encode())
            self._writer.write(b" ".join(self._item(mail, item) for item in items) + b")\r\n")

    def _item(self, mail: Mail, item: str) -> bytes:
        match item.upper():
            case "UID":
                return f"UID {mail.uid}".encode()
            case "FLAGS":
                return f"FLAGS ({' '.join(sorted(mail.flags))})".encode()
            case "INTERNALDATE":
                return f'INTERNALDATE "{internal_date(mail.at)}"'.encode()
            case "RFC822.SIZE":
                return f"RFC822.SIZE {len(mail.raw)}".encode()
            case "RFC822":
                self._mark_seen(mail)
                return literal("RFC822", mail.raw)
            case "RFC822.HEADER":
                return literal("RFC822.HEADER", section_of(mail.raw, "HEADER"))
            case "RFC822.TEXT":
                self._mark_seen(mail)
                return literal("RFC822.TEXT", section_of(mail.raw, "TEXT"))
        found = SECTION.fullmatch(item)
        if not found:
            raise BadCommand(f"Unknown item {item}")
        content, tail = section_of(mail.raw, found["what"]), ""
        if found["start"]:
            start = int(found["start"])
            content, tail = content[start : start + int(found["count"])], f"<{start}>"
        if not found["peek"]:
            self._mark_seen(mail)
        return literal(f"BODY[{found['what']}]{tail}", content)

    def _mark_seen(self, mail: Mail) -> None:
        if self._may_write:
            mail.flags.add("\\Seen")

    def _store(self, mails: list[Mail], how: str, words: list[Word], *, by_uid: bool) -> None:
        self._must_write()
        flat = [word for each in words for word in (each if isinstance(each, list) else [each])]
        flags, verb = {plain(flag) for flag in flat}, how.upper().removesuffix(".SILENT")
        for mail in mails:
            match verb:
                case "FLAGS":
                    mail.flags = set(flags)
                case "+FLAGS":
                    mail.flags |= flags
                case "-FLAGS":
                    mail.flags -= flags
                case _:
                    raise BadCommand(f"Unknown item {how}")
            if not how.upper().endswith(".SILENT"):
                uid = f" UID {mail.uid}" if by_uid else ""
                self._tell(f"{self._view.index(mail) + 1} FETCH (FLAGS ({' '.join(sorted(mail.flags))}){uid})")

    def _copy(self, mails: list[Mail], name: str, *, moves: bool) -> str:
        if name.upper() != "INBOX" and name not in self._mailbox.folders:
            raise No(f"[TRYCREATE] Mailbox doesn't exist: {name}")
        target = self._known_folder(name)
        copies = [target.add(mail.raw, mail.at, mail.flags) for mail in mails]
        numbers = [",".join(str(mail.uid) for mail in each) for each in (mails, copies)]
        code = f"[COPYUID {target.uidvalidity} {numbers[0]} {numbers[1]}] " if mails else ""
        self._server.bell.ring()
        if not moves:
            return f"{code}Copy completed."
        self._must_write()
        if code:
            self._tell(f"OK {code}Moved.")
        self._remove(mails)
        return "Move completed."

    def _expunge(self, mails: list[Mail]) -> None:
        self._must_write()
        self._remove([mail for mail in mails if "\\Deleted" in mail.flags])

    def _remove(self, mails: list[Mail]) -> None:
        if self._folder:
            self._folder.remove({mail.uid for mail in mails})
        self._refresh()
        self._server.bell.ring()

    def _must_write(self) -> None:
        if not self._may_write:
            raise No("[NOPERM] Mailbox is read-only.")

    def _refresh(self) -> None:
        """Tell what came and went in the selected folder since the client last heard."""
        if self._folder is None:
            return
        with self._server.lock:
            present = {id(mail) for mail in self._folder.mails}
            for place in range(len(self._view), 0, -1):
                if id(self._view[place - 1]) not in present:
                    del self._view[place - 1]
                    self._tell(f"{place} EXPUNGE")
            known = {id(mail) for mail in self._view}
            fresh = [mail for mail in self._folder.mails if id(mail) not in known]
            if fresh:
                self._view += fresh
                self._tell(f"{len(self._view)} EXISTS")

    async def _idle(self) -> None:
        self._write("+ idling")
        ending = asyncio.ensure_future(self._reader.readline())
        try:
            with self._server.bell.ear() as ear:
                while not ending.done():
                    self._refresh()
                    await self._writer.drain()
                    rung = asyncio.ensure_future(ear.wait(120.0))
                    await asyncio.wait({rung, ending}, return_when=asyncio.FIRST_COMPLETED)
                    if rung.done() and not rung.result():
                        self._tell("OK Still here")
                    rung.cancel()
            line = ending.result()
        finally:
            ending.cancel()
        if not line:
            raise Hangup
        if line.strip().upper() != b"DONE":
            raise BadCommand("Expected DONE.")

    def _write(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())

    def _tell(self, line: str) -> None:
        self._write(f"* {line}")


def section_of(raw: bytes, what: str) -> bytes:
    head, gap, body = raw.partition(b"\r\n\r\n")
    what = what.upper()
    if what == "":
        return raw
    if what == "HEADER":
        return head + gap
    if what in {"TEXT", "1"}:
        return body
    if what.startswith("HEADER.FIELDS"):
        names = re.findall(r"[\w-]+", what.partition("(")[2])
        lines = re.split(rb"\r\n(?![ \t])", head)
        inverted = what.startswith("HEADER.FIELDS.NOT")
        kept = [line for line in lines if (line.partition(b":")[0].decode().upper() in names) != inverted]
        return b"".join(line + b"\r\n" for line in kept) + b"\r\n"
    raise BadCommand(f"Unknown section {what}")


def literal(name: str, content: bytes) -> bytes:
    return f"{name} {{{len(content)}}}\r\n".encode() + content
