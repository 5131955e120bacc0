"""A reply as the bytes of a mail (RFC 5322): text and HTML side by side, files, and the headers that keep a thread
together and loops away.

Nothing that a stranger wrote becomes a header without passing through one line; the customer's own words are not
quoted back, so that a forged sender learns nothing from our answer.
"""

from __future__ import annotations

import io
import re
from datetime import datetime
from email.charset import QP, Charset
from email.encoders import encode_base64
from email.generator import BytesGenerator
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr

from klankbord.contract import Outgoing, Upload
from klankbord.kernel import text as texts

from . import html, identifiers
from .credentials import Credentials
from .reading import safe_name

MOST_REFERENCES = 20

_UTF8 = Charset("utf-8")
_UTF8.body_encoding = QP
_ANSWERED = re.compile(r"\s*(?:re|antw|aw|betr|sv|tr)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_SAFE_ID = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_TYPE = re.compile(r"([a-z0-9!#$&^_.+-]+)/([a-z0-9!#$&^_.+-]+)", re.IGNORECASE)


def compose(
    outgoing: Outgoing, *, ours: Credentials, recipient: str, reply_to: str, message_id: str, now: datetime
) -> bytes:
    """The whole mail with CRLF line ends. reply_to: "" for the sender's own address."""
    mail = _body(outgoing)
    mail["Date"] = format_datetime(now)
    mail["From"] = formataddr((texts.one_line(ours.display_name, limit=100), ours.mailbox), "utf-8")
    mail["To"] = recipient
    if reply_to:
        mail["Reply-To"] = reply_to
    mail["Subject"] = _encoded(_subject(outgoing))
    mail["Message-ID"] = f"<{message_id}>"
    _add_thread(mail, outgoing)
    if outgoing.is_automatic:
        mail["Auto-Submitted"] = "auto-replied" if outgoing.in_reply_to else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
    unsubscribe = str(outgoing.facts.get("unsubscribe_url", ""))
    if re.fullmatch(r"https://[!-;=?-~]{1,900}", unsubscribe):
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return _bytes(mail)


def _body(outgoing: Outgoing) -> Message:
    words = MIMEMultipart("alternative")
    words.attach(MIMEText(outgoing.text, "plain", _UTF8))  # type: ignore[arg-type]
    markup = html.harmless(outgoing.html) if outgoing.html else html.from_text(outgoing.text)
    words.attach(MIMEText(f"<!doctype html><html><body>{markup}</body></html>", "html", _UTF8))  # type: ignore[arg-type]
    if not outgoing.uploads:
        return words
    mail = MIMEMultipart("mixed")
    mail.attach(words)
    for upload in outgoing.uploads:
        mail.attach(_file(upload))
    return mail


def _file(upload: Upload) -> Message:
    kind = _TYPE.fullmatch(upload.content_type.partition(";")[0].strip())
    part = MIMEBase(*(kind.groups() if kind and kind[1].lower() not in ("multipart", "message") else _UNKNOWN))
    part.set_payload(upload.read())
    encode_base64(part)
    name = safe_name(upload.name) or "attachment"
    part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
    if upload.description:
        part["Content-Description"] = _encoded(texts.one_line(upload.description, limit=300))
    return part


_UNKNOWN = ("application", "octet-stream")


def _subject(outgoing: Outgoing) -> str:
    title = texts.one_line(outgoing.title, limit=300)
    if not outgoing.in_reply_to or _ANSWERED.match(title):
        return title
    return f"Re: {title}".strip()


def _add_thread(mail: Message, outgoing: Outgoing) -> None:
    """In-Reply-To and References. Ids that we made up for mails without one mean nothing to anybody else."""
    answered = _usable(outgoing.in_reply_to)
    chain = [each for each in map(_usable, outgoing.thread_ids) if each and each != answered]
    chain = list(dict.fromkeys([*chain, *([answered] if answered else [])]))
    if len(chain) > MOST_REFERENCES + 1:
        chain = [chain[0], *chain[-MOST_REFERENCES:]]
    if answered:
        mail["In-Reply-To"] = f"<{answered}>"
    if chain:
        mail["References"] = "\n ".join(f"<{each}>" for each in chain)


def _usable(identifier: str) -> str:
    is_real = _SAFE_ID.fullmatch(identifier) and not identifier.endswith(f"@{identifiers.NO_ID_DOMAIN}")
    return identifier if is_real else ""


def _encoded(value: str) -> str:
    """A header value in ASCII, folded as its encoded words allow."""
    return value if value.isascii() and len(value) < 60 else Header(value, "utf-8").encode(maxlinelen=70, linesep="\n")


def _bytes(mail: Message) -> bytes:
    # No folding by the generator: it would break a long Message-ID into encoded words.
    out = io.BytesIO()
    policy = compat32.clone(linesep="\r\n", max_line_length=0)
    BytesGenerator(out, mangle_from_=False, maxheaderlen=0, policy=policy).flatten(mail)
    content = out.getvalue()
    return content if content.endswith(b"\r\n") else content + b"\r\n"
