"""Two desks with acknowledgements on, mailing each other through a real Postfix, must fall silent by themselves."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from mailhouse import PASSWORD, MailHouse, within

from desk_builder import Desk
from klankbord.desk.conversations.models import Message, MessageKind
from klankbord.desk.inboxes.models import Inbox, Poll
from klankbord.flows import delivery, polling
from klankbord.flows.wiring import wires
from roles import become_within

pytestmark = [pytest.mark.mailservers, pytest.mark.django_db]

MOST = 3  # mails each, before both are silent


class InTurn(Executor):
    """Sends one after the other, on the test's own connection."""

    def submit(self, fn: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*given, **named))
        return done


def connect(house: MailHouse, slug: str, address: str) -> tuple[Desk, Inbox]:
    desk = Desk(slug)
    desk.now = datetime.now(UTC)
    inbox = desk.inbox(
        slug, kind="email", address=address, imap_host="127.0.0.1", imap_port=house.imap_port, imap_security="none",
        imap_user=address.split("@")[0], imap_password=PASSWORD, smtp_host="127.0.0.1", smtp_port=house.smtp_port,
        smtp_security="none",
    )  # fmt: skip
    with desk.open():
        Inbox.objects.filter(id=inbox.id).update(acknowledges=True, acknowledgement="We hebben je bericht ontvangen.")
    turn(desk, inbox)  # from now on: what lies in the mailbox is history
    return desk, inbox


def turn(desk: Desk, inbox: Inbox) -> int:
    """All that a worker does for a desk once: fetch, take in, send. Gives how much there was to do."""
    desk.now = datetime.now(UTC)
    become_within("worker")
    row = Poll.objects.get(inbox_id=inbox.id)
    fetched = polling.poll(polling.Due(inbox.id, row.organisation_id, row.cursor, None, 0), now=desk.now)
    become_within("app")
    settled = desk.take_in()
    become_within("worker")
    sent = delivery.deliver(now=datetime.now(UTC), wires=wires(), executor=InTurn())
    become_within("app")
    return fetched + settled + sent


def sent_by(desk: Desk) -> int:
    with desk.open():
        return Message.objects.filter(kind=MessageKind.OUTBOUND, state="sent").count()


def settle_down(*sides: Callable[[], int]) -> None:
    """Take turns until nobody has had anything to do for a while."""
    quiet = [0]

    def is_quiet() -> bool:
        quiet[0] = 0 if sum(side() for side in sides) else quiet[0] + 1
        return quiet[0] >= 20

    within(60, is_quiet)


def mail(house: MailHouse, *, sender: str, to: str, **headers: str) -> None:
    message = EmailMessage()
    usual = {"From": sender, "To": to, "Subject": "Vraag", "Message-ID": f"<{uuid4()}@elders.test>"}
    for name, value in {**usual, **headers}.items():
        message[name] = value
    message.set_content("Waar is mijn bestelling?")
    house.deliver(message.as_bytes(policy=email.policy.SMTP), sender=sender, to=to)


def test_e2_two_of_our_desks_facing_each_other_stop(house: MailHouse) -> None:
    ours, our_inbox = connect(house, "winkel", "service@winkel.test")
    theirs, their_inbox = connect(house, "klant", "anouk@klant.test")
    mail(house, sender="anouk@klant.test", to="service@winkel.test")
    settle_down(lambda: turn(ours, our_inbox), lambda: turn(theirs, their_inbox))
    assert 1 <= sent_by(ours) <= MOST
    assert sent_by(theirs) <= MOST


@pytest.mark.parametrize("keeps_thread", [True, False], ids=["replying", "starting anew each time"])
def test_e2_a_robot_without_any_loop_headers_is_answered_three_times_at_most(
    house: MailHouse, keeps_thread: bool
) -> None:
    ours, our_inbox = connect(house, "winkel", "service@winkel.test")
    answered = {path.name for path in house.mails("anouk")}
    answers = 0

    def robot() -> int:
        nonlocal answers
        new = [path for path in house.mails("anouk") if path.name not in answered]
        for path in new[: 50 - answers]:
            answered.add(path.name)
            answers += 1
            got = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            thread = {"In-Reply-To": got["Message-ID"], "References": got["Message-ID"]} if keeps_thread else {}
            mail(house, sender="anouk@klant.test", to="service@winkel.test", **thread)
        return len(new)

    mail(house, sender="anouk@klant.test", to="service@winkel.test")
    settle_down(lambda: turn(ours, our_inbox), robot)
    assert 1 <= sent_by(ours) <= MOST
    assert answers <= MOST
