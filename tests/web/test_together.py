"""Working together, as it is seen: the bell, naming somebody, who is here, a shift handed over, one's own settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from errands import run_errands
from klankbord.desk.conversations.models import Conversation, Message, Timer
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.notices.models import Notification, Presence, Shift
from klankbord.desk.organisations.models import Membership, Role
from klankbord.flows import casework, notices, presence, reply
from klankbord.flows.clockwork import run_timers
from roles import become_within

from .pages import FRAGMENT, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor(desk: Any) -> Membership:
    return desk.person("Noor")


@pytest.fixture
def anna(desk: Any) -> Membership:
    return desk.person("Anna")


@pytest.fixture
def case(desk: Any) -> Any:
    [conversation] = desk.receive(desk.inbox(), desk.event(text="Waar blijft mijn kast?"))
    return conversation


def mention(desk: Any, case: Any, by: Membership, text: str = "@Anna weet jij dit?") -> None:
    with desk.open():
        reply.write_note(conversation=case.id, text=text, by=by, now=timezone.now(), client_key=text)


def test_the_bell_says_how_much_is_new_and_its_list_leads_to_the_conversation(desk, sign_in, case, noor, anna):
    mention(desk, case, noor)
    browser = sign_in(anna)
    page = browser.get("/inbox/mentioned")
    assert 'data-unread="1"' in page.content.decode()
    assert "Anouk de Wit" in text_of(page)
    bell = browser.get("/notices", headers=FRAGMENT)
    assert "Noor noemt je bij Anouk de Wit" in text_of(bell)
    assert f"/inbox/all/{case.number}" in bell.content.decode()
    assert "Noor noemt je" in text_of(browser.get("/notices"))


def test_the_count_is_live_with_the_list(desk, sign_in, case, noor, anna):
    browser = sign_in(anna)
    assert 'data-unread="0"' in browser.get("/inbox/mine/pulse", headers=FRAGMENT).content.decode()
    mention(desk, case, noor)
    assert 'data-unread="1"' in browser.get("/inbox/mine/pulse", headers=FRAGMENT).content.decode()


@pytest.mark.parametrize("deed", ["all", "in", "done"])
def test_what_was_read_is_no_longer_new(desk, sign_in, case, noor, anna, deed):
    mention(desk, case, noor)
    browser = sign_in(anna)
    answer = browser.post(f"/notices/read/{deed}", {"number": case.number}, headers=FRAGMENT)
    assert 'data-unread="0"' in answer.content.decode()
    assert "Noor noemt je" in text_of(browser.get("/notices"))  # still there to look up


def test_one_notice_can_be_read_without_script(desk, sign_in, case, noor, anna):
    mention(desk, case, noor)
    browser = sign_in(anna)
    with desk.open():
        notice = Notification.objects.get()
    page = browser.post("/notices/read/one", {"notice": notice.id}, follow=True)
    assert page.status_code == 200
    assert 'data-unread="0"' in page.content.decode()


def test_older_notices_are_a_page_further(desk, sign_in, noor, anna):
    inbox = desk.inbox()
    for number in range(45):
        desk.receive(inbox, desk.event(place=f"p{number}", person={"id": f"p{number}", "name": f"Klant {number}"}))
    for conversation in desk.conversations():
        mention(desk, conversation, noor, f"@Anna {conversation.number}")
    browser = sign_in(anna)
    first = browser.get("/notices")
    older = first.content.decode().split("?before=")[1].split('"')[0]
    assert "Klant 44" in text_of(first)
    assert "Klant 2 " not in text_of(first)
    assert "Klant 2 " in text_of(browser.get(f"/notices?before={older}"))


def test_only_people_who_may_see_it_can_be_picked(desk, sign_in, case, noor, anna):
    assert "Anna" in text_of(sign_in(noor).get(f"/conversations/{case.number}/mentionable", headers=FRAGMENT))
    with desk.open():
        Inbox.objects.update(is_open_to_all=False)
    boss = desk.person("Baas", Role.ADMINISTRATOR)
    found = text_of(sign_in(boss).get(f"/conversations/{case.number}/mentionable", headers=FRAGMENT))
    assert "Anna" not in found
    assert sign_in(anna).get(f"/conversations/{case.number}/mentionable", headers=FRAGMENT).status_code == 404


def test_a_name_in_a_note_stands_out(desk, sign_in, case, noor, anna):
    mention(desk, case, noor, "@Anna & <b>dit</b>?")
    page = sign_in(noor).get(f"/inbox/all/{case.number}").content.decode()
    assert '<b class="mention">@Anna</b> &amp; &lt;b&gt;dit&lt;/b&gt;?' in page


def test_who_is_here_busy_or_away(desk, sign_in, noor, anna):
    browser = sign_in(noor)
    browser.post("/me/here")
    assert "Noor (jij) beschikbaar" in text_of(browser.get("/here"))
    assert "Anna afwezig" in text_of(browser.get("/here", headers=FRAGMENT))
    browser.post("/me/presence", {"state": "busy"})
    browser.post("/me/here")  # signs of life do not change what somebody chose
    assert "Noor (jij) bezig" in text_of(browser.get("/here"))
    with desk.open():
        later = timezone.now() + timedelta(minutes=11)
        assert presence.states(now=later)[noor.id] == "away"
    assert browser.post("/me/presence", {"state": "asleep"}).status_code >= 400


def test_the_menu_to_give_work_says_who_is_there(desk, sign_in, case, noor, anna):
    with desk.open():
        presence.be(state="busy", by=anna, now=timezone.now())
    people = sign_in(noor).get(f"/conversations/{case.number}/people", headers=FRAGMENT)
    assert "bezig, Anna" in " ".join(text_of(people).split())


def test_giving_work_takes_a_bounded_number_of_statements(desk, sign_in, case, noor, anna):
    browser = sign_in(noor)

    def needed(owner: Membership) -> int:
        with CaptureQueriesContext(connection) as queries:
            answer = browser.post(f"/conversations/{case.number}/do/assign", {"owner": owner.id}, headers=FRAGMENT)
        assert answer.status_code == 200
        return len([each for each in queries if "SAVEPOINT" not in each["sql"]])

    first = needed(anna)
    for number in range(20):
        desk.person(f"Collega{number}")
    assert needed(noor) <= first
    assert needed(anna) == first
    assert first <= 20  # each a look-up by key: together well within a tenth of a second


def shift(desk: Any, inbox: Any, noor: Membership, count: int = 3) -> list[Any]:
    for number in range(count):
        desk.receive(inbox, desk.event(place=f"p{number}", person={"id": f"p{number}", "name": f"Klant {number}"}))
    with desk.open():
        for each in Conversation.objects.filter(owner=None):
            casework.claim(conversation=each.id, by=noor, now=desk.now)
    return desk.conversations()


def test_a_shift_is_previewed_handed_over_with_a_note_and_taken_back(desk, sign_in, noor, anna):
    cases = shift(desk, desk.inbox(), noor)
    browser = sign_in(noor)
    to = f"person-{anna.id.hex}"
    page = browser.get("/me/shift", {"to": to})
    assert "3 gesprekken gaan naar Anna" in text_of(page)
    assert {each.owner_id for each in desk.conversations()} == {noor.id}  # only looked at
    done = browser.post("/me/shift/hand-over", {"to": to, "note": "Let op de @garantie"}, follow=True)
    assert "3 gesprekken" in text_of(done)
    assert {each.owner_id for each in desk.conversations()} == {anna.id}
    with desk.open():
        assert Message.objects.filter(kind="note", text="Let op de @garantie").count() == 3
    assert "Noor gaf je 3 gesprekken" in text_of(sign_in(anna).get("/notices"))
    with desk.open():
        [kept] = Shift.objects.all()
        bram = desk.person("Bram")
        casework.assign(conversation=cases[0].id, owner=bram.id, team=None, by=anna, now=desk.now)
    back = browser.post("/me/shift/undo", {"shift": kept.id}, follow=True)
    assert "2 gesprekken zijn weer van jou" in text_of(back)
    assert [each.owner_id for each in desk.conversations()] == [bram.id, noor.id, noor.id]
    with desk.open():
        assert not Message.objects.filter(kind="note").exists()
    assert browser.post("/me/shift/undo", {"shift": kept.id}).status_code == 409


def test_what_the_next_one_may_not_see_stays(desk, sign_in, noor, anna):
    shift(desk, desk.inbox(), noor, 1)
    closed = desk.inbox("Geheim")
    boss = desk.person("Baas", Role.ADMINISTRATOR)
    shift(desk, closed, boss, 1)
    with desk.open():
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
    with desk.open():
        assert Conversation.objects.filter(owner=boss).count() >= 1
    page = text_of(sign_in(boss).get("/me/shift", {"to": f"person-{anna.id.hex}"}))
    assert "blijft bij jou" in page


def test_everything_can_be_given_back_or_to_a_team(desk, sign_in, noor):
    team = desk.team("Facturen")
    shift(desk, desk.inbox(), noor)
    browser = sign_in(noor)
    browser.post("/me/shift/hand-over", {"to": f"team-{team.id.hex}"})
    assert {(each.owner_id, each.team_id) for each in desk.conversations()} == {(None, team.id)}
    assert browser.post("/me/shift/hand-over", {"to": "nobody"}).status_code >= 400  # nothing of mine is left
    with desk.open():
        casework.claim(conversation=desk.conversations()[0].id, by=noor, now=desk.now)
    browser.post("/me/shift/hand-over", {"to": "nobody"})
    assert {(each.owner_id, each.team_id) for each in desk.conversations()} == {(None, team.id)}


def test_a_shift_takes_the_same_statements_whatever_its_size(desk, sign_in, noor, anna):
    inbox = desk.inbox()
    browser = sign_in(noor)

    def needed(count: int, to: Membership, by: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            by.post("/me/shift/hand-over", {"to": f"person-{to.id.hex}", "note": "Daar ga je"})
        return len(queries)

    shift(desk, inbox, noor, 2)
    few = needed(2, anna, browser)
    for number in range(2, 30):
        desk.receive(inbox, desk.event(place=f"p{number}"))
    with desk.open():
        for each in desk.conversations():
            casework.assign(conversation=each.id, owner=noor.id, team=None, by=noor, now=desk.now)
    assert needed(30, anna, browser) == few


def test_ones_own_settings(desk, sign_in, noor):
    browser = sign_in(noor)
    assert "Jouw instellingen" in text_of(browser.get("/me/settings"))
    given = {
        "name": "Noor de Boer", "initials": "NB", "language": "en", "theme": "dark", "wanted": ["mentioned"],
        "digest": "daily",
    }  # fmt: skip
    page = browser.post("/me/settings", given, follow=True)
    assert "Your settings" in text_of(page)
    noor.refresh_from_db()
    noor.user.refresh_from_db()
    assert (noor.name, noor.initials, noor.user.theme) == ("Noor de Boer", "NB", "dark")
    refused = browser.post("/me/settings", given | {"name": "  "})
    assert refused.status_code == 422
    assert "Write your name." in text_of(refused)
    assert browser.post("/me/settings", given | {"digest": "weekly"}).status_code == 422
    assert browser.post("/me/settings", given | {"initials": "NOORD"}).status_code == 422


def digest(desk: Any, by: Membership, how: str, *, has_previews: bool = False) -> None:
    with desk.open():
        notices.choose(by=by, wanted=[str(each) for each in notices.OPTIONAL], digest=how, has_previews=has_previews)


def clock(now: Any) -> None:
    """The worker's clock strikes, and what it left to do is done."""
    become_within("worker")
    run_timers(now=now)
    become_within("app")
    run_errands()


