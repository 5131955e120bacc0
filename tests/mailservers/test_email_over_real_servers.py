"""The e-mail channel against a real Dovecot and a real Postfix, through the guarded wire that the product uses."""

from __future__ import annotations

import email
import email.policy
import json
import smtplib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from mailhouse import PASSWORD, MailHouse, within

from klankbord import channels
from klankbord.channels.email.credentials import Credentials
from klankbord.contract import (
    Account,
    Arrived,
    AuthorKind,
    CredentialsRejected,
    Ignored,
    Item,
    Outgoing,
    Person,
    ReceiptArrived,
    ReceiptState,
    Refused,
    Response,
    Unavailable,
    Visibility,
    Wires,
)
from klankbord.kernel import tags
from klankbord.plumbing.mailwire import GuardedMailWire

pytestmark = pytest.mark.mailservers

EMAIL = channels.channel("email")
REPLY_KEY = b"een sleutel van deze organisatie"
TAG = tags.sign_tag("draadje7x2", key=REPLY_KEY)


class NoHttp:
    """A mailbox has no business on the web."""

    def request(self, method: str, url: str, **_: Any) -> Response:
        raise AssertionError("e-mail must not use HTTP")

    def stream_lines(self, url: str, **_: Any) -> Any:
        raise AssertionError("e-mail must not use HTTP")


class Desk:
    """One connected inbox: polls as the desk does and keeps what it got."""

    def __init__(self, house: MailHouse, **changes: Any) -> None:
        settings: dict[str, Any] = {
            "address": "service@winkel.test",
            "display_name": "Klantenservice",
            **dict.fromkeys(("imap_host", "smtp_host"), "127.0.0.1"),
            **dict.fromkeys(("imap_security", "smtp_security"), "none"),
            "imap_port": house.imap_port,
            "smtp_port": house.smtp_port,
            "imap_user": "service",
            "imap_password": PASSWORD,
            "has_plus_addresses": True,
        }
        credentials = Credentials(**{**settings, **changes})
        self.account: Account[Any] = Account(inbox="post", credentials=credentials, reply_key=REPLY_KEY)
        wire = GuardedMailWire(unavailable=Unavailable, allow_loopback=True)
        self.wires = Wires(http=NoHttp(), mail=wire, now=lambda: datetime.now(UTC))
        self.cursor: dict[str, Any] = {}
        self.items: list[Item] = []

    def poll(self) -> None:
        polled = EMAIL.poll(self.account, self.cursor, self.wires)
        self.cursor = json.loads(json.dumps(dict(polled.cursor)))
        for delivery in polled.deliveries:
            self.items += EMAIL.parse(delivery, self.account)

    def wait_for(self, is_it: Callable[[Item], bool]) -> Any:
        def look() -> list[Item]:
            self.poll()
            return [item for item in self.items if is_it(item)]

        return within(20, look)[0]

    def wait_for_message(self, message_id: str) -> Arrived:
        found = self.wait_for(lambda item: isinstance(item, Arrived) and item.external_id == message_id)
        assert isinstance(found, Arrived)
        return found

    def send(self, text: str = "Het komt vandaag.", **changes: Any) -> str:
        """Send an answer and give its id."""
        fields: dict[str, Any] = {
            "key": str(uuid4()),
            "text": text,
            "visibility": Visibility.PRIVATE,
            "to": Person("anouk@klant.test"),
            "place_key": "x",
            "target": "",
            "author_kind": AuthorKind.AGENT,
            "title": "Mijn pakket",
            "reply_tag": TAG,
        }
        return EMAIL.send(Outgoing(**{**fields, **changes}), self.account, self.wires).external_ids[0]


@pytest.fixture
def desk(house: MailHouse) -> Desk:
    connected = Desk(house)
    connected.poll()
    return connected


