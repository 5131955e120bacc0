"""Blocking somebody, and joining two contacts and parting them again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk_builder import Desk
from klankbord.desk.contacts.models import Contact, ContactConsent, ContactNote, Handle
from klankbord.desk.conversations import people
from klankbord.desk.conversations.models import Conversation, ViewCounter
from klankbord.desk.errors import DeskError, Invalid
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Membership
from klankbord.flows import casework
from klankbord.flows.people import blocking, describing, merging

pytestmark = pytest.mark.django_db


def write(desk: Desk, inbox: Inbox, name: str = "Anouk de Wit", *, place: str = "", **more: Any) -> None:
    """Somebody says something, in a place of their own."""
    desk.later(minutes=1)
    person = {"id": name.casefold(), "name": name, **more}
    desk.receive(inbox, desk.event(place=place or name, person=person))


def contact(desk: Desk, name: str = "Anouk de Wit") -> Contact:
    with desk.open():
        found: Contact = Contact.objects.get(name=name)
        return found


def statuses(desk: Desk) -> list[str]:
    return [each.status for each in desk.conversations()]


# ------------------------------------------------------------------------------------------ blocking


def test_what_a_blocked_person_writes_is_kept_and_wakes_nobody(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox)
    with desk.open():
        blocking.block(contact=contact(desk).id, by=noor, now=desk.now)
    assert statuses(desk) == ["spam"]
    write(desk, inbox)
    write(desk, inbox, place="elders")
    assert statuses(desk) == ["spam", "spam"]
    assert len(desk.messages()) == 3
    assert {each.waiting_since for each in desk.conversations()} == {None}
    with desk.open():
        assert {each.status: each.count for each in ViewCounter.objects.exclude(count=0)} == {"spam": 2}


def test_a_blocked_person_does_not_open_again_what_was_done(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox)
    [conversation] = desk.conversations()
    with desk.open():
        casework.resolve(conversation=conversation.id, by=noor, now=desk.now)
        blocking.block(contact=contact(desk).id, by=noor, now=desk.now)
    assert statuses(desk) == ["resolved"]
    write(desk, inbox)
    assert statuses(desk) == ["spam"]


def test_once_unblocked_the_next_message_is_work_again(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox)
    with desk.open():
        blocking.block(contact=contact(desk).id, by=noor, now=desk.now)
    write(desk, inbox, place="elders")
    desk.later(minutes=1)
    with desk.open():
        blocking.unblock(contact=contact(desk).id, by=noor, now=desk.now)
    assert statuses(desk) == ["resolved", "resolved"]
    write(desk, inbox, place="elders")
    assert statuses(desk) == ["resolved", "open"]


def test_what_was_spam_before_the_block_stays_spam_after_it(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox)
    with desk.open():
        casework.mark_spam(conversation=desk.conversations()[0].id, by=noor, now=desk.now)
        desk.later(minutes=1)
        blocking.block(contact=contact(desk).id, by=noor, now=desk.now)
        blocking.unblock(contact=contact(desk).id, by=noor, now=desk.now)
    assert statuses(desk) == ["spam"]


def test_a_blocked_person_in_somebody_elses_case_leaves_it_as_it_is(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox, "Bram")
    write(desk, inbox)
    with desk.open():
        blocking.block(contact=contact(desk).id, by=noor, now=desk.now)
        casework.resolve(conversation=desk.conversations()[0].id, by=noor, now=desk.now)
    write(desk, inbox, place="Bram")
    assert statuses(desk) == ["resolved", "spam"]
    assert len(desk.messages(desk.conversations()[0])) == 2


# ------------------------------------------------------------------------------------------ merging


def everything(desk: Desk) -> dict[str, Any]:
    """Who is who, and what hangs on whom."""
    with desk.open():
        return {
            "contacts": {
                each.id: (each.name, each.language, each.is_vip, each.blocked_at, each.company_id, each.values,
                          each.merged_into_id)
                for each in Contact.objects.all()
            },
            **{
                model.__name__: {each.id: each.contact_id for each in model.objects.all()}
                for model in (Handle, Conversation, ContactNote, ContactConsent)
            },
        }  # fmt: skip


def test_all_that_is_known_of_two_contacts_stands_with_one(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox)
    write(desk, inbox, "A. de Wit")
    one, other = contact(desk), contact(desk, "A. de Wit")
    with desk.open():
        describing.change_profile(
            contact=other.id, name=other.name, language="nl", company="Zoet", values={}, by=noor, now=desk.now
        )
        describing.add_note(contact=other.id, text="Belt liever.", by=noor, now=desk.now)
        merging.merge(kept=one.id, gone=other.id, by=noor, now=desk.now)
    kept = contact(desk)
    assert (kept.language, kept.company_id is not None) == ("nl", True)
    assert {each.contact_id for each in desk.conversations()} == {kept.id}
    with desk.open():
        assert [note.contact_id for note in ContactNote.objects.all()] == [kept.id]
        assert [each.name for each in people.page(by=noor)[0]] == ["Anouk de Wit"]
    write(desk, inbox, "A. de Wit", place="elders")
    assert {each.contact_id for each in desk.conversations()} == {kept.id}


def test_what_a_parted_handle_opened_meanwhile_goes_back_with_it(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox)
    write(desk, inbox, "A. de Wit")
    one, other = contact(desk), contact(desk, "A. de Wit")
    with desk.open():
        merge = merging.merge(kept=one.id, gone=other.id, by=noor, now=desk.now)
    write(desk, inbox, "A. de Wit", place="elders")
    write(desk, inbox, place="nog elders")
    with desk.open():
        merging.undo(merge=merge.id, by=noor, now=desk.now)
    assert [each.contact_id for each in desk.conversations()] == [one.id, other.id, other.id, one.id]


def test_an_agents_own_change_survives_an_undo(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox)
    write(desk, inbox, "A. de Wit")
    one, other = contact(desk), contact(desk, "A. de Wit")
    with desk.open():
        Contact.objects.filter(id=other.id).update(language="nl", is_vip=True)
        merge = merging.merge(kept=one.id, gone=other.id, by=noor, now=desk.now)
        Contact.objects.filter(id=one.id).update(language="de")
        merging.undo(merge=merge.id, by=noor, now=desk.now)
    assert (contact(desk).language, contact(desk).is_vip) == ("de", False)


def test_the_later_merge_of_a_chain_is_undone_first(desk):
    inbox, noor = desk.inbox(), desk.person("Noor")
    for name in ("Anouk de Wit", "Anna", "Bram"):
        write(desk, inbox, name)
    one, two, three = (contact(desk, name).id for name in ("Anouk de Wit", "Anna", "Bram"))
    before = everything(desk)
    with desk.open():
        first = merging.merge(kept=one, gone=two, by=noor, now=desk.now)
        second = merging.merge(kept=three, gone=one, by=noor, now=desk.now)
        with pytest.raises(DeskError):
            merging.undo(merge=first.id, by=noor, now=desk.now)
        with pytest.raises(Invalid):
            merging.merge(kept=three, gone=two, by=noor, now=desk.now)
        merging.undo(merge=second.id, by=noor, now=desk.now)
        merging.undo(merge=first.id, by=noor, now=desk.now)
        merging.undo(merge=first.id, by=noor, now=desk.now)  # a double click
    assert everything(desk) == before


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_merges_undone_in_any_order_that_is_allowed_leave_everything_as_it_was(desk, data):
    noor = desk.person(f"Noor{data.draw(st.uuids()).hex}")
    with desk.open():
        inbox = Inbox.objects.first()
    contacts = people_of(desk, inbox or desk.inbox(), data, by=noor)
    before = everything(desk)
    standing: dict[UUID, UUID] = {}
    with desk.open():
        for _ in range(data.draw(st.integers(1, 4))):
            kept, gone = data.draw(st.permutations(contacts))[:2]
            try:
                merge = merging.merge(kept=kept, gone=gone, by=noor, now=desk.now)
            except Invalid:
                continue
            standing[merge.id] = merge.kept_id
        while standing:
            merge_id = data.draw(st.sampled_from(sorted(standing)))
            try:
                merging.undo(merge=merge_id, by=noor, now=desk.now)
            except DeskError:
                continue
            del standing[merge_id]
    assert everything(desk) == before


def people_of(desk: Desk, inbox: Inbox, data: Any, *, by: Membership) -> list[UUID]:
    """Some people with more or less known of each."""
    ids = []
    for _ in range(4):
        name = f"Mens {data.draw(st.uuids()).hex}"
        write(desk, inbox, name)
        found = contact(desk, name).id
        with desk.open():
            describing.change_profile(
                contact=found, name=name, language=data.draw(st.sampled_from(["", "nl", "en"])),
                company=data.draw(st.sampled_from(["", "Zoet", "Zout"])), values={}, by=by, now=desk.now,
            )  # fmt: skip
            describing.set_vip(contact=found, is_vip=data.draw(st.booleans()), by=by, now=desk.now)
            Contact.objects.filter(id=found).update(
                values=data.draw(st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2"])))
            )
            for text in data.draw(st.lists(st.sampled_from(["een", "twee"]), max_size=2)):
                describing.add_note(contact=found, text=text, by=by, now=desk.now)
            if data.draw(st.booleans()):
                describing.record_consent(
                    contact=found, purpose="news", is_given=True, source="formulier", by=by, now=desk.now
                )
        ids.append(found)
    return ids


# ------------------------------------------------------------------------------------------ suggestions


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ({"email": "a@wolk.example", "is_proven": True}, {"email": "a@wolk.example", "is_proven": True}, ["email"]),
        ({"email": "a@wolk.example"}, {"email": "a@wolk.example"}, []),
        ({"phone": "+31612345678"}, {"phone": "06-12345678"}, ["phone"]),
        ({}, {}, []),
    ],
)
def test_a_proven_address_or_a_number_makes_a_suggestion_and_nothing_is_merged_by_itself(desk, one, other, why):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox, "Anouk de Wit")
    write(desk, inbox, "Bram Kuiper")
    with desk.open():
        Handle.objects.filter(contact=contact(desk)).update(**one)
        Handle.objects.filter(contact=contact(desk, "Bram Kuiper")).update(**other)
        assert [each.why for each in people.alike(contact(desk).id, by=noor)] == why
        assert Contact.objects.filter(merged_into=None).count() == 2


@pytest.mark.parametrize(
    ("name", "is_suggested"),
    [("Anouk de Wit ", True), ("Anouk de Witt", True), ("Ánouk de wit", True), ("Anouk de Zwart", False)],
)
def test_nearly_the_same_name_in_the_same_inbox_is_suggested_until_they_are_told_apart(desk, name, is_suggested):
    inbox, noor = desk.inbox(), desk.person("Noor")
    write(desk, inbox)
    desk.receive(inbox, desk.event(place="2", person={"id": "2", "name": name}))
    with desk.open():
        one, other = Contact.objects.order_by("id")
        assert [each.id for each in people.alike(one.id, by=noor)] == ([other.id] if is_suggested else [])
        merging.tell_apart(one=other.id, other=one.id, by=noor)
        assert people.alike(one.id, by=noor) == people.alike(other.id, by=noor) == []
