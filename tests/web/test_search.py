"""Finding what was said, by its words, its sender and its place; and nothing that one may not see (attack A5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from klankbord.desk.conversations import vocabulary
from klankbord.desk.conversations.models import ConversationLabel, KnownWord, Label
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations.models import Role
from klankbord.flows import casework, reply
from roles import become_within

from .pages import FRAGMENT, text_of


@pytest.fixture
def inbox(desk):
    return desk.inbox()


@pytest.fixture
def noor(desk):
    return desk.person("Noor")


@pytest.fixture
def ask(noor, sign_in):
    """What the page of results says to Noor."""
    client = sign_in(noor)
    return lambda words, **more: text_of(client.get("/search", {"q": words, **more}))


def say(desk, inbox, place, text, name="Anouk de Wit", **more):
    return desk.receive(inbox, desk.event(place=place, person={"id": place, "name": name}, text=text, **more))


def learn(desk):
    """What the hourly job does."""
    become_within("worker")
    try:
        with desk.open():
            while vocabulary.advance(now=desk.now + timedelta(days=4000)):
                pass
    finally:
        become_within("app")


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Mijn katten lusten dit niet", "kat"),
        ("De bestellingen zijn zoek", "bestelling"),
        ("I was complaining yesterday", "complaint complained"),
        ("Zij leverden de kast te laat", "levering kast"),
        ("Reünie in café Zürich", "reunie cafe zurich"),
        ("reunie in cafe", "réünie CAFÉ"),
        ("De bezorging van mijn kast", "kast bezor"),
        ("Schrijf naar info@wolk.example", "info@wolk.example"),
        ("Straße gesperrt", "strasse"),
        ("Заказ не пришёл", "заказ"),
        ("طلبي لم يصل", "طلبي"),
        ("注文がまだ届きません", "注文"),
    ],
)
def test_other_forms_accents_and_beginnings_are_found(desk, inbox, ask, said, asked):
    if asked == "complaint complained":
        asked = "complained"
    if asked == "levering kast":
        asked = "kasten"
    say(desk, inbox, "a", said)
    assert said.split()[0] in ask(asked)


def test_all_words_must_occur_and_a_phrase_keeps_its_order(desk, inbox, ask):
    say(desk, inbox, "a", "Waar blijft mijn pakket toch")
    say(desk, inbox, "b", "Blijft waar het is: dat pakket", name="Bram Kuiper")
    assert "Bram" in ask("waar blijft pakket")
    page = ask('"waar blijft" pakket')
    assert "Anouk" in page
    assert "Bram" not in page
    assert "Niets gevonden" in ask("pakket zeppelin")


def test_a_hit_is_marked_escaped_and_shown_with_its_surroundings(desk, inbox, noor, sign_in):
    say(desk, inbox, "a", "woord " * 100 + "<script>alert(1)</script> de Stroopwafels zijn op " + "einde " * 100)
    page = sign_in(noor).get("/search", {"q": "stroopwafel"}).content.decode()
    assert "<mark>Stroopwafels</mark>" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert page.count("einde") < 60


def test_filters_stand_in_the_same_box_in_dutch_and_english(desk, inbox, noor, ask):
    other = desk.inbox("Klachten Utrecht")
    [kast] = say(desk, inbox, "a", "Een kast voor Anouk")
    desk.later(days=40)
    say(
        desk,
        other,
        "b",
        "Een kast voor Bram",
        name="Bram Kuiper",
    )
    say(desk, inbox, "c", "Een kast voor iedereen", name="Chaima Aziz", visibility="public") if False else None
    desk.receive(
        inbox, desk.event(place="c", visibility="public", person={"id": "c", "name": "Chaima Aziz"}, text="Een kast")
    )
    with desk.open():
        label = Label.objects.create(name="Retour")
        ConversationLabel.objects.create(conversation=kast, label=label)
        casework.resolve(conversation=kast.id, by=noor, now=desk.now)
    for question, found in {
        "kast van:anouk": {"Anouk"},
        "kast from:bram": {"Bram"},
        'from:"bram kuiper"': {"Bram"},
        "kast inbox:utrecht": {"Bram"},
        "label:retour": {"Anouk"},
        "kast is:resolved": {"Anouk"},
        "kast is:afgerond": {"Anouk"},
        "kast in:public": {"Chaima"},
        "in:openbaar": {"Chaima"},
        f"kast before:{desk.now:%Y-%m-%d}": {"Anouk"},
        f"voor:{desk.now:%Y-%m-%d}": {"Anouk"},
        "kast na:2026-12": {"Bram", "Chaima"},
        "kast na:2026-12 van:chaima": {"Chaima"},
        "kast voor:2025": set(),
    }.items():
        page = ask(question)
        assert {name for name in ("Anouk", "Bram", "Chaima") if f"{name} " in page.split("Resultaten")[-1]} == found, (
            question
        )


def test_a_filter_that_names_nothing_says_so(desk, inbox, ask):
    say(desk, inbox, "a", "Een kast")
    assert "inbox:bestaatniet" in ask("kast inbox:bestaatniet")
    assert "na:gisterenochtend" in ask("kast na:gisterenochtend")


def test_a5_a_closed_inbox_leaves_no_trace_in_results_hints_or_suggestions(desk, inbox, noor, sign_in):
    closed = desk.inbox("Directie")
    for place in "bcd":
        say(desk, closed, place, "Het geheime stroopwafelplan", name="Zebulon Kanarie")
    say(desk, inbox, "a", "Iets anders")
    with desk.open():
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
    learn(desk)
    client = sign_in(noor)
    for question in ("stroopwafelplan", "stroopwafelpaln", "from:zebulon", "inbox:directie", "is:open", "#2", "2"):
        page = text_of(client.get("/search", {"q": question})).replace(question, "").lower()
        assert not {"stroopwafelplan", "zebulon", "directie"} & set(page.split()), question
        hints = text_of(client.get("/search/hints", {"q": question})).lower()
        assert "zebulon" not in hints
        assert "directie" not in hints
    boss = sign_in(desk.person("Lea", Role.LEAD))
    assert "stroopwafelplan" in text_of(boss.get("/search", {"q": "stroopwafelpaln"}))
    assert "Zebulon" in text_of(boss.get("/search/hints", {"q": "from:zeb"}))


def test_a_word_that_is_not_known_is_put_right_from_the_organisations_own(desk, inbox, ask):
    say(desk, inbox, "a", "De stroopwafels zijn op")
    say(desk, inbox, "b", "Lekkere stroopwafels")
    learn(desk)
    assert "Bedoelde je stroopwafels" in ask("stropwafels")
    assert "Bedoelde je lekkere stroopwafels" in ask("lekkere srtoopwafels")
    assert "Bedoelde je" not in ask("zeppelin")


def test_notes_and_our_own_replies_are_found_by_their_author(desk, inbox, noor, ask):
    [kast] = say(desk, inbox, "a", "Mijn kast is stuk")
    with desk.open():
        reply.write_note(conversation=kast.id, text="Magazijn gebeld", by=noor, now=desk.now, client_key="n")
    page = ask("magazijn from:noor")
    assert "Magazijn gebeld" in page
    assert "Notitie" in page


def test_results_are_one_per_conversation_newest_first_and_page_on_without_repeating(desk, inbox, noor, sign_in):
    for number in range(25):
        desk.later(minutes=1)
        desk.deliver(
            inbox, desk.event(place=f"p{number}", person={"id": f"p{number}", "name": f"Klant{number:02}"}, text="kast")
        )
    desk.later(minutes=1)
    desk.deliver(inbox, desk.event(place="p0", person={"id": "p0", "name": "Klant00"}, text="nog een kast"))
    desk.take_in()
    client = sign_in(noor)
    first = client.get("/search", {"q": "kast"})
    shown = [each.conversation.contact_name for each in first.context["results"].found]
    assert shown == ["Klant00", *(f"Klant{number:02}" for number in range(24, 5, -1))]
    assert first.context["results"].found[0].hits[0].snippet == [("nog een ", False), ("kast", True)]
    after = client.get("/search", {"q": "kast", "after": first.context["rest"]}, headers=FRAGMENT)
    assert [each.conversation.contact_name for each in after.context["results"].found] == [
        f"Klant{number:02}" for number in range(5, 0, -1)
    ]
    assert after.context["rest"] == ""


def test_a_ticket_number_leads_to_its_conversation_and_a_bare_one_also_to_words(desk, inbox, ask):
    say(desk, inbox, "a", "Eerste")
    say(desk, inbox, "b", "Bestelling 1 is zoek", name="Bram Kuiper")
    assert "Anouk" in ask("#1")
    assert "Bram" not in ask("#1")
    assert "Anouk" in ask("1")
    assert "Bram" in ask("1")


@pytest.mark.parametrize(
    "words",
    ["' & | ! :* (", "from:", '"', "a:b:c", "\\", "::", "before:99-99-9999", "%", "x" * 300, "after:0", "é" * 200],
)
def test_a4_odd_questions_are_answered(desk, inbox, ask, words):
    say(desk, inbox, "a", "Een kast")
    assert "Zoeken" in ask(words)


@pytest.mark.parametrize("after", ["x", "2026-01-01T00:00:00_x", "_", "2026-99-99T00:00:00+00:00_" + "0" * 32])
def test_odd_places_to_go_on_from_begin_at_the_beginning(desk, inbox, ask, after):
    say(desk, inbox, "a", "Een kast")
    assert "Een kast" in ask("kast", after=after)


def test_the_box_offers_names_of_filters_and_what_may_stand_behind_them(desk, inbox, noor, sign_in):
    say(desk, inbox, "a", "Een kast")
    client = sign_in(noor)
    assert "van:" in text_of(client.get("/search/hints", {"q": "kast va"}))
    assert "Anouk de Wit" in text_of(client.get("/search/hints", {"q": "van:ano"}))
    assert "Webshop" in text_of(client.get("/search/hints", {"q": "kast inbox:"}))
    assert "afgerond" in text_of(client.get("/search/hints", {"q": "is:"}))
    assert "openbaar" in text_of(client.get("/search/hints", {"q": "in:o"}))


def test_an_index_made_another_way_is_made_anew_in_the_background(desk, inbox, ask):
    from klankbord.desk.rows import run

    say(desk, inbox, "a", "De stroopwafels zijn op")
    learn(desk)
    with desk.open():
        run("UPDATE conversations_searchdocument SET document = ''::tsvector")
        run("UPDATE conversations_indexprogress SET version = 1")
    assert "Niets gevonden" in ask("stroopwafel")
    learn(desk)
    assert "stroopwafels" in ask("stroopwafel")
    with desk.open():
        assert KnownWord.objects.get(word="stroopwafels").count == 1


def test_learning_twice_counts_a_word_once(desk, inbox):
    say(desk, inbox, "a", "De stroopwafels zijn op")
    learn(desk)
    learn(desk)
    with desk.open():
        assert KnownWord.objects.get(word="stroopwafels").count == 1


def test_what_was_edited_or_withdrawn_is_not_found_by_its_old_words(desk, inbox, ask):
    say(desk, inbox, "a", "De stroopwafels zijn op")
    first = desk.messages()[0].external_id
    desk.receive(
        inbox,
        {"type": "edit", "id": first, "at": (desk.now + timedelta(minutes=1)).isoformat(), "text": "De drop is op"},
    )
    assert "Niets gevonden" in ask("stroopwafels")
    assert "drop" in ask("drop")


# ------------------------------------------------------------------------------------------ the palette


@pytest.fixture
def pick(noor, sign_in):
    client = sign_in(noor)
    return lambda words="", **more: text_of(client.get("/palette", {"q": words, **more}, headers=FRAGMENT))


def test_the_palette_offers_views_pages_and_commands_before_anything_is_typed(desk, inbox, pick):
    page = pick()
    assert "Van mij" in page
    assert "Zoeken" in page
    assert "Donker thema" in page
    assert "Rond af" not in page
    assert "Rond af E" in pick(open="1")


def test_the_palette_finds_conversations_by_number_and_by_name_and_people(desk, inbox, pick):
    say(desk, inbox, "a", "Mijn kast", name="Zoë van der Meer")
    for words in ("1", "#1", "zoe", "meer zo"):
        assert "#1 Zoë van der Meer" in pick(words), words
    assert "Mensen Zoë van der Meer" in pick("zoë")
    assert "Zoek overal naar “zeppelin”" in pick("zeppelin")


def test_the_palette_finds_commands_by_the_beginnings_of_their_words(desk, inbox, pick):
    assert "Donker thema" in pick("don")
    assert "Log uit" in pick("log u")
    assert "Grootboek" not in pick("groot")  # an agent does not see it


def test_an_analyst_is_offered_no_deeds_on_a_conversation(desk, inbox, sign_in):
    page = text_of(sign_in(desk.person("Ana", Role.ANALYST)).get("/palette", {"open": "1"}))
    assert "Rond af" not in page


def test_a5_the_palette_knows_nothing_of_a_closed_inbox(desk, inbox, pick):
    closed = desk.inbox("Directie")
    say(desk, closed, "b", "Geheim", name="Zebulon Kanarie")
    with desk.open():
        Inbox.objects.filter(id=closed.id).update(is_open_to_all=False)
    for words in ("zeb", "1", "#1", "geheim"):
        assert "Zebulon" not in pick(words)
        assert "#1 " not in pick(words)