def write(house: MailHouse, text: str = "Waar is het?", *, to: str = "service@winkel.test", **headers: str) -> str:
    """Anouk writes; gives the id of her mail."""
    mail = EmailMessage()
    message_id = f"{uuid4()}@klant.test"
    usual = {"From": "Anouk <anouk@klant.test>", "To": to, "Subject": "Mijn pakket", "Message-ID": f"<{message_id}>"}
    for name, value in {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        mail[name] = value
    mail.set_content(text)
    house.deliver(mail.as_bytes(policy=email.policy.SMTP), sender="anouk@klant.test", to=to)
    return message_id


def received(house: MailHouse, message_id: str) -> EmailMessage:
    """Our mail as Anouk's mailbox has it."""

    def look() -> list[EmailMessage]:
        mails = [_parsed(path) for path in house.mails("anouk")]
        return [each for each in mails if each["Message-ID"] == f"<{message_id}>"]

    return within(20, look)[0]


def _parsed(path: Path) -> EmailMessage:
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


# ------------------------------------------------------------------------------------------------ reading


def test_a_mail_is_fetched_once_and_stays_unread_in_the_mailbox(house: MailHouse, desk: Desk) -> None:
    message_id = write(house, "Waar is mijn pakket?")
    item = desk.wait_for_message(message_id)
    assert (item.text, item.person.name, item.place.title) == ("Waar is mijn pakket?", "Anouk", "Mijn pakket")
    assert abs((item.at - datetime.now(UTC)).total_seconds()) < 60
    desk.poll()
    assert [each.external_id for each in desk.items if isinstance(each, Arrived)].count(message_id) == 1
    (stored,) = [path for path in house.mails("service") if message_id.encode() in path.read_bytes()]
    assert "S" not in stored.name.partition(":2,")[2]


def test_new_mail_wakes_the_listener(house: MailHouse, desk: Desk) -> None:
    stop, woken = threading.Event(), threading.Event()
    listener = threading.Thread(
        target=EMAIL.listen, args=(desk.account, desk.wires, woken.set, stop), name="listener", daemon=True
    )
    listener.start()
    try:
        assert woken.wait(10)  # it is idle now
        woken.clear()
        write(house)
        assert woken.wait(10)
    finally:
        stop.set()
        listener.join(10)
    assert not listener.is_alive()


def test_e26_after_the_mailbox_counts_anew_no_mail_is_lost_or_has_another_id(house: MailHouse, desk: Desk) -> None:
    before = write(house)
    desk.wait_for_message(before)
    old = desk.cursor["uidvalidity"]

    def counts_anew() -> bool:
        house.count_anew("service")
        status = Desk(house)
        status.poll()
        return bool(status.cursor["uidvalidity"] != old)

    within(20, counts_anew)
    after = write(house)
    desk.wait_for_message(after)
    seen = [item.external_id for item in desk.items if isinstance(item, Arrived)]
    assert set(seen) >= {before, after}
    assert desk.cursor["uidvalidity"] != old
    count = len(desk.items)
    desk.poll()
    assert len(desk.items) == count


def test_history_is_fetched_back_to_the_first_mail(house: MailHouse, desk: Desk) -> None:
    message_id = write(house)
    desk.wait_for_message(message_id)
    seen: list[Item] = []
    cursor: dict[str, Any] = {}
    while True:
        polled = EMAIL.backfill(desk.account, cursor, desk.wires)
        cursor = dict(polled.cursor)
        assert all(each.is_history for each in polled.deliveries)
        seen += [item for each in polled.deliveries for item in EMAIL.parse(each, desk.account)]
        if not polled.has_more:
            break
    assert len(seen) == len(house.mails("service"))


# ------------------------------------------------------------------------------------------------ answering


def test_an_answer_arrives_and_the_answer_to_it_finds_the_thread(house: MailHouse, desk: Desk) -> None:
    question = desk.wait_for_message(write(house))
    ours = desk.send(in_reply_to=question.external_id, thread_ids=(question.external_id,), to=question.person)
    mail = received(house, ours)
    assert mail["In-Reply-To"] == f"<{question.external_id}>"
    assert mail["From"] == "Klantenservice <service@winkel.test>"
    assert mail["Return-Path"].startswith("<service+b-")
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Het komt vandaag."
    chain = f"{mail['References']} {mail['Message-ID']}"
    answer = write(
        house, "Dank!", to=mail["Reply-To"], In_Reply_To=mail["Message-ID"], References=" ".join(chain.split())
    )
    item = desk.wait_for_message(answer)
    assert item.thread_ids == (ours, question.external_id)
    assert item.place.key == question.place.key
    assert item.reply_tag == TAG


def test_an_answer_without_any_headers_finds_the_thread_by_its_address(house: MailHouse, desk: Desk) -> None:
    mail = received(house, desk.send())
    item = desk.wait_for_message(write(house, to=mail["Reply-To"]))
    assert (item.thread_ids, item.reply_tag) == ((), TAG)


@pytest.mark.parametrize("is_automatic", [True, False], ids=["acknowledgement", "answer"])
def test_e4_mail_to_nobody_comes_back_and_fails_that_message(house: MailHouse, desk: Desk, is_automatic: bool) -> None:
    ours = desk.send(to=Person("weg@klant.test"), is_automatic=is_automatic)
    item = desk.wait_for(lambda each: isinstance(each, ReceiptArrived) and each.external_id == ours)
    assert item.state == ReceiptState.FAILED
    assert item.reason.startswith("The address does not exist. (weg@klant.test")
    assert not [each for each in desk.items if isinstance(each, Arrived) and "MAILER-DAEMON" in each.person.external_id]


def test_somebody_who_is_refused_at_once_is_refused_for_good(house: MailHouse) -> None:
    strict = Desk(house, smtp_port=house.strict_port)
    with pytest.raises(Refused, match=r"550 5\.1\.1") as refusal:
        strict.send(to=Person("weg@klant.test"))
    assert refusal.value.place_is_gone


def test_w19_a_copy_of_our_own_answer_is_an_echo(house: MailHouse, desk: Desk) -> None:
    ours = desk.send()
    copy = received(house, ours).as_bytes(policy=email.policy.SMTP)
    house.deliver(copy, sender="service@winkel.test", to="service@winkel.test")
    echo = desk.wait_for_message(ours)
    assert echo.is_own
    assert echo.person.external_id == "anouk@klant.test"


def test_e3_mail_from_our_own_address_opens_nothing(house: MailHouse, desk: Desk) -> None:
    message_id = write(house, From="service@winkel.test")
    assert (
        desk.wait_for(lambda each: isinstance(each, Ignored) and each.external_id == message_id).reason == "own-address"
    )


# ------------------------------------------------------------------------------------------------ health


def test_a_healthy_inbox_is_well_and_a_wrong_password_is_not(house: MailHouse, desk: Desk) -> None:
    assert EMAIL.health(desk.account, desk.wires).state == "well"
    assert EMAIL.connect(desk.account, desk.wires) == {"address": "service@winkel.test", "announces_mail": True}
    wrong = replace(desk.account, credentials=replace(desk.account.credentials, imap_password="fout"))
    health = EMAIL.health(wrong, desk.wires)
    assert health.state == "broken"
    assert [check.is_well for check in health.checks] == [False, False]
    with pytest.raises(CredentialsRejected):
        EMAIL.poll(wrong, {}, desk.wires)
    with pytest.raises(CredentialsRejected):
        EMAIL.connect(wrong, desk.wires)


def test_a_folder_that_is_not_there_is_named(house: MailHouse) -> None:
    with pytest.raises(CredentialsRejected, match="Klachten"):
        Desk(house, folder="Klachten").poll()


def test_a_server_that_is_not_there_is_unavailable(house: MailHouse) -> None:
    with pytest.raises(Unavailable):
        Desk(house, imap_port=1).poll()
    with pytest.raises(Unavailable):
        Desk(house, smtp_port=1).send()


def test_the_strict_door_knows_plus_addresses(house: MailHouse) -> None:
    assert EMAIL.health(Desk(house, smtp_port=house.strict_port).account, Desk(house).wires).state == "well"
    with smtplib.SMTP("127.0.0.1", house.strict_port, timeout=10) as smtp:
        assert smtp.docmd("EHLO", "x")[0] == 250
