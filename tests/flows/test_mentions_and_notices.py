"""Who is named in a note, who hears of what, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from desk_builder import Desk
from klankbord.desk import access
from klankbord.desk.conversations import listing
from klankbord.desk.conversations.models import Conversation, Message, MessageState, Outbox, OutboxState
from klankbord.desk.inboxes.models import Inbox, InboxMember
from klankbord.desk.notices import queries
from klankbord.desk.notices.models import NoticeKind, Notification
from klankbord.desk.organisations.models import Membership
from klankbord.desk.wall import current_organisation_id
from klankbord.flows import casework, mentions, notices, receipts, reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(desk: Desk) -> Membership:
    return desk.person("Anna")


@pytest.fixture
def case(desk: Desk) -> Conversation:
    [conversation] = desk.receive(desk.inbox(), desk.event(text="Waar blijft mijn kast?"))
    return conversation


def note(desk: Desk, case: Conversation, by: Membership, text: str) -> Message:
    with desk.open():
        return reply.write_note(conversation=case.id, text=text, by=by, now=desk.now, client_key=f"{by.id}{text}"[:60])


def told(desk: Desk, to: Membership) -> list[tuple[str, int]]:
    with desk.open():
        found = queries.told(to, inboxes=access.visible_inboxes(to))
        return [(each.kind, each.times) for each in found]


def counts(desk: Desk, by: Membership) -> listing.Counts:
    with desk.open():
        return listing.counts(by=by, inboxes=access.visible_inboxes(by))


def numbers_in(desk: Desk, slug: str, by: Membership) -> list[int]:
    view = listing.View.read(slug)
    assert view is not None
    with desk.open():
        found, _rest = listing.page(
            view, by=by, inboxes=access.visible_inboxes(by), filters=listing.Filters(), now=desk.now
        )
    return [each.number for each in found]


def answer(desk: Desk, case: Conversation, by: Membership, **more: Any) -> Message:
    with desk.open():
        thread = case.threads.get()
        return reply.send_reply(
            conversation=case.id, thread=thread.id, text="Onderweg", by=by, now=desk.now, client_key=str(by.id), **more
        )


class Somebody:
    """As far as names go."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Anna Bos kijk jij?", ["Anna Bos"]),
        ("@anna bos, @bram", ["Anna Bos", "Bram"]),
        ("Vraag het @Bram.", ["Bram"]),
        ("@Chloë Peters en @chloe peters", ["Chloë Peters"]),
        ("@Anna weet het", []),  # two people are called Anna
        ("mail naar info@bram.example", []),
        ("@Bramstedt ligt in Duitsland", []),
        ("@@Bram", []),
        ("@", []),
        ("Anna Bos", []),
        ("@ÇAĞLA YILMAZ!", ["Çağla Yılmaz"]),
        ("(@Bram)", ["Bram"]),
        ("@中村 さん", ["中村"]),
    ],
)
def test_who_is_named(text: str, expected: list[str]) -> None:
    people: Any = [Somebody(name) for name in ("Anna Bos", "Anna Smit", "Bram", "Chloë Peters", "Çağla Yılmaz", "中村")]
    assert [each.name for each in mentions.named_in(text, people)] == expected


