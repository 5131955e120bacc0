"""What a mail means: who wrote it, which thread it belongs to, and what to be wary of.

The ids in the names are rows of the catalogue of bad inputs (E: e-mail intake).
"""

from __future__ import annotations

import email
import email.policy
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import pytest
from benches_of import bench_of, fixtures_of
from hypothesis import given, settings
from hypothesis import strategies as st

from klankbord import channels
from klankbord.channels.email import addresses, charsets, headers, identifiers, reading
from klankbord.channels.email.arrivals import ARRIVED_AT
from klankbord.contract import (
    Account,
    Arrived,
    AuthorKind,
    Delivery,
    Ignored,
    Item,
    Malformed,
    ReceiptArrived,
)
from klankbord.kernel import tags

BENCH = bench_of("email")
EMAIL = channels.channel("email")
FIXTURES = dict(fixtures_of("email"))


def parsed(raw: bytes, account: Account[Any] | None = None, **delivery: Any) -> Item:
    account = account or BENCH.account()
    (item,) = EMAIL.parse(replace(BENCH.sign(raw, account), **delivery), account)
    return item


def arrived(raw: bytes, account: Account[Any] | None = None, **delivery: Any) -> Arrived:
    item = parsed(raw, account, **delivery)
    assert isinstance(item, Arrived), item
    return item


def mail(text: str = "Hallo", **changes: str | None) -> bytes:
    """A mail with these headers instead of the usual ones; None leaves one out."""
    usual: dict[str, str | None] = {
        "From": "Anouk <anouk@klant.example>",
        "To": "service@winkel.example",
        "Subject": "Mijn pakket",
        "Date": "Tue, 3 Mar 2026 10:12:00 +0100",
        "Message-ID": "<vraag-1@klant.example>",
        "Content-Type": "text/plain; charset=utf-8",
    }
    usual |= {name.replace("_", "-"): value for name, value in changes.items()}
    return "".join(f"{n}: {v}\r\n" for n, v in usual.items() if v is not None).encode() + b"\r\n" + text.encode()


def our_id(key: str = "reply-1", tag: str = BENCH.TAG) -> str:
    return identifiers.make(reply_tag=tag, key=key, reply_key=BENCH.REPLY_KEY, domain="winkel.example")


# ------------------------------------------------------------------------------------------------ threads


def test_an_answer_names_the_mails_before_it_nearest_first() -> None:
    item = arrived(mail(In_Reply_To="<c@x>", References="<a@x> <b@x>\r\n\t<c@x>"))
    assert item.thread_ids == ("c@x", "b@x", "a@x")
    assert item.in_reply_to == "c@x"
    assert item.place.key == "a@x"


def test_an_id_that_a_mail_program_encoded_is_still_that_id() -> None:
    encoded = "=?utf-8?q?=3C" + our_id()[:40].replace(".", "=2E") + "?=\r\n =?utf-8?q?" + our_id()[40:] + "=3E?="
    item = arrived(mail(In_Reply_To=encoded, References=f"<a@x> {encoded}"))
    assert item.thread_ids == (our_id(), "a@x")
    assert item.reply_tag == BENCH.TAG


def test_a_first_mail_is_the_root_of_its_thread() -> None:
    assert arrived(mail()).place.key == "vraag-1@klant.example"


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Original-To"])
def test_our_signed_tag_in_an_address_names_the_thread(header: str) -> None:
    item = arrived(mail(To="iemand@anders.example") + b"", None)
    assert item.reply_tag == ""
    item = arrived(mail(**{header: f"Service <SERVICE+{BENCH.TAG}@winkel.example>"}))
    assert item.reply_tag == BENCH.TAG


def test_our_signed_tag_in_a_reference_names_the_thread() -> None:
    assert arrived(mail(References=f"<{our_id()}>")).reply_tag == BENCH.TAG


