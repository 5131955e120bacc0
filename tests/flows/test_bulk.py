"""Deeds on many conversations: shown first, done as a set, undone at once, and nobody's work trodden on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from desk_builder import Desk
from klankbord.desk import rows
from klankbord.desk.conversations import listing
from klankbord.desk.conversations.models import ConversationLabel, Draft, Event, Message, Outbox, Timer, ViewCounter
from klankbord.desk.errors import Invalid, NotAllowed, NotFound, SnoozeInPast, TooLate
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import bulk, casework
from klankbord.kernel.ids import uuid7

pytestmark = pytest.mark.django_db


def several(desk: Desk, count: int = 3, **changes: Any) -> list[int]:
    """Conversations that wait for an answer; gives their numbers."""
    inbox = desk.inbox()
    events = [
        desk.event(place=f"p{number}", person={"id": f"p{number}", "name": f"Klant {number}"}, **changes)
        for number in range(count)
    ]
    return [each.number for each in desk.receive(inbox, *events)]


def do(desk: Desk, numbers: list[int], by: Membership, deed_id: UUID | None = None, **wish: Any) -> bulk.Outcome:
    with desk.open():
        seen = {each.listed.number: each.stamp for each in bulk.look(numbers=numbers, by=by)}
        return bulk.do(wish=bulk.Wish(**wish), deed_id=deed_id or uuid7(), seen=seen, by=by, now=desk.now)


def undo(desk: Desk, outcome: bulk.Outcome, by: Membership) -> bulk.Outcome:
    assert outcome.deed_id
    with desk.open():
        return bulk.undo(deed_id=outcome.deed_id, by=by, now=desk.now)


def state(desk: Desk) -> list[tuple[Any, ...]]:
    return [
        (each.status, each.owner_id, each.team_id, each.waiting_since, each.snoozed_until, each.is_idle, each.sort_at,
         each.preview, each.message_count)
        for each in desk.conversations()
    ]  # fmt: skip


WISHES: dict[str, dict[str, Any]] = {
    "resolve": {},
    "spam": {},
    "snooze": {"until": "later"},
    "assign": {"gives": frozenset({"owner"}), "owner": "me"},
    "reply": {"text": "Er is een storing; we werken eraan."},
    "label": {"label": "Storing"},
}


def wish_of(deed: str, desk: Desk, by: Membership) -> dict[str, Any]:
    values = {"later": desk.now + timedelta(hours=1), "me": by.id}
    given = WISHES[deed]
    return {"deed": deed} | {
        name: values.get(each, each) if isinstance(each, str) else each for name, each in given.items()
    }


@pytest.mark.parametrize("deed", WISHES)
def test_one_undo_puts_the_whole_deed_back(desk: Desk, deed: str) -> None:
    desk.organisation.undo_seconds = 30
    desk.organisation.save()
    numbers, noor = several(desk), desk.person("Noor")
    before = state(desk)
    outcome = do(desk, numbers, noor, **wish_of(deed, desk, noor))
    assert len(outcome.done) == 3
    assert outcome.left_alone == []
    with desk.open():
        assert ConversationLabel.objects.count() == (3 if deed == "label" else 0)
        assert Outbox.objects.count() == (3 if deed == "reply" else 0)
    if deed != "label":
        assert state(desk) != before
    assert len(undo(desk, outcome, noor).done) == 3
    assert state(desk) == before
    with desk.open():
        assert ConversationLabel.objects.count() == Outbox.objects.count() == 0
        assert counters() == {"open": 3}
        assert Draft.objects.count() == (3 if deed == "reply" else 0)  # the words are not lost
        with pytest.raises(TooLate):
            bulk.undo(deed_id=outcome.deed_id, by=noor, now=desk.now)


def counters() -> dict[str, int]:
    found: dict[str, int] = {}
    for each in ViewCounter.objects.all():
        found[each.status] = found.get(each.status, 0) + each.count
    return {status: count for status, count in found.items() if count}


@pytest.mark.parametrize("deed", WISHES)
def test_a_deed_on_forty_takes_as_many_statements_as_one_on_two(
    desk: Desk, deed: str, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    noor = desk.person("Noor")
    numbers = several(desk, 42)
    with desk.open():
        casework.add_label(conversation=desk.conversations()[0].id, name="Storing", by=noor, now=desk.now)
    counted: list[str] = []
    real = rows.run
    monkeypatch.setattr(rows, "run", lambda sql, *rest: (counted.append(sql), real(sql, *rest))[1])
    for module in (bulk.bulk_reply, bulk.bulk, bulk.listing.rows):
        if hasattr(module, "run"):
            monkeypatch.setattr(module, "run", rows.run)
    costs = []
    for chosen in (numbers[:2], numbers[2:]):
        counted.clear()
        with django_assert_max_num_queries(20) as asked:
            do(desk, chosen, noor, **wish_of(deed, desk, noor))
        costs.append(len(counted) + len(asked.captured_queries))
    assert costs[0] == costs[1] <= 30


def test_what_somebody_changed_meanwhile_is_left_alone_and_named(desk: Desk) -> None:
    numbers, noor, joris = several(desk), desk.person("Noor"), desk.person("Joris")
    with desk.open():
        seen = {each.listed.number: each.stamp for each in bulk.look(numbers=numbers, by=noor)}
        casework.claim(conversation=desk.conversations()[1].id, by=joris, now=desk.now)
        outcome = bulk.do(wish=bulk.Wish("resolve"), deed_id=uuid7(), seen=seen, by=noor, now=desk.now)
    assert [each.listed.contact_name for each in outcome.left_alone] == ["Klant 1"]
    assert [each.status for each in desk.conversations()] == ["resolved", "open", "resolved"]


def test_an_undo_leaves_alone_what_went_on_since(desk: Desk) -> None:
    numbers, noor = several(desk), desk.person("Noor")
    outcome = do(desk, numbers, noor, deed="resolve")
    with desk.open():
        inbox = Inbox.objects.get()
    desk.receive(inbox, desk.event(place="p0", person={"id": "p0", "name": "Klant 0"}, text="Toch nog iets"))
    back = undo(desk, outcome, noor)
    assert [each.listed.contact_name for each in back.left_alone] == ["Klant 0"]
    assert [each.status for each in desk.conversations()] == ["open"] * 3


def test_a_double_click_is_one_deed(desk: Desk) -> None:
    numbers, noor, deed_id = several(desk), desk.person("Noor"), uuid7()
    for _ in range(2):
        do(desk, numbers, noor, deed_id, deed="reply", text="Dag!")
    with desk.open():
        assert Message.objects.filter(kind="outbound").count() == 3


def test_replies_that_have_left_stay_said(desk: Desk) -> None:
    numbers, noor = several(desk), desk.person("Noor")
    outcome = do(desk, numbers, noor, deed="reply", text="Dag!")
    with desk.open():
        Outbox.objects.filter(id=Message.objects.filter(kind="outbound").order_by("id")[0].id).delete()  # it left
    back = undo(desk, outcome, noor)
    assert (len(back.done), len(back.left_alone)) == (2, 1)
    with desk.open():
        assert sorted(each.state for each in Message.objects.filter(kind="outbound")) == [
            "queued",
            "taken back",
            "taken back",
        ]
    assert sorted(each.status for each in desk.conversations()) == ["open", "open", "pending"]


def test_a_snooze_of_many_sets_a_timer_for_each_and_its_undo_keeps_earlier_ones(desk: Desk) -> None:
    numbers, noor = several(desk, 2), desk.person("Noor")
    early, late = desk.now + timedelta(hours=1), desk.now + timedelta(days=1)
    with desk.open():
        casework.snooze(conversation=desk.conversations()[0].id, until=early, by=noor, now=desk.now)
    outcome = do(desk, numbers, noor, deed="snooze", until=late)
    with desk.open():
        assert {each.due_at for each in Timer.objects.filter(kind="snooze")} == {late}
    undo(desk, outcome, noor)
    with desk.open():
        first = desk.conversations()[0]
        assert Timer.objects.get(subject_id=first.id).due_at == first.snoozed_until == early


def test_nothing_is_given_to_somebody_who_cannot_see_it(desk: Desk) -> None:
    numbers, noor, lead = several(desk, 2), desk.person("Noor"), desk.person("Lea", Role.LEAD)
    with desk.open():
        Inbox.objects.update(is_open_to_all=False)
    outcome = do(desk, numbers, lead, deed="assign", gives=frozenset({"owner"}), owner=noor.id)
    assert (outcome.done, len(outcome.left_alone)) == ([], 2)
    wish, seen = bulk.Wish("resolve"), dict.fromkeys(numbers, "")
    with desk.open(), pytest.raises(NotFound):
        bulk.do(wish=wish, deed_id=uuid7(), seen=seen, by=noor, now=desk.now)


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"deed": "assign"}, Invalid),
        ({"deed": "assign", "gives": frozenset({"owner"}), "owner": uuid7()}, Invalid),
        ({"deed": "assign", "gives": frozenset({"team"}), "team": uuid7()}, Invalid),
        ({"deed": "label", "label": "  "}, Invalid),
        ({"deed": "reply", "text": "\n"}, Invalid),
        ({"deed": "snooze"}, SnoozeInPast),
        ({"deed": "burn"}, NotFound),
    ],
)
def test_a_wish_that_makes_no_sense_does_nothing(desk: Desk, wish: dict[str, Any], refusal: type[Exception]) -> None:
    numbers, noor = several(desk), desk.person("Noor")
    before = state(desk)
    with pytest.raises(refusal):
        do(desk, numbers, noor, **wish)
    assert state(desk) == before


def test_an_analyst_does_nothing_to_many_and_nobody_undoes_another_ones_deed(desk: Desk) -> None:
    numbers, noor, joris = several(desk), desk.person("Noor"), desk.person("Joris")
    with pytest.raises(NotAllowed):
        do(desk, numbers, desk.person("Ana", Role.ANALYST), deed="resolve")
    outcome = do(desk, numbers, noor, deed="resolve")
    with pytest.raises(NotFound):
        undo(desk, outcome, joris)


def test_each_conversation_tells_what_was_done_and_undone(desk: Desk) -> None:
    numbers, noor = several(desk, 2), desk.person("Noor")
    undo(desk, do(desk, numbers, noor, deed="resolve"), noor)
    with desk.open():
        kinds = [each.kind for each in Event.objects.filter(by=noor).order_by("at", "id")]
        assert kinds == ["conversation resolved"] * 2 + ["deed on many undone"] * 2
        assert listing.counts(by=noor, inboxes=[Inbox.objects.get().id]).by_view["all"] == 2
