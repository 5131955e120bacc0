"""Lists that are narrowed, ordered and kept under a name; deeds on many rows, without a script as well."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest

from klankbord.desk import rows
from klankbord.desk.conversations import listing
from klankbord.desk.conversations.filters import SORTS, Filters, order_of
from klankbord.desk.conversations.models import Conversation, Status
from klankbord.desk.organisations.models import Role, TeamMember
from klankbord.flows import casework

from .pages import FRAGMENT, text_of


@pytest.fixture
def busy(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Six conversations that differ in all there is to narrow by; `desk.noor`, `desk.team_`, `desk.shop`."""
    desk.noor, joris = desk.person("Noor"), desk.person("Joris")
    desk.shop, desk.forum, desk.money = desk.inbox("Webshop"), desk.inbox("Forum"), desk.team("Geldzaken")
    said = {"file": {"attachments": [{"kind": "file", "url": "https://x.example/a.pdf", "name": "a.pdf"}]}}
    for number, name in enumerate(("public", "private", "mine", "theirs", "team", "file")):
        inbox = desk.forum if name == "public" else desk.shop
        visibility = "public" if name == "public" else "private"
        person = {"id": name, "name": f"Klant {name}"}
        desk.receive(inbox, desk.event(place=name, person=person, visibility=visibility, **said.get(name, {})))
        desk.later(hours=1 if number else 48)
    found = {each.contact.name.split()[1]: each for each in _with_contacts(desk)}
    with desk.open():
        casework.claim(conversation=found["mine"].id, by=desk.noor, now=desk.now)
        casework.claim(conversation=found["theirs"].id, by=joris, now=desk.now)
        casework.assign(conversation=found["team"].id, owner=None, team=desk.money.id, by=desk.noor, now=desk.now)
        casework.add_label(conversation=found["private"].id, name="Retour", by=desk.noor, now=desk.now)
        casework.resolve(conversation=found["private"].id, by=desk.noor, now=desk.now)
        Conversation.objects.filter(id=found["team"].id).update(priority=2)
        Conversation.objects.filter(id=found["theirs"].id).update(language="fr")
        TeamMember.objects.create(team=desk.money, member=desk.noor)
    monkeypatch.setattr("django.utils.timezone.now", lambda: desk.now)
    return desk


def _with_contacts(desk: Any) -> list[Conversation]:
    with desk.open():
        return list(Conversation.objects.select_related("contact").order_by("number"))


def shown(response: Any) -> list[str]:
    return re.findall(r"<bdi>Klant (\w+)</bdi></span>", response.content.decode())


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "public mine theirs team file"),
        ("visibility=public", "public"),
        ("inbox={forum}", "public"),
        ("kind=api", "public mine theirs team file"),
        ("kind=email", ""),
        ("owner=me", "mine"),
        ("owner=none", "public team file"),
        ("owner={noor}", "mine"),
        ("team={money}", "team"),
        ("team=none", "public mine theirs file"),
        ("language=fr", "theirs"),
        ("priority=2", "team"),
        ("priority=0", "public mine theirs file"),
        ("status=resolved", "private"),
        ("status=any", "file team theirs mine private public"),
        ("status=any&sort=oldest", "public private mine theirs team file"),
        ("label={retour}&status=any", "private"),
        ("label={retour}", ""),
        ("age=over-1d", "public"),
        ("age=under-1d", "mine theirs team file"),
        ("age=over-1d&status=resolved", ""),
        ("age=under-1d&status=resolved", "private"),
        ("files=1", "file"),
        ("unanswered=1", "public mine theirs team file"),
        ("unanswered=1&status=resolved", ""),
        ("sort=newest", "file team theirs mine public"),
        ("sort=oldest", "public mine theirs team file"),
        ("sort=priority", "team public mine theirs file"),
        ("owner=me&team={money}", ""),
        ("priority=2&files=1", ""),
    ],
)
def test_each_filter_and_each_order_shows_what_its_name_says(busy, sign_in, query, names):
    with busy.open():
        from klankbord.desk.conversations.models import Label

        retour = Label.objects.get().id.hex
    values = {"forum": busy.forum.id.hex, "noor": busy.noor.id.hex, "money": busy.money.id.hex, "retour": retour}
    assert shown(sign_in(busy.noor).get(f"/inbox/all?{query.format(**values)}")) == names.split()


def test_a_filter_shows_as_a_chip_that_takes_it_away_and_nonsense_narrows_nothing(busy, sign_in):
    client = sign_in(busy.noor)
    page = client.get("/inbox/all", {"owner": "me", "visibility": "private"})
    without = re.findall(r'<a class="chip" href="([^"]+)" aria-label="([^"]+)" data-on>', page.content.decode())
    assert [(href.replace("&amp;", "&"), said) for href, said in without] == [
        ("/inbox/all?owner=me", "Zonder filter: Privé"),
        ("/inbox/all?visibility=private", "Zonder filter: van mij"),
    ]
    nonsense = {"inbox": "x", "label": "'", "team": "%00", "owner": "--", "priority": "99", "age": "ooit", "sort": "x",
                "status": "gone", "language": "<b>", "kind": "a b", "after": "1_2_3"}  # fmt: skip
    assert len(shown(client.get("/inbox/all", nonsense))) == 5


