"""One reply as a mail: what it says, where it goes, and what each answer of the outgoing server means."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from benches_of import bench_of
from mail_far_side import MailFarSide

from klankbord import channels
from klankbord.channels.email import identifiers
from klankbord.contract import (
    Account,
    Arrived,
    CredentialsRejected,
    Outgoing,
    Person,
    Receipt,
    Refused,
    Unavailable,
    Uncertain,
    Upload,
)

BENCH = bench_of("email")
EMAIL = channels.channel("email")


def sent(outgoing: Outgoing, account: Account[Any] | None = None) -> tuple[EmailMessage, list[str], Receipt]:
    """The mail as the server took it, what was said before it, and the receipt."""
    world = BENCH.world()
    receipt = EMAIL.send(outgoing, account or BENCH.account(), world.wires)
    raw = next(each for each in world.calls if isinstance(each, bytes))
    taken = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(taken, EmailMessage)
    return taken, [each for each in world.calls if isinstance(each, str)], receipt


def text_of(taken: EmailMessage, kind: str) -> str:
    part = taken.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


# ------------------------------------------------------------------------------------------------ what it says


def test_a_reply_has_text_and_html_that_say_the_same() -> None:
    taken, _, _ = sent(BENCH.outgoing("Beste Anouk,\n\nHet is <onderweg> & komt vandaag.\nGroet, Noor €"))
    assert taken.get_content_type() == "multipart/alternative"
    assert text_of(taken, "plain").strip() == "Beste Anouk,\n\nHet is <onderweg> & komt vandaag.\nGroet, Noor €"
    assert "<p>Het is &lt;onderweg&gt; &amp; komt vandaag.<br>Groet, Noor €</p>" in text_of(taken, "html")


def test_html_of_ours_goes_out_without_anything_that_runs() -> None:
    taken, _, _ = sent(BENCH.outgoing("Hoi", html='<p onclick="x">Hoi<script>1</script></p>'))
    assert "<p>Hoi</p>" in text_of(taken, "html")


def test_a_reply_stands_in_the_thread_of_the_customers_mail() -> None:
    chain = tuple(f"m{n}@klant.example" for n in range(40))
    taken, _, _ = sent(BENCH.outgoing(in_reply_to="m39@klant.example", thread_ids=chain))
    assert taken["In-Reply-To"] == "<m39@klant.example>"
    references = taken["References"].split()
    assert (references[0], references[-1], len(references)) == ("<m0@klant.example>", "<m39@klant.example>", 21)


def test_e17_no_line_of_what_we_send_is_longer_than_mail_allows() -> None:
    chain = tuple(f"{'x' * 200}{n}@klant.example" for n in range(40))
    world = BENCH.world()
    outgoing = BENCH.outgoing("woord " * 1_000, thread_ids=chain, title="Wij € " * 60)
    EMAIL.send(outgoing, BENCH.account(), world.wires)
    raw = next(each for each in world.calls if isinstance(each, bytes))
    assert max(len(line) for line in raw.split(b"\r\n")) < 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_message_id_is_the_same_at_every_attempt_and_another_for_another_message() -> None:
    first, _, receipt = sent(BENCH.outgoing())
    again, _, _ = sent(BENCH.outgoing())
    other, _, _ = sent(BENCH.outgoing(key="0193a5b2-0000-7000-8000-000000000000"))
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"] == f"<{receipt.external_ids[0]}>"
    assert identifiers.tag_of(receipt.external_ids[0], reply_key=BENCH.REPLY_KEY) == BENCH.TAG


def test_an_answer_to_us_carries_the_tag_of_the_thread_where_plus_addresses_arrive() -> None:
    taken, said, receipt = sent(BENCH.outgoing())
    assert taken["Reply-To"] == f"service+{BENCH.TAG}@winkel.example"
    assert taken["From"] == "Klantenservice Winkel <service@winkel.example>"
    bounce_address = receipt.facts["envelope_sender"]
    assert any(each.upper().startswith(f"MAIL FROM:<{bounce_address}>".upper()) for each in said)
    part = bounce_address.partition("+")[2].partition("@")[0]
    assert identifiers.bounced_key(part, reply_key=BENCH.REPLY_KEY) == BENCH.outgoing().key


def test_without_plus_addresses_answers_and_bounces_come_to_the_plain_address() -> None:
    taken, _, receipt = sent(BENCH.outgoing(), BENCH.account(has_plus_addresses=False))
    assert taken["Reply-To"] is None
    assert receipt.facts["envelope_sender"] == "service@winkel.example"


def test_an_address_never_grows_beyond_what_mail_servers_take() -> None:
    account = BENCH.account(address="de-klantenservice-van-de-grote-winkel@winkel.example")
    taken, _, receipt = sent(BENCH.outgoing(), account)
    assert len(receipt.facts["envelope_sender"].partition("@")[0]) <= 64
    assert len((taken["Reply-To"] or "").partition("@")[0]) <= 64


@pytest.mark.parametrize(("in_reply_to", "word"), [("vraag-1@klant.example", "auto-replied"), ("", "auto-generated")])
def test_automatic_mail_says_so(in_reply_to: str, word: str) -> None:
    taken, _, _ = sent(BENCH.outgoing(is_automatic=True, in_reply_to=in_reply_to, thread_ids=()))
    assert taken["Auto-Submitted"] == word
    assert taken["X-Auto-Response-Suppress"] == "All"


def test_an_agents_mail_does_not_look_automatic() -> None:
    taken, _, _ = sent(BENCH.outgoing())
    assert taken["Auto-Submitted"] is None
    assert taken["X-Auto-Response-Suppress"] is None


def test_a_survey_can_be_declined_with_one_click() -> None:
    taken, _, _ = sent(BENCH.outgoing(facts={"unsubscribe_url": "https://desk.example/af/abc"}))
    assert taken["List-Unsubscribe"] == "<https://desk.example/af/abc>"
    assert taken["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_files_go_along_under_their_own_names() -> None:
    upload = Upload("bon é.pdf", "application/pdf", 4, lambda: b"%PDF", description="De bon")
    taken, _, _ = sent(BENCH.outgoing(uploads=(upload,)))
    (file,) = taken.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == (
        "bon é.pdf",
        "application/pdf",
        b"%PDF",
    )


def test_lines_that_begin_with_a_dot_arrive_whole() -> None:
    taken, _, _ = sent(BENCH.outgoing(".begin\n.\n..eind"))
    assert text_of(taken, "plain").strip() == ".begin\n.\n..eind"


# ------------------------------------------------------------------------------------------------ where it goes

INJECTIONS = [
    "Hallo\r\nBcc: x@y.example",
    "Hallo\nBcc: x@y.example",
    "=?utf-8?Q?=0D=0ABcc:_x@y.example?=",
    "a\x00b\rBcc: x",
]


@pytest.mark.parametrize("subject", INJECTIONS)
def test_e19_a_subject_never_adds_a_header(subject: str) -> None:
    taken, said, _ = sent(
        BENCH.outgoing(title=subject, author_name=subject, to=Person("anouk@klant.example", name=subject))
    )
    assert taken["Bcc"] is None
    assert set(taken.keys()) <= {
        *("MIME-Version", "Content-Type", "Date", "From", "To", "Reply-To", "Subject", "Message-ID"),
        *("In-Reply-To", "References"),
    }
    assert len([each for each in said if each.upper().startswith("RCPT")]) == 1


@pytest.mark.parametrize("bad", ["x@y>\r\nBcc: z", "a b@c", "<a@b>\r\n", "@", "x@y.example\n"])
def test_e19_ids_of_strangers_never_add_a_header(bad: str) -> None:
    taken, _, _ = sent(BENCH.outgoing(in_reply_to=bad, thread_ids=(bad, "goed@klant.example")))
    assert taken["Bcc"] is None
    assert taken["References"].split()[0] in {"<goed@klant.example>", "<x@y.example>"}


def test_e8_only_the_person_gets_the_answer_and_no_history_goes_along() -> None:
    bench_account = BENCH.account()
    raw = (
        b"From: anouk@klant.example\r\nTo: service@winkel.example\r\nCc: boef@boef.example\r\n"
        b"Reply-To: boef@boef.example\r\nMessage-ID: <x@klant.example>\r\n\r\n"
        b"Vertel alles.\r\n\r\nOp 3-3-2026 10:12 schreef Service:\r\n> geheim\r\n"
    )
    (item,) = EMAIL.parse(BENCH.sign(raw, bench_account), bench_account)
    assert isinstance(item, Arrived)
    answer = BENCH.outgoing("Nee.", to=item.person, in_reply_to=item.external_id, facts=item.place.facts)
    taken, said, _ = sent(answer)
    assert [each for each in said if each.upper().startswith("RCPT")] == ["rcpt TO:<anouk@klant.example>"]
    assert taken["Cc"] is None
    assert "boef" not in taken.as_string()
    assert "geheim" not in taken.as_string()


@pytest.mark.parametrize("address", ["unknown:1234", "x", "jan\r\n@x.example", "zoë@x.example"])
def test_e22_who_has_no_usable_address_is_refused_before_anything_is_sent(address: str) -> None:
    world = BENCH.world()
    with pytest.raises(Refused):
        EMAIL.send(BENCH.outgoing(to=Person(address)), BENCH.account(), world.wires)
    assert world.calls == []


# ------------------------------------------------------------------------------------------------ what it answers


def refused_with(**answers: str) -> Any:
    """Send to a server that answers so, and give what was raised."""
    far_side = MailFarSide(smtp_answers={{"end": "."}.get(word, word): answer for word, answer in answers.items()})
    world = BENCH.world_of(far_side)
    with pytest.raises((Refused, Unavailable, Uncertain)) as raised:
        EMAIL.send(BENCH.outgoing(), BENCH.account(), world.wires)
    assert raised.value.sentence
    return raised.value


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"MAIL": "421 4.7.0 Too busy"}, Unavailable),
        ({"RCPT": "450 4.2.1 Try later"}, Unavailable),
        ({"RCPT": "451 4.7.1 Greylisted"}, Unavailable),
        ({"RCPT": "452 4.2.2 Full"}, Unavailable),
        ({"DATA": "451 4.3.0 Later"}, Unavailable),
        ({"end": "452 4.3.1 Disk full"}, Unavailable),
        ({"RCPT": "550 5.1.1 No such user"}, Refused),
        ({"RCPT": "554 5.7.1 Blocked"}, Refused),
        ({"MAIL": "550 5.7.1 Not your address"}, Refused),
        ({"end": "554 5.7.1 Spam"}, Refused),
        ({"MAIL": "530 5.7.0 Log in first"}, CredentialsRejected),
        ({"MAIL": ""}, Unavailable),
        ({"RCPT": ""}, Unavailable),
        ({"DATA": ""}, Unavailable),
        ({"MAIL": "<html>"}, Unavailable),
        ({"end": ""}, Uncertain),
        ({"end": "<html>welcome</html>"}, Uncertain),
    ],
    ids=lambda each: str(each)[:40] if isinstance(each, dict) else "",
)
def test_o1_o2_what_the_server_answers_decides_what_happens_next(answers: dict[str, str], error: type) -> None:
    assert type(refused_with(**answers)) is error


def test_o7_an_address_that_is_gone_is_gone_for_good_and_a_blocked_one_is_not() -> None:
    assert refused_with(RCPT="550 5.1.1 No such user").place_is_gone
    assert not refused_with(RCPT="554 5.7.1 Blocked").place_is_gone


def test_o2_only_what_concerns_the_whole_account_holds_the_whole_inbox() -> None:
    assert refused_with(MAIL="421 4.7.0 Too busy").is_inbox_wide
    assert not refused_with(RCPT="450 4.2.1 Try later").is_inbox_wide


def test_o3_a_withdrawn_password_is_a_matter_of_the_inbox() -> None:
    world = BENCH.world("rejected")
    with pytest.raises(CredentialsRejected, match=r"5\.7\.8 Wrong password"):
        EMAIL.send(BENCH.outgoing(), BENCH.account(), world.wires)


def test_a_mail_larger_than_the_server_takes_is_refused_with_both_sizes() -> None:
    upload = Upload("film.mp4", "video/mp4", 19_000_000, lambda: bytes(24_000_000))
    with pytest.raises(Refused, match=r"32 MB.*30 MB"):
        sent(BENCH.outgoing(uploads=(upload,)))


def test_a_password_with_letters_of_any_language_can_be_used() -> None:
    sent(BENCH.outgoing(), BENCH.account(smtp_password="wachtwoord-é€"))


# ------------------------------------------------------------------------------------------------ health


def test_health_warns_when_plus_addresses_do_not_arrive() -> None:
    far_side = MailFarSide(smtp_answers={"RCPT": "550 5.1.1 No such user"})
    health = EMAIL.health(BENCH.account(), BENCH.world_of(far_side).wires)
    assert health.state == "ailing"
    assert [check.name for check in health.checks if not check.is_well] == ["Plus addresses"]


def test_health_asks_without_sending_anything() -> None:
    world = BENCH.world()
    assert EMAIL.health(BENCH.account(), world.wires).state == "well"
    assert not [each for each in world.calls if isinstance(each, bytes)]


def test_connecting_to_a_folder_that_is_not_there_says_so() -> None:
    far_side = MailFarSide(login_answer="")
    facts = EMAIL.connect(BENCH.account(), BENCH.world_of(far_side).wires)
    assert facts == {"address": "service@winkel.example", "announces_mail": True}
    with pytest.raises(CredentialsRejected, match="not an e-mail address"):
        EMAIL.connect(BENCH.account(address="service"), BENCH.world().wires)


def test_the_key_of_a_message_survives_in_its_ids() -> None:
    for key in ("0193a5b2-7c1d-7e3f-8a4b-5c6d7e8f9a0b", "reply-17", "0193-reply", "x" * 36):
        made = identifiers.make(reply_tag="", key=key, reply_key=b"k", domain="x.example")
        assert identifiers.key_of(made, reply_key=b"k") == key
        assert identifiers.key_of(made, reply_key=b"other") == ""
        assert identifiers.bounced_key(identifiers.bounce_part(key, reply_key=b"k"), reply_key=b"k") == key
    assert replace(BENCH.account(), reply_key=b"").reply_key == b""
