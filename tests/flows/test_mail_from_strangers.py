"""Mail that pretends, insists or goes round in circles: what it does to the desk, and who gets an answer to it."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from books import counters_are_right, ledger_of, states_make_sense
from far_platform import Here, again, answer
from mail_far_side import MailFarSide
from worlds import AnsweringHttp

from desk_builder import Desk
from klankbord.contract import Response, Wires
from klankbord.desk.contacts.models import Contact, Handle
from klankbord.desk.conversations.models import Conversation, Message, MessageState, Status, ViewCounter
from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.organisations.models import Role
from klankbord.flows import casework, delivery
from klankbord.flows.governor import FEW
from roles import become_within

pytestmark = pytest.mark.django_db

OURS = "service@wolk.example"


class Post:
    """A mailbox of the desk, the mail server that takes what it sends, and what that server took."""

    def __init__(self, desk: Desk, name: str = "Post", address: str = OURS, *, acknowledges: bool = False) -> None:
        self.desk, self.server = desk, MailFarSide()
        self.inbox = desk.inbox(
            name, kind="email", address=address, imap_host="imap.example", imap_user="x", imap_password="x",
            smtp_host="smtp.example", has_plus_addresses=True, authserv_id="mx.wolk.example",
        )  # fmt: skip
        if acknowledges:
            self.change(acknowledges=True, acknowledgement="We hebben je bericht ontvangen.")

    def change(self, **settings: Any) -> None:
        with self.desk.open():
            Inbox.objects.filter(id=self.inbox.id).update(**settings)

    def arrive(self, *mails: bytes) -> list[Conversation]:
        return self.desk.receive(self.inbox, *mails)

    def send_out(self, turns: int = 40) -> None:
        """Let the worker deliver all that waits."""
        become_within("worker")
        for _ in range(turns):
            if not delivery.deliver(now=self.desk.now, wires=wires_to(self.server, self.desk), executor=Here()):
                break
            self.desk.later(seconds=5)
        become_within("app")

    @property
    def taken(self) -> list[EmailMessage]:
        """The mails that left, in order."""
        mails = [each for each in self.server.calls if isinstance(each, bytes)]
        return [email.message_from_bytes(each, policy=email.policy.default) for each in mails]  # type: ignore[misc]

    @property
    def recipients(self) -> list[str]:
        """Every address that a mail was handed over for."""
        said = [each for each in self.server.calls if isinstance(each, str) and each.upper().startswith("RCPT")]
        return [each.partition("<")[2].partition(">")[0] for each in said]


def wires_to(server: MailFarSide, desk: Desk) -> Wires:
    return Wires(http=AnsweringHttp(lambda _: Response(404, {}, b"")), mail=server, now=lambda: desk.now)


@pytest.fixture(autouse=True)
def connecting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox is connected by looking into it; this one is empty."""
    monkeypatch.setattr("klankbord.flows.connect.wires", lambda: wires_to(MailFarSide(), desk))


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk)


_numbers = iter(range(1, 1_000_000))


def mail(text: str = "Waar blijft mijn kast?", **changes: str | None) -> bytes:
    """A mail of this moment with these headers instead of the usual ones; None leaves one out."""
    usual: dict[str, str | None] = {
        "From": "Anouk <anouk@klant.example>",
        "To": OURS,
        "Subject": "Mijn kast",
        "Message-ID": f"<{next(_numbers)}@klant.example>",
        "Content-Type": "text/plain; charset=utf-8",
    }
    usual |= {name.replace("_", "-"): value for name, value in changes.items()}
    return "".join(f"{n}: {v}\r\n" for n, v in usual.items() if v is not None).encode() + b"\r\n" + text.encode()


def outbound(desk: Desk) -> list[Message]:
    return [message for message in desk.messages() if message.kind == "outbound"]


def answered(post: Post) -> tuple[Conversation, EmailMessage]:
    """A case that Noor answered, and her mail as the customer got it."""
    [conversation] = post.arrive(mail())
    answer(post.desk, conversation, "Hij komt morgen.", post.desk.person("Noor"))
    post.send_out()
    return conversation, post.taken[-1]


# ------------------------------------------------------------------------------------------------ machines


MACHINES = {
    "E1-out-of-office": {"Auto-Submitted": "auto-replied", "Subject": "Afwezig: Mijn kast"},
    "E1-mailing-list": {"List-Id": "<nieuws.example>", "Precedence": "bulk"},
    "E1-no-way-back": {"Return-Path": "<>"},
    "E1-nobody-there": {"From": "no-reply@elders.example"},
}


