"""What can be done about one message, what the platform said of it, and a whole conversation on paper."""

from __future__ import annotations

import pytest

from klankbord.desk.conversations.models import Attachment, Message
from klankbord.desk.organisations.models import AuditLine, Role
from klankbord.flows import reply
from klankbord.flows.accounts import seal

from .pages import FRAGMENT, text_of

PANE = FRAGMENT | {"HX-Target": "conversation"}


@pytest.fixture
def case(desk):
    [conversation] = desk.receive(desk.inbox(), desk.event(text="Waar blijft <b>mijn</b> kast?"))
    return conversation


def _message(desk):
    return desk.messages()[0]


def _body(response) -> str:
    return b"".join(response.streaming_content).decode()


def test_an_administrator_reads_what_the_platform_said_escaped_and_it_is_written_down(desk, sign_in, case):
    boss = desk.person("Baas", Role.ADMINISTRATOR)
    page = sign_in(boss).get(f"/messages/{_message(desk).id}/facts")
    raw = page.content.decode()
    assert "&lt;b&gt;mijn&lt;/b&gt;" in raw
    assert "<b>mijn" not in raw
    assert "Wat binnenkwam" in text_of(page)
    with desk.open():
        line = AuditLine.objects.get(deed="raw facts read")
    assert (line.by_id, line.subject_id) == (boss.id, _message(desk).id)


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.ANALYST])
def test_nobody_else_reads_it(desk, sign_in, case, role):
    client = sign_in(desk.person("Noor", role))
    assert client.get(f"/messages/{_message(desk).id}/facts").status_code == 403
    with desk.open():
        assert not AuditLine.objects.filter(deed="raw facts read").exists()


def test_raw_facts_of_what_is_no_longer_kept_say_so(desk, sign_in, case):
    with desk.open():
        Message.objects.update(received_at=desk.now.replace(year=2020))
    page = sign_in(desk.person("Baas", Role.ADMINISTRATOR)).get(f"/messages/{_message(desk).id}/facts")
    assert "Wat binnenkwam wordt niet meer bewaard." in text_of(page)


def test_a_like_is_offered_where_the_channel_can_and_shown_until_it_is_undone(desk, sign_in, case):
    noor = desk.person("Noor")
    client, message = sign_in(noor), _message(desk)
    assert "msg-menu" not in client.get("/inbox/all/1", headers=PANE).content.decode()
    with desk.open():
        sealed = seal({"server": "https://klets.example", "access_token": "x" * 20}, hook_token="t", hook_secret="s")
        type(case.inbox).objects.update(kind="mastodon", credentials=sealed)
    assert "msg-menu" in client.get("/inbox/all/1", headers=PANE).content.decode()
    assert "Vind ik leuk" in text_of(client.get(f"/messages/{message.id}/menu", headers=FRAGMENT))
    assert "wordt leuk gevonden" in text_of(client.post(f"/messages/{message.id}/do/like", headers=FRAGMENT))
    assert "Niet meer leuk" in text_of(client.get(f"/messages/{message.id}/menu", headers=FRAGMENT))
    assert client.post(f"/messages/{message.id}/do/hide", headers=FRAGMENT).status_code == 422
    assert client.post(f"/messages/{message.id}/do/eat", headers=FRAGMENT).status_code == 404


def test_the_page_for_paper_holds_the_whole_conversation_without_colleagues_notes(desk, sign_in, case):
    noor, inbox = desk.person("Noor"), case.inbox_id
    with desk.open():
        reply.write_note(conversation=case.id, text="Lastige klant", by=noor, now=desk.now, client_key="n")
        found = type(case.inbox).objects.get(id=inbox)
        Attachment.objects.create(message=_message(desk), conversation=case, kind="file", name="bon.pdf",
                                  content_type="application/pdf", size=2000, created_at=desk.now)  # fmt: skip
    desk.receive(found, [desk.event(text=f"Regel {number}") for number in range(450)])
    client = sign_in(noor)
    page = _body(client.get("/conversations/1/print"))
    assert page.count("<article") == 451
    assert page.index("kast?") < page.index("Regel 0") < page.index("Regel 449")
    assert "bon.pdf" in page
    assert "Lastige klant" not in page
    assert "<b>mijn" not in page
    assert "Lastige klant" in _body(client.get("/conversations/1/print?notes=1"))
    assert "Begonnen" in page


def test_x8_the_page_for_paper_fetches_nothing_but_our_own_style(desk, sign_in, case):
    with desk.open():
        Message.objects.update(text='<img src="file:///etc/passwd"> <iframe src="https://evil.example">')
    page = _body(sign_in(desk.person("Noor")).get("/conversations/1/print"))
    assert "<img" not in page
    assert "<iframe" not in page
    assert page.rstrip().endswith("</html>")
