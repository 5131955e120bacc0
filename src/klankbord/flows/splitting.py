"""A thread that is about something else becomes a conversation of its own, linked to the one it came from."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations import links, rearranging
from klankbord.desk.conversations.case import Case
from klankbord.desk.conversations.cases import lock_cases, open_cases, record, store_cases, tell
from klankbord.desk.conversations.models import Conversation, Status, Timer
from klankbord.desk.errors import Invalid, Merged, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7


def split_off(*, conversation: UUID, thread: UUID, by: Membership, now: datetime) -> Conversation:
    """Gives the new conversation. Raises Invalid when the thread is all there is."""
    access.require(by, "answer")
    moving = access.thread_for(by, conversation, thread)
    if moving.inbox_id not in access.visible_inboxes(by):
        raise NotFound  # the new conversation would stand in an inbox that this person does not see
    rearranging.hold_outbox([thread])
    rest = lock_cases([conversation])[conversation]
    if rest.merged_into_id:
        raise Merged
    threads = {each.id for each in rearranging.threads_in(conversation)}
    if thread not in threads:
        raise NotFound
    if len(threads) < 2:
        raise Invalid(_("This is the only thread here: there is nothing to split off."))
    apart = Case(
        id=uuid7(),
        contact_id=moving.handle.contact_id,
        inbox_id=moving.inbox_id,
        visibility=moving.visibility,
        last_message_at=now,
        title=moving.title,
        language=rest.language,
        owner_id=rest.owner_id,
        team_id=rest.team_id,
        priority=rest.priority,
        rearranged_at=now,
    )
    number = open_cases([apart], previous={}, now=now)[apart.id]
    rearranging.move_threads([thread], origin=conversation, to=apart.id)
    found, left = rearranging.found_in(apart.id), rearranging.found_in(conversation)
    rearranging.divide(rest, apart, left, found)
    rearranging.recount(apart, found)
    rearranging.recount(rest, left)
    rest.rearranged_at = now
    store_cases([rest, apart])
    if apart.status == Status.SNOOZED and apart.snoozed_until:
        ours = current_organisation_id()
        Timer.objects.create(organisation_id=ours, kind="snooze", subject_id=apart.id, due_at=apart.snoozed_until)
    links.link(conversation, apart.id, by=by, now=now)
    made: Conversation = Conversation.objects.get(id=apart.id)
    from_number = Conversation.objects.values_list("number", flat=True).get(id=conversation)
    told = (("thread split off", rest, number), ("conversation split off", apart, from_number))
    record(
        [
            {
                "kind": kind, "conversation_id": each.id, "message_id": None, "by_id": by.id, "by_kind": "agent",
                "at": now, "facts": {"number": other},
            }
            for kind, each, other in told
        ]
    )  # fmt: skip
    changed = [{"conversation": each.id, "inbox": each.inbox_id, "thread": thread} for each in (rest, apart)]
    tell([{**each, "what": "state"} for each in changed], now=now)
    return made