def test_a_tag_counts_only_in_an_address_of_our_own() -> None:
    assert arrived(mail(To=f"service+{BENCH.TAG}@elders.example")).reply_tag == ""


def test_a_tag_of_another_organisation_counts_for_nothing() -> None:
    foreign = tags.sign_tag("draadje7x2", key=b"een andere sleutel")
    item = arrived(mail(To=f"service+{foreign}@winkel.example"))
    assert item.reply_tag == ""
    assert "forged-reply-tag" in item.remarks


def test_a_ticket_number_in_the_subject_is_told_but_decides_nothing() -> None:
    item = arrived(mail(Subject="Re: [#1042] Mijn pakket"))
    assert item.facts["ticket"] == "1042"
    assert item.thread_ids == ()
    assert item.place.key == item.external_id


def test_message_ids_have_one_form_whatever_their_brackets_and_capitals() -> None:
    for raw in ("<Abc@Klant.Example>", "  Abc@KLANT.example ", "<Abc@\tklant.example>"):
        assert arrived(mail(Message_ID=raw)).external_id == "Abc@klant.example"


# ------------------------------------------------------------------------------------------------ machines

SIGNS = [
    {"Return-Path": "<>"},
    {"Auto-Submitted": "auto-replied"},
    {"Auto-Submitted": "auto-generated; owner=x"},
    {"Precedence": "bulk"},
    {"Precedence": "junk"},
    {"Precedence": "LIST"},
    {"Precedence": "auto_reply"},
    {"X-Auto-Response-Suppress": "OOF"},
    {"X-Autoreply": "yes"},
    {"X-Autorespond": "weg"},
    {"X-Loop": "x"},
    {"List-Id": "<x.example>"},
    {"List-Unsubscribe": "<mailto:x@y.example>"},
    {"Feedback-ID": "1:x"},
    {"From": "MAILER-DAEMON@elders.example"},
    {"From": "Post <postmaster@elders.example>"},
    {"From": "no-reply@elders.example"},
    {"From": "noreply+123@elders.example"},
    {"From": "do_not_reply@elders.example"},
    {"From": "niet-beantwoorden@elders.example"},
    {"Content-Type": "multipart/report; report-type=disposition-notification; boundary=x"},
]


@pytest.mark.parametrize("sign", SIGNS, ids=lambda each: "-".join(f"{k}-{v}" for k, v in each.items())[:40])
def test_e1_a_sign_of_a_machine_makes_a_mail_automatic(sign: dict[str, str]) -> None:
    assert arrived(mail("--x\r\n\r\nhallo\r\n--x--", **sign)).is_automatic


@pytest.mark.parametrize(
    "harmless", [{"Auto-Submitted": "no"}, {"Return-Path": "<anouk@klant.example>"}, {"From": "Norepl Y <n@x.example>"}]
)
def test_e1_a_persons_mail_is_not_automatic(harmless: dict[str, str]) -> None:
    assert not arrived(mail(**harmless)).is_automatic


def test_e2_our_own_acknowledgement_is_automatic_to_whoever_reads_it() -> None:
    world = BENCH.world()
    EMAIL.send(BENCH.outgoing(is_automatic=True), BENCH.account(), world.wires)
    content = next(each for each in world.calls if isinstance(each, bytes))
    other_desk = replace(BENCH.other_account(), reply_key=b"van een ander")
    assert arrived(content, other_desk).is_automatic


@pytest.mark.parametrize("own", ["service@winkel.example", "SERVICE+iets@Winkel.example", "info@winkel.example"])
def test_e3_mail_from_our_own_address_is_no_customers(own: str) -> None:
    assert parsed(mail(From=f"Winkel <{own}>")) == Ignored("own-address", "vraag-1@klant.example")


