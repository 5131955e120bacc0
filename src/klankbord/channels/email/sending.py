"""One reply as a mail, handed to the outgoing server.

The point of no return is the end of the data: trouble before it means that nothing was sent, silence after it means
that nobody knows.
"""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
from collections.abc import Iterator
from typing import Any, NoReturn, TypeAlias

from klankbord import contract
from klankbord.contract import (
    CredentialsRejected,
    MediaLimit,
    Outgoing,
    Receipt,
    Refused,
    Unavailable,
    Uncertain,
    Wires,
)
from klankbord.kernel import text as texts

from . import addresses, composing, identifiers
from .credentials import Credentials

Account: TypeAlias = contract.Account[Credentials]

LONGEST_LOCAL_PART = 64  # RFC 5321 §4.5.3.1.1

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_NOT_THERE = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10", "5.2.1"})
_AUTHENTICATE = frozenset({530, 534, 535, 538})
_DOTS = re.compile(rb"(?m)^\.")
_SILENCE = "The outgoing mail server gave no answer after it had the whole mail."
_TROUBLES = (smtplib.SMTPException, OSError, ValueError)


def send(outgoing: Outgoing, account: Account, wires: Wires, limit: MediaLimit) -> Receipt:
    """Raises Refused, CredentialsRejected, Unavailable or Uncertain."""
    recipient = _recipient(outgoing)
    _check_uploads(outgoing, limit)
    message_id = identifiers.make(
        reply_tag=outgoing.reply_tag,
        key=outgoing.key,
        reply_key=account.reply_key,
        domain=account.credentials.domain,
    )
    sender = _envelope_sender(outgoing, account)
    content = composing.compose(
        outgoing,
        ours=account.credentials,
        recipient=recipient,
        reply_to=_reply_to(outgoing, account),
        message_id=message_id,
        now=wires.now(),
    )
    with opened(account, wires) as smtp:
        hand_over(smtp, sender=sender, recipient=recipient, content=content)
    return Receipt(external_ids=(message_id,), at=wires.now(), facts={"envelope_sender": sender})


@contextlib.contextmanager
def opened(account: Account, wires: Wires) -> Iterator[Any]:
    """An `smtplib.SMTP`, logged in. Raises CredentialsRejected or Unavailable."""
    ours = account.credentials
    smtp = wires.mail.smtp(host=ours.smtp_host, port=int(ours.smtp_port), security=ours.smtp_security)
    try:
        try:
            smtp.local_hostname = ours.domain
            smtp.ehlo_or_helo_if_needed()
            _log_in(smtp, ours.smtp_user or ours.imap_user, ours.smtp_password or ours.imap_password)
        except smtplib.SMTPResponseException as refusal:
            _raise_for(refusal.smtp_code, _words(refusal.smtp_error), is_inbox_wide=True)
        except _TROUBLES as trouble:
            raise _no_answer(trouble) from trouble
        yield smtp
    finally:
        # Whatever is said at parting changes nothing, and a server that is slow to say it must not be waited for.
        with contextlib.suppress(*_TROUBLES):
            smtp.send(b"QUIT\r\n")
        smtp.close()


def hand_over(smtp: Any, *, sender: str, recipient: str, content: bytes) -> None:
    """Give one mail to the server, step by step. Raises Refused, CredentialsRejected, Unavailable or Uncertain."""
    data = _DOTS.sub(b"..", content)
    try:
        _check_size(smtp, len(data))
        _expect(smtp.mail(sender, [f"SIZE={len(data)}"] if smtp.has_extn("size") else []), is_inbox_wide=True)
        _expect(smtp.rcpt(recipient), is_recipient=True)
        _expect(smtp.docmd("DATA"), wanted=354, is_inbox_wide=True)
        smtp.send(data + (b"" if data.endswith(b"\r\n") else b"\r\n") + b".\r\n")
    except _TROUBLES as trouble:
        raise _no_answer(trouble) from trouble
    try:
        answer = smtp.getreply()
    except _TROUBLES as trouble:
        raise Uncertain(_SILENCE, code="no-answer") from trouble
    if not 200 <= answer[0] < 600:
        raise Uncertain(_SILENCE, code="no-answer")  # something answered, but not a mail server
    _expect(answer)


def takes_plus_addresses(smtp: Any, account: Account) -> bool:
    """Would the server take a mail to our address with something after a plus? Asks, and sends nothing."""
    ours = account.credentials
    local = ours.mailbox.rpartition("@")[0].partition("+")[0]
    try:
        if not 200 <= smtp.mail(ours.mailbox)[0] < 300:
            return True  # it does not let us ask
        return int(smtp.rcpt(f"{local}+b-question@{ours.domain}")[0]) not in range(550, 555)
    except _TROUBLES:
        return True


