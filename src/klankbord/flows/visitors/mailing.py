"""Answers that a visitor did not come back for go to the address they left, in the same conversation, once.

Whoever asked by the form without a script has no chat to come back to: they are mailed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext, override

from klankbord import channels
from klankbord.channels.webchat.adapter import Credentials
from klankbord.contract import AuthorKind, MediaLimit, Person, Visibility
from klankbord.desk.contacts.arrivals import find_or_make_handles
from klankbord.desk.conversations.models import (
    Attachment,
    AttachmentState,
    Message,
    MessageKind,
    MessageState,
    Thread,
)
from klankbord.desk.inboxes.models import Inbox, InboxState, Visitor
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.wall import organisation
from klankbord.kernel.ids import random_token, uuid7

from ..accounts import open_account
from ..sending import queue_automatic
from .entering import FORM, KIND

_MAIL = "email"
_RECENT = timedelta(days=7)  # an answer that could not be mailed for so long is for a person to send
_KNOWN = timedelta(days=90)  # as long as a browser is remembered
_FORM_PATIENCE = timedelta(minutes=1)  # so that an answer in two parts is one mail
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _Chat:
    """A chat inbox whose answers go by mail, and the mailbox from which they go."""

    inbox: Inbox
    mail: Inbox
    ours: Organisation
    site_name: str
    patience: timedelta
    files: MediaLimit


def can_mail(organisation_id: UUID) -> bool:
    """Is there a mailbox from which an answer to a visitor who left could go?"""
    with organisation(organisation_id):
        return _mailbox() is not None


def mail_unseen(*, now: datetime) -> int:
    """Mail what waits unread in chats whose visitor has left; gives how many mails were queued. Called by the clock."""
    mailed = 0
    for ours in Organisation.objects.order_by("id"):
        with organisation(ours.id):
            mail = _mailbox()
            if mail is None:
                continue
            files = channels.channel(_MAIL).capabilities.media
            for inbox in Inbox.objects.filter(kind=KIND, state=InboxState.CONNECTED):
                credentials: Credentials = open_account(inbox, ours).account.credentials
                patience = timedelta(minutes=max(int(credentials.mail_after_minutes), 1))
                mailed += _mail_from(_Chat(inbox, mail, ours, credentials.site_name, patience, files), now)
    return mailed


def _mailbox() -> Inbox | None:
    return Inbox.objects.filter(kind=_MAIL, state=InboxState.CONNECTED).order_by("created_at", "id").first()


def _mail_from(chat: _Chat, now: datetime) -> int:
    known = Visitor.objects.filter(inbox_id=chat.inbox.id, seen_at__gt=now - _KNOWN).exclude(email="")
    by_form = Q(external_id__startswith=FORM)
    gone_since = now - chat.patience
    mailed = 0
    for visitors, until in (
        (known.exclude(by_form).filter(seen_at__lt=gone_since), gone_since),
        (known.filter(by_form), now - _FORM_PATIENCE),
    ):
        answers = _answers(chat, until, now)
        # Only those who have something to read: the others may be many, and would take the places.
        waiting = visitors.filter(
            Exists(
                answers.filter(
                    thread__place_key=OuterRef("external_id"),
                    at__gt=Coalesce(Greatest(OuterRef("read_up_to"), OuterRef("mailed_up_to")), Value(_EVER)),
                )
            )
        )
        for visitor in waiting.order_by("id").select_for_update(skip_locked=True)[:_AT_ONCE]:
            _mail(_unseen(answers, visitor), visitor, chat, now)
            mailed += 1
    return mailed


def _answers(chat: _Chat, until: datetime, now: datetime) -> QuerySet[Message]:
    """Answers in this chat that have left, are older than the patience, and were not read."""
    return Message.objects.filter(
        Q(state=MessageState.SENT) | Q(state=MessageState.DELIVERED),
        thread__inbox_id=chat.inbox.id,
        thread__is_live=True,
        thread__handle__realm=str(chat.inbox.id),
        kind=MessageKind.OUTBOUND,
        author_kind__in=(AuthorKind.AGENT, AuthorKind.BOT),
        deleted_at=None,
        at__gte=F("thread__created_at"),
        at__gt=now - _RECENT,
        at__lt=until,
    )


def _unseen(answers: QuerySet[Message], visitor: Visitor) -> list[Message]:
    """What this visitor neither read nor had by mail; at least one, or they would not be waiting."""
    seen_up_to = max(visitor.read_up_to or _EVER, visitor.mailed_up_to or _EVER)
    unseen = answers.filter(thread__place_key=visitor.external_id, at__gt=seen_up_to)
    return list(unseen.select_related("thread").order_by("at", "id"))


def _mail(unseen: Sequence[Message], visitor: Visitor, chat: _Chat, now: datetime) -> None:
    """Our words only: whoever types a stranger's address sends them no word of their own."""
    has_chat = not visitor.external_id.startswith(FORM)
    files, left = _files(unseen, chat.files)
    with override(visitor.language if visitor.language in {"nl", "en"} else chat.ours.language):
        site = {"site": chat.site_name}
        if has_chat:
            title = gettext("Our answer to your chat with %(site)s") % site
            opening = gettext("You left before you could read our answer in the chat. Here it is.")
            closing = gettext("Reply to this mail, or go on in the chat: both reach us.")
            lost = gettext("(a file; you find it in the chat)")
        else:
            title = gettext("Our answer to your question to %(site)s") % site
            opening = gettext("You asked us something with the form on our site. Here is our answer.")
            closing = gettext("Reply to this mail: it reaches us.")
            lost = gettext("(a file that is too large for a mail; reply to us and we find another way)")
    answers = [each.text for each in unseen if each.text]
    text = "\n\n".join([opening, *answers, *[lost] * left, closing])
    thread = _mail_thread(unseen[-1].thread, visitor, chat.mail, title, now)
    message = queue_automatic(thread_id=thread, text=text, author_kind=AuthorKind.SYSTEM, now=now)
    Attachment.objects.bulk_create([_copy(each, message, now) for each in files])
    Visitor.objects.filter(id=visitor.id).update(mailed_up_to=unseen[-1].at)