def test_w19_our_own_mail_seen_again_is_an_echo_with_the_id_that_we_know() -> None:
    world = BENCH.world()
    receipt = EMAIL.send(BENCH.outgoing(), BENCH.account(), world.wires)
    item = arrived(next(each for each in world.calls if isinstance(each, bytes)))
    assert item.is_own
    assert (item.external_id,) == receipt.external_ids
    assert item.client_key == BENCH.outgoing().key
    assert item.person.external_id == "anouk@klant.example"


def test_our_own_mail_sent_back_under_another_name_is_no_message() -> None:
    assert parsed(mail(Message_ID=f"<{our_id()}>")) == Ignored("own-message", our_id())


def test_an_id_pieced_together_from_two_of_ours_is_no_echo() -> None:
    one, other = our_id("reply-1"), our_id("reply-2", tag=tags.sign_tag("anderedraad", key=BENCH.REPLY_KEY))
    pieced = f"{one.partition('.')[0]}.{other.partition('.')[2]}"
    assert isinstance(parsed(mail(From="service@winkel.example", Message_ID=f"<{pieced}>")), Ignored)


# ------------------------------------------------------------------------------------------------ bounces


def bounce(
    original: str, *, to: str = "service@winkel.example", action: str = "failed", status: str = "5.1.1"
) -> bytes:
    report = (
        f"--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; weg@klant.example\r\nAction: {action}\r\nStatus: {status}\r\n\r\n{original}--B--\r\n"
    )
    kind = 'multipart/report; report-type="delivery-status"; boundary=B'
    return mail(report, From="MAILER-DAEMON@mx.example", To=to, Content_Type=kind, Return_Path="<>")


def with_id(identifier: str) -> str:
    return f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{identifier}>\r\nSubject: x\r\n\r\n"


def test_e4_the_bounce_of_an_acknowledgement_fails_that_mail_and_opens_nothing() -> None:
    world = BENCH.world()
    receipt = EMAIL.send(BENCH.outgoing(is_automatic=True), BENCH.account(), world.wires)
    item = parsed(bounce(with_id(receipt.external_ids[0])))
    assert isinstance(item, ReceiptArrived)
    assert (item.state, item.external_id) == ("failed", receipt.external_ids[0])
    assert item.reason.startswith("The address does not exist.")


def test_e4_a_bounce_without_our_headers_is_known_by_the_address_it_came_to() -> None:
    world = BENCH.world()
    receipt = EMAIL.send(BENCH.outgoing(), BENCH.account(), world.wires)
    item = parsed(bounce("", to=receipt.facts["envelope_sender"]))
    assert isinstance(item, ReceiptArrived)
    assert (item.state, item.client_key, item.external_id) == ("failed", BENCH.outgoing().key, "")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("5.1.1", "The address does not exist."),
        ("5.1.2", "The domain does not exist or takes no mail."),
        ("5.2.2", "The mailbox is full."),
        ("4.4.1", "The receiving mail server could not be reached."),
        ("5.7.1", "The receiving mail server refused it."),
        ("nonsense", "The mail came back undelivered."),
    ],
)
def test_a_bounce_says_why_in_words(status: str, sentence: str) -> None:
    item = parsed(bounce(with_id(our_id()), status=status))
    assert isinstance(item, ReceiptArrived)
    assert item.reason.startswith(sentence)


@pytest.mark.parametrize("forged", ["geraden.kbuaaaa@winkel.example", our_id().replace("kbk", "kbu"), "x@y.example"])
def test_e5_a_bounce_that_names_a_guessed_id_fails_nothing(forged: str) -> None:
    assert parsed(bounce(with_id(forged))) == Ignored("bounce-of-unknown-mail")


def test_a_mail_that_is_still_being_tried_has_not_failed() -> None:
    assert parsed(bounce(with_id(our_id()), action="delayed")) == Ignored("delivery-delayed")


def test_a_postmaster_who_writes_himself_is_read() -> None:
    assert arrived(mail("Uw mailserver staat op een lijst.", From="postmaster@isp.example")).text.startswith("Uw mail")


# ------------------------------------------------------------------------------------------------ whom to believe