# ------------------------------------------------------------------------------------------------ addresses


def _recipient(outgoing: Outgoing) -> str:
    """The person's own address: never a Reply-To or a Cc that a stranger chose."""
    address = addresses.normalise(outgoing.to.external_id) or addresses.normalise(outgoing.to.email)
    if not address:
        raise Refused("This person has no e-mail address that can be written to.", code="no-address")
    if not address.isascii():
        raise Refused("This address has letters that mail servers do not pass on yet.", code="address-not-ascii")
    return address


def _envelope_sender(outgoing: Outgoing, account: Account) -> str:
    """Where a bounce goes: an address that names this very message, where plus addresses arrive."""
    return _with_plus(identifiers.bounce_part(outgoing.key, reply_key=account.reply_key), account) or (
        account.credentials.mailbox
    )


def _reply_to(outgoing: Outgoing, account: Account) -> str:
    """Where an answer goes, "" for the sender's address: an address that names the thread."""
    return _with_plus(outgoing.reply_tag.lower(), account) if outgoing.reply_tag else ""


def _with_plus(part: str, account: Account) -> str:
    """Our address with something after a plus; "" when such mail would not arrive or the address be too long."""
    local, _, domain = account.credentials.mailbox.rpartition("@")
    extended = f"{local.partition('+')[0]}+{part}"
    is_possible = account.credentials.has_plus_addresses and len(extended) <= LONGEST_LOCAL_PART
    return f"{extended}@{domain}" if is_possible and account.reply_key else ""


def _check_uploads(outgoing: Outgoing, limit: MediaLimit) -> None:
    if len(outgoing.uploads) > limit.count:
        raise Refused(f"At most {limit.count} attachments go with one mail.", code="too-many-attachments")
    if sum(each.size for each in outgoing.uploads) > limit.bytes_each:
        raise Refused(
            f"The attachments are larger than {limit.bytes_each // 1_000_000} MB together.", code="attachment-too-large"
        )


# ------------------------------------------------------------------------------------------------ answers


def _log_in(smtp: Any, user: str, password: str) -> None:
    if not user or not smtp.has_extn("auth"):
        return  # a relay that knows us by our address; one that does not will say so
    try:
        smtp.login(user, password)
    except UnicodeEncodeError:
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
        code, words = smtp.docmd("AUTH", f"PLAIN {token}")
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, words) from None


def _check_size(smtp: Any, size: int) -> None:
    most = str(smtp.esmtp_features.get("size", "")).strip()
    if most.isdecimal() and 0 < int(most) < size:
        raise Refused(
            f"The mail is {size // 1_000_000} MB; the outgoing mail server takes {int(most) // 1_000_000} MB at most.",
            code="too-large",
        )


def _expect(
    answer: tuple[int, bytes], *, wanted: int = 250, is_recipient: bool = False, is_inbox_wide: bool = False
) -> None:
    code, words = answer
    if code != wanted and not (wanted == 250 and code in (250, 251, 252)):
        _raise_for(code, _words(words), is_recipient=is_recipient, is_inbox_wide=is_inbox_wide)


def _raise_for(code: int, words: str, *, is_recipient: bool = False, is_inbox_wide: bool = False) -> NoReturn:
    """What a refusal means for what happens next."""
    found = _STATUS.search(words)
    status = ".".join(found.groups()) if found else ""
    said = f"{code} {words}".strip()
    if code in _AUTHENTICATE:
        raise CredentialsRejected(
            f"The outgoing mail server refuses this user name and password: {said}", code=str(code)
        )
    if 400 <= code < 500 or code < 200:
        raise Unavailable(
            f"The outgoing mail server asks to try again later: {said}",
            is_inbox_wide=is_inbox_wide or code == 421,
            code=str(code),
        )
    raise Refused(
        f"The mail server does not take this mail: {said}",
        code=status or str(code),
        place_is_gone=is_recipient and (status in _NOT_THERE),
    )


def _no_answer(trouble: Exception) -> Unavailable:
    return Unavailable(
        f"The outgoing mail server does not answer as it should: {texts.one_line(str(trouble))}", code="smtp"
    )


def _words(said: bytes | str) -> str:
    return texts.one_line(said.decode("utf-8", "replace") if isinstance(said, bytes) else said)
