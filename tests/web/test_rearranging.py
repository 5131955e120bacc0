"""Merging, splitting, linking, priority and muting, as agents meet them on screen."""

from __future__ import annotations

import re

import pytest

from klankbord.desk.conversations.models import Conversation, Thread
from klankbord.desk.inboxes.models import Inbox
from klankbord.flows import casework, merging

from .pages import FRAGMENT, text_of

PANE = FRAGMENT | {"HX-Target": "conversation"}


@pytest.fixture
def pair(desk):
    """A public complaint and a private message of the same Anouk."""
    inbox = desk.inbox()
    desk.receive(inbox, desk.event(place="post-1", visibility="public", text="Waar blijft mijn pakket?"))
    desk.later(minutes=5)
    return desk.receive(inbox, desk.event(place="anouk", text="Mijn bestelnummer is 4411"))


@pytest.fixture
def noor(desk, sign_in):
    return sign_in(desk.person("Noor"))


def test_the_merge_menu_offers_the_persons_others_and_finds_one_by_number_or_words(desk, noor, pair):
    desk.receive(
        desk.inbox("Winkel"), desk.event(place="bram", text="Wanneer open?", person={"id": "b", "name": "Bram"})
    )
    first = text_of(noor.get("/conversations/1/merge", headers=FRAGMENT))
    assert "Van dezelfde persoon" in first
    assert "bestelnummer" in first
    assert "Bram" not in first
    assert "Bram" in text_of(noor.get("/conversations/1/merge?q=3", headers=FRAGMENT))
    assert "Bram" in text_of(noor.get("/conversations/1/merge?q=open", headers=FRAGMENT))


def test_a_preview_says_what_merging_means_before_anything_happens(desk, noor, pair):
    words = text_of(noor.get("/conversations/1/merge?with=2", headers=FRAGMENT))
    assert "#2 gaat verder in #1" in words
    assert "week" in words
    assert "#1 gaat verder in #2" in text_of(noor.get("/conversations/1/merge?with=2&way=there", headers=FRAGMENT))
    assert [each.status for each in desk.conversations()] == ["open", "open"]


def test_after_a_merge_both_numbers_lead_to_one_timeline_that_says_who_did_it(desk, noor, pair):
    answer = noor.post("/conversations/1/do/merge", {"other": 2}, headers=FRAGMENT)
    assert answer.status_code == 200
    page = text_of(noor.get("/conversations/2", follow=True))
    assert "#2 is samengevoegd: het gaat verder in #1." in page
    assert "Waar blijft mijn pakket?" in page
    assert "Mijn bestelnummer is 4411" in page
    assert "Noor voegde #2 samen met #1" in page
    assert "#2" not in text_of(noor.get("/inbox/all")).replace("#2 is", "")


def test_merging_the_other_way_round_opens_the_one_that_stays(desk, noor, pair):
    answer = noor.post("/conversations/1/do/merge", {"other": 2, "way": "there"}, headers=FRAGMENT)
    assert answer.headers["HX-Redirect"].endswith("/2")
    assert desk.conversations()[0].status == "merged"


def test_a_merge_is_undone_from_the_same_menu(desk, noor, pair):
    noor.post("/conversations/1/do/merge", {"other": 2}, headers=FRAGMENT)
    menu = noor.get("/conversations/1/merge", headers=FRAGMENT)
    assert "Maak ongedaan: #2, samengevoegd door Noor" in text_of(menu)
    merge = re.search(r'name="merge" value="([^"]+)"', menu.content.decode())[1]
    noor.post("/conversations/1/do/unmerge", {"merge": merge}, headers=FRAGMENT)
    assert [each.status for each in desk.conversations()] == ["open", "open"]


def test_a_thread_is_split_off_and_the_new_conversation_opens(desk, noor, pair):
    noor.post("/conversations/1/do/merge", {"other": 2}, headers=FRAGMENT)
    menu = text_of(noor.get("/conversations/1/threads", headers=FRAGMENT))
    assert menu.count("Maak er een eigen gesprek van") == 2
    with desk.open():
        thread = Thread.objects.get(place_key__contains="anouk")
    answer = noor.post("/conversations/1/do/split", {"thread": thread.id}, headers=FRAGMENT)
    assert answer.headers["HX-Redirect"].endswith("/3")
    assert "Noor splitste dit af van #1" in text_of(noor.get("/inbox/all/3", headers=PANE))
    assert "Hoort bij elkaar" in text_of(noor.get("/conversations/3/about", headers=FRAGMENT))