def test_e5_a_guessed_id_of_ours_leads_nowhere_and_is_remarked() -> None:
    forged = our_id().replace(".kb", ".kbz")
    item = arrived(mail(In_Reply_To=f"<{forged}>", References=f"<{forged}>"))
    assert item.thread_ids == ()
    assert item.reply_tag == ""
    assert item.place.key == item.external_id
    assert "forged-reply-tag" in item.remarks


def test_e6_whoever_writes_by_mail_is_a_contact_even_under_a_colleagues_address() -> None:
    item = arrived(mail(From="Noor <noor@winkel.example>", In_Reply_To=f"<{our_id()}>"))
    assert item.author_kind == AuthorKind.CONTACT
    assert not item.is_own


def test_e7_who_answers_from_a_new_address_is_a_new_person_in_the_thread() -> None:
    item = arrived(mail(From="buur@anders.example", In_Reply_To=f"<{our_id()}>"))
    assert item.person.external_id == "buur@anders.example"
    assert item.thread_ids == (our_id(),)


def results(said: str, **changes: str) -> Arrived:
    return arrived(mail(Authentication_Results=said, **changes))


def test_e8_a_sender_whom_our_own_server_could_not_verify_is_remarked() -> None:
    item = results("mx.winkel.example; spf=pass smtp.mailfrom=boef.example; dmarc=fail header.from=klant.example")
    assert "unverified-sender" in item.remarks
    assert item.facts["authentication"] == {"spf": "pass", "dmarc": "fail"}


@pytest.mark.parametrize(
    "said",
    [
        "mx.winkel.example; dmarc=pass (p=none) header.from=klant.example",
        "mx.winkel.example; dkim=pass header.d=klant.example; spf=fail smtp.mailfrom=x.example",
        "mx.winkel.example 1; spf=pass smtp.mailfrom=bounce@mail.klant.example",
    ],
)
def test_e8_a_verified_sender_is_not_remarked(said: str) -> None:
    assert "unverified-sender" not in results(said).remarks


def test_e8_verdicts_of_other_servers_and_verdicts_below_ours_count_for_nothing() -> None:
    assert "authentication" not in results("mx.boef.example; dmarc=pass header.from=klant.example").facts
    below = b"Authentication-Results: mx.winkel.example; dmarc=fail header.from=klant.example\r\n" + mail(
        Authentication_Results="mx.winkel.example; dmarc=pass header.from=klant.example"
    )
    assert "unverified-sender" in arrived(below).remarks


def test_e8_a_reply_to_elsewhere_is_remarked_and_the_person_stays_who_it_is() -> None:
    item = arrived(mail(Reply_To="boef@boef.example"))
    assert item.person.external_id == "anouk@klant.example"
    assert item.facts["reply_to"] == "boef@boef.example"
    assert "reply-to-differs" in item.remarks


VERIFICATIONS = [
    ("no-reply@slack.com", "Slack confirmation code: ABC-123"),
    ("feedback@slack.com", "Noor invited you to join Winkel on Slack"),
    ("verify@x.com", "Confirm your email address"),
    ("noreply@accounts.google.com", "Verify your email"),
    ("noreply@dienst.example", "Bevestig je e-mailadres"),
    ("no-reply@dienst.example", "Ihr Bestätigungscode"),
    ("ne-pas-repondre@service.example", "Votre code de vérification"),
]


@pytest.mark.parametrize(("sender", "subject"), VERIFICATIONS)
def test_e9_a_mail_by_which_another_service_checks_an_address_is_put_aside(sender: str, subject: str) -> None:
    item = arrived(mail(From=sender, Subject=subject))
    assert item.is_spam
    assert "third-party-verification" in item.remarks


def test_e9_a_customer_who_asks_for_a_code_is_not_put_aside() -> None:
    assert not arrived(mail("Uw verificatiecode komt niet.", Subject="Verificatiecode")).is_spam


