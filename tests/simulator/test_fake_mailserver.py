from __future__ import annotations

import email
import imaplib
import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from fake_people import OMAR, PNG, SANNE
from imap_tools import AND, MailBoxUnencrypted

from klankbord_simulator.platforms import SHOP
from klankbord_simulator.stage import Attachment, StageError


def letter(to: str, text: str = "Hij komt eraan.", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SHOP.email, to, headers.pop("subject", "Uw kast")
    message["Message-ID"] = headers.pop("message_id", "<1@wolkenzonen.example>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


@pytest.fixture
def imap(platforms) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4("127.0.0.1", platforms.mail.imap_port, timeout=5)
    client.login(SHOP.email, platforms.mail.shop_box.password)
    client.select("INBOX")
    yield client
    client.shutdown()


@pytest.fixture
def smtp(platforms) -> Iterator[smtplib.SMTP]:
    client = smtplib.SMTP("127.0.0.1", platforms.mail.smtp_port, timeout=5)
    client.login(SHOP.email, platforms.mail.shop_box.password)
    yield client
    client.close()


def uids(imap: imaplib.IMAP4, *criteria: str) -> list[str]:
    imap.noop()
    return imap.uid("SEARCH", *criteria)[1][0].decode().split()


def subjects(imap: imaplib.IMAP4) -> list[str]:
    heads = [part[1] for part in imap.uid("FETCH", "1:*", "(BODY.PEEK[HEADER])")[1] if isinstance(part, tuple)]
    return [email.message_from_bytes(head)["Subject"] for head in heads]


def test_an_independent_client_reads_a_customers_mail_with_its_attachment(platforms):
    file = Attachment("foto van kast.png", "image/png", PNG)
    platforms.mail.say(SANNE, "Waar blijft mijn kast?", public=False, title="Kast – één vraag", media=[file])
    box = MailBoxUnencrypted("127.0.0.1", platforms.mail.imap_port)
    with box.login(SHOP.email, platforms.mail.shop_box.password):
        [mail] = box.fetch(AND(all=True), mark_seen=False)
        assert (mail.from_, mail.from_values.name) == ("sanne@post.example", "Sanne Bos")
        assert (mail.subject, mail.text.strip()) == ("Kast – één vraag", "Waar blijft mijn kast?")
        assert [(each.filename, each.payload) for each in mail.attachments] == [("foto van kast.png", PNG)]
        assert mail.flags == ()
        [again] = box.fetch(AND(all=True))
        assert box.uids(AND(seen=True)) == [again.uid]


def test_a_reply_reaches_the_customer_and_their_answer_quotes_it_and_keeps_the_thread(platforms, smtp, imap):
    first = platforms.mail.say(SANNE, "Waar blijft mijn kast?", public=False, title="Kast")
    reply_to = SHOP.email.replace("@", "+tag7@")
    smtp.send_message(letter(SANNE.email, In_Reply_To=first, References=first, Reply_To=reply_to))
    [heard] = platforms.mail.replies_to(SANNE)
    assert (heard.text, heard.in_reply_to, heard.ref) == ("Hij komt eraan.", first, "<1@wolkenzonen.example>")
    platforms.mail.say(SANNE, "Mooi!", public=False, in_reply_to=heard.ref)
    raw = imap.uid("FETCH", uids(imap, "ALL")[-1], "(BODY.PEEK[])")[1][0][1]
    mail = email.message_from_bytes(raw)
    assert (mail["To"], mail["Delivered-To"]) == (reply_to, reply_to)
    assert mail["References"].split() == [first, "<1@wolkenzonen.example>"]
    assert mail["In-Reply-To"] == "<1@wolkenzonen.example>"
    text = mail.get_payload(decode=True).decode()
    assert "schreef" in text
    assert "> Hij komt eraan." in text


def test_a_mail_is_logged_by_its_message_id(platforms, smtp):
    platforms.mail.enrol(SANNE)
    smtp.send_message(letter(SANNE.email))
    [entry] = platforms.mail.sent_to(SANNE.email)
    assert (entry.key, entry.text, entry.facts["subject"]) == ("<1@wolkenzonen.example>", "Hij komt eraan.", "Uw kast")


def test_a_line_that_begins_with_a_dot_survives(platforms, smtp):
    platforms.mail.enrol(SANNE)
    smtp.send_message(letter(SANNE.email, "eerste\n.\n..twee"))
    assert [heard.text for heard in platforms.mail.replies_to(SANNE)] == ["eerste\n.\n..twee"]


def test_mail_for_somebody_who_does_not_exist_comes_back_as_a_report_with_the_original(platforms, smtp, imap):
    smtp.send_message(letter("niemand@post.example"), SHOP.email.replace("@", "+bounce@"))
    [uid] = uids(imap, "ALL")
    report = email.message_from_bytes(imap.uid("FETCH", uid, "(RFC822)")[1][0][1])
    assert (report["Return-Path"], report["Auto-Submitted"]) == ("<>", "auto-replied")
    assert (report.get_content_type(), report.get_param("report-type")) == ("multipart/report", "delivery-status")
    _, status, original = report.get_payload()
    fields = status.get_payload()[1]
    assert (fields["Action"], fields["Status"]) == ("failed", "5.1.1")
    assert fields["Final-Recipient"] == "rfc822; niemand@post.example"
    assert original.get_payload()[0]["Message-ID"] == "<1@wolkenzonen.example>"


def test_a_mail_without_a_sender_causes_no_report(platforms, smtp, imap):
    smtp.sendmail("", ["niemand@post.example"], letter("niemand@post.example").as_bytes())
    assert uids(imap, "ALL") == []


def test_unknown_people_strict_servers_and_strangers_are_refused_at_once(platforms, smtp):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        smtp.send_message(letter("weg@wolkenzonen.example"))
    assert next(iter(refusal.value.recipients.values()))[0] == 550
    platforms.mail.is_strict = True
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.send_message(letter("niemand@post.example"))
    stranger = smtplib.SMTP("127.0.0.1", platforms.mail.smtp_port, timeout=5)
    with stranger, pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        stranger.send_message(letter("niemand@post.example"))
    assert next(iter(refusal.value.recipients.values()))[0] == 554


def test_anybody_may_bring_mail_for_the_shop_whatever_it_looks_like(platforms, imap):
    with smtplib.SMTP("127.0.0.1", platforms.mail.smtp_port, timeout=5) as stranger:
        stranger.sendmail("x@elders.example", [SHOP.email], b"geen kop\xff\x00\r\n\r\nwel tekst")
    raw = imap.uid("FETCH", uids(imap, "ALL")[0], "(BODY[])")[1][0][1]
    assert b"geen kop\xff\x00" in raw


@pytest.mark.parametrize("login", ["imap", "smtp"])
def test_a_wrong_password_is_refused(platforms, login):
    if login == "imap":
        client = imaplib.IMAP4("127.0.0.1", platforms.mail.imap_port, timeout=5)
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login(SHOP.email, "raden")
        client.logout()
    else:
        sender = smtplib.SMTP("127.0.0.1", platforms.mail.smtp_port, timeout=5)
        with sender, pytest.raises(smtplib.SMTPAuthenticationError):
            sender.login(SHOP.email, "raden")


def test_idle_wakes_as_soon_as_mail_arrives(platforms):
    box = MailBoxUnencrypted("127.0.0.1", platforms.mail.imap_port)
    with box.login(SHOP.email, platforms.mail.shop_box.password):
        threading.Timer(0.1, lambda: platforms.mail.say(SANNE, "nu", public=False)).start()
        assert box.idle.wait(timeout=4) == [b"* 1 EXISTS"]
        assert [mail.text.strip() for mail in box.fetch()] == ["nu"]


def test_uid_ranges_name_the_last_mail_even_when_the_range_begins_above_it(platforms, imap):
    for number in range(3):
        platforms.mail.say(SANNE, f"nummer {number}", public=False)
    assert uids(imap, "UID 2:3") == ["2", "3"]
    assert uids(imap, "UID 9:*") == ["3"]
    assert uids(imap, "SINCE", "01-Jan-2026") == ["1", "2", "3"]
    assert uids(imap, "BEFORE", "01-Jan-2026") == []
    assert uids(imap, "NOT", "UID", "2") == ["1", "3"]
    assert uids(imap, "HEADER", "Subject", '"nummer 1"') == ["2"]


def test_flags_are_kept_searched_and_survive_a_new_login(platforms, imap):
    platforms.mail.say(SANNE, "een", public=False)
    platforms.mail.say(OMAR, "two", public=False)
    uids(imap, "ALL")
    imap.uid("STORE", "1", "+FLAGS", "($Klankbord)")
    imap.uid("STORE", "2", "+FLAGS.SILENT", "(\\Deleted)")
    assert uids(imap, "KEYWORD", "$Klankbord") == ["1"]
    assert uids(imap, "UNKEYWORD", "$Klankbord") == ["2"]
    imap.expunge()
    assert imap.select("INBOX")[1] == [b"1"]
    assert b"$Klankbord" in imap.uid("FETCH", "1", "(FLAGS)")[1][0]


def test_mail_can_be_moved_to_a_folder_that_was_made(platforms, imap):
    platforms.mail.say(SANNE, "een", public=False)
    uids(imap, "ALL")
    assert imap.uid("COPY", "1", "Klaar")[0] == "NO"
    imap.create("Klaar")
    assert imap.uid("MOVE", "1", "Klaar")[0] == "OK"
    assert uids(imap, "ALL") == []
    assert b"MESSAGES 1" in imap.status("Klaar", "(MESSAGES UIDNEXT UIDVALIDITY)")[1][0]
    assert imap.append("Klaar", "(\\Seen)", None, b"Subject: eigen\r\n\r\nkopie")[0] == "OK"
    imap.select("Klaar", readonly=True)
    assert subjects(imap) == ["een", "eigen"]
    assert imap.uid("STORE", "1", "+FLAGS", "(\\Seen)")[0] == "NO"


def test_a_renumbered_folder_says_so_and_has_the_same_mail_under_other_numbers_e26(platforms, imap):
    for number in range(2):
        platforms.mail.say(SANNE, f"nummer {number}", public=False)
    uids(imap, "ALL")
    imap.uid("STORE", "1", "+FLAGS.SILENT", "(\\Deleted)")
    imap.expunge()
    before = imap.status("INBOX", "(UIDVALIDITY)")[1][0]
    platforms.mail.renumber()
    again = imaplib.IMAP4("127.0.0.1", platforms.mail.imap_port, timeout=5)
    again.login(SHOP.email, platforms.mail.shop_box.password)
    assert again.status("INBOX", "(UIDVALIDITY)")[1][0] != before
    again.select("INBOX")
    assert (uids(again, "ALL"), subjects(again)) == (["1"], ["nummer 1"])
    again.logout()


def test_one_unreadable_mail_fails_alone_e26(platforms, imap):
    for number in range(2):
        platforms.mail.say(SANNE, f"nummer {number}", public=False)
    uids(imap, "ALL")
    platforms.mail.shop_box.inbox.mails[0].is_unreadable = True
    assert imap.uid("FETCH", "1", "(BODY.PEEK[])")[0] == "NO"
    assert imap.uid("FETCH", "2", "(BODY.PEEK[])")[0] == "OK"


def test_the_same_mail_may_arrive_twice(platforms, imap):
    platforms.mail.mischief.set(duplicates=1.0)
    ref = platforms.mail.say(SANNE, "dubbel", public=False)
    assert len(uids(imap, "HEADER", "Message-ID", ref)) == 2


def test_a_mail_is_never_public(platforms):
    with pytest.raises(StageError):
        platforms.mail.say(SANNE, "voor iedereen", public=True)
