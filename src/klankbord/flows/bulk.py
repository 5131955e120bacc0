"""One deed on many conversations: looked at first, done as a set, undone at once.

numbers on screen → what would happen, with a stamp of each → locked; whoever was changed since is left alone and named
→ changed in a few statements → a BulkDeed with what it takes to put all of it back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations import bulk, listing
from klankbord.desk.conversations.case import Case
from klankbord.desk.conversations.cases import lock_cases
from klankbord.desk.conversations.listing import Listed
from klankbord.desk.conversations.models import BulkDeed, Status, Timer
from klankbord.desk.errors import Invalid, NotFound, SnoozeInPast, TooLate
from klankbord.desk.organisations.models import Membership, Team
from klankbord.desk.rows import insert
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import clean

from . import bulk_reply

DEEDS = ("assign", "label", "snooze", "resolve", "spam", "reply")
MOST = 1000  # conversations in one deed


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do. gives: which of owner and team an assignment sets; None there means nobody."""

    deed: str
    gives: frozenset[str] = frozenset()
    owner: UUID | None = None
    team: UUID | None = None
    label: str = ""
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A conversation as it stands before the deed."""

    listed: Listed
    stamp: str


@dataclass(frozen=True, slots=True)
class LeftAlone:
    listed: Listed
    reason: str


@dataclass(slots=True)
class Outcome:
    """deed_id: what to undo; None when nothing was done."""

    deed_id: UUID | None
    done: list[Listed] = field(default_factory=list)
    left_alone: list[LeftAlone] = field(default_factory=list)


def look(*, numbers: Iterable[int], by: Membership) -> list[Chosen]:
    """What the deed would be done to, in the order it was chosen; what this person may not see is not there."""
    access.require(by, "answer")
    wanted = list(dict.fromkeys(numbers))[:MOST]
    found = listing.by_numbers(wanted, inboxes=access.visible_inboxes(by))
    stamps = bulk.stamps([each.id for each in found.values()])
    return [Chosen(found[number], stamps[found[number].id]) for number in wanted if number in found]


def do(*, wish: Wish, deed_id: UUID, seen: Mapping[int, str], by: Membership, now: datetime) -> Outcome:
    """seen: stamps by number, as `look` gave them; "" where nobody looked. The same deed_id twice is one deed.

    Raises Invalid, SnoozeInPast, NotFound (nothing left that one may see).
    """
    access.require(by, "answer")
    _check(wish, by, now)
    found = listing.by_numbers(list(seen)[:MOST], inboxes=access.visible_inboxes(by))
    if not found:
        raise NotFound
    if not bulk.begin(deed_id=deed_id, deed=wish.deed, by=by, now=now):
        return Outcome(deed_id)
    outcome = Outcome(deed_id)
    cases = lock_cases(each.id for each in found.values())
    fit = {}
    for number, listed in found.items():
        case = cases[listed.id]
        if (seen[number] and seen[number] != bulk.stamp(case)) or case.status not in _LIVING:
            outcome.left_alone.append(LeftAlone(listed, _("somebody changed it in the meantime")))
        else:
            fit[listed.id] = case
    by_id = {each.id: each for each in found.values()}
    facts, refused = _act(wish, fit, by, now)
    outcome.left_alone += [LeftAlone(by_id[key], reason) for key, reason in refused.items()]
    outcome.done = [by_id[key] for key in fit if key not in refused]
    bulk.finish(deed_id=deed_id, facts=facts)
    return outcome


_LIVING = frozenset({Status.OPEN, Status.PENDING, Status.SNOOZED, Status.RESOLVED, Status.SPAM})


def undo(*, deed_id: UUID, by: Membership, now: datetime) -> Outcome:
    """Put all of one's own deed back; what was changed since is left alone and named. Raises NotFound, TooLate."""
    access.require(by, "answer")
    # Locked: two clicks on "undo" are one.
    deed = BulkDeed.objects.select_for_update(of=("self",)).filter(id=deed_id, by=by).first()
    if deed is None:
        raise NotFound
    if deed.undone_at is not None:
        raise TooLate(_("This was undone already."))
    kept: dict[str, Any] = deed.facts.get("cases", {})
    cases = lock_cases(map(UUID, kept))
    found = listing.by_ids(cases, inboxes=access.visible_inboxes(by))
    same = {key: case for key, case in cases.items() if bulk.stamp(case) == kept[str(key)]["after"] and key in found}
    changed = [
        LeftAlone(each, _("somebody changed it in the meantime")) for key, each in found.items() if key not in same
    ]
    late: list[LeftAlone] = []
    if deed.deed == "reply":
        messages = {UUID(kept[str(key)]["message"]): key for key in same}
        recalled = bulk_reply.recall(messages)
        late = [
            LeftAlone(found[key], _("it has left already")) for each, key in messages.items() if each not in recalled
        ]
        same = {messages[each]: same[messages[each]] for each in sorted(recalled)}
        bulk_reply.leave_as_drafts(recalled, by=by, now=now)
    if deed.deed == "label":
        links = [UUID(kept[str(key)]["link"]) for key in same]
        bulk.unlabel_all(list(same.values()), links, by=by, now=now)
    else:
        states = {key: each["before"] for key, each in kept.items()}
        bulk.restore_all(list(same.values()), states, deed=deed.deed, by=by, now=now)
        _wake_later(case for case in same.values() if case.status == Status.SNOOZED)
    deed.undone_at = now
    deed.save(update_fields=["undone_at"])
    return Outcome(deed_id, [found[key] for key in same], [*changed, *late])


