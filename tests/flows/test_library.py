"""Saved replies: whose they are, how they are found, and what they say in a conversation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_builder import Desk
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.library import filling, queries
from klankbord.desk.library.models import SavedReply
from klankbord.desk.organisations.models import Membership, Role, TeamMember
from klankbord.flows import library

pytestmark = pytest.mark.django_db


def write(desk: Desk, by: Membership, name: str = "Groet", audience: str = "me", **more: Any) -> SavedReply:
    words = {"text_nl": "Dag {voornaam}", "text_en": ""} | more
    with desk.open():
        return library.save_reply(reply=None, name=name, audience=audience, by=by, now=desk.now, **words)


def said(desk: Desk, by: Membership, words: str = "", language: str = "") -> list[str]:
    [conversation] = desk.conversations()
    with desk.open():
        found = library.phrases(conversation=conversation, words=words, by=by, language=language)
        return [phrase.text for phrase in found]


@pytest.fixture
def noor(desk: Desk) -> Membership:
    desk.receive(desk.inbox(), desk.event())
    return desk.person("Noor")


def test_blanks_are_filled_with_the_contact_the_case_and_the_business(desk: Desk, noor: Membership) -> None:
    with desk.open():
        library.save_fact(name="retour", value_nl="30 dagen", value_en="30 days", by=desk.person("Lead", Role.LEAD))
    write(desk, noor, text_nl="{voornaam}, {retour}. #{ticket} {agent}, {bedrijf}", text_en="{firstname}: {retour}")
    assert said(desk, noor) == ["Anouk, 30 dagen. #1 Noor, Wolk"]
    assert said(desk, noor, language="en") == ["Anouk: 30 days"]


def test_what_is_not_known_stays_visible_and_is_named(desk: Desk, noor: Membership) -> None:
    write(desk, noor, text_nl="Je track and trace is {zending}, {aanhef|beste klant}")
    [conversation] = desk.conversations()
    with desk.open():
        [phrase] = library.phrases(conversation=conversation, words="", by=noor)
    assert (phrase.text, phrase.missing) == ("Je track and trace is {zending}, beste klant", ("zending",))


def test_words_of_a_customer_are_never_read_as_blanks(desk: Desk) -> None:  # O10
    desk.receive(desk.inbox(), desk.event(person={"id": "x", "name": "{agent} {bedrijf|x}"}))
    noor = desk.person("Noor")
    write(desk, noor, text_nl="Dag {naam}")
    assert said(desk, noor) == ["Dag {agent} {bedrijf|x}"]


def test_one_finds_ones_own_those_of_ones_teams_and_everybodys(desk: Desk, noor: Membership) -> None:
    team = desk.team("Retour")
    joris, lead = desk.person("Joris"), desk.person("Lead", Role.LEAD)
    with desk.open():
        TeamMember.objects.create(team=team, member=noor)
    write(desk, noor, "van mij")
    write(desk, joris, "van joris")
    write(desk, noor, "van het team", str(team.id))
    write(desk, lead, "van allen", "all")
    with desk.open():
        assert {each.name for each in queries.replies_for(noor)} == {"van mij", "van het team", "van allen"}
        assert {each.name for each in queries.replies_for(joris)} == {"van joris", "van allen"}


def test_nobody_changes_what_is_a_colleagues_own(desk: Desk, noor: Membership) -> None:
    mine = write(desk, noor)
    with desk.open(), pytest.raises(NotFound):
        library.remove_reply(reply=mine.id, by=desk.person("Boss", Role.ADMINISTRATOR))


def test_a_team_one_is_not_in_cannot_be_written_for(desk: Desk, noor: Membership) -> None:
    team = desk.team("Retour")
    with pytest.raises(Invalid):
        write(desk, noor, "x", str(team.id))


def test_what_is_named_so_comes_before_what_only_says_so_and_accents_do_not_matter(
    desk: Desk, noor: Membership
) -> None:
    write(desk, noor, "bedankt", text_nl="En sorry voor het wachten")
    write(desk, noor, "te laat: sorry", text_nl="Het spijt ons")
    write(desk, noor, "Sórry, verkeerd begrepen", text_nl="Ik begreep het niet")
    assert said(desk, noor, "sorry") == ["Ik begreep het niet", "Het spijt ons", "En sorry voor het wachten"]


def test_the_ones_used_most_come_first(desk: Desk, noor: Membership) -> None:
    write(desk, noor, "a", text_nl="zelden")
    often = write(desk, noor, "b", text_nl="vaak")
    with desk.open():
        library.note_use(reply=often.id, by=noor)
    assert said(desk, noor) == ["vaak", "zelden"]


@pytest.mark.parametrize("name", ["", "twee woorden", "1x", "voornaam", "x" * 60, "{}"])
def test_a_fact_needs_a_name_that_can_stand_between_braces(desk: Desk, name: str) -> None:
    lead = desk.person("Lead", Role.LEAD)
    with desk.open(), pytest.raises(Invalid):
        library.save_fact(name=name, value_nl="x", value_en="", by=lead)


@given(st.text(), st.dictionaries(st.sampled_from(filling.ALWAYS), st.text()))
def test_filling_a_text_without_blanks_changes_nothing(text: str, values: dict[str, str]) -> None:
    assert filling.fill(text.replace("{", ""), values) == filling.Filled(text.replace("{", ""))
