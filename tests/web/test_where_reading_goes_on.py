"""The quiet line above what came since somebody last looked, and what a conversation costs to open."""

from __future__ import annotations

import psycopg
import pytest

from klankbord.desk.conversations.models import Message
from klankbord.doors.web import times
from klankbord.flows import presence

from .pages import FRAGMENT, text_of

PANE = FRAGMENT | {"HX-Target": "conversation"}


@pytest.fixture
def read(desk):
    """Noor read a conversation; an hour later two more messages came."""
    inbox, noor = desk.inbox(), desk.person("Noor")
    [found] = desk.receive(inbox, desk.event(text="Eerste"))
    with desk.open():
        presence.seen(conversation=found.id, by=noor, now=desk.now)
    desk.later(hours=1)
    desk.receive(inbox, desk.event(text="Tweede"))
    desk.receive(inbox, desk.event(text="Derde"))
    return found, noor


def test_a_line_stands_above_the_first_message_that_came_since_one_last_looked(desk, sign_in, read):
    found, noor = read
    page = text_of(sign_in(noor).get(f"/inbox/all/{found.number}", headers=PANE))
    before, _, after = page.partition(" nieuw ")
    assert "Eerste" in before
    assert "Tweede" in after
    assert "Tweede" not in before


def test_the_line_stays_while_one_looks_and_is_gone_the_next_time(desk, sign_in, read):
    found, noor = read
    client = sign_in(noor)
    with desk.open():
        second = Message.objects.get(text="Tweede").id
    desk.later(minutes=1)
    with desk.open():
        presence.seen(conversation=found.id, by=noor, now=desk.now)
    again = client.get(f"/conversations/{found.number}/timeline?from=all&new={second}", headers=FRAGMENT)
    assert 'id="new-line"' in again.content.decode()
    later = client.get(f"/inbox/all/{found.number}", headers=PANE)
    assert 'id="new-line"' not in later.content.decode()


def test_who_never_looked_and_who_wrote_it_oneself_see_no_line(desk, sign_in, read):
    found, _ = read
    page = sign_in(desk.person("Bas")).get(f"/inbox/all/{found.number}", headers=PANE)
    assert 'id="new-line"' not in page.content.decode()


def test_a_long_conversation_opens_with_as_many_statements_as_a_short_one(desk, sign_in, monkeypatch):
    inbox, noor = desk.inbox(), desk.person("Noor")
    desk.receive(inbox, desk.event(place="kort"))
    desk.receive(inbox, [desk.event(place="lang") for _ in range(300)])
    client, asked = sign_in(noor), []
    execute = psycopg.Cursor.execute
    monkeypatch.setattr(
        psycopg.Cursor, "execute", lambda *said, **more: asked.append(said[1]) or execute(*said, **more)
    )
    counts = []
    for number in (1, 2):
        client.get(f"/inbox/all/{number}", headers=PANE)
        asked.clear()
        page = client.get(f"/inbox/all/{number}", headers=PANE).content.decode()
        counts.append(len(asked))
    assert page.count("<article") == 50
    assert "Oudere berichten" in page
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("html", "is_offered"),
    [
        ("<p>Hallo <a href='https://wolk.example'>daar</a><br>tot ziens</p>", False),
        ("<p><span class='h-card'>@desk</span> hoi</p>", False),
        ("<p>Hallo <strong>daar</strong></p>", True),
        ("<table><tr><td>1</td></tr></table>", True),
    ],
)
def test_formatting_is_offered_only_where_there_is_some(desk, sign_in, html, is_offered):
    inbox, noor = desk.inbox(), desk.person("Noor")
    [found] = desk.receive(inbox, desk.event(text="Hallo daar", html=html))
    page = text_of(sign_in(noor).get(f"/inbox/all/{found.number}", headers=PANE))
    assert ("opmaak" in page) is is_offered


def test_who_wrote_a_moment_ago_is_said_to_wait_just_now(desk, sign_in):
    inbox = desk.inbox()
    [found] = desk.receive(inbox, desk.event())
    assert times.speaker().clock_of(found, desk.now).words in {"zojuist", "just now"}
    desk.later(minutes=2)
    assert "2" in times.speaker().clock_of(found, desk.now).words
