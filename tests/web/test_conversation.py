"""The open conversation: what was said, where, by whom, and what became of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from klankbord.desk.conversations.models import Attachment, Message, MessageVersion
from klankbord.flows import casework, presence, reply, visitors
from klankbord.flows.accounts import unseal

from .pages import FRAGMENT, text_of


@pytest.fixture
def case(desk):
    """One private conversation with one message, and Noor."""
    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, desk.event(text="Waar blijft mijn kast?"))
    return conversation, noor


def _page(sign_in, noor, conversation):
    return sign_in(noor).get(f"/inbox/all/{conversation.number}")


def _message(desk, conversation) -> Message:
    return desk.messages(conversation)[-1]


def _say(desk, conversation, **changes):
    with desk.open():
        Message.objects.filter(id=_message(desk, conversation).id).update(**changes)


def test_a_public_and_a_private_thread_stand_in_one_timeline_each_under_its_own_band(desk, sign_in):
    inbox, noor = desk.inbox(), desk.person("Noor")
    post = {"text": "Nieuw: bezorging op zaterdag", "author": "Wolk & Zonen", "audience": 2300}
    place = {"id": "post-1", "visibility": "public", "context": post}
    desk.receive(inbox, desk.event(place="x") | {"place": place, "text": "Leuk hoor"})
    page = text_of(sign_in(noor).get(f"/inbox/all/{desk.conversations()[0].number}"))
    assert "Openbaar API" in page
    assert "± 2.300 mensen zien dit" in page
    assert "Nieuw: bezorging op zaterdag" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", "Gaat zo weg"),
        ("sending", "Wordt verstuurd"),
        ("sent", "Verstuurd"),
        ("delivered", "Bezorgd"),
        ("read", "Gelezen"),
        ("failed", "Niet verstuurd Het platform wil niet Probeer opnieuw"),
        ("uncertain", "Onzeker Het platform wil niet Het kwam aan Stuur opnieuw"),
    ],
)
def test_receipts_say_in_words_what_became_of_a_reply(desk, sign_in, case, state, words):
    conversation, noor = case
    with desk.open():
        thread = _message(desk, conversation).thread_id
        reply.send_reply(conversation=conversation.id, thread=thread, text="Hij komt", by=noor, now=desk.now,
                         client_key="k")  # fmt: skip
    reason = "Het platform wil niet" if state in {"failed", "uncertain"} else ""
    _say(desk, conversation, state=state, state_reason=reason, state_at=desk.now)
    assert words in text_of(_page(sign_in, noor, conversation))


def test_a_note_never_passes_for_a_message(desk, sign_in, case):
    conversation, noor = case
    with desk.open():
        reply.write_note(conversation=conversation.id, text="Niet zeggen", by=noor, now=desk.now, client_key="n")
    page = _page(sign_in, noor, conversation)
    assert "alleen voor collega's Niet zeggen" in text_of(page)
    assert page.content.decode().count("<article") == 1


def test_quoted_edited_and_deleted_words_are_told_honestly(desk, sign_in, case):
    conversation, noor = case
    _say(desk, conversation, quoted="> Op maandag schreef u", edited_at=desk.now, remarks=["unverified-sender"])
    with desk.open():
        MessageVersion.objects.create(message=_message(desk, conversation), text="Eerst iets anders",
                                      replaced_at=desk.now)  # fmt: skip
    page = text_of(_page(sign_in, noor, conversation))
    assert "bewerkt" in page
    assert "Eerdere berichten, geciteerd > Op maandag" in page
    assert "Wat er eerst stond Eerst iets anders" in page
    assert "afzender niet bewezen" in page
    _say(desk, conversation, deleted_at=desk.now)
    assert "Verwijderd door de schrijver" in text_of(_page(sign_in, noor, conversation))


def test_events_are_folded_into_one_line(desk, sign_in, case):
    conversation, noor = case
    with desk.open():
        casework.claim(conversation=conversation.id, by=noor, now=desk.now + timedelta(minutes=1))
        casework.add_label(conversation=conversation.id, name="Kast", by=noor, now=desk.now + timedelta(minutes=2))
    page = text_of(_page(sign_in, noor, conversation))
    assert "Noor gaf het label Kast" in page
    assert "Noor pakte dit gesprek" in page


def test_the_first_message_shows_by_itself_that_the_conversation_was_opened(desk, sign_in, case):
    conversation, noor = case
    assert 'class="activity"' not in _page(sign_in, noor, conversation).content.decode()


def test_a_long_conversation_opens_at_its_newest_message_and_gives_older_ones_on_demand(desk, sign_in):
    inbox, noor = desk.inbox(), desk.person("Noor")
    events = []
    for number in range(120):
        desk.later(minutes=1)
        events.append(desk.event(place="a", text=f"Bericht nummer {number}."))
    [conversation] = desk.receive(inbox, *events)
    client = sign_in(noor)
    page = client.get(f"/inbox/all/{conversation.number}").content.decode()
    seen, pages = re.findall(r"Bericht nummer (\d+)\.</p>", page), 1
    assert seen == [str(number) for number in range(70, 120)]
    while (found := re.search(r'class="older".*?href="([^"]+)"', page)) and pages < 5:
        page = client.get(found[1].replace("&amp;", "&"), headers=FRAGMENT).content.decode()
        seen, pages = re.findall(r"Bericht nummer (\d+)\.</p>", page) + seen, pages + 1
    assert seen == [str(number) for number in range(120)]
    assert pages == 3


def test_what_is_on_screen_is_fetched_again_from_its_oldest_message_on(desk, sign_in, case):
    conversation, noor = case
    client = sign_in(noor)
    page = client.get(f"/inbox/all/{conversation.number}").content.decode()
    oldest = re.search(r'data-from="([^"]+)"', page)[1]
    desk.later(minutes=1)
    inbox = desk.messages(conversation)[0].inbox_id
    with desk.open():
        from klankbord.desk.inboxes.models import Inbox

        found = Inbox.objects.get(id=inbox)
    desk.receive(found, desk.event(text="Hallo?"))
    fresh = text_of(client.get(f"/conversations/{conversation.number}/timeline", {"from": oldest}, headers=FRAGMENT))
    assert "Waar blijft mijn kast?" in fresh
    assert "Hallo?" in fresh
    for nonsense in ("x", "_", "2026-99-99_zz", "' OR 1=1"):
        address = f"/conversations/{conversation.number}/timeline"
        assert client.get(address, {"before": nonsense}, headers=FRAGMENT).status_code == 200


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ('Kijk op https://wolk.example/a"onmouseover=alert(1) nu', "https://wolk.example/a"),
        ("(https://wolk.example/b).", "https://wolk.example/b"),
        ("https://wolk.example/?a=1&b=2&gt;", "https://wolk.example/?a=1&amp;b=2&amp;gt"),
        ("javascript:alert(1) data:text/html,x", None),
    ],
)
def test_only_web_addresses_become_links_and_none_can_leave_its_attribute(desk, sign_in, case, text, link):  # U3, U7
    conversation, noor = case
    _say(desk, conversation, text=text)
    page = _page(sign_in, noor, conversation).content.decode()
    links = re.findall(r'<p class="words" dir="auto">.*?</p>', page, re.S)[0]
    assert re.findall(r'href="([^"]*)"', links) == ([link] if link else [])
    assert "onmouseover=alert(1)" not in re.sub(r">[^<]*<", "><", links)


def test_a_customer_called_like_us_stays_on_the_customers_side(desk, sign_in, case):  # U15
    conversation, noor = case
    _say(desk, conversation, author_name="Klantenservice Wolk & Zonen")
    page = _page(sign_in, noor, conversation).content.decode()
    assert '<article class="msg"' in page
    assert '<article class="msg ours"' not in page


@pytest.mark.parametrize(
    "text",
    ["\u202egnp.exe", "Z" + "\u0336" * 1000, "x" * 100_000, "\n" * 10_000, "👨‍👩‍👧‍👦" * 500, "שלום עולם"],
    ids=["right-to-left override", "a thousand marks", "one long word", "ten thousand lines", "families", "hebrew"],
)
def test_odd_texts_are_shown_whole(desk, sign_in, case, text):  # U13, U14
    conversation, noor = case
    _say(desk, conversation, text=text)
    page = _page(sign_in, noor, conversation)
    assert page.status_code == 200
    assert text.strip() in page.content.decode()


def test_formatting_is_shown_in_a_sandbox_without_scripts_or_anything_from_elsewhere(desk, sign_in, case):  # U1-U5, U11
    conversation, noor = case
    evil = (
        "<p>Hoi <b>daar</b></p><scr<script>ipt>alert(1)</script><img src=x onerror=alert(2)>"
        '<img src="https://volger.example/pixel.gif"><style>*{position:fixed}</style><svg><use href="#x"/></svg>'
        '<a href="java\nscript:alert(3)" hx-get="/accounts/logout/" hx-on="x">klik</a><form action="/x"><input></form>'
    )
    _say(desk, conversation, html=evil)
    client, message = sign_in(noor), _message(desk, conversation)
    letter = client.get(f"/messages/{message.id}/formatted")
    page = letter.content.decode()
    assert "<b>daar</b>" in page
    for forbidden in (
        "<script",
        "onerror",
        "volger.example",
        "position:fixed",
        "hx-get",
        "javascript",
        "<form",
        "<svg",
    ):
        assert forbidden not in page
    policy = letter.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert 'sandbox="allow-popups' in client.get(f"/messages/{message.id}/frame").content.decode()


def test_a_disguised_file_name_shows_its_true_ending_and_its_reason(desk, sign_in, case):  # U13, W20
    conversation, noor = case
    with desk.open():
        Attachment.objects.create(
            message=_message(desk, conversation), conversation=conversation, kind="file", name="foto\u202egpj.exe",
            content_type="application/octet-stream", state="refused", reason="Het adres ligt in een eigen netwerk.",
            created_at=desk.now,
        )  # fmt: skip
    page = text_of(_page(sign_in, noor, conversation))
    assert "fotogpj.exe geweigerd: Het adres ligt in een eigen netwerk." in page


def test_who_else_is_looking_or_typing_is_told(desk, sign_in, case, monkeypatch):
    conversation, noor = case
    joris = desk.person("Joris")
    monkeypatch.setattr("django.utils.timezone.now", lambda: desk.now)
    with desk.open():
        presence.seen(conversation=conversation.id, by=joris, now=desk.now)
    client = sign_in(noor)
    assert "Joris kijkt mee" in text_of(client.get(f"/inbox/all/{conversation.number}"))
    with desk.open():
        presence.seen(conversation=conversation.id, by=joris, now=desk.now, is_typing=True)
    answer = client.post(f"/conversations/{conversation.number}/seen", headers=FRAGMENT)
    assert "Joris typt" in text_of(answer)


def test_the_side_panel_tells_who_this_is_and_what_came_before(desk, sign_in, case):
    conversation, noor = case
    inbox = desk.inbox("Tweede")
    desk.receive(inbox, desk.event(place="ander", text="Een ander gesprek"))
    page = text_of(sign_in(noor).get(f"/conversations/{conversation.number}/about"))
    assert "Anouk de Wit" in page
    assert "Een ander gesprek" in page


def test_agents_see_that_the_visitor_of_a_chat_is_typing_and_that_they_stopped(desk, sign_in):
    desk.now = timezone.now()  # the screens have their own clock
    chat = desk.inbox("Chat", kind="webchat", site_name="Wolk", origins="https://wolk.example")
    noor = sign_in(desk.person("Noor"))
    with desk.open():
        widget = visitors.find_widget(unseal(chat.credentials)["hook_token"])
    _token, visit = visitors.start_visit(widget=widget, identity=None, now=desk.now)
    visitors.send_message(visit=visit, client_id="1", text="Hallo?", now=desk.now)
    desk.take_in()
    address = f"/conversations/{desk.conversations()[0].number}/seen"
    assert "typt" not in text_of(noor.post(address))
    visitors.typing(visit=visit, is_typing=True, now=desk.now)
    assert "typt" in text_of(noor.post(address))
    visitors.typing(visit=visit, is_typing=False, now=desk.now)
    assert "typt" not in text_of(noor.post(address))
