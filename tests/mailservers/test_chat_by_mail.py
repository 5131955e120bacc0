"""C8 to its end: a visitor asks in the chat and leaves, the answer lies in their mailbox, and their reply comes back
into the same conversation, through a real Postfix and Dovecot."""

from __future__ import annotations

import email
import email.policy
import uuid
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db.models import F
from mailhouse import PASSWORD, MailHouse, within

from desk_builder import Desk
from klankbord.desk.conversations.models import Conversation, Message, Thread
from klankbord.desk.inboxes.models import Inbox, Poll
from klankbord.desk.inboxes.models import Visitor as Row
from klankbord.flows import polling, reply, uploads, visitors
from klankbord.flows.delivery import deliver
from klankbord.flows.wiring import wires
from roles import become_within
from widget.widget_site import AtOnce, Sheet, Site, Visitor

pytestmark = [pytest.mark.mailservers, pytest.mark.django_db]

ANOUK = "anouk@klant.test"
AFTER = timedelta(minutes=11)


class Office:
    """A desk with a chat on its site and a mailbox on the real servers."""

    def __init__(self, house: MailHouse, desk: Desk) -> None:
        self.house, self.desk = house, desk
        desk.now = datetime.now(UTC)
        self.mail: Inbox = desk.inbox(
            "Post", kind="email", address="service@winkel.test", imap_host="127.0.0.1", imap_port=house.imap_port,
            imap_security="none", imap_user="service", imap_password=PASSWORD, smtp_host="127.0.0.1",
            smtp_port=house.smtp_port, smtp_security="none", has_plus_addresses=True,
        )  # fmt: skip
        self.site = Site(desk)
        self.bram = desk.person("Bram")
        self.known = set(house.mails("anouk"))
        self.fetch()  # from now on: what lies in the mailbox is history

    def fetch(self) -> int:
        """Poll the mailbox once, and take in what came."""
        self.desk.now = datetime.now(UTC)
        become_within("worker")
        row = Poll.objects.get(inbox_id=self.mail.id)
        polling.poll(polling.Due(self.mail.id, row.organisation_id, row.cursor, None, 0), now=self.desk.now)
        become_within("app")
        return self.desk.take_in()

    def time_passes(self, span: timedelta) -> None:
        """All that was said and done until now lies that much longer ago."""
        with self.desk.open():
            Message.objects.update(at=F("at") - span)
            Conversation.objects.update(last_message_at=F("last_message_at") - span)
            Thread.objects.update(created_at=F("created_at") - span, last_inbound_at=F("last_inbound_at") - span)
            Row.objects.update(seen_at=F("seen_at") - span, mailed_up_to=F("mailed_up_to") - span)

    def mail_out(self, *, later: timedelta = AFTER) -> int:
        """The clock strikes some minutes later; what it queued leaves by SMTP."""
        self.time_passes(later)
        become_within("worker")
        queued = visitors.mail_unseen(now=datetime.now(UTC))
        deliver(now=datetime.now(UTC), wires=wires(), executor=AtOnce())
        become_within("app")
        return queued

    def answer(self, text: str, *, attachments: Any = ()) -> Message:
        """Bram answers where the customer wrote last, and it leaves."""
        self.site.tick()
        with self.desk.open():
            thread = Thread.objects.exclude(last_inbound_at=None).order_by("-last_inbound_at")[0]
            made = reply.send_reply(
                conversation=thread.conversation_id, thread=thread.id, text=text, by=self.bram, now=self.desk.now,
                client_key=uuid.uuid4().hex, attachments=attachments,
            )  # fmt: skip
        self.site.send_out()
        return made

    def upload(self, name: str, data: bytes) -> uuid.UUID:
        """Bram chooses a file for his answer."""
        [conversation] = self.desk.conversations()
        with self.desk.open():
            made = uploads.add_upload(
                conversation=conversation.id, name=name, data=data, by=self.bram, now=datetime.now(UTC)
            )
        return uuid.UUID(str(made.id))

    def letter(self) -> EmailMessage:
        """The one mail that has come into Anouk's mailbox since we began, or since the last one."""

        def new() -> list[Any]:
            return [path for path in self.house.mails("anouk") if path not in self.known]

        [path] = within(20, new)
        self.known.add(path)
        read = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        return read

    def replies(self, letter: EmailMessage, text: str, *, keeps_headers: bool = True) -> None:
        """Anouk presses reply in her mail program, some minutes later; we wait until it is taken in."""
        self.time_passes(AFTER)
        before = len(self.desk.messages())
        made = EmailMessage()
        made["From"], made["To"] = ANOUK, letter["Reply-To"] or letter["From"]
        made["Message-ID"] = f"<{uuid.uuid4()}@klant.test>"
        made["Subject"] = f"Re: {letter['Subject']}"
        if keeps_headers:
            made["In-Reply-To"] = made["References"] = letter["Message-ID"]
        made.set_content(text)
        self.house.deliver(made.as_bytes(policy=email.policy.SMTP), sender=ANOUK, to=made["To"].addresses[0].addr_spec)
        within(20, lambda: self.fetch() and len(self.desk.messages()) > before)


