"""Two conversations about one thing become one: all threads in the one that stays, and a trail in the other.

The number of the one that goes leads on. For a week the merge can be undone: the threads return, with what was said in
them meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access, rows
from klankbord.desk.conversations import rearranging
from klankbord.desk.conversations.case import Case
from klankbord.desk.conversations.cases import lock_cases, record, store_cases, tell
from klankbord.desk.conversations.models import Conversation, ConversationLabel, Merge, Status, Thread, Timer
from klankbord.desk.errors import Invalid, Merged, NotFound
from klankbord.desk.organisations.models import Membership
from klankbord.desk.wall import current_organisation_id

UNDO_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge will do. is_wider: colleagues will see the threads that do not see them now."""

    source: Conversation
    target: Conversation
    threads: Sequence[Thread]
    is_wider: bool
    is_other_person: bool


def preview(*, source: UUID, target: UUID, by: Membership) -> Preview:
    """Raises Invalid where the two cannot be merged, NotFound when this person may not see one of them."""
    access.require(by, "answer")
    going, staying = access.conversation_for(by, source), access.conversation_for(by, target)
    _refuse_odd(going, staying)
    threads = Thread.objects.select_related("inbox", "handle").filter(conversation_id=going.id)
    return Preview(
        source=going,
        target=staying,
        threads=list(threads.order_by("created_at", "id")),
        is_wider=not going.inbox.is_open_to_all and going.inbox_id != staying.inbox_id,
        is_other_person=going.contact_id != staying.contact_id,
    )


def merge(*, source: UUID, target: UUID, by: Membership, now: datetime) -> Merge:
    """All of one conversation goes on in another."""
    preview(source=source, target=target, by=by)
    rearranging.hold_outbox([each.id for each in rearranging.threads_in(source)])
    cases = lock_cases([source, target])
    going, staying = cases[source], cases[target]
    if going.merged_into_id or staying.merged_into_id:
        raise Merged
    threads = [each.id for each in rearranging.threads_in(source)]
    before = {"source": rearranging.standing(going), "target": rearranging.standing(staying)}
    rearranging.move_threads(threads, origin=source, to=target)
    rearranging.absorb(staying, going)
    rearranging.vanish(going, staying)
    rearranging.recount(staying, rearranging.found_in(target))
    _store(going, staying, now=now)
    Timer.objects.filter(organisation_id=current_organisation_id(), kind="snooze", subject_id=source).delete()
    done = Merge.objects.create(
        source_id=source,
        target_id=target,
        threads=[str(each) for each in threads],
        labels=_share_labels(source, target),
        before=before,
        by=by,
        at=now,
    )
    _note("conversation merged", done, by, now)
    return done


def undo(*, merge: UUID, by: Membership, now: datetime) -> Merge:
    """The threads return to the conversation they came from. Raises Invalid when it is too late."""
    access.require(by, "answer")
    done = Merge.objects.filter(id=merge).first()
    if done is None:
        raise NotFound
    access.conversation_for(by, done.target_id)
    rearranging.hold_outbox([UUID(each) for each in done.threads])
    cases = lock_cases([done.source_id, done.target_id])
    done.refresh_from_db()
    back, staying = cases[done.source_id], cases[done.target_id]
    threads = [each.id for each in rearranging.threads_in(staying.id) if str(each.id) in done.threads]
    if done.undone_at or now > done.at + UNDO_FOR or back.merged_into_id != staying.id or not threads:
        raise Invalid(_("This merge cannot be undone any more. Split the thread off instead."))
    rearranging.move_threads(threads, origin=staying.id, to=back.id)
    for case, which in ((back, "source"), (staying, "target")):
        found = rearranging.found_in(case.id)
        if case is back or _stands_as_left(staying, done):
            rearranging.stand_again(case, done.before[which], found, since=done.at, now=now)
        else:
            case.waiting_since = found.waiting_since if case.waiting_since else None
        rearranging.recount(case, found)
    _store(back, staying, now=now)
    if back.status == Status.SNOOZED and back.snoozed_until:
        ours = current_organisation_id()
        Timer.objects.create(organisation_id=ours, kind="snooze", subject_id=back.id, due_at=back.snoozed_until)
    ConversationLabel.objects.filter(conversation_id=staying.id, label_id__in=done.labels).delete()
    done.undone_at = now
    done.save(update_fields=["undone_at"])
    _note("merge undone", done, by, now)
    return done


def merged_into(conversation: UUID, *, now: datetime) -> list[Merge]:
    """The merges into a conversation that can still be undone, newest first."""
    found = Merge.objects.filter(target_id=conversation, undone_at=None, at__gt=now - UNDO_FOR)
    return list(found.select_related("source", "by__user").order_by("-at")[:20])


def _stands_as_left(staying: Case, done: Merge) -> bool:
    """Whether nobody decided about the merged conversation since: it stands as the merge left it, or reopened."""
    decided = ("conversation resolved", "conversation snoozed", "conversation set to pending", "conversation assigned",
               "conversation opened again", "conversation marked as spam")  # fmt: skip
    found = rows.run(
        "SELECT 1 FROM conversations_event WHERE organisation_id = %s AND conversation_id = %s AND at > %s"
        " AND kind = ANY(%s) LIMIT 1",
        [current_organisation_id(), staying.id, done.at, list(decided)],
    )
    return not found


def _refuse_odd(going: Conversation, staying: Conversation) -> None:
    if going.id == staying.id:
        raise Invalid(_("Choose another conversation than this one."))
    if going.merged_into_id or staying.merged_into_id:
        raise Merged


def _share_labels(source: UUID, target: UUID) -> list[str]:
    """The target gets the labels it had not yet: their ids."""
    has = set(ConversationLabel.objects.filter(conversation_id=target).values_list("label_id", flat=True))
    new = [
        label
        for label in ConversationLabel.objects.filter(conversation_id=source).values_list("label_id", flat=True)
        if label not in has
    ]
    ConversationLabel.objects.bulk_create(ConversationLabel(conversation_id=target, label_id=label) for label in new)
    return [str(label) for label in new]


def _store(*cases: Case, now: datetime) -> None:
    for case in cases:
        case.rearranged_at = now
    store_cases(cases)


def _note(kind: str, done: Merge, by: Membership, now: datetime) -> None:
    numbers = dict(Conversation.objects.filter(id__in=[done.source_id, done.target_id]).values_list("id", "number"))
    inboxes = dict(Conversation.objects.filter(id__in=[done.source_id, done.target_id]).values_list("id", "inbox_id"))
    told = {"number": numbers[done.source_id], "into": numbers[done.target_id], "merge": str(done.id)}
    pair = (done.source_id, done.target_id)
    record(
        [
            {
                "kind": kind, "conversation_id": each, "message_id": None, "by_id": by.id, "by_kind": "agent",
                "at": now, "facts": told,
            }
            for each in pair
        ]
    )  # fmt: skip
    tell([{"conversation": each, "inbox": inboxes[each], "thread": None, "what": "state"} for each in pair], now=now)
