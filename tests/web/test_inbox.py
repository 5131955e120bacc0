"""The list: what stands in it, in which order, for whom, and what it costs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from klankbord.desk.inboxes.models import Inbox, InboxMember
from klankbord.doors.cli.benches.screens import NOT_COUNTED
from klankbord.doors.cli.benches.statements import counted_statements
from klankbord.flows import casework

from .pages import FRAGMENT, text_of


@contextlib.contextmanager
def _screens_own() -> Iterator[list[str]]:
    """What the view asks, counted where the driver sends it: without the session, the person and the wall."""
    own: list[str] = []
    with counted_statements() as sent:
        yield own
    own += [sql for sql in sent if not NOT_COUNTED.search(sql)]


def test_who_is_signed_out_is_sent_to_the_sign_in_page_and_a_part_of_a_page_gets_a_sentence(client, db):
    assert client.get("/inbox/mine").headers["location"] == "/accounts/login/?next=/inbox/mine"
    part = client.get("/inbox/mine", headers=FRAGMENT)
    assert part.status_code == 401
    assert "bewaard" in text_of(part) or "kept" in text_of(part)


def test_the_first_page_after_signing_in_is_ones_own_list(desk, sign_in):
    assert sign_in(desk.person("Noor")).get("/").headers["location"] == "/inbox/mine"


def test_the_longest_waiting_stands_on_top_with_place_in_words_and_an_honest_clock(desk, sign_in, monkeypatch):
    inbox, noor = desk.inbox(), desk.person("Noor")
    desk.receive(inbox, desk.event(place="a", person={"id": "a", "name": "Anouk"}, text="Eerste"))
    desk.later(minutes=5)
    desk.receive(inbox, desk.event(place="b", visibility="public", person={"id": "b", "name": "Bram"}, text="Tweede"))
    desk.later(minutes=12)
    monkeypatch.setattr("django.utils.timezone.now", lambda: desk.now)
    page = text_of(sign_in(noor).get("/inbox/all"))
    assert page.index("Anouk") < page.index("Bram")
    assert "wacht 17 min Eerste" in page
    assert "wacht 12 min Tweede" in page
    assert "API · openbaar" in page
    assert "API · privé" in page


def test_views_hold_what_their_names_say_and_count_from_the_counters(desk, sign_in):
    inbox, noor, joris = desk.inbox(), desk.person("Noor"), desk.person("Joris")
    mine, theirs, _free = (desk.receive(inbox, desk.event(place=place))[-1] for place in "abc")
    with desk.open():
        casework.claim(conversation=mine.id, by=noor, now=desk.now)
        casework.claim(conversation=theirs.id, by=joris, now=desk.now)
    client = sign_in(noor)
    page = text_of(client.get("/inbox/mine"))
    assert "Van mij 1" in page
    assert "Nog van niemand 1" in page
    assert "Alles wat openstaat 3" in page
    with _screens_own() as sent:
        client.get("/inbox/all")
    # Kept sums, and what concerns one person up to a limit; never all conversations of a view.
    assert [sql for sql in sent if sql.count("count(*)") > sql.count("LIMIT")] == []


def test_a_page_of_fifty_goes_on_where_it_stopped_and_nobody_appears_twice(desk, sign_in):
    inbox, noor = desk.inbox(), desk.person("Noor")
    events = []
    for number in range(63):
        desk.later(seconds=20)
        events.append(desk.event(place=f"p{number}", person={"id": f"p{number}", "name": f"Klant {number:02}"}))
    desk.receive(inbox, *events)
    client = sign_in(noor)
    first = client.get("/inbox/all").content.decode()
    after = first.split("after=")[1].split('"')[0].replace("%3A", ":").replace("%2B", "+")
    rest = client.get("/inbox/all", {"after": after}, headers=FRAGMENT).content.decode()
    shown = [name for part in (first, rest) for name in (f"Klant {number:02}" for number in range(63)) if name in part]
    assert len(shown) == len(set(shown)) == 63
    assert first.count("conv-who") == 50
    assert "after=" not in rest


def test_a_list_of_fifty_costs_at_most_six_statements(desk, sign_in):
    inbox, noor = desk.inbox(), desk.person("Noor")
    found = desk.receive(inbox, *(desk.event(place=f"p{number}") for number in range(50)))
    with desk.open():
        for conversation in found[:10]:
            casework.add_label(conversation=conversation.id, name=f"L{conversation.number}", by=noor, now=desk.now)
            casework.claim(conversation=conversation.id, by=noor, now=desk.now)
    client = sign_in(noor)
    client.get("/inbox/all")
    with _screens_own() as sent:
        assert client.get("/inbox/all").content.count(b"conv-who") == 50
    assert 0 < len(sent) <= 6, sent


def test_a_conversation_of_twenty_costs_at_most_eight_statements_composer_included(desk, sign_in):
    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, *(desk.event(place="a") for _ in range(20)))
    client = sign_in(noor)
    pane = {**FRAGMENT, "HX-Target": "conversation"}
    client.get(f"/inbox/all/{conversation.number}", headers=pane)
    with _screens_own() as sent:
        answer = client.get(f"/inbox/all/{conversation.number}", headers=pane)
    assert answer.content.count(b"<article") == 20
    assert 0 < len(sent) <= 8, sent


@pytest.mark.parametrize("address", ["/inbox/all/{}", "/conversations/{}", "/conversations/{}/timeline",
                                     "/conversations/{}/about", "/conversations/{}/people"])  # fmt: skip
def test_an_inbox_that_is_closed_to_somebody_does_not_exist_for_them(desk, sign_in, address):
    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, desk.event(text="Geheim van de directie"))
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(is_open_to_all=False)
    client = sign_in(noor)
    hidden, missing = client.get(address.format(conversation.number)), client.get(address.format(9999))
    assert hidden.status_code == missing.status_code == 404
    assert text_of(hidden) == text_of(missing)
    assert "Geheim" not in text_of(client.get("/inbox/all"))
    with desk.open():
        InboxMember.objects.create(inbox_id=inbox.id, member=noor)
    assert "Geheim" in text_of(client.get("/inbox/all"))


def test_filters_keep_to_place_and_channel(desk, sign_in):
    inbox, noor = desk.inbox(), desk.person("Noor")
    desk.receive(inbox, desk.event(place="a", text="Fluisteren"))
    desk.receive(inbox, desk.event(place="b", text="Roepen", visibility="public"))
    page = text_of(sign_in(noor).get("/inbox/all", {"visibility": "public"}))
    assert "Roepen" in page
    assert "Fluisteren" not in page
    assert sign_in(noor).get("/inbox/all", {"inbox": "geen-uuid", "label": "'", "visibility": "x"}).status_code == 200


def test_what_came_meanwhile_is_counted_and_rows_on_screen_are_told_anew(desk, sign_in):
    inbox, noor = desk.inbox(), desk.person("Noor")
    [first] = desk.receive(inbox, desk.event(place="a", text="Oud"))
    since = (desk.now + timedelta(seconds=1)).isoformat()
    desk.later(minutes=1)
    desk.receive(inbox, desk.event(place="a", text="Nieuwer"), desk.event(place="b"), desk.event(place="c"))
    client = sign_in(noor)
    pulse = text_of(client.get("/inbox/all/pulse", {"known": str(first.number), "since": since}, headers=FRAGMENT))
    assert "2 nieuwe" in pulse
    assert "Nieuwer" in pulse
    assert (
        client.get("/inbox/all/pulse", {"known": "x,-1,,99999999999999999999", "since": "gisteren"}).status_code == 200
    )


def test_names_and_texts_with_markup_or_template_code_stay_text_everywhere(desk, sign_in):  # U6, U9
    inbox, noor = desk.inbox(), desk.person("Noor")
    evil = "<script>alert(1)</script> {{ 7*7 }} {% load x %} %(x)s"
    [conversation] = desk.receive(inbox, desk.event(person={"id": "h", "name": evil}, text=evil, title=evil))
    with desk.open():
        casework.add_label(conversation=conversation.id, name="<b onmouseover=x>", by=noor, now=desk.now)
    client = sign_in(noor)
    for address in ("/inbox/all", f"/inbox/all/{conversation.number}", f"/conversations/{conversation.number}/about",
                    f"/conversations/{conversation.number}/labels", "/inbox/all/pulse?known=1"):  # fmt: skip
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<b onmouseover" not in page
    assert evil in text_of(client.get(f"/inbox/all/{conversation.number}"))


def test_an_unknown_view_is_not_found(desk, sign_in):
    client = sign_in(desk.person("Noor"))
    assert client.get("/inbox/nergens").status_code == 404
    assert client.get("/inbox/team-00000000000000000000000000000001").status_code == 404
