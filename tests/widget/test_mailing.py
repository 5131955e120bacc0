"""C8: a visitor who left before the answer gets it by mail, once, in the same conversation."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from klankbord.desk.conversations.models import Message
from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.inboxes.models import Visitor as VisitorRow
from klankbord.desk.organisations.models import Role
from klankbord.flows import visitors

from .widget_site import Site, Visitor

AFTER = timedelta(minutes=11)


@pytest.fixture
def mailbox(site: Site) -> Inbox:
    """A mailbox without a server: what is queued for it is enough here."""
    with site.desk.open():
        chat = Inbox.objects.get(id=site.inbox.id)
        made: Inbox = Inbox.objects.create(
            kind="email", name="Mail", credentials=chat.credentials, created_at=site.desk.now, state_since=site.desk.now
        )
        return made


def mails(site: Site, mailbox: Inbox) -> list[Message]:
    with site.desk.open():
        return list(Message.objects.filter(inbox_id=mailbox.id).order_by("id").select_related("thread"))


def left(site: Site, *, email: str = "anouk@example.nl") -> Visitor:
    """A visitor asked, left an address, and was answered."""
    visitor = site.visitor()
    visitor.say("Is hij op voorraad?")
    if email:
        visitor.post("email", {"email": email})
    site.desk.take_in()
    site.answer("Ja, we hebben er nog drie.", site.desk.person("Bram"))
    return visitor


def test_c8_an_answer_that_stays_unread_is_mailed_once_in_the_same_conversation(site: Site, mailbox: Inbox) -> None:
    left(site)
    assert visitors.mail_unseen(now=site.desk.now + timedelta(minutes=2)) == 0
    assert visitors.mail_unseen(now=site.desk.now + AFTER) == 1
    assert visitors.mail_unseen(now=site.desk.now + AFTER) == 0
    assert visitors.mail_unseen(now=site.desk.now + 3 * AFTER) == 0
    [mail] = mails(site, mailbox)
    assert "Ja, we hebben er nog drie." in mail.text
    assert (mail.thread.target, mail.author_kind, mail.is_automatic) == ("anouk@example.nl", "system", True)
    assert mail.conversation_id == site.desk.conversations()[0].id
    assert len(site.desk.conversations()) == 1


def test_c8_who_comes_back_reads_it_in_the_chat_and_gets_no_mail(site: Site, mailbox: Inbox) -> None:
    visitor = left(site)
    visitor.post("read", {"up_to": visitor.read()[-1]["id"]})
    assert visitors.mail_unseen(now=site.desk.now + AFTER) == 0
    assert mails(site, mailbox) == []


def test_who_is_still_there_gets_no_mail(site: Site, mailbox: Inbox) -> None:
    left(site).read()
    assert visitors.mail_unseen(now=site.desk.now + timedelta(minutes=9)) == 0


def test_without_an_address_nobody_is_mailed(site: Site, mailbox: Inbox) -> None:
    left(site, email="")
    assert visitors.mail_unseen(now=site.desk.now + AFTER) == 0


def promises_mail(site: Site) -> bool:
    """What the chat window is told."""
    page = Client().get(f"/widget/v1/frame?key={site.key}").content.decode()
    return '"mails": true' in page


def test_without_a_mailbox_nothing_is_promised_or_sent(site: Site) -> None:
    left(site)
    assert not promises_mail(site)
    assert visitors.mail_unseen(now=site.desk.now + AFTER) == 0


def test_with_a_mailbox_the_chat_offers_it_and_no_longer_when_that_is_disconnected(site: Site, mailbox: Inbox) -> None:
    assert promises_mail(site)
    with site.desk.open():
        Inbox.objects.filter(id=mailbox.id).update(state=InboxState.DISCONNECTED)
    assert not promises_mail(site)


def test_the_settings_of_a_chat_say_that_a_mailbox_is_missing(site: Site) -> None:
    admin = Client()
    admin.force_login(site.desk.person("Ada", role=Role.ADMINISTRATOR).user)
    session = admin.session
    session["has_two_factor"] = True
    session.save()

    def shown() -> str:
        return html.unescape(admin.get(f"/settings/inboxes/{site.inbox.id}").content.decode())

    sentence = "Er is geen e-mailinbox gekoppeld."
    assert sentence in shown()
    assert f'<noscript><a href="{settings.PUBLIC_URL}/widget/v1/form?key={site.key}">' in shown()
    with site.desk.open():
        Inbox.objects.create(kind="email", name="Mail", credentials=site.inbox.credentials, created_at=site.desk.now)
    assert sentence not in shown()


def test_many_visitors_who_have_nothing_to_read_take_nobodys_place(
    site: Site, mailbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("klankbord.flows.visitors.mailing._AT_ONCE", 1)
    for _ in range(3):
        idle = site.visitor()
        idle.post("email", {"email": "piet@example.nl"})
        idle.say("Nog niet beantwoord")
    site.desk.take_in()
    left(site)
    assert visitors.mail_unseen(now=site.desk.now + AFTER) == 1


def test_an_answer_after_a_long_weekend_is_mailed_and_one_of_weeks_ago_is_not(site: Site, mailbox: Inbox) -> None:
    left(site)
    with site.desk.open():
        VisitorRow.objects.update(seen_at=site.desk.now - timedelta(days=4))
    assert visitors.mail_unseen(now=site.desk.now + timedelta(days=8)) == 0
    assert visitors.mail_unseen(now=site.desk.now + AFTER) == 1


def test_a_later_answer_goes_by_a_second_mail_in_the_same_thread(site: Site, mailbox: Inbox) -> None:
    left(site)
    visitors.mail_unseen(now=site.desk.now + AFTER)
    site.answer("En zaterdag komen er meer.", site.desk.person("Noor"))
    assert visitors.mail_unseen(now=site.desk.now + 2 * AFTER) == 1
    first, second = mails(site, mailbox)
    assert first.thread_id == second.thread_id
    assert "En zaterdag" in second.text
    assert "nog drie" not in second.text


def test_the_mail_never_shows_in_the_chat(site: Site, mailbox: Inbox) -> None:
    visitor = left(site)
    visitors.mail_unseen(now=site.desk.now + AFTER)
    assert [each["text"] for each in visitor.read()] == ["Is hij op voorraad?", "Ja, we hebben er nog drie."]


def test_the_mail_leaves_the_human_clock_alone(site: Site, mailbox: Inbox) -> None:
    visitor = left(site)
    visitor.say("Nog iets")
    site.desk.take_in()
    before = site.desk.conversations()[0]
    visitors.mail_unseen(now=site.desk.now + AFTER)
    after = site.desk.conversations()[0]
    assert (before.status, before.waiting_since) == (after.status, after.waiting_since)
    assert after.waiting_since is not None
