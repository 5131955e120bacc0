"""Books that must balance: the ledger against what is really there, the counters against a recount."""

from __future__ import annotations

from collections import Counter

from desk_builder import Desk
from klankbord.desk.conversations.models import NOBODY, Conversation, Message, MessageKind, Status, ViewCounter
from klankbord.desk.inboxes.models import DeadLetter, Delivery, Inbox, LedgerLine
from klankbord.flows import ledger


def ledger_of(desk: Desk) -> dict[str, int]:
    """The sums of the ledger, once it has been shown that they are true."""
    with desk.open():
        rows = ledger.rows(
            inboxes={inbox.id for inbox in Inbox.objects.all()}, since=desk.now.date().replace(year=2000)
        )
        assert all(row.adds_up for row in rows), rows
        sums = ledger.totals(rows)
        settled = Counter[str]()
        waiting = 0
        for delivery in Delivery.objects.all():
            waiting += delivery.is_waiting
            settled.update(outcome for outcome, _ in delivery.outcomes or [])
        assert sums["waiting"] == waiting
        retried = DeadLetter.objects.filter(settled_at__isnull=False).exists()
        if not retried:  # what a person decided later stands in the ledger only
            assert sums["accepted"] == sum(settled.values()) + waiting
            assert {name: sums[name] for name in ("message", "change", "duplicate", "ignored", "dead")} == {
                name: settled[name] for name in ("message", "change", "duplicate", "ignored", "dead")
            }
        assert sums["dead"] == DeadLetter.objects.filter(settled_at=None).count()
        arrived = Message.objects.filter(delivery_id__isnull=False).exclude(kind=MessageKind.NOTE)
        assert sums["message"] == arrived.count()
        assert not LedgerLine.objects.filter(count__lt=0).exists()
    return sums


def counters_are_right(desk: Desk) -> None:
    """The maintained counters equal a recount of the conversations."""
    with desk.open():
        kept = {
            (each.inbox_id, each.team_id, each.owner_id, each.status): each.count
            for each in ViewCounter.objects.all()
            if each.count
        }
        recount = Counter(
            (each.inbox_id, each.team_id or NOBODY, each.owner_id or NOBODY, each.status)
            for each in Conversation.objects.all()
        )
        assert kept == dict(recount)


def states_make_sense(desk: Desk) -> None:
    """What must hold of every conversation, whatever was done to it."""
    with desk.open():
        for each in Conversation.objects.all():
            said = Message.objects.filter(conversation_id=each.id).exclude(state="taken back")
            assert each.message_count == said.exclude(kind__in=("note", "context")).count()
            if each.status in (Status.PENDING, Status.RESOLVED, Status.SPAM):
                assert each.waiting_since is None, each.status
            assert (each.snoozed_until is not None) == (each.status == Status.SNOOZED)
            assert (each.resolved_at is not None) == (each.status == Status.RESOLVED)
            assert each.is_idle == (each.status != Status.OPEN or each.waiting_since is None)
