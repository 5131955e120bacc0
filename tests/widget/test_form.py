"""Asking without a script: the form, the queue it ends in, and what strangers try with it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from klankbord.desk.conversations.models import Message, Thread
from klankbord.desk.inboxes.models import Delivery, Inbox, VisitorSession
from klankbord.desk.inboxes.models import Visitor as VisitorRow
from klankbord.desk.organisations.models import Role
from klankbord.doors.widget.limits import FORMS
from klankbord.flows import connect, visitors

from .widget_site import ORIGIN, SECRET, Sheet, Site


@pytest.fixture
def mailbox(site: Site) -> Inbox:
    with site.desk.open():
        return Inbox.objects.create(
            kind="email", name="Mail", credentials=Inbox.objects.get(id=site.inbox.id).credentials,
            created_at=site.desk.now, state_since=site.desk.now,
        )  # fmt: skip


@pytest.fixture
def sheet(site: Site, mailbox: Inbox) -> Sheet:
    return Sheet(site)


def waiting(site: Site) -> int:
    """How much has come into the queue."""
    with site.desk.open():
        return Delivery.objects.count()


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_what_is_asked_by_the_form_stands_in_the_queue_of_the_chat(site: Site, sheet: Sheet) -> None:
    answer = sheet.send(text="Past hij door de deur?\r\nHij is 78 cm.", name="Anouk")
    assert answer.status_code == 303
    assert "Je vraag is aangekomen" in words(sheet.client.get(answer["Location"]))
    site.desk.take_in()
    [conversation] = site.desk.conversations()
    assert (conversation.status, conversation.inbox_id) == ("open", site.inbox.id)
    with site.desk.open():
        [message] = Message.objects.select_related("thread__handle")
        assert message.text == "Past hij door de deur?\nHij is 78 cm."
        handle = message.thread.handle
        assert (handle.name, handle.email, handle.is_proven) == ("Anouk", "anouk@example.nl", False)
        assert message.thread.context["text"] == "Via het formulier op je site: je antwoord gaat per mail"


def test_the_answer_is_queued_for_the_mail_once_and_without_waiting(site: Site, sheet: Sheet, mailbox: Inbox) -> None:
    sheet.send()
    site.desk.take_in()
    site.answer("Ja, vanaf januari.", site.desk.person("Bram"))
    assert visitors.mail_unseen(now=site.desk.now + timedelta(seconds=30)) == 0
    assert visitors.mail_unseen(now=site.desk.now + timedelta(minutes=2)) == 1
    assert visitors.mail_unseen(now=site.desk.now + timedelta(minutes=3)) == 0
    with site.desk.open():
        [mail] = Message.objects.filter(inbox_id=mailbox.id).select_related("thread")
        assert mail.thread.target == "anouk@example.nl"
        assert "Ja, vanaf januari." in mail.text
        assert "chat" not in mail.text


def test_a_second_press_of_the_button_is_no_second_message(site: Site, sheet: Sheet) -> None:
    for _ in range(2):
        assert sheet.send().status_code == 303
    assert sheet.send(text="En nog iets").status_code == 303
    site.desk.take_in()
    assert [each.text for each in site.desk.messages()] == ["Hebben jullie hem in beuken?", "En nog iets"]
    assert len(site.desk.conversations()) == 1


def test_the_page_works_without_a_script_and_without_a_cookie(sheet: Sheet) -> None:
    page = sheet.open()
    assert page.status_code == 200
    assert "<script" not in page.content.decode()
    assert page.cookies == {}
    policy = page["Content-Security-Policy"]
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert page["Cache-Control"] == "no-store"


def test_the_page_is_in_the_language_of_the_browser_or_of_the_link(site: Site, mailbox: Inbox) -> None:
    assert "Je vraag" in words(Sheet(site).open())
    assert "Your question" in words(Sheet(site, language="en-GB,en;q=0.9").open())
    assert "Your question" in words(Client().get(f"/widget/v1/form?key={site.key}&lang=en"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": "   "}, "Schrijf je vraag."),
        ({"text": "x" * 4_001}, "hoogstens 4000 tekens"),
        ({"email": ""}, "heel e-mailadres"),
        ({"email": "anouk"}, "heel e-mailadres"),
        ({"email": "a@b.nl\r\nBcc: x@y.nl"}, "heel e-mailadres"),
        ({"email": "a@b.nl, c@d.nl"}, "heel e-mailadres"),
        ({"email": "x" * 250 + "@b.nl"}, "heel e-mailadres"),
    ],
)
def test_what_is_wrong_is_said_and_the_words_stay(site: Site, sheet: Sheet, fields: Any, said: str) -> None:
    answer = sheet.send(**{"text": "Mijn <b>vraag</b>", "name": "Anouk"} | fields)
    assert answer.status_code == 422
    assert said in words(answer)
    page = answer.content.decode()
    assert 'value="Anouk"' in page
    assert 'aria-invalid="true"' in page
    assert ("Mijn &lt;b&gt;vraag&lt;/b&gt;" in page) is ("text" not in fields)
    assert waiting(site) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": ORIGIN},  # not even the shop's own pages may send it for somebody
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "http://testserver.evil.example"},
        {"HTTP_ORIGIN": "https://evil.example", "HTTP_REFERER": "http://testserver/widget/v1/form"},
        {"HTTP_REFERER": "https://evil.example/http://testserver/"},
        {},
    ],
    ids=lambda headers: " ".join(headers.values()) or "none",
)
def test_c5_only_our_own_page_may_send_the_form(site: Site, sheet: Sheet, headers: dict[str, str]) -> None:
    assert sheet.send(headers=headers).status_code == 403
    assert waiting(site) == 0


def test_a_browser_without_origin_is_known_by_its_referrer(site: Site, sheet: Sheet) -> None:
    assert sheet.send(headers={"HTTP_REFERER": f"http://testserver{sheet.address}"}).status_code == 303
    assert waiting(site) == 1


def test_a_machine_gets_nowhere_with_the_form(site: Site, sheet: Sheet, mailbox: Inbox) -> None:
    assert sheet.send(website="https://spam.example").status_code == 403
    assert sheet.send(stamp="").status_code == 403
    assert sheet.send(stamp=sheet.stamp[:-2]).status_code == 403
    too_fast = Sheet(site, seconds_ago=0.2).send()
    assert (too_fast.status_code, too_fast["Retry-After"]) == (429, "1")
    assert waiting(site) == 0


def test_a_stamp_of_another_chat_or_of_long_ago_is_refused_and_the_words_stay(site: Site, sheet: Sheet) -> None:
    other = Site(site.desk, "Andere")
    for stamp in (other.stamp(), site.stamp(seconds_ago=40 * 86_400)):
        answer = sheet.send(stamp=stamp, text="Lang over nagedacht")
        assert answer.status_code == 403
        assert "Lang over nagedacht" in words(answer)
        fresh = re.search(r'name="stamp" value="([^"]+)"', answer.content.decode())
        assert fresh
        assert fresh[1] != stamp
    assert waiting(site) == 0


def test_c6_a_flood_of_forms_is_slowed_down_in_words(site: Site, mailbox: Inbox) -> None:
    answers = [Sheet(site).send(text=f"Vraag {number}") for number in range(FORMS.burst + 2)]
    assert [each.status_code for each in answers] == [303] * FORMS.burst + [429] * 2
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert "over 1 minuut opnieuw" in words(answers[-1])
    assert f"Vraag {FORMS.burst + 1}" in words(answers[-1])
    assert waiting(site) == FORMS.burst


def test_c6_a_form_of_a_megabyte_is_refused(site: Site, sheet: Sheet) -> None:
    assert sheet.send(text="x" * 1_000_000).status_code == 413
    assert waiting(site) == 0


def test_c2_the_address_of_a_known_customer_shows_and_joins_nothing(site: Site, sheet: Sheet) -> None:
    anouk = site.visitor()
    anouk.post("email", {"email": "anouk@example.nl"})
    anouk.say("Mijn geheime bestelling")
    assert "geheime" not in words(sheet.send())
    site.desk.take_in()
    assert len(site.desk.conversations()) == 2
    assert [each["text"] for each in anouk.read()] == ["Mijn geheime bestelling"]
    assert VisitorSession.objects.count() == 1  # a form opens no chat


def test_nothing_is_mailed_to_an_address_before_a_person_answers(site: Site, sheet: Sheet, mailbox: Inbox) -> None:
    """Otherwise anybody could have us write to anybody, in words of their own."""
    with site.desk.open():
        Inbox.objects.filter(id=site.inbox.id).update(acknowledges=True, acknowledgement="We lezen het zo.")
    sheet.send(text="KOOP NU https://spam.example", email="slachtoffer@example.nl", name="KOOP NU")
    site.desk.take_in()
    site.send_out()
    assert visitors.mail_unseen(now=site.desk.now + timedelta(hours=1)) == 0
    site.answer("Wat bedoelt u?", site.desk.person("Bram"))
    assert visitors.mail_unseen(now=site.desk.now + timedelta(minutes=2)) == 1
    with site.desk.open():
        [mail] = Message.objects.filter(inbox_id=mailbox.id)
        assert "KOOP" not in mail.text + Thread.objects.get(id=mail.thread_id).title
        assert "spam" not in mail.text


def test_c3_nobody_becomes_the_writer_of_a_form(site: Site, sheet: Sheet) -> None:
    """Its visitor's id is no user id that a site could sign, and has no session."""
    sheet.send()
    with site.desk.open():
        [row] = VisitorRow.objects.all()
    assert row.external_id.startswith("form:")
    stranger = site.visitor(identity={"user_id": row.external_id, "expires": 1, "signature": SECRET})
    assert stranger.begun.json()["is_known"] is False


