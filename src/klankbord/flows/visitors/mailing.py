"""Answers that a visitor did not come back for go to the address they left, in the same conversation, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils.translation import gettext, override

from klankbord.channels.webchat.adapter import Credentials
from klankbord.contract import AuthorKind, Person, Visibility
from klankbord.desk.contacts.arrivals import find_or_make_handles
from klankbord.desk.conversations.models import Message, MessageKind, MessageState, Thread
from klankbord.desk.inboxes.models import Inbox, InboxState, Visitor
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.wall import organisation
from klankbord.kernel.ids import random_token, uuid7

from ..accounts import open_account
from ..sending import queue_automatic
from .entering import KIND

_MAIL = "email"
_STALE = timedelta(days=2)  # who is away longer than this had their mail, or was not to be mailed
_AT_ONCE = 100


def mail_unseen(*, now: datetime) -> int:
    """Mail what waits unread in chats whose visitor has left; gives how many mails were queued. Called by the clock."""
    mailed = 0
    for ours in Organisation.objects.order_by("id"):
        with organisation(ours.id):
            mail = Inbox.objects.filter(kind=_MAIL, state=InboxState.CONNECTED).order_by("created_at", "id").first()
            if mail is None:
                continue
            for chat in Inbox.objects.filter(kind=KIND, state=InboxState.CONNECTED):
                mailed += _mail_from(chat, mail, ours, now)
    return mailed


def _mail_from(chat: Inbox, mail: Inbox, ours: Organisation, now: datetime) -> int:
    credentials: Credentials = open_account(chat, ours).account.credentials
    gone_since = now - timedelta(minutes=max(int(credentials.mail_after_minutes), 1))
    gone = Visitor.objects.filter(inbox_id=chat.id, seen_at__lt=gone_since, seen_at__gt=now - _STALE).exclude(email="")
    mailed = 0
    for visitor in gone.order_by("id").select_for_update(skip_locked=True)[:_AT_ONCE]:
        unseen = _unseen(chat, visitor, gone_since)
        if unseen:
            _mail(unseen, visitor, mail, credentials.site_name, ours, now)
            mailed += 1
    return mailed


def _unseen(chat: Inbox, visitor: Visitor, gone_since: datetime) -> list[Message]:
    """Answers that are older than the patience, were not read, and were not mailed before."""
    unseen = Message.objects.filter(
        Q(state=MessageState.SENT) | Q(state=MessageState.DELIVERED),
        thread__inbox_id=chat.id,
        thread__place_key=visitor.external_id,
        thread__is_live=True,
        thread__handle__realm=str(chat.id),
        kind=MessageKind.OUTBOUND,
        author_kind__in=(AuthorKind.AGENT, AuthorKind.BOT),
        deleted_at=None,
        at__gte=F("thread__created_at"),
        at__lt=gone_since,
    )
    for seen_up_to in (visitor.read_up_to, visitor.mailed_up_to):
        if seen_up_to:
            unseen = unseen.filter(at__gt=seen_up_to)
    return list(unseen.select_related("thread").order_by("at", "id"))


def _mail(
    unseen: Sequence[Message], visitor: Visitor, mail: Inbox, site_name: str, ours: Organisation, now: datetime
) -> None:
    with override(visitor.language if visitor.language in {"nl", "en"} else ours.language):
        title = gettext("Our answer to your chat with %(site)s") % {"site": site_name}
        opening = gettext("You left before you could read our answer in the chat. Here it is.")
        closing = gettext("Reply to this mail, or go on in the chat: both reach us.")
    thread = _mail_thread(unseen[-1].thread, visitor, mail, title, now)
    answers = [each.text or gettext("(a file; you find it in the chat)") for each in unseen]
    text = "\n\n".join([opening, *answers, closing])
    queue_automatic(thread_id=thread, text=text, author_kind=AuthorKind.SYSTEM, now=now)
    Visitor.objects.filter(id=visitor.id).update(mailed_up_to=unseen[-1].at)


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