def _check(wish: Wish, by: Membership, now: datetime) -> None:
    if wish.deed not in DEEDS:
        raise NotFound
    if wish.deed == "assign" and wish.gives and wish.owner not in (None, by.id):
        access.require(by, "assign others")
    if wish.deed == "assign" and not wish.gives:
        raise Invalid(_("Choose a person or a team."))
    if wish.team is not None and not Team.objects.filter(id=wish.team).exists():
        raise Invalid
    if wish.deed == "label" and not wish.label.strip():
        raise Invalid(_("Write the name of a label."))
    if wish.deed == "snooze" and (wish.until is None or wish.until <= now):
        raise SnoozeInPast
    if wish.deed == "reply" and not clean(wish.text).strip():
        raise Invalid(_("Write something first."))
    if wish.deed == "reply" and by.needs_approval:
        raise Invalid(_("Somebody reads your replies before they leave: answer one by one."))


def _act(
    wish: Wish, cases: Mapping[UUID, Case], by: Membership, now: datetime
) -> tuple[dict[str, Any], dict[UUID, str]]:
    """Do it to locked cases. Gives what undoing needs, and why some were refused."""
    every = list(cases.values())
    if wish.deed == "assign":
        return _assign(wish, every, by, now)
    if wish.deed == "reply":
        return _reply(wish, cases, by, now)
    if wish.deed == "label":
        links = bulk.label_all(every, name=" ".join(wish.label.split())[:60], by=by, now=now)
        return {"cases": {str(key): {"link": link, "after": bulk.stamp(cases[key])} for key, link in links.items()}}, {}
    if wish.deed == "snooze":
        assert wish.until is not None  # checked
        facts = {"until": wish.until.isoformat()}
        put_aside = partial(bulk.snooze, until=wish.until)
        kept = bulk.change_all(every, put_aside, kind="conversation snoozed", facts=facts, by=by, now=now)
        _wake_later(every)
        return {"cases": kept}, {}
    if wish.deed == "resolve":
        every = [case for case in every if case.status != Status.RESOLVED]
        change: bulk.Change = partial(bulk.resolve, now=now)
        kind = "conversation resolved"
    else:
        every = [case for case in every if case.status != Status.SPAM]
        change, kind = bulk.put_with_spam, "conversation marked as spam"
    return {"cases": bulk.change_all(every, change, kind=kind, facts={}, by=by, now=now)}, {}


def _assign(wish: Wish, cases: Sequence[Case], by: Membership, now: datetime) -> tuple[dict[str, Any], dict[UUID, str]]:
    refused: dict[UUID, str] = {}
    if "owner" in wish.gives and wish.owner is not None:
        theirs = _inboxes_of(wish.owner)
        refused = {case.id: _("this person cannot answer there") for case in cases if case.inbox_id not in theirs}
    facts = {
        name: str(key) if key else None
        for name, key in (("owner", wish.owner), ("team", wish.team))
        if name in wish.gives
    }

    def give(case: Case) -> None:
        if "owner" in wish.gives:
            case.owner_id = wish.owner
        if "team" in wish.gives:
            case.team_id = wish.team

    fit = [case for case in cases if case.id not in refused]
    kept = bulk.change_all(fit, give, kind="conversation assigned", facts=facts, by=by, now=now)
    return {"cases": kept}, refused


def _inboxes_of(owner: UUID) -> Collection[UUID]:
    """Where somebody may answer. Raises Invalid when that is nowhere."""
    ours = current_organisation_id()
    member = Membership.objects.select_related("user").filter(id=owner, organisation_id=ours, is_active=True).first()
    if member is None or not access.may(member, "answer"):
        raise Invalid(_("This person cannot answer in this inbox."))
    return access.visible_inboxes(member)


def _reply(
    wish: Wish, cases: Mapping[UUID, Case], by: Membership, now: datetime
) -> tuple[dict[str, Any], dict[UUID, str]]:
    threads = bulk_reply.threads_of(cases)
    refused = bulk_reply.refusals(threads, wish.text, by)
    fit = [case for key, case in cases.items() if key not in refused]
    before = {case.id: bulk.state_with_words(case) for case in fit}
    messages = bulk_reply.queue_all(fit, threads, text=wish.text, by=by, now=now)
    kept = {
        str(case.id): {"before": before[case.id], "after": bulk.stamp(case), "message": message.id}
        for case, message in zip(fit, messages, strict=True)
    }
    return {"cases": kept}, refused


def _wake_later(cases: Iterable[Case]) -> None:
    """A timer for the end of each snooze; one that was set before is moved."""
    ours = current_organisation_id()
    rows = [
        {"id": uuid7(), "organisation_id": ours, "kind": "snooze", "subject_id": case.id, "key": "",
         "due_at": case.snoozed_until}
        for case in cases
    ]  # fmt: skip
    insert(Timer, rows, on_conflict="(organisation_id, kind, subject_id, key) DO UPDATE SET due_at = EXCLUDED.due_at")