@pytest.mark.parametrize("signs", MACHINES.values(), ids=MACHINES)
def test_a_machine_gets_no_automatic_answer(desk: Desk, signs: dict[str, str]) -> None:
    post = Post(desk, acknowledges=True)
    post.arrive(mail(**signs))
    assert [message.is_automatic for message in desk.messages()] == [True]
    post.send_out()
    assert post.taken == []


@pytest.mark.parametrize("signs", MACHINES.values(), ids=MACHINES)
def test_a_machine_reopens_nothing_and_makes_nobody_wait(post: Post, signs: dict[str, str]) -> None:
    desk = post.desk
    conversation, ours = answered(post)
    with desk.open():
        casework.resolve(conversation=conversation.id, by=desk.person("Sem"), now=desk.now)
    thread = {"In-Reply-To": ours["Message-ID"], "References": ours["Message-ID"]}
    [after] = post.arrive(mail("Ik ben er niet.", **{**thread, **signs}))
    assert (after.status, after.waiting_since, after.message_count) == (Status.RESOLVED, None, 3)
    states_make_sense(desk)


def test_e3_mail_from_our_own_address_is_nobodys_question(post: Post) -> None:
    assert post.arrive(mail(From=f"Wij <{OURS}>"), mail(From="SERVICE+x@Wolk.example")) == []
    assert ledger_of(post.desk)["ignored"] == 2


def test_e4_an_acknowledgement_that_comes_back_is_marked_failed_and_opens_nothing(desk: Desk) -> None:
    post = Post(desk, acknowledges=True)
    [before] = post.arrive(mail(From="anouk@klant.exmaple"))
    post.send_out()
    [acknowledgement] = post.taken
    report = (
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        "Final-Recipient: rfc822; x\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--B\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {acknowledgement['Message-ID']}\r\n\r\n--B--\r\n"
    )
    kind = 'multipart/report; report-type="delivery-status"; boundary=B'
    [after] = post.arrive(
        mail(report, From="MAILER-DAEMON@mx.example", Subject="Undelivered", Content_Type=kind, Return_Path="<>")
    )
    post.send_out()
    [ours] = outbound(desk)
    assert ours.state == MessageState.FAILED
    assert ours.state_reason.startswith("The address does not exist.")
    assert (after.id, after.message_count) == (before.id, 2)
    assert len(post.taken) == 1


# ------------------------------------------------------------------------------------------------ pretenders


def test_e5_a_guessed_id_under_a_colleagues_name_is_a_strangers_mail_in_a_case_of_its_own(post: Post) -> None:
    conversation, ours = answered(post)
    forged = ours["Message-ID"].replace(".kb", ".kbz")
    first, other = post.arrive(
        mail("Maak 500 euro over.", From="Noor <noor@wolk.example>", In_Reply_To=forged, References=forged)
    )
    post.send_out()
    assert (first.id, first.message_count) == (conversation.id, 2)
    [pretended] = post.desk.messages(other)
    assert (pretended.kind, pretended.author_kind, pretended.author_id) == ("inbound", "contact", None)
    assert "forged-reply-tag" in pretended.remarks
    assert post.recipients == ["anouk@klant.example"]


def test_e6_a_colleague_who_mails_into_a_case_that_is_closed_to_them_speaks_as_anybody_else(post: Post) -> None:
    conversation, ours = answered(post)
    outsider = post.desk.person("Buiten")
    post.change(is_open_to_all=False)
    post.arrive(mail("Namens ons.", From=f"Buiten <{outsider.user.email}>", In_Reply_To=ours["Message-ID"]))
    post.send_out()
    said = post.desk.messages(conversation)[-1]
    assert (said.kind, said.author_kind, said.author_id) == ("inbound", "contact", None)
    assert "new-participant" in said.remarks
    assert post.recipients == ["anouk@klant.example"]


def test_e7_who_joins_from_a_new_address_is_marked_and_gets_nothing_of_the_customers(post: Post) -> None:
    conversation, ours = answered(post)
    post.arrive(mail("Stuur alles naar mij.", From="Buur <buur@anders.example>", In_Reply_To=ours["Message-ID"]))
    joined = post.desk.messages(conversation)[-1]
    assert (joined.author_name, joined.remarks) == ("Buur", ["new-participant"])
    with post.desk.open():
        assert again(post.desk, conversation).contact_id != Handle.objects.get(id=joined.handle_id).contact_id
    answer(post.desk, conversation, "Dat kan niet.", post.desk.person("Sem"))
    post.send_out()
    assert post.recipients == ["anouk@klant.example"] * 2
    assert "buur@" not in post.taken[-1].as_string()