def body_of(letter: EmailMessage) -> str:
    plain = letter.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


@pytest.fixture
def office(house: MailHouse, desk: Desk, settings: Any) -> Office:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    return Office(house, desk)


def asks_and_leaves(office: Office) -> Visitor:
    visitor = office.site.visitor()
    visitor.post("email", {"email": ANOUK})
    visitor.say("Past de tafel door een deur van 78 cm?")
    office.desk.take_in()
    return visitor


@pytest.mark.parametrize("keeps_headers", [True, False], ids=["a mail program", "a program without thread headers"])
def test_c8_the_answer_lies_in_the_mailbox_and_the_reply_is_in_the_same_conversation(
    office: Office, keeps_headers: bool
) -> None:
    anouk = asks_and_leaves(office)
    office.answer("Ja, op zijn kant.")
    assert office.mail_out() == 1
    letter = office.letter()
    assert letter["To"] == ANOUK
    assert letter["Subject"] == "Ons antwoord op je chat met Morgenster"
    assert "Ja, op zijn kant." in body_of(letter)
    assert "78 cm" not in body_of(letter)  # what a stranger typed is never mailed on

    office.replies(letter, "Dank! En de stoelen?", keeps_headers=keeps_headers)
    [conversation] = office.desk.conversations()
    assert (conversation.status, conversation.preview) == ("open", "Dank! En de stoelen?")
    assert conversation.waiting_since is not None

    office.answer("Die passen ook.")  # by mail now, for there they wrote last
    assert "Die passen ook." in body_of(office.letter())
    assert office.mail_out() == 0
    assert [each["text"] for each in anouk.read()] == ["Past de tafel door een deur van 78 cm?", "Ja, op zijn kant."]


def test_c8_who_goes_on_in_the_chat_after_the_mail_stays_in_the_same_conversation(office: Office) -> None:
    anouk = asks_and_leaves(office)
    office.answer("Ja, op zijn kant.")
    office.mail_out()
    office.letter()
    anouk.say("Fijn, dan bestel ik hem")
    office.desk.take_in()
    [conversation] = office.desk.conversations()
    assert conversation.preview == "Fijn, dan bestel ik hem"
    office.answer("Mooi!")
    assert anouk.read()[-1]["text"] == "Mooi!"


def test_c8_a_file_of_the_answer_goes_along(office: Office) -> None:
    asks_and_leaves(office)
    office.answer("Hier de tekening.", attachments=[office.upload("tekening.txt", b"78 < 80")])
    office.mail_out()
    [file] = list(office.letter().iter_attachments())
    assert (file.get_filename(), file.get_content().strip()) == ("tekening.txt", "78 < 80")


def test_c8_an_answer_after_a_long_weekend_is_mailed_too(office: Office) -> None:
    asks_and_leaves(office)
    office.time_passes(timedelta(days=4))
    office.answer("Goedemorgen! Ja hoor.")
    assert office.mail_out() == 1
    assert "Goedemorgen! Ja hoor." in body_of(office.letter())


def test_a_question_by_the_form_is_answered_by_mail_and_goes_on_by_mail(office: Office) -> None:
    sheet = Sheet(office.site)
    assert sheet.send(text="Hebben jullie hem in beuken?", email=ANOUK, name="Anouk").status_code == 303
    office.desk.take_in()
    office.answer("Ja, vanaf januari.", attachments=[office.upload("beuken.txt", b"beuken")])
    assert office.mail_out(later=timedelta(minutes=2)) == 1  # nobody waits at a screen: it need not wait either
    letter = office.letter()
    assert letter["Subject"] == "Ons antwoord op je vraag aan Morgenster"
    assert "Ja, vanaf januari." in body_of(letter)
    assert "beuken?" not in body_of(letter)
    assert [file.get_filename() for file in letter.iter_attachments()] == ["beuken.txt"]
    office.replies(letter, "Dan wacht ik even.")
    [conversation] = office.desk.conversations()
    assert conversation.preview == "Dan wacht ik even."
    office.answer("Is goed!")
    assert "Is goed!" in body_of(office.letter())