# ------------------------------------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("attacker(&email=victim@x)@a.com", "attacker@a.com"),
        ('"<victim@x.example>" <attacker@a.com>', "attacker@a.com"),
        ("=?utf-8?Q?victim=40x.example=3C?= <attacker@a.com>", "attacker@a.com"),
        ("attacker@a.com (victim@x.example)", "attacker@a.com"),
        ("<@route.example,@b.example:attacker@a.com>", "attacker@a.com"),
        ("ATTACKER@A.COM", "attacker@a.com"),
        ("jan@B\u00fccher.example", "jan@xn--bcher-kva.example"),
    ],
)
def test_e10_a_strange_sender_is_one_normal_address(raw: str, address: str) -> None:
    assert arrived(mail(From=raw)).person.external_id == address


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        "jan jansen@x.example",
        "undisclosed-recipients:;",
        "<>",
        "a@b@c.example",
        "x" * 250 + "@klant.example",
        "jan@" + "x" * 300,
        "jan\u202e@x.example",
        "Anouk",
        "jan@[127.0.0.1]",
    ],
)
def test_e22_a_sender_that_is_no_address_is_an_unknown_sender(raw: str | None) -> None:
    item = arrived(mail(From=raw))
    assert item.person.external_id.startswith("unknown:")
    assert item.person.email == ""
    assert "unknown-sender" in item.remarks


def test_e22_two_froms_that_disagree_leave_the_sender_unknown() -> None:
    item = arrived(b"From: boef@boef.example\r\n" + mail())
    assert item.person.external_id.startswith("unknown:")
    assert "several-senders" in item.remarks


def test_e22_two_unknown_senders_are_two_people() -> None:
    one, other = (arrived(mail(From=None, Message_ID=f"<{n}@x>")).person.external_id for n in "ab")
    assert one != other


def test_several_authors_are_who_posted_it() -> None:
    item = arrived(mail(From="a@klant.example, b@klant.example", Sender="b@klant.example"))
    assert item.person.external_id == "b@klant.example"


def test_others_it_was_sent_to_are_told_without_ourselves() -> None:
    item = arrived(
        mail(To="service@winkel.example, pers@krant.example", Cc="Bond <hulp@bond.example>, info@winkel.example")
    )
    assert item.also_to == ("pers@krant.example", "hulp@bond.example")


# ------------------------------------------------------------------------------------------------ spraying


def test_e14_guessed_plus_addresses_touch_no_conversation() -> None:
    for number in range(1000, 1100):
        item = arrived(mail(To="iemand@anders.example", Delivered_To=f"service+{number}@winkel.example"))
        assert (item.reply_tag, item.thread_ids) == ("", ())


# ------------------------------------------------------------------------------------------------ bombs


def in_time(raw: bytes, seconds: float) -> Item:
    """The item, if it costs no more than so much processor time."""
    started = time.process_time()
    item = parsed(raw)
    assert time.process_time() - started < seconds
    return item


@pytest.mark.parametrize("depth", [1_000, 5_000])
def test_e15_a_mail_nested_a_thousand_deep_is_read_in_time(depth: int) -> None:
    body = "".join(f"--b{n}\r\nContent-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n" for n in range(depth))
    item = in_time(mail(body, Content_Type="multipart/mixed; boundary=b0"), 1.0)
    assert isinstance(item, Arrived)
    assert "parts-refused" in item.remarks
    assert parsed(mail()) == arrived(mail())


def test_e15_a_mail_of_a_hundred_thousand_parts_is_read_in_time() -> None:
    item = in_time(mail("--b\r\n\r\nx\r\n" * 100_000, Content_Type="multipart/mixed; boundary=b"), 1.0)
    assert isinstance(item, Arrived)
    assert "parts-refused" in item.remarks


