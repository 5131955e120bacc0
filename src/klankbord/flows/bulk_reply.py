"""The same words to many customers, each in the place where they spoke last, and taken back all at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from klankbord.contract import AuthorKind
from klankbord.desk.conversations.case import Case, speak
from klankbord.desk.conversations.cases import store_cases
from klankbord.desk.conversations.index import forget_search_documents
from klankbord.desk.conversations.models import Draft, DraftKind, Message, MessageState, OutboxState, Thread
from klankbord.desk.organisations.models import Membership
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.text import clean, one_line

from .accounts import Connected, open_account
from .closing import closing_of, signed
from .composing import blocked_reason
from .sending import hand_over, new_message, take, tell_of, turn_of


def threads_of(conversations: Collection[UUID]) -> dict[UUID, Thread]:
    """By conversation, the thread in which its contact spoke last."""
    newest = Thread.objects.select_related("inbox", "handle").filter(conversation_id__in=conversations)
    newest = newest.order_by("conversation_id", F("last_inbound_at").desc(nulls_last=True), "-created_at")
    return {thread.conversation_id: thread for thread in newest.distinct("conversation_id")}


def refusals(threads: Mapping[UUID, Thread], text: str, by: Membership) -> dict[UUID, str]:
    """Why words cannot be sent to some of the conversations."""
    text, found = clean(text).strip(), {}
    accounts: dict[UUID, Connected] = {}
    for conversation, thread in threads.items():
        if thread.inbox_id not in accounts:
            accounts[thread.inbox_id] = open_account(thread.inbox, by.organisation)
        connected = accounts[thread.inbox_id]
        limit = connected.channel.text_limit(connected.account)
        leaving = signed(text, closing_of(thread.inbox, by))
        over = connected.channel.length(leaving, connected.account) - (limit.maximum or 0)
        if reason := blocked_reason(thread, connected):
            found[conversation] = reason
        elif limit.maximum is not None and over > 0 and not limit.splits:
            found[conversation] = _("%(over)d too many: %(channel)s takes %(limit)d at most.") % {
                "over": over, "channel": connected.channel.label, "limit": limit.maximum,
            }  # fmt: skip
    return found


def queue_all(
    cases: Sequence[Case], threads: Mapping[UUID, Thread], *, text: str, by: Membership, now: datetime
) -> list[Message]:
    """Put the replies in the queue. cases: locked, each with a thread."""
    messages = []
    for case in cases:
        words = signed(clean(text).strip(), closing_of(threads[case.id].inbox, by))
        message = new_message(threads[case.id], words, AuthorKind.AGENT, now, by=by, client_key=None)
        message.facts = {"before": {**turn_of(case), **take(case, by)}}
        messages.append(message)
    Message.objects.bulk_create(messages)
    hand_over(messages, due_at=now + timedelta(seconds=by.organisation.undo_seconds), now=now)
    for case, message in zip(cases, messages, strict=True):
        speak(case, at=now, text=one_line(message.text), visibility=message.visibility, by="agent")
    store_cases(cases)
    tell_of(messages, "reply queued", by, now)
    return messages


def recall(messages: Collection[UUID]) -> set[UUID]:
    """Keep from leaving what has not left; gives those."""
    found = run(
        "DELETE FROM conversations_outbox WHERE organisation_id = %s AND id = ANY(%s) AND state = %s RETURNING id",
        [current_organisation_id(), list(messages), OutboxState.QUEUED],
    )
    return {message for (message,) in found}


def leave_as_drafts(messages: Collection[UUID], *, by: Membership, now: datetime) -> None:
    """What was recalled becomes a draft again, unless something was begun there meanwhile."""
    Message.objects.filter(id__in=messages).update(state=MessageState.TAKEN_BACK, state_at=now)
    forget_search_documents(list(messages))
    said = Message.objects.filter(id__in=messages).values_list("conversation_id", "thread_id", "text")
    drafts = (
        Draft(conversation_id=conversation, member=by, kind=DraftKind.REPLY, thread_id=thread, text=text, saved_at=now)
        for conversation, thread, text in said
    )
    Draft.objects.bulk_create(drafts, ignore_conflicts=True)