def test_without_a_mailbox_the_form_is_closed_and_says_so(site: Site) -> None:
    sheet = Sheet(site)
    for answer in (sheet.open(), sheet.send()):
        assert answer.status_code == 503
        assert "Je kunt ons hier nu niet schrijven" in words(answer)
    assert waiting(site) == 0


def test_c1_an_unknown_key_and_a_chat_that_is_disconnected_are_the_same_404(site: Site, sheet: Sheet) -> None:
    with site.desk.open():
        connect.disconnect(inbox=site.inbox.id, by=site.desk.person("Noor", role=Role.ADMINISTRATOR), now=site.desk.now)
    answers = [sheet.open(), sheet.send(), Client().get("/widget/v1/form?key=unknown"), Client().get("/widget/v1/form")]
    assert {(each.status_code, each.content) for each in answers} == {(404, b"Not found")}


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_form_has_no_other_methods(site: Site, method: str) -> None:
    assert getattr(Client(), method)(f"/widget/v1/form?key={site.key}").status_code == 405
    assert Client().post(f"/widget/v1/form/sent?key={site.key}").status_code == 405


def test_the_name_of_a_site_cannot_break_the_page(site: Site, mailbox: Inbox) -> None:
    other = Site(site.desk, "</title><script>alert(1)</script>", welcome="<img src=x onerror=alert(1)>")
    page = Sheet(other).open().content.decode()
    assert "<script" not in page
    assert "<img" not in page


def test_who_opens_the_chat_without_a_script_finds_the_form(site: Site) -> None:
    page = Client().get(f"/widget/v1/frame?key={site.key}").content.decode()
    assert f'<noscript><p class="notice"><a href="/widget/v1/form?key={site.key}">' in page