@pytest.mark.parametrize("where", ["top", "inside"])
def test_e16_twenty_thousand_parameters_are_read_in_time(where: str) -> None:
    monster = "text/plain" + "".join(f"; p{n}=v" for n in range(20_000))
    if where == "top":
        item = in_time(mail("Toch leesbaar.", Content_Type=monster), 1.0)
    else:
        body = f"--b\r\nContent-Type: {monster}\r\n\r\nToch leesbaar.\r\n--b--\r\n"
        item = in_time(mail(body, Content_Type="multipart/mixed; boundary=b"), 1.0)
    assert isinstance(item, Arrived)
    assert item.text == "Toch leesbaar."


def test_e17_eight_thousand_recipients_and_twenty_thousand_references_are_capped_in_time() -> None:
    raw = mail(
        To=", ".join(f"Klant {n} <klant{n}@x.example>" for n in range(8_000)),
        References=" ".join(f"<{n}@x.example>" for n in range(20_000)),
    )
    item = in_time(raw, 1.0)
    assert isinstance(item, Arrived)
    assert item.person.external_id == "anouk@klant.example"
    assert len(item.also_to) <= 500
    assert len(item.thread_ids) <= 50
    assert (item.thread_ids[0], item.place.key) == ("19999@x.example", "0@x.example")
    assert "headers-cut" in item.remarks


def test_e17_headers_after_a_monstrous_one_are_still_read() -> None:
    item = arrived(b"X-Filler: " + b"x" * 500_000 + b"\r\n" + b"X-Many: y\r\n" * 5_000 + mail())
    assert (item.external_id, item.place.title) == ("vraag-1@klant.example", "Mijn pakket")


@pytest.mark.parametrize("raw", [b"\n" * 3_000_000, b"x" * 3_000_000, b": :\r\n " * 400_000, b"A:\r\n" * 700_000])
def test_megabytes_of_nothing_are_refused_in_time(raw: bytes) -> None:
    in_time(raw, 2.0)


def test_e25_ten_thousand_mails_a_minute_are_no_burden() -> None:
    started = time.process_time()
    for number in range(1_000):
        arrived(mail(Message_ID=f"<{number}@klant.example>"))
    assert time.process_time() - started < 2.0


# ------------------------------------------------------------------------------------------------ letters


@pytest.mark.parametrize("name", [name for name in FIXTURES if name.startswith("e18_")])
def test_e18_any_character_set_gives_readable_text(name: str) -> None:
    item = arrived(FIXTURES[name])
    readable = item.text + item.person.name + item.place.title
    assert "\ufffd" not in readable
    assert "Ã" not in readable


def test_e18_utf7_never_becomes_markup() -> None:
    item = arrived(FIXTURES["e18_utf7.eml"])
    assert "<script" not in item.html + item.text + item.place.title
    assert "+ADw-script+AD4-" in item.text


@pytest.mark.parametrize(
    "charset", ["utf-7", "unicode-1-1-utf-7", "hz-gb-2312", "x-user-defined", "rot13", "idna", "hex"]
)
def test_e18_character_sets_that_can_hide_something_are_not_decoded(charset: str) -> None:
    assert charsets.decode(b"+ADw- ~{<:Ky~} uryyb", charset) == "+ADw- ~{<:Ky~} uryyb"


def test_e18_one_stray_byte_does_not_spoil_a_text() -> None:
    text = "Bestelling geannuleerd \u2013 caf\u00e9 \u20ac 10, " * 20
    assert charsets.decode(text.encode() + b"\xe2\x82", "utf-8").startswith(text)


def test_e19_an_encoded_line_end_ends_no_line() -> None:
    item = arrived(FIXTURES["e19_encoded_line_end.eml"])
    assert item.place.title == "Hallo Bcc: slachtoffer@x.example"
    assert "\n" not in item.person.name


