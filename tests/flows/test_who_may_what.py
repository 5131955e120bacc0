"""Roles and inboxes: who may do what, and that a closed inbox is closed from every side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from far_platform import FarPlatform, again, answer

from desk_builder import Desk
from klankbord.contract import Refused
from klankbord.desk import access
from klankbord.desk.contacts.queries import handles_of
from klankbord.desk.conversations import asking, listing, queries, search
from klankbord.desk.conversations.models import Attachment, Conversation, Message, MessageState, Status, Thread
from klankbord.desk.errors import DeskError, Invalid, NotAllowed, NotFound, NotWaiting
from klankbord.desk.inboxes.models import DeadLetter, Inbox
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import (
    casework,
    composing,
    connect,
    invitations,
    labels,
    ledger,
    library,
    moderating,
    organisation,
    presence,
    rawfacts,
    teams,
    uploads,
)
from klankbord.flows.people import blocking, describing
from klankbord.flows.reply import save_draft, settle, take_back, try_again, write_note

pytestmark = pytest.mark.django_db

A, L, N, D = Role.AGENT, Role.LEAD, Role.ANALYST, Role.ADMINISTRATOR
ANSWERS = {A, L, D}


class Scene:
    """A conversation in an inbox that is open to all, with all that one can do something about."""

    def __init__(self, desk: Desk, platform: FarPlatform, *, is_closed: bool = False) -> None:
        self.desk, self.platform = desk, platform
        self.inbox = platform.inbox("Directie" if is_closed else "Webshop")
        desk.receive(self.inbox, b"not json")
        self.conversation = desk.receive(self.inbox, desk.event(text="stroopwafel"))[-1]
        self.boss = desk.person("Boss", D)
        with desk.open():
            if is_closed:
                Inbox.objects.filter(id=self.inbox.id).update(is_open_to_all=False)
            self.thread = Thread.objects.get(conversation_id=self.conversation.id)
            self.letter = DeadLetter.objects.get(inbox_id=self.inbox.id)
            self.message = Message.objects.get(conversation_id=self.conversation.id)
            self.label = casework.add_label(
                conversation=self.conversation.id, name="klacht", by=self.boss, now=desk.now
            )
            self.upload = uploads.add_upload(
                conversation=self.conversation.id, name="a.txt", data=b"tekst", by=self.boss, now=desk.now
            )

    def reply_in(self, state: str) -> Message:
        """A reply of the boss that failed, is uncertain, or did not leave yet."""
        if state == "failed":
            self.platform.script = [Refused("Nee.")]
        if state == "uncertain":
            self.platform.script = [ZeroDivisionError()]
        message = answer(self.desk, self.conversation, "Antwoord", self.boss)
        if state != "queued":
            self.platform.deliver_all()
        return message


Deed = Callable[[Scene, Membership], Any]


def on_case(act: Callable[..., Any], **more: Any) -> Deed:
    return lambda scene, by: act(conversation=scene.conversation.id, by=by, now=scene.desk.now, **more)


def compose(*, conversation: UUID, by: Membership, now: datetime) -> composing.Composer:
    """As the screens do: the case comes from `access`."""
    return composing.composer(conversation=access.conversation_for(by, conversation), by=by, now=now)


def on_contact(act: Callable[..., Any], **more: Any) -> Deed:
    return lambda scene, by: act(contact=scene.conversation.contact_id, by=by, now=scene.desk.now, **more)


def on_inbox(act: Callable[..., Any], **more: Any) -> Deed:
    return lambda scene, by: act(inbox=scene.inbox.id, by=by, now=scene.desk.now, **more)


def on_reply(act: Callable[..., Any], **more: Any) -> Deed:
    return lambda scene, by: act(message=scene.prepared.id, by=by, now=scene.desk.now, **more)  # type: ignore[attr-defined]


DEEDS: dict[str, tuple[Deed, set[Role]]] = {
    "read": (lambda scene, by: access.conversation_for(by, scene.conversation.id), {A, L, N, D}),
    "compose": (on_case(compose), {A, L, N, D}),
    "claim": (on_case(casework.claim), ANSWERS),
    "release": (on_case(casework.release), ANSWERS),
    "assign": (lambda scene, by: on_case(casework.assign, owner=scene.boss.id, team=None)(scene, by), ANSWERS),
    "resolve": (on_case(casework.resolve), ANSWERS),
    "reopen": (on_case(casework.reopen), ANSWERS),
    "pending": (on_case(casework.wait_for_contact), ANSWERS),
    "snooze": (
        lambda scene, by: on_case(casework.snooze, until=scene.desk.now + timedelta(hours=1))(scene, by),
        ANSWERS,
    ),
    "spam": (on_case(casework.mark_spam), ANSWERS),
    "not spam": (on_case(casework.clear_spam), ANSWERS),
    "label": (on_case(casework.add_label, name="spoed"), ANSWERS),
    "unlabel": (lambda scene, by: on_case(casework.remove_label, label=scene.message.id)(scene, by), ANSWERS),
    "reply": (lambda scene, by: answer(scene.desk, scene.conversation, "Hallo", by), ANSWERS),
    "note": (on_case(write_note, text="Let op", client_key="n"), ANSWERS),
    "upload": (on_case(uploads.add_upload, name="b.txt", data=b"x"), ANSWERS),
    "take back": (on_reply(take_back), ANSWERS),
    "try again": (on_reply(try_again), ANSWERS),
    "settle": (on_reply(settle, arrived=True), ANSWERS),
    "see ledger": (lambda scene, by: ledger.days(inbox=scene.inbox.id, since=date(2000, 1, 1), by=by), {L, N, D}),
    "see dead letters": (lambda scene, by: ledger.dead_letters(inbox=scene.inbox.id, by=by), {L, N, D}),
    "retry": (lambda scene, by: ledger.retry(dead_letter=scene.letter.id, by=by, now=scene.desk.now), {L, D}),
    "dismiss": (lambda scene, by: ledger.dismiss(dead_letter=scene.letter.id, by=by, now=scene.desk.now), {L, D}),
    "hear alarms": (lambda scene, by: access.require(by, "hear alarms"), {L, D}),
    "see raw facts": (lambda scene, by: rawfacts.read(message=scene.message.id, by=by, now=scene.desk.now), {D}),
    "prioritise": (on_case(casework.prioritise, priority=1), ANSWERS),
    "mute": (lambda scene, by: on_case(moderating.mute, thread=scene.thread.id)(scene, by), ANSWERS),
    "block": (on_contact(blocking.block), ANSWERS),
    "unblock": (on_contact(blocking.unblock), ANSWERS),
    "change contacts": (on_contact(describing.set_vip, is_vip=True), ANSWERS),
    "import contacts": (lambda scene, by: access.require(by, "import contacts"), {L, D}),
    "export contacts": (lambda scene, by: access.require(by, "export contacts"), {L, D}),
    "define contact fields": (lambda scene, by: access.require(by, "define contact fields"), {D}),
    "manage integrations": (lambda scene, by: access.require(by, "manage integrations"), {D}),
    "see audit": (lambda scene, by: access.require(by, "see audit"), {D}),
    "invite": (
        lambda scene, by: invitations.invite(email="x@wolk.example", role="agent", by=by, now=scene.desk.now),
        {D},
    ),
    "make a team": (lambda scene, by: teams.make(name="Nacht", by=by, now=scene.desk.now), {D}),
    "make a label": (
        lambda scene, by: labels.make(name="Nieuw", colour=1, group="", by=by, now=scene.desk.now),
        {L, D},
    ),
    "ask for a second step": (
        lambda scene, by: organisation.ask_second_step(asks=True, grace_days=0, by=by, now=scene.desk.now),
        {D},
    ),
    "write a fact": (
        lambda scene, by: library.save_fact(name="retourtermijn", value_nl="14 dagen", value_en="", by=by),
        {L, D},
    ),
    "write for everybody": (
        lambda scene, by: library.save_reply(
            reply=None, name="Hoi", text_nl="Hoi", text_en="", audience="all", by=by, now=scene.desk.now
        ),
        {L, D},
    ),
    "pause": (on_inbox(connect.pause, reason="x"), {D}),
    "resume": (on_inbox(connect.resume), {D}),
    "disconnect": (on_inbox(connect.disconnect), {D}),
    "change settings": (on_inbox(connect.change_settings, signature="x"), {D}),
    "set members": (on_inbox(connect.set_members, members=[]), {D}),
    "see the webhook": (lambda scene, by: connect.address_of_hook(inbox=scene.inbox.id, by=by), {D}),
    "connect": (
        lambda scene, by: connect.connect(
            kind="api", name="Nieuw", values={"secret": "x" * 20}, by=by, now=scene.desk.now
        ),
        {D},
    ),
}
NEEDS = {"take back": "queued", "try again": "failed", "settle": "uncertain"}


def test_the_matrix_names_every_deed_there_is() -> None:
    assert set(access._DEEDS) == {
        "read", "answer", "assign others", "see ledger", "retry dead letters", "hear alarms", "manage inboxes",
        "manage library", "approve replies",
        "manage people", "manage labels", "manage organisation", "see audit", "see raw facts", "change contacts",
        "import contacts", "export contacts", "define contact fields", "manage integrations", "use tokens",
    }  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("role", list(Role))
def test_a1_each_role_may_do_its_deeds_and_no_others(desk: Desk, platform: FarPlatform, role: Role, deed: str) -> None:
    act, allowed = DEEDS[deed]
    scene = Scene(desk, platform)
    if deed in NEEDS:
        scene.prepared = scene.reply_in(NEEDS[deed])  # type: ignore[attr-defined]
    somebody = desk.person("Somebody", role)
    with desk.open():
        if role in allowed:
            act(scene, somebody)
        else:
            with pytest.raises(NotAllowed):
                act(scene, somebody)


@pytest.mark.parametrize("deed", DEEDS)
def test_a1_whoever_left_may_do_nothing(desk: Desk, platform: FarPlatform, deed: str) -> None:
    scene = Scene(desk, platform)
    if deed in NEEDS:
        scene.prepared = scene.reply_in(NEEDS[deed])  # type: ignore[attr-defined]
    former = desk.person("Former", Role.ADMINISTRATOR)
    former.is_active = False
    with desk.open(), pytest.raises((NotAllowed, NotFound)):
        DEEDS[deed][0](scene, former)


@pytest.mark.parametrize("deed", DEEDS)
def test_a1_an_administrator_of_another_organisation_may_do_nothing(
    desk: Desk, platform: FarPlatform, deed: str
) -> None:
    scene = Scene(desk, platform)
    if deed in NEEDS:
        scene.prepared = scene.reply_in(NEEDS[deed])  # type: ignore[attr-defined]
    stranger = Desk("zon").person("Stranger", Role.ADMINISTRATOR)
    with desk.open(), pytest.raises((NotAllowed, NotFound)):
        DEEDS[deed][0](scene, stranger)


@pytest.mark.parametrize("deed", [deed for deed, (_, allowed) in DEEDS.items() if A in allowed])
def test_a3_an_agent_cannot_touch_anything_in_a_closed_inbox(desk: Desk, platform: FarPlatform, deed: str) -> None:
    scene = Scene(desk, platform, is_closed=True)
    if deed in NEEDS:
        scene.prepared = scene.reply_in(NEEDS[deed])  # type: ignore[attr-defined]
    before = again(desk, scene.conversation)
    with desk.open(), pytest.raises(NotFound):
        DEEDS[deed][0](scene, desk.person("Noor"))
    after = again(desk, scene.conversation)
    assert (after.status, after.owner_id, after.message_count) == (before.status, before.owner_id, before.message_count)


# ------------------------------------------------------------------------------------------ seeing


def test_a5_an_agent_sees_nothing_of_a_closed_inbox_on_any_road(desk: Desk, platform: FarPlatform) -> None:
    scene = Scene(desk, platform, is_closed=True)
    noor, lead = desk.person("Noor"), desk.person("Lea", Role.LEAD)
    conversation = scene.conversation
    with desk.open():
        sees, sees_not = access.visible_inboxes(lead), access.visible_inboxes(noor)
        assert (sees, sees_not) == ({scene.inbox.id}, frozenset())
        for by, is_visible in ((lead, True), (noor, False)):
            inboxes = access.visible_inboxes(by)
            by_itself, filtered = listing.Filters(), listing.Filters(inbox=scene.inbox.id)
            view = listing.View("all")
            listed, _ = listing.page(view, by=by, inboxes=inboxes, filters=by_itself, now=desk.now)
            by_filter, _ = listing.page(view, by=by, inboxes=inboxes, filters=filtered, now=desk.now)
            roads = [
                listed,
                by_filter,
                search.find(asking.read("stroopwafel", zone=UTC, today=desk.now.date()), by=by).found,
                search.find(asking.read(f"#{conversation.number}", zone=UTC, today=desk.now.date()), by=by).numbered,
                listing.by_numbers([conversation.number], inboxes=inboxes),
                listing.by_ids([conversation.id], inboxes=inboxes),
                listing.counts(by=by, inboxes=inboxes).of(listing.View("all")),
                listing.counts(by=by, inboxes=inboxes).of(listing.View("unassigned")),
                queries.history_of(conversation.contact_id, besides=scene.message.id, inboxes=inboxes),
                listing.newest_arrivals(listing.View("all"), by=by, inboxes=inboxes, filters=listing.Filters(),
                                        since=desk.now - timedelta(days=1), now=desk.now),
            ]  # fmt: skip
            assert [bool(road) for road in roads] == [is_visible] * len(roads), by.name


@pytest.mark.parametrize("key", ["id", "number"])
def test_a5_a_closed_conversation_and_one_that_does_not_exist_look_the_same(
    desk: Desk, platform: FarPlatform, key: str
) -> None:
    scene, noor = Scene(desk, platform, is_closed=True), desk.person("Noor")
    with desk.open():
        refusals = []
        for what in (getattr(scene.conversation, key), scene.inbox.id if key == "id" else 999_999):
            with pytest.raises(NotFound) as refusal:
                access.conversation_for(noor, what)
            refusals.append(refusal.value.sentence)
    assert refusals[0] == refusals[1]


def test_x3_files_of_a_closed_inbox_and_others_unsent_files_stay_closed(desk: Desk, platform: FarPlatform) -> None:
    closed, noor = Scene(desk, platform, is_closed=True), desk.person("Noor")
    answer(desk, closed.conversation, "Bijlage", closed.boss, attachments=[closed.upload.id])
    opened = Scene(desk, platform)
    with desk.open():
        assert Attachment.objects.get(id=closed.upload.id).message_id is not None
        for attachment in (closed.upload.id, opened.upload.id):
            with pytest.raises(NotFound):
                uploads.open_file(attachment=attachment, by=noor)
            with pytest.raises(NotFound):
                uploads.remove_upload(attachment=attachment, by=noor)
        _, data = uploads.open_file(attachment=closed.upload.id, by=closed.boss)
        assert data.read() == b"tekst"
        data.close()


def test_x4_a_reply_can_only_carry_ones_own_unsent_files_of_that_conversation(
    desk: Desk, platform: FarPlatform
) -> None:
    scene, noor = Scene(desk, platform), desk.person("Noor")
    with pytest.raises(Invalid):
        answer(desk, scene.conversation, "Kijk", noor, attachments=[scene.upload.id])
    other = desk.receive(scene.inbox, desk.event(place="bram", person={"id": "bram"}))[-1]
    with pytest.raises(Invalid):
        answer(desk, other, "Kijk", scene.boss, attachments=[scene.upload.id])
    answer(desk, scene.conversation, "Kijk", scene.boss, attachments=[scene.upload.id])
    with pytest.raises(Invalid):
        answer(desk, scene.conversation, "Nog eens", scene.boss, attachments=[scene.upload.id])


def test_a3_a_reply_cannot_go_into_a_thread_of_another_conversation(desk: Desk, platform: FarPlatform) -> None:
    scene = Scene(desk, platform)
    other = desk.receive(scene.inbox, desk.event(place="bram", person={"id": "bram"}))[-1]
    with pytest.raises(NotFound):
        answer(desk, other, "Voor een ander", scene.boss, thread=scene.thread.id)


def test_members_of_a_closed_inbox_see_it(desk: Desk, platform: FarPlatform) -> None:
    scene, noor = Scene(desk, platform, is_closed=True), desk.person("Noor")
    with desk.open():
        connect.set_members(inbox=scene.inbox.id, members=[noor.id], by=scene.boss, now=desk.now)
        assert access.conversation_for(noor, scene.conversation.id).id == scene.conversation.id
        connect.set_members(inbox=scene.inbox.id, members=[], by=scene.boss, now=desk.now)
        with pytest.raises(NotFound):
            access.conversation_for(noor, scene.conversation.id)


def test_the_ledger_shows_an_analyst_all_and_names_no_other_organisation(desk: Desk, platform: FarPlatform) -> None:
    Scene(desk, platform, is_closed=True)
    zon = Desk("zon")
    zon.receive(zon.inbox(), b"not json")
    ann = desk.person("Ann", Role.ANALYST)
    with desk.open():
        assert [row.inbox.name for row in ledger.days(inbox=None, since=date(2000, 1, 1), by=ann)] == ["Directie"]
        assert len(ledger.dead_letters(inbox=None, by=ann)) == 1


# ------------------------------------------------------------------------------------------ giving away


def test_a_case_is_given_only_to_somebody_who_can_see_and_answer_it(desk: Desk, platform: FarPlatform) -> None:
    scene = Scene(desk, platform, is_closed=True)
    left = desk.person("Left")
    Membership.objects.filter(id=left.id).update(is_active=False)
    wrong = {
        "cannot see it": desk.person("Noor"),
        "answers nothing": desk.person("Ann", Role.ANALYST),
        "left": left,
        "works elsewhere": Desk("zon").person("Stranger", Role.ADMINISTRATOR),
    }
    for why, member in wrong.items():
        with desk.open(), pytest.raises(Invalid):
            casework.assign(conversation=scene.conversation.id, owner=member.id, team=None, by=scene.boss, now=desk.now)
        assert again(desk, scene.conversation).owner_id is None, why
    lead = desk.person("Lea", Role.LEAD)
    with desk.open():
        casework.assign(conversation=scene.conversation.id, owner=lead.id, team=None, by=scene.boss, now=desk.now)
    assert again(desk, scene.conversation).owner_id == lead.id


def test_a_case_is_not_given_to_a_team_of_another_organisation(desk: Desk, platform: FarPlatform) -> None:
    scene, theirs = Scene(desk, platform), Desk("zon").team("Bezorging")
    with desk.open(), pytest.raises(Invalid):
        casework.assign(conversation=scene.conversation.id, owner=None, team=theirs.id, by=scene.boss, now=desk.now)


def test_what_a_colleague_took_cannot_be_claimed(desk: Desk, platform: FarPlatform) -> None:
    scene, noor = Scene(desk, platform), desk.person("Noor")
    with desk.open():
        casework.claim(conversation=scene.conversation.id, by=scene.boss, now=desk.now)
        casework.claim(conversation=scene.conversation.id, by=scene.boss, now=desk.now)
        with pytest.raises(NotWaiting):
            casework.claim(conversation=scene.conversation.id, by=noor, now=desk.now)


# ------------------------------------------------------------------------------------------ small but telling


def test_drafts_are_ones_own(desk: Desk, platform: FarPlatform) -> None:
    scene, noor = Scene(desk, platform), desk.person("Noor")
    with desk.open():
        save_draft(
            conversation=scene.conversation.id,
            kind="reply",
            text="Van de baas",
            thread=None,
            by=scene.boss,
            now=desk.now,
        )
        assert access.drafts_of(noor, scene.conversation.id) == []
        assert compose(conversation=scene.conversation.id, by=noor, now=desk.now).reply_draft == ""


def test_who_looks_is_told_to_colleagues_who_may_see_it(desk: Desk, platform: FarPlatform) -> None:
    scene, noor = Scene(desk, platform, is_closed=True), desk.person("Noor")
    with desk.open(), pytest.raises(NotFound):
        presence.seen(conversation=scene.conversation.id, by=noor, now=desk.now)


def test_a6_a_contacts_handles_are_behind_the_wall(desk: Desk, platform: FarPlatform) -> None:
    zon = Desk("zon")
    [theirs] = zon.receive(zon.inbox(), zon.event())
    with desk.open():
        assert handles_of(theirs.contact_id) == []
        assert not Conversation.objects.filter(contact_id=theirs.contact_id).exists()


def test_a_refusal_says_what_happened_and_changes_nothing(desk: Desk, platform: FarPlatform) -> None:
    scene, ann = Scene(desk, platform), desk.person("Ann", Role.ANALYST)
    with desk.open(), pytest.raises(DeskError) as refusal:
        casework.resolve(conversation=scene.conversation.id, by=ann, now=desk.now)
    assert refusal.value.sentence
    assert again(desk, scene.conversation).status == Status.OPEN
    assert again(desk, scene.message).state == MessageState.RECEIVED