def test_who_is_named_in_a_note_hears_of_it_and_finds_it_among_the_mentions(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    note(desk, case, noor, "@Anna weet jij dit?")
    assert told(desk, anna) == [("mentioned", 1)]
    assert counts(desk, anna).by_view["mentioned"] == 1
    assert counts(desk, anna).unread == 1
    assert numbers_in(desk, "mentioned", anna) == [case.number]
    assert told(desk, noor) == []
    assert numbers_in(desk, "mentioned", noor) == []


def test_a_mention_is_done_once_they_wrote_something_there(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    note(desk, case, noor, "@Anna weet jij dit?")
    note(desk, case, anna, "Ja, morgen.")
    assert numbers_in(desk, "mentioned", anna) == []
    assert counts(desk, anna).by_view["mentioned"] == 0
    note(desk, case, noor, "@Anna en overmorgen?")
    assert numbers_in(desk, "mentioned", anna) == [case.number]


def test_a_mention_can_be_put_away_and_leaves_with_a_resolved_conversation(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    note(desk, case, noor, "@Anna")
    with desk.open():
        notices.put_mention_away(conversation=case.id, by=anna, now=desk.now)
    assert (counts(desk, anna).by_view["mentioned"], counts(desk, anna).unread) == (0, 0)
    note(desk, case, noor, "toch @Anna")
    with desk.open():
        casework.resolve(conversation=case.id, by=noor, now=desk.now)
    assert counts(desk, anna).by_view["mentioned"] == 0


def test_a1_who_may_not_see_the_inbox_cannot_be_named_and_learns_nothing(
    desk: Desk, noor: Membership, anna: Membership
) -> None:
    inbox = desk.inbox("Geheim")
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(is_open_to_all=False)
        InboxMember.objects.create(inbox=inbox, member=noor)
    [case] = desk.receive(inbox, desk.event())
    note(desk, case, noor, "@Anna kijk eens")
    assert told(desk, anna) == []
    with desk.open():
        assert mentions.mentionable(conversation=case, by=noor) == []
        InboxMember.objects.create(inbox=inbox, member=anna)
    note(desk, case, noor, "@Anna nu wel")
    assert told(desk, anna) == [("mentioned", 1)]
    with desk.open():
        InboxMember.objects.filter(member=anna).delete()
    assert told(desk, anna) == []  # what they may no longer see, they no longer hear of
    assert counts(desk, anna).unread == 0


def test_who_is_given_a_conversation_hears_of_it_and_who_takes_one_does_not(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    with desk.open():
        casework.assign(conversation=case.id, owner=anna.id, team=None, by=noor, now=desk.now)
        casework.assign(conversation=case.id, owner=noor.id, team=None, by=noor, now=desk.now)
    assert told(desk, anna) == [("assigned", 1)]
    assert told(desk, noor) == []


def test_what_a_customer_adds_to_ones_conversation_is_one_line_that_counts(
    desk: Desk, case: Conversation, noor: Membership
) -> None:
    inbox = case.inbox_id
    with desk.open():
        casework.claim(conversation=case.id, by=noor, now=desk.now)
        found = Inbox.objects.get(id=inbox)
    desk.receive(found, desk.event(text="Hallo?"), desk.event(text="Is daar iemand?"))
    assert told(desk, noor) == [("answered", 2)]
    desk.receive(found, desk.event(text="Nou?"))
    assert told(desk, noor) == [("answered", 3)]
    with desk.open():
        notices.read_in(conversation=case.id, by=noor, now=desk.now)
    assert counts(desk, noor).unread == 0
    desk.receive(found, desk.event(text="Dank je"))
    assert told(desk, noor) == [("answered", 1), ("answered", 3)]


def test_a_customer_in_nobodys_conversation_costs_the_intake_no_statement_and_in_somebodys_one(
    desk: Desk, case: Conversation, noor: Membership, statements: Any
) -> None:
    with desk.open():
        inbox = Inbox.objects.get(id=case.inbox_id)

    def needed(size: int) -> int:
        desk.deliver(inbox, [desk.event(place=f"p{each % 3}") for each in range(size)])
        with statements() as seen:
            desk.take_in()
        return len(seen)

    needed(3)
    of_nobody = needed(60)
    with desk.open():
        for each in desk.conversations():
            casework.claim(conversation=each.id, by=noor, now=desk.now)
    assert needed(60) == of_nobody + 1
    assert needed(6) == of_nobody + 1


def test_a_reply_that_did_not_arrive_is_told_to_who_wrote_it(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    message = answer(desk, case, noor)
    with desk.open():
        Outbox.objects.filter(id=message.id).update(state=OutboxState.SENDING)
        Message.objects.filter(id=message.id).update(state=MessageState.SENDING)
        receipts.failed(message.id, current_organisation_id(), "Geweigerd", now=desk.now)
    assert told(desk, noor) == [("failed", 1)]
    assert told(desk, anna) == []


def test_kinds_that_somebody_does_not_want_are_not_told(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    with desk.open():
        notices.choose(by=anna, wanted=["mentioned"], digest="off", has_previews=False)
        casework.assign(conversation=case.id, owner=anna.id, team=None, by=noor, now=desk.now)
    note(desk, case, noor, "@Anna voor jou")
    assert told(desk, anna) == [("mentioned", 1)]


def test_all_can_be_read_at_once_and_nobody_elses_are(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    bram = desk.person("Bram")
    note(desk, case, noor, "@Anna @Bram")
    with desk.open():
        notices.read_all(by=anna, now=desk.now)
        [theirs] = Notification.objects.filter(member=bram)
        notices.read_notice(notice=theirs.id, by=anna, now=desk.now)  # somebody else's: nothing happens
    assert (counts(desk, anna).unread, counts(desk, bram).unread) == (0, 1)


def test_the_one_who_did_it_is_not_told(desk: Desk, case: Conversation, noor: Membership) -> None:
    with desk.open():
        notices.notify(kind=NoticeKind.RETURNED, conversation=case.id, members=[noor.id], by=noor, now=desk.now)
    assert told(desk, noor) == []


def test_who_answers_nobodys_conversation_takes_it_and_undo_gives_it_back(
    desk: Desk, case: Conversation, noor: Membership
) -> None:
    message = answer(desk, case, noor)
    assert numbers_in(desk, "mine", noor) == []  # it waits for the customer now
    assert desk.conversations()[0].owner_id == noor.id
    with desk.open():
        reply.take_back(message=message.id, by=noor, now=desk.now)
    assert desk.conversations()[0].owner_id is None
    assert counts(desk, noor).by_view["unassigned"] == 1


def test_undo_leaves_the_owner_alone_when_somebody_else_has_it_by_then(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    message = answer(desk, case, noor)
    with desk.open():
        casework.assign(conversation=case.id, owner=anna.id, team=None, by=noor, now=desk.now)
        reply.take_back(message=message.id, by=noor, now=desk.now)
    assert desk.conversations()[0].owner_id == anna.id


def test_an_organisation_can_want_that_answering_takes_nothing(
    desk: Desk, case: Conversation, noor: Membership
) -> None:
    noor.organisation.answering_takes = False
    answer(desk, case, noor)
    assert desk.conversations()[0].owner_id is None


def test_answering_settles_a_mention_and_undo_brings_it_back(
    desk: Desk, case: Conversation, noor: Membership, anna: Membership
) -> None:
    note(desk, case, noor, "@Anna antwoord jij?")
    message = answer(desk, case, anna)
    assert counts(desk, anna).by_view["mentioned"] == 0
    with desk.open():
        reply.take_back(message=message.id, by=anna, now=desk.now)
    assert counts(desk, anna).by_view["mentioned"] == 1
