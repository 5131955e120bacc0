"""Writing and reading mails as ordinary mail programs do, and servers' reports about mail they could not bring."""

from __future__ import annotations

import email.policy
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import format_datetime, formataddr, parseaddr

from ...stage import Actor, Attachment

QUOTED = {"nl": "Op {at:%d-%m-%Y %H:%M} schreef {who}:", "en": "On {at:%d %b %Y at %H:%M}, {who} wrote:"}


def read(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=email.policy.default).parsebytes(raw)
    if not isinstance(message, EmailMessage):
        raise TypeError("not a mail")
    return message


def text_of(message: EmailMessage) -> str:
    """The words of a mail; none when it is too broken to read."""
    try:
        body = message.get_body(preferencelist=("plain", "html"))
        return str(body.get_content()).replace("\r\n", "\n").strip() if body else ""
    except (LookupError, ValueError, AttributeError):
        return ""


def attachments_of(message: EmailMessage) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(part.get_filename() or "file", part.get_content_type(), bytes_of(part))
        for part in message.iter_attachments()
    )


def bytes_of(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def write(
    actor: Actor,
    text: str,
    *,
    to: str,
    subject: str,
    message_id: str,
    at: datetime,
    answers: EmailMessage | None,
    media: Sequence[Attachment],
) -> bytes:
    """A customer's mail. An answer quotes what it answers, in the customer's language."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = formataddr((actor.name, actor.email))
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    if answers is not None:
        known = " ".join(str(answers.get("References", "")).split())
        message["In-Reply-To"] = answers["Message-ID"]
        message["References"] = f"{known} {answers['Message-ID']}".strip()
        head = QUOTED.get(actor.language, QUOTED["en"]).format(at=at, who=answers["From"])
        quote = "\n".join(f"> {line}".rstrip() for line in text_of(answers).splitlines())
        text = f"{text}\n\n{head}\n{quote}\n"
    message["MIME-Version"] = "1.0"
    message.set_content(text, cte="quoted-printable")
    for file in media:
        family, _, kind = file.content_type.partition("/")
        message.add_attachment(file.content, maintype=family, subtype=kind or "octet-stream", filename=file.name)
    return message.as_bytes()


def stamped(raw: bytes, *, sender: str, to: str, server: str, at: datetime) -> bytes:
    """The mail with what the receiving server writes on top of it."""
    domain = sender.rpartition("@")[2]
    verdict = f"spf=pass smtp.mailfrom={domain}; dkim=pass header.d={domain}; dmarc=pass" if domain else "spf=none"
    lines = (
        f"Return-Path: <{sender}>",
        f"Delivered-To: {to}",
        f"Received: from mail.{domain or 'localhost'} by {server}; {format_datetime(at)}",
        f"Authentication-Results: {server}; {verdict}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + raw


def undeliverable(raw: bytes, *, to: str, sender: str, server: str, message_id: str, at: datetime) -> bytes:
    """The report to the sender of a mail for somebody who does not exist (RFC 3464)."""
    report = EmailMessage(policy=email.policy.SMTP)
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{server}>"
    report["To"] = sender
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = format_datetime(at)
    report["Message-ID"] = message_id
    report["Auto-Submitted"] = "auto-replied"
    report["MIME-Version"] = "1.0"
    report.make_mixed()
    words = EmailMessage(policy=email.policy.SMTP)
    words.set_content(f"This is the mail system at {server}.\n\nNobody here is called {to}, so your mail came back.\n")
    original = EmailMessage(policy=email.policy.SMTP)
    original.set_content(read(raw))
    del original["MIME-Version"], words["MIME-Version"]
    for part in (words, delivery_status(to=to, server=server), original):
        report.attach(part)
    report.set_type("multipart/report", requote=False)
    report.set_param("report-type", "delivery-status")
    return report.as_bytes()


def delivery_status(*, to: str, server: str) -> EmailMessage:
    about_server, about_person = Message(), Message()
    part = EmailMessage(policy=email.policy.SMTP)
    about_server["Reporting-MTA"] = f"dns; {server}"
    about_person["Final-Recipient"] = f"rfc822; {to}"
    about_person["Original-Recipient"] = f"rfc822;{to}"
    about_person["Action"] = "failed"
    about_person["Status"] = "5.1.1"
    about_person["Remote-MTA"] = f"dns; mail.{to.rpartition('@')[2]}"
    about_person["Diagnostic-Code"] = f"smtp; 550 5.1.1 <{to}>: Recipient address rejected: User unknown"
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([about_server, about_person])
    return part


def address_of(header: object) -> str:
    return parseaddr(str(header or ""))[1].lower()
