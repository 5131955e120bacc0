"""The people of an organisation: invited once, never without an administrator, gone without leaving work behind."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from desk_builder import Desk
from klankbord.desk.conversations.models import Conversation, Event, Label, ViewCounter
from klankbord.desk.errors import Invalid, NotAllowed, NotFound
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import AuditLine, Invitation, Membership, Role, Team, TeamMember, User
from klankbord.flows import casework, invitations, labels, teams
from klankbord.flows import colleagues as people
from klankbord.flows.invitations import Made

pytestmark = pytest.mark.django_db
PASSWORD = "een-heel-lang-wachtwoord"


@pytest.fixture
def boss(desk: Desk) -> Membership:
    return desk.person("Baas", Role.ADMINISTRATOR)


def invited(desk: Desk, boss: Membership, email: str = "Sem@Wolk.example ", role: str = "agent") -> Made:
    with desk.open():
        return invitations.invite(email=email, role=role, by=boss, now=desk.now)


def token_of(made: Made) -> str:
    return made.link.rstrip("/").rpartition("/")[2]


def accept(desk: Desk, made: Made, *, name: str = "Sem de Boer", password: str = PASSWORD) -> Membership:
    return invitations.accept(token=token_of(made), name=name, password=password, now=desk.now)


def work_of(desk: Desk, inbox: Inbox, owner: Membership | None, *, count: int, team: UUID | None = None) -> None:
    """So many conversations that belong to somebody."""
    with desk.open():
        known = set(Conversation.objects.values_list("id", flat=True))
    new = [
        each for each in desk.receive(inbox, *(one(desk, number) for number in range(count))) if each.id not in known
    ]
    with desk.open():
        for each in new:
            by = owner or desk_boss(desk)
            casework.assign(conversation=each.id, owner=owner and owner.id, team=team, by=by, now=desk.now)


def one(desk: Desk, number: int) -> dict[str, object]:
    key = f"{desk.now.timestamp()}-{number}"
    return desk.event(place=key, person={"id": key, "name": "Anouk"})


def desk_boss(desk: Desk) -> Membership:
    return Membership.objects.get(organisation=desk.organisation, user__name="Baas")


def counted(desk: Desk, owner: UUID) -> int:
    return sum(ViewCounter.objects.filter(owner_id=owner).values_list("count", flat=True))


# ------------------------------------------------------------------------------------------------ invitations


def test_an_invitation_gives_a_place_with_its_role(desk: Desk, boss: Membership) -> None:
    member = accept(desk, invited(desk, boss, role="lead"))
    assert (member.user.email, member.name, member.role) == ("sem@wolk.example", "Sem de Boer", "lead")
    assert member.user.check_password(PASSWORD)
    with desk.open():
        assert invitations.waiting(by=boss) == []
        deeds = list(AuditLine.objects.order_by("at", "id").values_list("deed", flat=True))
    assert deeds == ["person invited", "invitation accepted"]


def test_t3_an_invitation_works_once(desk: Desk, boss: Membership) -> None:
    made = invited(desk, boss)
    accept(desk, made)
    with pytest.raises(NotFound):
        accept(desk, made, name="Boef")
    assert User.objects.filter(email="sem@wolk.example").count() == 1


def test_t3_an_invitation_works_for_seven_days(desk: Desk, boss: Membership) -> None:
    made = invited(desk, boss)
    desk.later(days=7)
    with pytest.raises(NotFound):
        accept(desk, made)


@pytest.mark.parametrize("token", ["", "0", "a" * 43, "../../x"])
def test_t3_a_guess_opens_nothing(desk: Desk, boss: Membership, token: str) -> None:
    invited(desk, boss)
    with pytest.raises(NotFound):
        invitations.accept(token=token, name="Boef", password=PASSWORD, now=desk.now)


def test_t3_the_hash_in_the_database_opens_nothing(desk: Desk, boss: Membership) -> None:
    made = invited(desk, boss)
    [kept] = Invitation.objects.values_list("token_hash", flat=True)
    assert kept not in made.link
    with pytest.raises(NotFound):
        invitations.behind(kept, now=desk.now)


def test_t3_a_withdrawn_invitation_and_one_that_was_sent_again_open_nothing(desk: Desk, boss: Membership) -> None:
    first = invited(desk, boss)
    with desk.open():
        second = invitations.resend(invitation=first.invitation.id, by=boss, now=desk.now)
    with pytest.raises(NotFound):
        accept(desk, first)
    with desk.open():
        invitations.withdraw(invitation=first.invitation.id, by=boss, now=desk.now)
    with pytest.raises(NotFound):
        accept(desk, second)


def test_t3_an_invitation_of_somebody_who_manages_people_no_longer_opens_nothing(desk: Desk, boss: Membership) -> None:
    other = desk.person("Ander", Role.ADMINISTRATOR)
    made = invited(desk, other)
    with desk.open():
        people.change_role(member=other.id, role="agent", by=boss, now=desk.now)
    with pytest.raises(NotFound):
        accept(desk, made)


def test_t3_an_invitation_is_for_one_address_and_one_organisation(desk: Desk, boss: Membership) -> None:
    elsewhere = Desk("regen").person("Noor")
    made = invited(desk, boss, email=elsewhere.user.email)
    with pytest.raises(Invalid):
        accept(desk, made)  # the account exists: its owner has to sign in
    stranger = Desk("zon").person("Vreemde")
    with pytest.raises(Invalid):
        invitations.accept_as(token=token_of(made), user=stranger.user, now=desk.now)
    joined = invitations.accept_as(token=token_of(made), user=elsewhere.user, now=desk.now)
    assert joined.organisation_id == desk.organisation.id
    other_boss = Desk("hagel").person("Baas", Role.ADMINISTRATOR)
    waiting = invited(desk, boss, email="nog@wolk.example").invitation
    with desk.open(), pytest.raises(NotAllowed):
        invitations.withdraw(invitation=waiting.id, by=other_boss, now=desk.now)


def test_an_invitation_that_was_refused_halfway_is_still_there(desk: Desk, boss: Membership) -> None:
    made = invited(desk, boss)
    for name, password in (("Sem", "kort"), ("  ", PASSWORD), ("Sem", "sem@wolk.example")):
        with pytest.raises(Invalid):
            accept(desk, made, name=name, password=password)
    assert accept(desk, made).is_active


@pytest.mark.parametrize("email", ["", "sem", "sem@", "a b@wolk.example", "baas@wolk.example"])
def test_an_address_that_cannot_be_invited_is_refused(desk: Desk, boss: Membership, email: str) -> None:
    with pytest.raises(Invalid):
        invited(desk, boss, email=email)


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.ANALYST])
def test_only_administrators_manage_people(desk: Desk, boss: Membership, role: Role) -> None:
    other = desk.person("Ander", role)
    with desk.open():
        for act in (
            lambda: invitations.invite(email="x@wolk.example", role="administrator", by=other, now=desk.now),
            lambda: people.change_role(member=other.id, role="administrator", by=other, now=desk.now),
            lambda: people.leave(member=boss.id, to_member=None, to_team=None, by=other, now=desk.now),
            lambda: people.remove_second_step(member=boss.id, by=other, now=desk.now),
            lambda: people.set_inboxes(member=other.id, inboxes=[], by=other, now=desk.now),
            lambda: teams.make(name="Nacht", by=other, now=desk.now),
        ):
            with pytest.raises(NotAllowed):
                act()


# ------------------------------------------------------------------------------------------------ roles and leaving


def test_there_is_always_an_administrator(desk: Desk, boss: Membership) -> None:
    with desk.open():
        with pytest.raises(Invalid, match="Baas"):
            people.change_role(member=boss.id, role="agent", by=boss, now=desk.now)
        with pytest.raises(Invalid):
            people.leave(member=boss.id, to_member=None, to_team=None, by=boss, now=desk.now)
        desk.person("Tweede", Role.ADMINISTRATOR)
        assert people.change_role(member=boss.id, role="agent", by=boss, now=desk.now).role == "agent"


def test_somebody_sees_the_closed_inboxes_they_were_given(desk: Desk, boss: Membership) -> None:
    noor, closed, other = desk.person("Noor"), desk.inbox("Directie"), desk.inbox("Winkel")
    with desk.open():
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
        people.set_inboxes(member=noor.id, inboxes=[closed.id, other.id], by=boss, now=desk.now)
        assert people.inboxes_of(noor.id) == {closed.id}
        people.set_inboxes(member=noor.id, inboxes=[], by=boss, now=desk.now)
        assert people.inboxes_of(noor.id) == frozenset()


def test_who_leaves_hands_over_what_is_theirs_and_the_counts_are_right(desk: Desk, boss: Membership) -> None:
    noor, sem, inbox = desk.person("Noor"), desk.person("Sem"), desk.inbox()
    work_of(desk, inbox, noor, count=5)
    with desk.open():
        first, second = Conversation.objects.order_by("number")[:2]
        casework.resolve(conversation=first.id, by=noor, now=desk.now)
        casework.snooze(conversation=second.id, until=desk.now + timedelta(hours=1), by=noor, now=desk.now)
        assert people.holdings(noor.id, by=boss, now=desk.now) == {"open": 3, "snoozed": 1, "resolved": 1}
        _left, handed = people.leave(member=noor.id, to_member=sem.id, to_team=None, by=boss, now=desk.now)
        assert handed == 5
        assert {each.owner_id for each in Conversation.objects.all()} == {sem.id}
        assert (counted(desk, noor.id), counted(desk, sem.id)) == (0, 5)
        assert Event.objects.filter(kind="conversation assigned", by=boss).count() == 5
        assert not Membership.objects.get(id=noor.id).is_active


def test_what_was_resolved_long_ago_stays_with_who_did_it(desk: Desk, boss: Membership) -> None:
    noor, inbox = desk.person("Noor"), desk.inbox()
    work_of(desk, inbox, noor, count=1)
    with desk.open():
        casework.resolve(conversation=Conversation.objects.get().id, by=noor, now=desk.now)
        desk.later(days=60)
        _left, handed = people.leave(member=noor.id, to_member=None, to_team=None, by=boss, now=desk.now)
        assert handed == 0
        assert Conversation.objects.get().owner_id == noor.id


def test_a_team_takes_over_and_nobody_is_an_answer_too(desk: Desk, boss: Membership) -> None:
    noor, inbox, team = desk.person("Noor"), desk.inbox(), desk.team("Nacht")
    work_of(desk, inbox, noor, count=2)
    with desk.open():
        people.leave(member=noor.id, to_member=None, to_team=team.id, by=boss, now=desk.now)
        assert {(each.owner_id, each.team_id) for each in Conversation.objects.all()} == {(None, team.id)}


def test_nothing_is_handed_to_who_cannot_answer_or_is_gone(desk: Desk, boss: Membership) -> None:
    noor, ana, gone = desk.person("Noor"), desk.person("Ana", Role.ANALYST), desk.person("Weg")
    with desk.open():
        people.leave(member=gone.id, to_member=None, to_team=None, by=boss, now=desk.now)
        for taker in (ana, gone, noor):
            with pytest.raises(Invalid):
                people.leave(member=noor.id, to_member=taker.id, to_team=None, by=boss, now=desk.now)
        assert people.come_back(member=gone.id, by=boss, now=desk.now).is_active


# ------------------------------------------------------------------------------------------------ teams


def test_a_team_is_made_filled_renamed_and_removed_with_its_work_handed_over(desk: Desk, boss: Membership) -> None:
    noor, inbox = desk.person("Noor"), desk.inbox()
    with desk.open():
        night = teams.make(name="  Nacht ", by=boss, now=desk.now)
        day = teams.make(name="Dag", by=boss, now=desk.now)
        teams.change(team_id=night.id, name="Late dienst", members=[noor.id], by=boss, now=desk.now)
        assert Team.objects.get(id=night.id).name == "Late dienst"
        assert [each.member_id for each in TeamMember.objects.all()] == [noor.id]
    work_of(desk, inbox, noor, count=2, team=night.id)
    with desk.open():
        assert teams.holdings(night.id, by=boss, now=desk.now) == 2
        teams.remove(team_id=night.id, to_team=day.id, by=boss, now=desk.now)
        found = {(each.owner_id, each.team_id) for each in Conversation.objects.all()}
        assert found == {(noor.id, day.id)}
        assert TeamMember.objects.count() == 0
        with pytest.raises(NotFound):
            teams.team(night.id, by=boss)
        assert teams.make(name="Late dienst", by=boss, now=desk.now).id == night.id


def test_two_teams_cannot_have_one_name(desk: Desk, boss: Membership) -> None:
    with desk.open():
        teams.make(name="Nacht", by=boss, now=desk.now)
        for name in ("Nacht", "  ", ""):
            with pytest.raises(Invalid):
                teams.make(name=name, by=boss, now=desk.now)


def test_a_name_is_free_again_once_its_team_is_gone(desk: Desk, boss: Membership) -> None:
    with desk.open():
        gone = teams.make(name="Nacht", by=boss, now=desk.now)
        teams.remove(team_id=gone.id, to_team=None, by=boss, now=desk.now)
        day = teams.make(name="Dag", by=boss, now=desk.now)
        assert teams.change(team_id=day.id, name="Nacht", members=[], by=boss, now=desk.now).name == "Nacht"


# ------------------------------------------------------------------------------------------------ labels


def test_two_labels_become_one_and_nothing_carries_it_twice(desk: Desk, boss: Membership) -> None:
    inbox = desk.inbox()
    work_of(desk, inbox, boss, count=3)
    with desk.open():
        first, second, third = Conversation.objects.order_by("number")
        for each, name in ((first, "klacht"), (second, "klacht"), (second, "klachten"), (third, "klachten")):
            casework.add_label(conversation=each.id, name=name, by=boss, now=desk.now)
        gone, kept = Label.objects.get(name="klachten"), Label.objects.get(name="klacht")
        labels.merge(label=gone.id, into=kept.id, by=boss, now=desk.now)
        [heading] = labels.headings(by=boss)
        assert [(each.name, each.uses) for each in heading.labels] == [("klacht", 3)]  # type: ignore[attr-defined]


def test_labels_stand_under_headings_with_a_colour(desk: Desk, boss: Membership) -> None:
    with desk.open():
        made = labels.make(name="Retour", colour=1, group="Proces", by=boss, now=desk.now)
        labels.make(name="Vraag", colour=2, group="", by=boss, now=desk.now)
        labels.change(label=made.id, name="Retour 📦", colour=3, group="Stappen", by=boss, now=desk.now)
        found = [(each.name, [label.name for label in each.labels]) for each in labels.headings(by=boss)]
        assert found == [("", ["Vraag"]), ("Stappen", ["Retour 📦"])]
        assert labels.remove(label=made.id, by=boss, now=desk.now) == "Retour 📦"
        with pytest.raises(NotFound):
            labels.remove(label=made.id, by=boss, now=desk.now)


@pytest.mark.parametrize(("name", "colour"), [("", 1), ("   ", 1), ("Vraag", 0), ("Vraag", 8), ("Bestaat", 1)])
def test_a_label_without_a_name_or_with_an_odd_colour_is_refused(
    desk: Desk, boss: Membership, name: str, colour: int
) -> None:
    with desk.open():
        labels.make(name="Bestaat", colour=1, group="", by=boss, now=desk.now)
        with pytest.raises(Invalid):
            labels.make(name=name, colour=colour, group="", by=boss, now=desk.now)