def test_a_mail_with_crlf_means_the_same_as_with_lf() -> None:
    for name, raw in FIXTURES.items():
        if b"\r" not in raw:
            one, other = parsed(raw), parsed(raw.replace(b"\n", b"\r\n"))
            if isinstance(one, Arrived) and isinstance(other, Arrived):
                assert (one.text, one.html, one.quoted) == (other.text, other.html, other.quoted), name


# ------------------------------------------------------------------------------------------------ identity, time


def test_e21_a_mail_without_id_gets_the_same_one_every_time_and_another_mail_another() -> None:
    first = arrived(mail(Message_ID=None))
    assert first.external_id == arrived(mail(Message_ID=None)).external_id
    assert first.external_id != arrived(mail("Anders", Message_ID=None)).external_id


def test_e21_one_id_with_two_contents_can_be_told_apart_and_one_mail_in_two_boxes_not() -> None:
    first, other = arrived(mail("Een")), arrived(mail("Twee"))
    assert first.external_id == other.external_id
    assert first.facts["digest"] != other.facts["digest"]
    in_another_box = arrived(
        b"Received: by mx2\r\nDelivered-To: pers@winkel.example\r\n" + mail("Een"), BENCH.other_account()
    )
    assert (in_another_box.external_id, in_another_box.facts["digest"]) == (first.external_id, first.facts["digest"])


@pytest.mark.parametrize("date", ["Fri, 1 Jan 2038 00:00:00 +0000", "1 Jan 1970 00:00:00 +0000", "gisteren", "", None])
def test_w11_a_date_that_cannot_be_gives_way_to_our_own_servers_clock(date: str | None) -> None:
    took = datetime(2026, 3, 3, 9, 13, tzinfo=UTC)
    assert arrived(mail(Date=date), headers={ARRIVED_AT: took.isoformat()}).at == took


def test_history_keeps_its_own_date() -> None:
    item = arrived(mail(Date="Mon, 1 Jun 2020 12:00:00 +0200"), is_history=True)
    assert item.at == datetime(2020, 6, 1, 10, tzinfo=UTC)


def test_a_mail_that_was_long_on_its_way_counts_from_its_arrival() -> None:
    arrived_at = BENCH.READ_AT
    sent = (arrived_at - timedelta(days=8)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    assert arrived(mail(Date=sent)).at == arrived_at


# ------------------------------------------------------------------------------------------------ files


def test_e23_mail_in_mail_twenty_deep_is_one_file() -> None:
    raw = mail("binnenste")
    for _ in range(20):
        raw = mail("", Content_Type="message/rfc822", Message_ID="<diep@x>") + raw
    item = arrived(raw)
    (file,) = item.media
    assert (file.name, file.content_type) == ("Mijn pakket.eml", "message/rfc822")
    assert b"binnenste" in (file.data or b"")


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        (r"C:\Windows\x.exe", "x.exe"),
        ("foto\u202egpj.exe", "fotogpj.exe"),
        (".htaccess", "htaccess"),
        ("a.php\u200b", "a.php"),
        ("re\u0301sume\u0301.pdf", "r\u00e9sum\u00e9.pdf"),
        ("naam\r\nBcc: x", "naam Bcc: x"),
    ],
)
def test_x2_a_file_name_names_no_folder_and_hides_no_ending(given_name: str, safe: str) -> None:
    assert reading.safe_name(given_name) == safe
    assert len(reading.safe_name("x" * 300 + ".pdf")) <= 150


def test_e24_nothing_is_ever_called_verified() -> None:
    for name in ("e24_smime_signed.eml", "e24_pgp_encrypted.eml"):
        item = arrived(FIXTURES[name])
        assert not item.person.is_proven
        assert set(item.remarks) & {"signature-not-checked", "encrypted"}
        assert item.media
        assert "verified" not in " ".join(item.remarks)


def test_a_picture_in_the_text_is_found_by_its_content_id() -> None:
    item = arrived(FIXTURES["picture_in_the_text.eml"])
    (picture,) = item.media
    assert f'src="cid:{picture.content_id}"' in item.html
    assert item.facts["remote_images"] == 1
    assert "https://" not in item.html