def test_the_filter_is_a_form_whose_address_names_only_what_was_asked(busy, sign_in):
    client = sign_in(busy.noor)
    form = client.get("/inbox/all/narrow", {"owner": "me"}, headers=FRAGMENT)
    assert '<option value="me" selected>' in form.content.decode()
    assert "Van wie" in text_of(form)
    assert "Filter" in text_of(client.get("/inbox/all/narrow"))  # a page of its own without script
    asked = client.get("/inbox/all", {"inbox": "", "owner": "me", "language": "", "sort": ""})
    assert asked.headers["location"] == "/inbox/all?owner=me"


@pytest.mark.parametrize("sort", [*SORTS, "status=any", "files=1"])
def test_every_order_goes_on_page_by_page_and_nobody_is_lost_or_twice(desk, sign_in, monkeypatch, sort):
    monkeypatch.setattr(listing, "PAGE", 7)
    monkeypatch.setattr(listing, "_LOOKED_THROUGH", 11)
    noor, inbox = desk.person("Noor"), desk.inbox()
    file = {"attachments": [{"kind": "file", "url": "https://x.example/a.pdf", "name": "a.pdf"}]}
    desk.receive(inbox, *(desk.event(place=f"p{n}", person={"id": f"p{n}", "name": f"Klant {n}"},
                                     **(file if n % 5 == 0 else {})) for n in range(40)))  # fmt: skip
    with desk.open():
        for number, conversation in enumerate(desk.conversations()):
            Conversation.objects.filter(id=conversation.id).update(priority=number % 4 - 1)
            if sort == "status=any" and number % 3 == 0:
                casework.resolve(conversation=conversation.id, by=noor, now=desk.now)
    query = sort if "=" in sort else f"sort={sort}"
    client, seen, after = sign_in(noor), [], ""
    for _page in range(12):
        part = client.get(f"/inbox/all?{query}" + (f"&after={after}" if after else ""), headers=FRAGMENT)
        seen += shown(part)
        more = re.search(r"after=([^\"&]+)", part.content.decode())
        if not more:
            break
        after = more[1]
    expected = [f"{n}" for n in range(40) if sort != "files=1" or n % 5 == 0]
    assert sorted(seen) == sorted(expected)
    assert "after=" not in unquote(part.content.decode())


def test_a_place_in_a_list_is_read_back_as_it_was_written(desk, sign_in):
    desk.receive(desk.inbox(), desk.event())
    with desk.open():
        [row] = listing.by_numbers([1], inboxes=[desk.conversations()[0].inbox_id]).values()
    for status in (Status.OPEN, Status.RESOLVED, "any"):
        for sort in SORTS:
            order = order_of(status, sort)
            assert order.read(order.write(order.place_of(row))) == order.place_of(row)
            for broken in ("", "x", "1_2", "0_2026-01-01T00:00:00_1", "0_0_2026-01-01T00:00:00_1", "_" * 9):
                assert order.read(broken) is None


def test_filters_stand_in_an_address_in_one_order_only():
    one = Filters.read({"sort": "newest", "owner": "me", "files": "1", "priority": "-1"})
    assert one.query == "owner=me&priority=-1&files=1&sort=newest"
    assert Filters.of_query(one.query) == one


# ------------------------------------------------------------------------------------------------- saved views


def test_a_list_is_kept_under_a_name_counted_renamed_and_removed(busy, sign_in):
    client = sign_in(busy.noor)
    client.post("/inbox/all/save?owner=none&sort=newest", {"name": "  Eerst   deze "})
    page = client.get("/inbox/all?owner=none&sort=newest")
    assert "<h1" in page.content.decode()
    assert text_of(page).count("Eerst deze") >= 2  # in the navigation and above the list
    [saved] = client.get("/views/counts").json().items()
    assert saved[1] == "3"
    here = f"/views/{UUID(saved[0])}"
    client.post(f"{here}/rename", {"name": "Later"})
    assert "Later" in text_of(client.get("/inbox/mine"))
    assert client.post(f"{here}/rename", {"name": " "}).status_code == 422
    client.post(f"{here}/remove", {})
    assert "Later" not in text_of(client.get("/inbox/mine"))


def test_a_team_shares_its_views_and_nobody_else_sees_or_changes_them(busy, sign_in):
    client, joris = sign_in(busy.noor), sign_in(_person(busy, "Joris"))
    client.post("/inbox/all/save?priority=2", {"name": "Dringend geld", "team": busy.money.id.hex})
    client.post("/inbox/all/save?owner=me", {"name": "Alleen voor mij"})
    assert "Dringend geld" not in text_of(joris.get("/inbox/all"))
    for saved in client.get("/views/counts").json():
        assert joris.post(f"/views/{UUID(saved)}/remove", {}).status_code == 404
    with busy.open():
        TeamMember.objects.create(team=busy.money, member=_person(busy, "Joris"))
    page = text_of(joris.get("/inbox/all"))
    assert "Dringend geld" in page
    assert "Alleen voor mij" not in page
    assert joris.post("/inbox/all/save", {"name": "x", "team": "0" * 32}).status_code == 404