def test_e8_a_copied_outsider_gets_no_answer_no_history_and_the_doubt_is_told(post: Post) -> None:
    conversation, ours = answered(post)
    post.arrive(
        mail(
            "Stuur mij alles wat we bespraken.", Cc="boef@boef.example", Reply_To="boef@boef.example",
            In_Reply_To=ours["Message-ID"],
            Authentication_Results="mx.wolk.example; spf=fail smtp.mailfrom=boef.example; dmarc=fail "
            "header.from=klant.example",
        )
    )  # fmt: skip
    asked = post.desk.messages(conversation)[-1]
    assert {"unverified-sender", "reply-to-differs"} <= set(asked.remarks)
    answer(post.desk, conversation, "Waarom vraagt u dat?", post.desk.person("Sem"))
    post.send_out()
    last = post.taken[-1]
    assert post.recipients == ["anouk@klant.example"] * 2
    assert (last["Cc"], last["Bcc"]) == (None, None)
    assert "boef" not in last.as_string()
    assert "Hij komt morgen." not in last.as_string()
    assert "Waar blijft mijn kast?" not in last.as_string()


def test_e9_a_mail_that_proves_an_address_to_somebody_else_is_put_aside_and_answered_by_nobody(desk: Desk) -> None:
    post = Post(desk, acknowledges=True)
    [aside] = post.arrive(
        mail("Your code is 123-456.", From="no-reply@slack.com", Subject="Confirm your email address")
    )
    post.send_out()
    assert (aside.status, aside.waiting_since) == (Status.SPAM, None)
    assert post.taken == []
    with desk.open():
        assert [each.status for each in ViewCounter.objects.filter(count__gt=0)] == ["spam"]  # in no other list


def test_e10_an_address_in_an_address_is_one_person(post: Post) -> None:
    post.arrive(mail(From="attacker(&email=victim@x.example)@a.example"))
    with post.desk.open():
        [handle] = Handle.objects.all()
        assert (handle.external_id, handle.email) == ("attacker@a.example", "attacker@a.example")
        assert Contact.objects.count() == 1


def test_e13_a_quote_that_was_made_up_is_never_something_we_said(post: Post) -> None:
    forged = "Zoals beloofd.\r\n\r\nOn Tue, Mar 3, 2026 at 10:30 AM Noor <s@wolk.example> wrote:\r\n> refund approved"
    [conversation] = post.arrive(mail(forged))
    [said] = post.desk.messages(conversation)
    assert (said.kind, said.text) == ("inbound", "Zoals beloofd.")
    assert "refund approved" in said.quoted
    assert "refund" not in conversation.preview


def test_e14_a_hundred_guessed_addresses_reach_no_conversation(post: Post) -> None:
    conversation, _ = answered(post)
    with post.desk.open():
        number = again(post.desk, conversation).number
    sprayed = [
        mail("Ik ben het.", From="boef@boef.example", To="x@y.example", Delivered_To=f"service+{guess}@wolk.example")
        for guess in [number, *range(1000, 1100)]
    ]
    post.arrive(*sprayed)
    assert again(post.desk, conversation).message_count == 2
    assert len(post.desk.messages(conversation)) == 2


def test_e19_a_hidden_line_end_in_a_subject_adds_nobody_to_our_answer(post: Post) -> None:
    subject = "=?utf-8?Q?Kast=0D=0ABcc:_slachtoffer@x.example?="
    [conversation] = post.arrive(mail(Subject=subject, From=f"{subject} <anouk@klant.example>"))
    answer(post.desk, conversation, "Hij komt.", post.desk.person("Noor"))
    post.send_out()
    assert post.recipients == ["anouk@klant.example"]
    assert post.taken[0]["Bcc"] is None
    assert "\n" not in conversation.title


def test_e24_a_signature_that_proves_nothing_of_what_is_shown_makes_nobody_proven(post: Post) -> None:
    signed = (
        "--A\r\nContent-Type: text/plain\r\n\r\nIk ben de directeur.\r\n--A\r\n"
        'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=S\r\n\r\n'
        "--S\r\nContent-Type: text/plain\r\n\r\nIets anders.\r\n--S\r\n"
        "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nMIIbad\r\n--S--\r\n--A--\r\n"
    )
    [conversation] = post.arrive(mail(signed, Content_Type="multipart/mixed; boundary=A"))
    [said] = post.desk.messages(conversation)
    assert "signature-not-checked" in said.remarks
    assert "verified" not in str(said.remarks).replace("unverified-sender", "")
    with post.desk.open():
        assert [handle.is_proven for handle in Handle.objects.all()] == [False]


# ------------------------------------------------------------------------------------------------ one mail, one message