def test_an_hourly_digest_says_what_was_not_read_and_no_word_of_the_messages(desk, case, noor, anna, settings):
    settings.DESK_MAIL = "smtp"
    digest(desk, anna, "hourly")
    mention(desk, case, noor, "@Anna geheim recept")
    clock(timezone.now() + timedelta(hours=1))
    clock(timezone.now() + timedelta(hours=3))
    [letter] = mail.outbox
    assert letter.to == ["anna@wolk.example"]
    assert "Noor noemt je bij Anouk de Wit" in letter.body
    assert f"/conversations/{case.number}" in letter.body
    assert "recept" not in letter.body


def test_a_digest_has_the_first_words_for_who_wants_that(desk, case, noor, anna, settings):
    settings.DESK_MAIL = "smtp"
    digest(desk, anna, "hourly", has_previews=True)
    mention(desk, case, noor, "@Anna geheim recept")
    clock(timezone.now() + timedelta(hours=1))
    assert "@Anna geheim recept" in mail.outbox[0].body


def test_who_read_it_in_time_gets_no_mail_and_who_chose_none_neither(desk, case, noor, anna, settings):
    settings.DESK_MAIL = "smtp"
    mention(desk, case, noor, "@Anna zonder mail")
    with desk.open():
        assert not Timer.objects.filter(kind="digest").exists()
    digest(desk, anna, "hourly")
    mention(desk, case, noor, "@Anna met mail")
    with desk.open():
        notices.read_all(by=anna, now=timezone.now())
    clock(timezone.now() + timedelta(hours=1))
    assert mail.outbox == []