def _files(unseen: Sequence[Message], limit: MediaLimit) -> tuple[list[Attachment], int]:
    """The files of these answers that fit in one mail, and how many do not."""
    of_these = Attachment.objects.filter(message_id__in=[each.id for each in unseen], state=AttachmentState.READY)
    chosen: list[Attachment] = []
    left, size = 0, 0
    for each in of_these.order_by("id"):
        if len(chosen) < limit.count and size + (each.size or 0) <= limit.bytes_each:
            chosen.append(each)
            size += each.size or 0
        else:
            left += 1
    return chosen, left


def _copy(file: Attachment, message: Message, now: datetime) -> Attachment:
    """The same stored file, with another message."""
    return Attachment(
        message_id=message.id,
        conversation_id=message.conversation_id,
        kind=file.kind,
        name=file.name,
        content_type=file.content_type,
        size=file.size,
        key=file.key,
        state=file.state,
        description=file.description,
        created_at=now,
    )


def _mail_thread(chat: Thread, visitor: Visitor, mail: Inbox, title: str, now: datetime) -> UUID:
    """The mail thread beside the chat, in the same case. A typed address is a handle of its own: it proves nothing."""
    key = (_MAIL, "", visitor.email)
    handle = find_or_make_handles({key: Person(external_id=visitor.email, email=visitor.email)}, now=now)[key]
    place_key = f"chat:{chat.id}:{visitor.email}"
    found = Thread.objects.filter(inbox_id=mail.id, place_key=place_key, is_live=True).first()
    if found is None:
        found = Thread.objects.create(
            id=uuid7(),
            conversation_id=chat.conversation_id,
            inbox_id=mail.id,
            handle_id=handle.id,
            place_key=place_key,
            visibility=Visibility.PRIVATE,
            target=visitor.email,
            title=title,
            token=random_token(80),
            created_at=now,
        )
    result: UUID = found.id
    return result
