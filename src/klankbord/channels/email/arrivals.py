"""One mail to one item: who wrote, what is new in it, which thread it belongs to, and what to be wary of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeAlias

from klankbord import contract
from klankbord.contract import (
    Arrived,
    AuthorKind,
    Delivery,
    Ignored,
    Item,
    Malformed,
    Media,
    MediaKind,
    Person,
    Place,
    Visibility,
)
from klankbord.kernel import tags

from . import addresses, authentication, automatic, bodies, bounces, headers, identifiers, quotes, reading, verification
from .addresses import Mailbox
from .credentials import Credentials
from .headers import Headers
from .reading import Mail

# What `fetching` tells along with a mail, as headers of the delivery (not of the mail).
ARRIVED_AT = "x-mailbox-arrived-at"  # ISO 8601: when our mail server took it
TOO_LARGE = "x-mailbox-too-large"  # the size in bytes of a mail of which only the headers were fetched
UNFETCHABLE = "x-mailbox-unfetchable"  # why a mail could not be fetched at all

Account: TypeAlias = contract.Account[Credentials]

_TICKET = re.compile(r"\[#(\d{1,12})\]")
_TAG_SHAPE = re.compile(r"[a-z0-9]{17,200}")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def read(delivery: Delivery, account: Account) -> Iterator[Item]:
    """The item of one delivery. Pure; takes time in proportion to the size of the mail."""
    if reason := delivery.headers.get(UNFETCHABLE):
        yield Malformed(f"The mail could not be fetched: {reason}", raw=delivery.body)
        return
    mail = reading.read(delivery.body)
    if not mail.headers.by_name:
        yield Malformed("This is not a mail: it has no headers.", raw=delivery.body[:20_000])
        return
    yield _item(mail, delivery, account)


@dataclass(frozen=True, slots=True)
class _Sender:
    """address: normal form, "" when unknown. remarks: why it is unknown or doubtful."""

    address: str
    name: str
    remarks: tuple[str, ...] = ()


def _item(mail: Mail, delivery: Delivery, account: Account) -> Item:
    ours = account.credentials
    sender = _sender(mail.headers)
    external_id = _external_id(mail)
    reached = tuple(addresses.plus_part(each) for each in _reached(mail.headers) if ours.is_ours(each))
    at = _moment(mail.headers, delivery)
    bounce = bounces.read(mail, sender=sender.address, reached=reached, reply_key=account.reply_key, at=at)
    if bounce is not None:
        return bounce
    is_own = ours.is_ours(sender.address)
    if identifiers.is_ours(external_id, reply_key=account.reply_key) and not is_own:
        return Ignored("own-message", external_id)  # our mail, sent back to us by a list or a forwarding service
    if is_own and not identifiers.is_ours(external_id, reply_key=account.reply_key):
        return Ignored("own-address", external_id)
    return _arrived(mail, delivery, account, sender, external_id, reached, at, is_own=is_own)


def _arrived(
    mail: Mail,
    delivery: Delivery,
    account: Account,
    sender: _Sender,
    external_id: str,
    reached: tuple[str, ...],
    at: datetime,
    *,
    is_own: bool,
) -> Arrived:
    body = bodies.read(mail)
    subject = mail.headers.text("subject", limit=300)
    split = quotes.split(body.text, is_forwarded=quotes.is_forward(subject))
    chain = _chain(mail.headers, account)
    reply_tag, has_forged_tag = _reply_tag(reached, chain.thread_ids, account)
    signs = automatic.signs(mail.headers, sender=sender.address, report=mail.root.kind == "multipart/report")
    verdict = authentication.verdict(mail.headers, authserv_id=account.credentials.authserv_id, sender=sender.address)
    asks_to_verify = verification.asks_to_verify(
        sender=sender.address, subject=subject, text=split.text, is_automatic=bool(signs)
    )
    reply_to = _reply_to(mail.headers, sender.address)
    too_large = delivery.headers.get(TOO_LARGE, "")
    also_to = _also_to(mail.headers, account.credentials)
    remarks = [
        *sender.remarks,
        *mail.remarks,
        *body.remarks,
        *(["forged-reply-tag"] if has_forged_tag or chain.has_forged_id else []),
        *(["unverified-sender"] if verdict and not verdict.is_aligned else []),
        *(["third-party-verification"] if asks_to_verify else []),
        *(["reply-to-differs"] if reply_to else []),
        *(["too-large"] if too_large else []),
    ]
    facts = {
        "digest": _digest(mail),
        **({"automatic": list(signs)} if signs else {}),
        **({"authentication": verdict.results} if verdict else {}),
        **({"reply_to": reply_to} if reply_to else {}),
        **({"remote_images": body.remote_images} if body.remote_images else {}),
        **({"ticket": ticket[1]} if (ticket := _TICKET.search(subject)) else {}),
    }
    return Arrived(
        external_id=external_id,
        place=Place(key=chain.root or external_id, visibility=Visibility.PRIVATE, title=subject),
        person=_counterpart(also_to, external_id) if is_own else _person(sender, external_id),
        text=split.text,
        at=at,
        html=body.html,
        quoted=split.quoted,
        media=(*body.media, *([_left_behind(too_large)] if too_large else [])),
        is_own=is_own,
        author_kind=AuthorKind.AGENT if is_own else AuthorKind.CONTACT,
        author_name=sender.name if is_own else "",
        thread_ids=chain.thread_ids,
        reply_tag=reply_tag,
        client_key=identifiers.key_of(external_id, reply_key=account.reply_key) if is_own else "",
        in_reply_to=chain.in_reply_to,
        is_automatic=bool(signs),
        is_spam=asks_to_verify,
        also_to=also_to,
        remarks=tuple(dict.fromkeys(remarks)),
        facts=facts,
    )


# ------------------------------------------------------------------------------------------------ who


def _sender(top: Headers) -> _Sender:
    """The one person who wrote it. Two From headers that disagree, or none, leave the sender unknown."""
    mailboxes = [each for raw in top.all("from")[:5] for each in addresses.read_list(raw, most=20)]
    named = list(dict.fromkeys(each.address for each in mailboxes if each.address))
    if len(top.all("from")) > 1 and len(named) > 1:
        return _Sender("", "", ("unknown-sender", "several-senders"))
    if not named:
        name = headers.one_line(mailboxes[0].name, limit=100) if mailboxes else ""
        return _Sender("", name, ("unknown-sender",))
    chosen = named[0]
    if len(named) > 1:
        posted_by = [each.address for each in addresses.read_list(top.get("sender"), most=2)]
        chosen = posted_by[0] if posted_by and posted_by[0] in named else chosen
    return _Sender(chosen, _name(mailboxes, chosen), ("several-senders",) if len(named) > 1 else ())


def _name(mailboxes: list[Mailbox], address: str) -> str:
    found = next((each.name for each in mailboxes if each.address == address), "")
    return headers.one_line(found, limit=100).strip("'\"")


def _person(sender: _Sender, external_id: str) -> Person:
    if sender.address:
        return Person(external_id=sender.address, name=sender.name, email=addresses.shown(sender.address))
    # Each unknown sender is somebody else: were they all one, they would see each other's conversations.
    return Person(external_id=f"unknown:{hashlib.sha256(external_id.encode()).hexdigest()[:32]}", name=sender.name)


def _counterpart(also_to: tuple[str, ...], external_id: str) -> Person:
    return _person(_Sender(also_to[0] if also_to else "", ""), external_id)


def _reply_to(top: Headers, sender: str) -> str:
    """Where the sender wants answers, when that is somewhere else. Shown; answers go to the sender all the same."""
    wanted = [each.address for each in addresses.read_list(top.get("reply-to"), most=5) if each.address]
    return wanted[0] if wanted and sender and sender not in wanted else ""


def _also_to(top: Headers, ours: Credentials) -> tuple[str, ...]:
    listed: list[str] = []
    for name in ("to", "cc"):
        room = addresses.MOST_ADDRESSES - len(listed)
        listed += [each.address for each in addresses.read_list(top.get(name), most=room) if each.address]
    return tuple(each for each in dict.fromkeys(listed) if not ours.is_ours(each))


def _reached(top: Headers) -> list[str]:
    """The addresses under which it came to us, as far as headers tell."""
    names = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc")
    raws = [raw for name in names for raw in top.all(name)[:5]]
    return list(dict.fromkeys(each.address for raw in raws for each in addresses.read_list(raw) if each.address))


# ------------------------------------------------------------------------------------------------ where


@dataclass(frozen=True, slots=True)
class _Chain:
    """The mails before this one. root: the first of them. thread_ids: the nearest first."""

    root: str
    in_reply_to: str
    thread_ids: tuple[str, ...]
    has_forged_id: bool


def _chain(top: Headers, account: Account) -> _Chain:
    """In-Reply-To, then References from last to first; an id that pretends to be ours is none."""
    answered = identifiers.read_all(top.get("in-reply-to"))
    references = identifiers.read_all(top.get("references"))
    forged = {
        each
        for each in (*answered, *references)
        if identifiers.looks_ours(each, domains={account.credentials.domain})
        and not identifiers.is_ours(each, reply_key=account.reply_key)
    }
    thread_ids = [each for each in (*answered, *reversed(references)) if each not in forged]
    roots = [each for each in (*references, *answered) if each not in forged]
    return _Chain(
        root=roots[0] if roots else "",
        in_reply_to=next((each for each in answered if each not in forged), ""),
        thread_ids=tuple(dict.fromkeys(thread_ids)),
        has_forged_id=bool(forged),
    )


def _reply_tag(reached: tuple[str, ...], thread_ids: tuple[str, ...], account: Account) -> tuple[str, bool]:
    """The signed tag that names one of our threads, and whether somebody tried a false one."""
    shaped = [each for each in reached if _TAG_SHAPE.fullmatch(each)]
    genuine = [each for each in shaped if tags.read_tag(each, key=account.reply_key)]
    if not genuine:
        genuine = [tag for each in thread_ids if (tag := identifiers.tag_of(each, reply_key=account.reply_key))]
    is_forged = any(not tags.read_tag(each, key=account.reply_key) for each in shaped)
    return (genuine[0] if genuine else ""), is_forged


def _external_id(mail: Mail) -> str:
    own = identifiers.normalise(mail.headers.get("message-id"))
    if own and not own.endswith(f"@{identifiers.NO_ID_DOMAIN}"):
        return own
    return identifiers.artificial(*_identity(mail, "from", "date", "subject"))


def _digest(mail: Mail) -> str:
    """The same for the same content, so that one Message-ID with two contents can be told apart."""
    return hashlib.sha256(b"\x00".join(_identity(mail, "from", "subject"))).hexdigest()[:32]


def _identity(mail: Mail, *names: str) -> tuple[bytes, ...]:
    return (*(mail.headers.get(name).encode("utf-8", "replace") for name in names), mail.root.body.strip())


# ------------------------------------------------------------------------------------------------ when, and the rest


def _moment(top: Headers, delivery: Delivery) -> datetime:
    """When it was sent. A date that our own mail server's clock contradicts gives way to that clock."""
    arrived = _aware(delivery.headers.get(ARRIVED_AT, "")) or delivery.received_at.astimezone(UTC)
    sent = _date(top.get("date"))
    if sent is None:
        return arrived
    earliest = _EARLIEST if delivery.is_history else arrived - timedelta(days=2)
    return sent if earliest <= sent <= arrived + timedelta(minutes=10) else arrived


def _date(raw: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(raw[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _aware(moment: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _left_behind(size: str) -> Media:
    return Media(
        kind=MediaKind.FILE,
        name="message.eml",
        content_type="message/rfc822",
        size=int(size) if size.isdecimal() else None,
        refused="The mail is too large to fetch; its text and files are still in the mailbox.",
    )