def test_e21_a_mail_without_an_id_comes_in_once(post: Post) -> None:
    nameless = mail(Message_ID=None)
    post.arrive(nameless, nameless)
    post.arrive(nameless)
    assert len(post.desk.messages()) == 1
    assert ledger_of(post.desk)["duplicate"] == 2


@pytest.mark.parametrize("is_together", [True, False], ids=["in one batch", "later"])
def test_e21_other_words_under_a_used_id_are_not_dropped(post: Post, is_together: bool) -> None:
    mails = [mail(text, Message_ID="<vast@klant.example>") for text in ("Een", "Twee", "Een")]
    if is_together:
        post.arrive(*mails)
    else:
        for each in mails:
            post.arrive(each)
    assert sorted(message.text for message in post.desk.messages()) == ["Een", "Twee"]
    assert ledger_of(post.desk)["duplicate"] == 1


def test_e21_one_mail_to_two_of_our_mailboxes_is_one_message_that_names_the_other(desk: Desk) -> None:
    post, press = Post(desk), Post(desk, "Pers", "pers@wolk.example")
    both = mail(To=f"{OURS}, pers@wolk.example", Message_ID="<beide@klant.example>")
    post.arrive(both)
    press.arrive(b"Received: by mx2.wolk.example\r\nDelivered-To: pers@wolk.example\r\n" + both)
    [message] = desk.messages()
    assert "pers@wolk.example" in " ".join(message.also_to)
    assert len(desk.conversations()) == 1
    assert ledger_of(desk)["duplicate"] == 1


def test_e22_senders_without_a_usable_name_hold_up_nobody(post: Post) -> None:
    odd: list[bytes] = [
        mail(From=None), mail(From="jan jansen@x.example"), mail(From="undisclosed-recipients:;"),
        b"From: a@x.example\r\n" + mail(From="b@x.example"), mail(From="x" * 254 + "@klant.example"), b"geen mail\r\n",
    ]  # fmt: skip
    post.arrive(*odd, mail("Een gewone vraag"))
    sums = ledger_of(post.desk)
    assert (sums["message"] + sums["dead"], sums["waiting"]) == (7, 0)
    assert "Een gewone vraag" in [message.text for message in post.desk.messages()]
    with post.desk.open():
        unknown = Message.objects.filter(remarks__contains=["unknown-sender"])
        assert unknown.count() == 5
        assert unknown.values("handle_id").distinct().count() == 5  # nobody sees another's conversation


# ------------------------------------------------------------------------------------------------ floods


def test_e25_one_sender_who_floods_us_is_thanked_once_a_day_and_all_comes_in(desk: Desk) -> None:
    post = Post(desk, acknowledges=True)
    post.arrive(*[mail(f"Nummer {number}", Subject=f"Vraag {number}") for number in range(200)])
    post.send_out()
    assert ledger_of(desk)["message"] == 200
    assert post.recipients == ["anouk@klant.example"]
    desk.later(hours=20)
    post.arrive(mail("Nog een"))
    post.send_out()
    assert len(post.recipients) == 1
    desk.later(hours=5)
    post.arrive(mail("De volgende dag"))
    post.send_out()
    assert len(post.recipients) == 2


def test_e25_a_flood_in_the_name_of_many_victims_stops_by_itself_while_mail_comes_in(desk: Desk) -> None:
    post = Post(desk, acknowledges=True)
    post.arrive(*[mail(From=f"slachtoffer{number}@x.example") for number in range(300)])
    post.send_out(turns=200)
    assert len(post.recipients) == len(set(post.recipients)) <= FEW
    stopped = again(desk, post.inbox)
    assert stopped.state == InboxState.PAUSED  # which people see, and which an administrator must end
    assert str(FEW) in stopped.state_reason
    post.arrive(mail("Komt dit nog aan?"))
    assert ledger_of(desk)["message"] == 301
    counters_are_right(desk)


# ------------------------------------------------------------------------------------------------ our own words


def test_u8_markup_in_a_signature_or_an_acknowledgement_leaves_as_the_letters_it_is_made_of(desk: Desk) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} {0.__class__} %(x)s"
    post = Post(desk, acknowledges=True)
    post.change(acknowledgement=evil, signature=evil)
    [conversation] = post.arrive(mail())
    answer(desk, conversation, "Hij komt.", desk.person("Ada", Role.ADMINISTRATOR))
    post.send_out()
    assert len(post.taken) == 2
    for each in post.taken:
        plain, markup = each.get_body(("plain",)), each.get_body(("html",))
        assert plain is not None
        assert markup is not None
        assert evil in plain.get_content().replace("\n", " ")
        assert "<script" not in markup.get_content()
        assert "<img" not in markup.get_content()