def test_linked_conversations_stand_in_each_others_side_panel_until_unlinked(desk, noor, pair):
    noor.post("/conversations/1/do/link", {"other": 2}, headers=FRAGMENT)
    for number, other in ((1, 2), (2, 1)):
        panel = text_of(noor.get(f"/conversations/{number}/about", headers=FRAGMENT))
        assert f"Hoort bij elkaar Anouk de Wit : {'Mijn' if other == 2 else 'Waar'}" in panel
    noor.post("/conversations/2/do/unlink", {"other": 1}, headers=FRAGMENT)
    assert "Hoort bij elkaar" not in text_of(noor.get("/conversations/1/about", headers=FRAGMENT))


def test_a_link_into_an_inbox_that_one_may_not_see_is_not_shown(desk, noor, pair):
    closed = desk.inbox("Directie")
    hidden = desk.receive(closed, desk.event(place="baas", text="geheim"))[-1]
    boss = desk.person("Baas")
    with desk.open():
        casework.link(conversation=pair[0].id, other=hidden.id, by=boss, now=desk.now)
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
    assert "geheim" not in text_of(noor.get("/conversations/1/about", headers=FRAGMENT))


def test_a_priority_is_set_from_a_menu_and_stands_in_the_head(desk, noor, pair):
    assert "Dringend" in text_of(noor.get("/conversations/1/priority", headers=FRAGMENT))
    head = noor.post("/conversations/1/do/priority", {"priority": 2}, headers=FRAGMENT)
    assert "Prioriteit : Dringend" in text_of(head).replace("Prioriteit:", "Prioriteit :")
    assert "Noor zette de prioriteit op dringend" in text_of(noor.get("/inbox/all/1", headers=PANE))
    assert noor.post("/conversations/1/do/priority", {"priority": "x"}, headers=FRAGMENT).status_code == 422


def test_a_runaway_post_is_muted_for_everybody_under_it_until_somebody_unmutes_it(desk, noor):
    inbox = desk.inbox()

    def comment(who: str, words: str) -> list[Conversation]:
        place = {"id": f"post-1:{who}", "visibility": "public", "post": "post-1"}
        return desk.receive(inbox, desk.event(text=words, person={"id": who, "name": who}) | {"place": place})

    [first] = comment("Anouk", "Schande!")
    with desk.open():
        thread = Thread.objects.get()
        casework.resolve(conversation=first.id, by=desk.person("Bas"), now=desk.now)
    assert "Demp deze post" in text_of(noor.get("/conversations/1/threads", headers=FRAGMENT))
    noor.post("/conversations/1/do/mute", {"thread": thread.id}, headers=FRAGMENT)
    desk.later(minutes=1)
    comment("Anouk", "Nog steeds schande!")
    again, other = comment("Bram", "Ik ook!")
    assert (again.status, other.status, other.waiting_since) == ("resolved", "pending", None)
    page = text_of(noor.get("/inbox/all/2", headers=PANE))
    assert "Ik ook!" in page
    assert "Gedempt: nieuwe reacties wekken niemand" in page
    noor.post("/conversations/2/do/unmute", {"thread": _thread_of(desk, other)}, headers=FRAGMENT)
    desk.later(minutes=1)
    assert comment("Bram", "Hallo?")[1].status == "open"


def _thread_of(desk, conversation):
    with desk.open():
        return Thread.objects.get(conversation_id=conversation.id).id


def test_an_old_screen_of_a_merged_conversation_says_where_it_went(desk, noor, pair):
    boss = desk.person("Baas")
    with desk.open():
        merging.merge(source=pair[1].id, target=pair[0].id, by=boss, now=desk.now)
    assert "Ging verder in een ander gesprek" in text_of(noor.get("/conversations/2/head", headers=FRAGMENT))
    refused = noor.post("/conversations/2/note", {"text": "Let op", "client_key": "k"}, headers=FRAGMENT)
    assert refused.status_code == 409 or "ging verder" in text_of(refused)