def _person(desk: Any, name: str) -> Any:
    from klankbord.desk.organisations.models import Membership

    return Membership.objects.select_related("user", "organisation").get(user__name=name)


def test_counts_of_saved_views_look_no_further_than_a_hundred(busy, sign_in, monkeypatch):
    monkeypatch.setattr(listing, "PEEK", 3)
    monkeypatch.setattr(listing, "_PEEKED_THROUGH", 4)
    client = sign_in(busy.noor)
    for name, query in (("Veel", ""), ("Weinig", "owner=me"), ("Geen", "kind=email"), ("Gezeefd", "files=1")):
        client.post(f"/inbox/all/save?{query}", {"name": name})
    said = client.get("/views/counts").json()
    assert sorted(said.values()) == ["", "0+", "1", "2+"]


def test_the_list_with_saved_views_and_all_filters_costs_at_most_six_statements(busy, sign_in, monkeypatch):
    client = sign_in(busy.noor)
    for number in range(5):
        client.post("/inbox/all/save?owner=me", {"name": f"Lijst {number}"})
    counted: list[str] = []
    real = rows.run
    monkeypatch.setattr(rows, "run", lambda sql, *rest: (counted.append(sql), real(sql, *rest))[1])
    client.get(f"/inbox/all?owner={busy.noor.id.hex}&team=none&age=under-7d&sort=newest")
    who_asks = ("organisations_desksession", "FROM organisations_membership m\n")
    assert len([sql for sql in counted if not any(each in sql for each in who_asks)]) <= 6


def test_density_is_remembered_per_person(busy, sign_in):
    client = sign_in(busy.noor)
    client.post("/me/density", {"density": "compact", "next": "/inbox/all"})
    assert 'data-density="compact"' in sign_in(busy.noor).get("/inbox/all").content.decode()
    assert client.post("/me/density", {"density": "huge"}).status_code == 404


# ------------------------------------------------------------------------------------------------ deeds on many


def test_a_deed_on_many_is_said_in_a_sentence_before_it_happens(busy, sign_in):
    client = sign_in(busy.noor)
    sheet = client.post("/inbox/all/bulk", {"deed": "resolve", "number": [1, 3, 4]}, headers=FRAGMENT)
    said = text_of(sheet)
    assert "3 gesprekken oplossen" in said
    assert "Hiervan: 3 wachten op antwoord, 1 is van een collega." in said
    assert [each.status for each in busy.conversations()].count("resolved") == 1
    assert client.post("/inbox/all/bulk", {"deed": "resolve"}, headers=FRAGMENT).status_code == 422
    assert client.post("/inbox/all/bulk", {"deed": "burn", "number": 1}, headers=FRAGMENT).status_code == 404


def test_many_are_resolved_and_put_back_without_a_script_too(busy, sign_in):
    client = sign_in(busy.noor)
    sheet = client.post("/inbox/all/bulk", {"deed": "resolve", "number": [1, 3], "next": "/inbox/all"})
    fields = re.findall(r'name="(deed|deed_id|seen|next)" value="([^"]*)"', sheet.content.decode())
    given: dict[str, Any] = {"seen": [value for name, value in fields if name == "seen"]}
    given |= {name: value for name, value in fields if name != "seen"}
    done = client.post("/inbox/all/bulk/do", given, follow=True)
    assert done.redirect_chain[-1][0] == "/inbox/all"
    assert "2 opgelost" in text_of(done)
    client.post(f"/deeds/{given['deed_id']}/undo", {}, headers=FRAGMENT)
    assert [each.status for each in busy.conversations()].count("resolved") == 1


def test_whoever_only_reads_gets_no_ticks(busy, sign_in):
    page = sign_in(busy.person("Ana", Role.ANALYST)).get("/inbox/all").content.decode()
    assert "conv-who" in page
    assert 'class="tick"' not in page.split('id="rows"')[1]


def test_what_is_dragged_onto_a_team_is_given_to_it(busy, sign_in):
    given = {"deed": "assign", "team": busy.money.id.hex, "deed_id": "0" * 31 + "1", "seen": ["1:", "3:"]}
    answer = sign_in(busy.noor).post("/inbox/all/bulk/do", given, headers=FRAGMENT)
    assert "2 gegeven" in text_of(answer)
    assert [each.team_id for each in busy.conversations()].count(busy.money.id) == 3


def test_a_snoozed_moment_is_told_and_kept(busy, sign_in):
    given = {"deed": "snooze", "for": "hour", "deed_id": "0" * 31 + "1", "seen": ["1:"]}
    sign_in(busy.noor).post("/inbox/all/bulk/do", given, headers=FRAGMENT)
    assert busy.conversations()[0].snoozed_until == busy.now + timedelta(hours=1)
