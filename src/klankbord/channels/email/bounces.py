"""Mail that came back (RFC 3464): which of our messages it was, and why.

Only an id or an address that we signed names a message of ours. Anybody can write a bounce; nobody can invent the id
of a mail that was not sent to them. For the same reason a bounce says nothing about a person: who once got a mail from
us could otherwise declare somebody else unreachable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from klankbord.contract import Ignored, Item, ReceiptArrived, ReceiptState
from klankbord.kernel import text as texts

from . import headers, identifiers
from .headers import Headers
from .reading import Mail

LONGEST_REPORT = 64 * 1024

_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_ORIGINAL_PARTS = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}
)
_DAEMONS = frozenset({"mailer-daemon", "mail-daemon", "postmaster", "mdaemon", "mailerdaemon"})
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_MESSAGE_ID_LINE = re.compile(rb"^[>\s]{0,8}Message-ID:\s{0,80}(<[^<>\s]{3,400}>)", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_SENTENCES = (
    (re.compile(r"5\.1\.[016]|5\.1\.10|5\.5\.0"), "The address does not exist."),
    (re.compile(r"[45]\.1\.2|[45]\.4\.4|5\.1\.8"), "The domain does not exist or takes no mail."),
    (re.compile(r"5\.2\.1"), "The mailbox is switched off."),
    (re.compile(r"[45]\.2\.2"), "The mailbox is full."),
    (re.compile(r"[45]\.2\.3|[45]\.3\.4"), "The mail is too large for the receiver."),
    (re.compile(r"[45]\.4\.\d+"), "The receiving mail server could not be reached."),
    (re.compile(r"[45]\.7\.\d+"), "The receiving mail server refused it."),
)
_ANY_REASON = "The mail came back undelivered."


def read(mail: Mail, *, sender: str, reached: tuple[str, ...], reply_key: bytes, at: datetime) -> Item | None:
    """What a bounce means, None when the mail is no bounce.

    sender: address in normal form. reached: what stood after the plus in the addresses of ours that it was sent to.
    """
    reports = [part for part in mail.parts() if part.kind in _STATUS_PARTS]
    is_report = mail.root.kind == "multipart/report" and (
        "delivery-status" in (mail.root.parameters.get("report-type") or "delivery-status").lower()
    )
    is_from_daemon = sender.rpartition("@")[0].partition("+")[0] in _DAEMONS
    if not reports and not is_report and not is_from_daemon:
        return None
    original = next(_our_ids(mail, reply_key), "")
    key = next((key for each in reached if (key := identifiers.bounced_key(each, reply_key=reply_key))), "")
    if not original and not key:
        # A postmaster who writes a plain mail is a person with something to say.
        return Ignored("bounce-of-unknown-mail") if reports or is_report else None
    state, reason = _outcome([each for part in reports for each in _recipients(part.data)])
    if state is None:
        return Ignored("delivery-delayed")
    return ReceiptArrived(state=state, at=at, external_id=original, client_key="" if original else key, reason=reason)


@dataclass(frozen=True, slots=True)
class _Recipient:
    address: str
    action: str
    status: str
    diagnostic: str


def _our_ids(mail: Mail, reply_key: bytes) -> Iterator[str]:
    """Ids of ours that the bounce names: in the mail that came back, in its own headers, in its text."""
    for part in mail.parts():
        if part.kind in _ORIGINAL_PARTS:
            original, _ = headers.split(part.data[: headers.LONGEST_SCAN])
            yield from _signed((original.get("message-id"),), reply_key)
    yield from _signed(identifiers.read_all(mail.headers.get("in-reply-to")), reply_key)
    yield from _signed(identifiers.read_all(mail.headers.get("references")), reply_key)
    for part in mail.parts():
        if part.kind.startswith("text/"):
            found = _MESSAGE_ID_LINE.findall(part.data[:LONGEST_REPORT])
            yield from _signed((each.decode("ascii", "replace") for each in found[:20]), reply_key)


def _signed(raws: Iterator[str] | tuple[str, ...], reply_key: bytes) -> Iterator[str]:
    for raw in raws:
        identifier = identifiers.normalise(raw)
        if identifiers.is_ours(identifier, reply_key=reply_key):
            yield identifier


def _recipients(report: bytes) -> Iterator[_Recipient]:
    """The blocks of a delivery status that speak of a recipient; the first block speaks of the message."""
    for block in _BLANK_LINE.split(report[:LONGEST_REPORT].strip())[:50]:
        said, _ = headers.split(block)
        if said.has("action") or said.has("final-recipient"):
            yield _Recipient(
                address=_after_type(said, "final-recipient") or _after_type(said, "original-recipient"),
                action=said.get("action").strip().lower(),
                status=said.get("status").strip(),
                diagnostic=_after_type(said, "diagnostic-code"),
            )


def _after_type(said: Headers, name: str) -> str:
    """The value behind "rfc822;" or "smtp;"."""
    kind, semicolon, value = said.get(name).partition(";")
    return texts.one_line(headers.decode_words(value if semicolon else kind), limit=300)


def _outcome(recipients: list[_Recipient]) -> tuple[ReceiptState | None, str]:
    """The state and the reason; no state while the mail is still being tried. A bounce that says nothing is a no."""
    actions = {each.action for each in recipients}
    failed = next(
        (each for each in recipients if each.action not in ("delayed", "delivered", "relayed", "expanded")), None
    )
    if failed is None and "delayed" in actions:
        return None, ""
    if failed is None and actions & {"delivered", "relayed"}:
        return ReceiptState.DELIVERED, ""
    if failed is None and "expanded" in actions:
        return None, ""
    return ReceiptState.FAILED, _reason(failed) if failed else _ANY_REASON


def _reason(failed: _Recipient) -> str:
    found = _STATUS.search(failed.status) or _STATUS.search(failed.diagnostic)
    status = found.group() if found else ""
    sentence = next((words for pattern, words in _SENTENCES if pattern.fullmatch(status)), _ANY_REASON)
    details = " ".join(each for each in (failed.address, failed.diagnostic or status) if each)
    return f"{sentence} ({details})" if details else sentence