def test_a_daily_digest_waits_for_the_morning(desk, case, noor, anna, settings):
    settings.DESK_MAIL = "smtp"
    digest(desk, anna, "daily")
    now = desk.now.replace(hour=12)
    with desk.open():
        reply.write_note(conversation=case.id, text="@Anna", by=noor, now=now, client_key="k")
    clock(now.replace(hour=13))
    assert mail.outbox == []
    morning = (now + timedelta(days=1)).replace(hour=7)  # eight o'clock in Amsterdam
    clock(morning - timedelta(seconds=1))
    assert mail.outbox == []
    clock(morning)
    assert len(mail.outbox) == 1


def test_presence_is_one_row_for_each_person(desk, sign_in, noor):
    browser = sign_in(noor)
    for _time in range(3):
        browser.post("/me/here")
    with desk.open():
        assert Presence.objects.count() == 1


def test_an_administrator_decides_whether_answering_takes(desk, sign_in):
    browser = sign_in(desk.person("Baas", Role.ADMINISTRATOR))
    assert "Wie een gesprek van niemand beantwoordt" in text_of(browser.get("/settings/organisation"))
    for sent, takes in (({}, False), ({"takes": "1"}, True)):
        browser.post("/settings/organisation", {"part": "working", **sent})
        desk.organisation.refresh_from_db()
        assert desk.organisation.answering_takes is takes