def test_a_mail_too_large_to_fetch_says_so_and_keeps_its_sender() -> None:
    item = arrived(mail(), headers={"x-mailbox-too-large": "31000000"})
    (file,) = item.media
    assert (file.size, item.person.name) == (31_000_000, "Anouk")
    assert file.refused
    assert "too-large" in item.remarks


def test_a_mail_that_could_not_be_fetched_is_a_dead_letter_with_its_reason() -> None:
    item = parsed(b"", headers={"x-mailbox-unfetchable": "the mail server gives no content"})
    assert isinstance(item, Malformed)
    assert item.reason == "The mail could not be fetched: the mail server gives no content"


# ------------------------------------------------------------------------------------------------ against the library


def leaves(raw: bytes) -> list[tuple[str, bytes]]:
    return [(part.kind, part.data) for part in reading.read(raw).parts() if not part.is_multipart]


def leaves_of_the_library(raw: bytes) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []

    def walk(part: Any) -> None:
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            for each in part.get_payload():
                walk(each)
        else:
            found.append((part.get_content_type(), part.get_payload(decode=True)))

    walk(email.message_from_bytes(raw, policy=email.policy.compat32))
    return found


_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=200)


def _leaf() -> st.SearchStrategy[Any]:
    return st.one_of(
        _WORDS.map(lambda text: MIMEText(text, "plain", "utf-8")),
        _WORDS.map(lambda text: MIMEText(text, "html", "iso-8859-15" if text.isascii() else "utf-8")),
        st.binary(max_size=300).map(lambda data: MIMEApplication(data, Name="b.bin")),
    )


def _multipart(children: list[MIMEBase], kind: str) -> MIMEMultipart:
    return MIMEMultipart(kind, _subparts=children)


MAILS = st.recursive(
    _leaf(),
    lambda inner: st.builds(
        _multipart, st.lists(inner, min_size=1, max_size=4), st.sampled_from(["mixed", "alternative", "related"])
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(MAILS, st.sampled_from(["\n", "\r\n"]))
def test_the_splitter_finds_the_parts_that_the_standard_library_finds(tree: Any, line_end: str) -> None:
    raw = tree.as_bytes(policy=email.policy.compat32.clone(linesep=line_end))
    assert leaves(raw) == leaves_of_the_library(raw)


@pytest.mark.parametrize("name", [name for name in FIXTURES if b"message/" not in FIXTURES[name]])
def test_the_splitter_reads_every_fixture_as_the_standard_library_does(name: str) -> None:
    raw = FIXTURES[name]
    ours = [(kind, data.strip()) for kind, data in leaves(raw)]
    theirs = [(kind, data.strip()) for kind, data in leaves_of_the_library(raw)]
    assert ours == theirs


# ------------------------------------------------------------------------------------------------ never raises


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=300), st.sampled_from(["", "=?utf-8?Q?", "=?utf-8?B?", "=?x?q?", '"', "(", "<", ";a*0*=", "=?="])
)
def test_decoding_a_header_never_raises_and_gives_one_line(value: str, start: str) -> None:
    for raw in (start + value, value + start, start + value + "?=", (start + value) * 3):
        shown = headers.one_line(raw)
        assert "\n" not in shown
        assert "\r" not in shown
        headers.parameterised(raw)
        for mailbox in addresses.read_list(raw):
            assert not mailbox.address or mailbox.address == addresses.normalise(mailbox.address)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(sorted(FIXTURES)))
def test_any_bytes_give_exactly_one_item(noise: bytes, name: str) -> None:
    fixture, account = FIXTURES[name], BENCH.account()
    middle = len(fixture) // 2
    for raw in (noise, noise + fixture, fixture[:middle] + noise + fixture[middle:]):
        assert len(EMAIL.parse(Delivery(raw, BENCH.READ_AT), account)) == 1
