"""Files that come with messages: what is fetched and from where, and what is kept of what was sent."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from mail_far_side import MailFarSide
from PIL import Image
from worlds import AnsweringHttp

from desk_builder import Desk
from klankbord.contract import Response, Wires
from klankbord.desk.conversations.models import Attachment, AttachmentState
from klankbord.flows.media import fetch_files
from klankbord.flows.store import file_store
from klankbord.plumbing.files import may_show_inline
from plumbing.far_side import far_side, says
from roles import become_within

pytestmark = pytest.mark.django_db


def fetched(desk: Desk) -> list[Attachment]:
    """The files of all messages, once the job has run (twice: it may)."""
    with desk.open():
        ids = list(Attachment.objects.order_by("id").values_list("id", flat=True))
    become_within("worker")
    for _ in range(2):
        fetch_files(organisation_id=desk.organisation.id, ids=ids, now=desk.now)
    become_within("app")
    with desk.open():
        return list(Attachment.objects.order_by("id"))


def bytes_of(file: Attachment) -> bytes:
    with file_store().open(str(file.organisation_id), file.key) as stored:
        return stored.read()


def event_with(desk: Desk, *urls: str, name: str = "bon.pdf", told: str = "application/pdf") -> dict[str, Any]:
    files = [{"url": url, "name": name, "type": told} for url in urls]
    return desk.event(text="Zie de bijlage", attachments=files)


# ------------------------------------------------------------------------------------------------ from where

PRIVATE = [
    "http://169.254.169.254/latest/meta-data/", "http://10.0.0.8/", "http://[fd12:3456::1]/", "http://[::ffff:10.0.0.8]/",
    "http://167772168/", "http://0x0a000008/", "http://012.0.0.8/", "http://[64:ff9b::a00:8]/", "https://192.168.1.1/",
]  # fmt: skip


def test_w20_files_at_private_addresses_are_refused_and_the_message_is_shown(desk: Desk) -> None:
    [conversation] = desk.receive(desk.inbox(), *[event_with(desk, url) for url in PRIVATE])
    assert conversation.message_count == len(PRIVATE)
    files = fetched(desk)
    assert [file.state for file in files] == [AttachmentState.REFUSED] * len(PRIVATE)
    assert all(file.reason and not file.key for file in files)


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "http://[fe80::1]/", "file:///etc/passwd"])
def test_w20_a_file_that_redirects_to_a_private_address_is_refused(desk: Desk, target: str) -> None:
    with far_side(says(status="302 Found", headers=f"Location: {target}\r\n")) as server:
        desk.receive(desk.inbox(), event_with(desk, f"{server.url}/bon.pdf"))
        [file] = fetched(desk)
        assert file.state == AttachmentState.REFUSED
        assert len(server.requests) == 1  # and not again: what was refused stays refused


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://x.example/", "data:text/html,x", "//x"])
def test_w20_what_is_no_web_address_is_never_a_file(desk: Desk, url: str) -> None:
    [conversation] = desk.receive(desk.inbox(), event_with(desk, url))
    assert conversation.message_count == 1
    assert AttachmentState.READY not in [file.state for file in fetched(desk)]


# ------------------------------------------------------------------------------------------------ what it is


def test_x1_a_page_that_calls_itself_a_picture_is_known_for_what_it_is(desk: Desk) -> None:
    page = b"<!doctype html><script>alert(document.cookie)</script>"
    with far_side(says(page, headers="Content-Type: image/png\r\n")) as server:
        desk.receive(desk.inbox(), event_with(desk, f"{server.url}/x.png", name="kat.png", told="image/png"))
        [file] = fetched(desk)
    assert (file.state, file.content_type) == (AttachmentState.READY, "text/html")
    assert not may_show_inline(file.content_type)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\Windows\\x.exe", "x.exe"), (".htaccess", "htaccess"),
        ("a.php\u200b", "a.php"), ("foto\u202egpj.exe", "fotogpj.exe"), ("a\u0000b\nc.txt", "ab c.txt"),
        ("CON.txt", "_CON.txt"), ("é" * 300, ""),
    ],
    ids=["path", "drive", "dot", "zero-width", "override", "nul-newline", "reserved", "long"],
)  # fmt: skip
def test_x2_a_senders_name_decides_nothing_about_where_a_file_lies(desk: Desk, name: str, shown: str) -> None:
    with far_side(says(b"%PDF-1.7 bon")) as server:
        desk.receive(desk.inbox(), event_with(desk, f"{server.url}/x", name=name))
        [file] = fetched(desk)
    assert file.state == AttachmentState.READY
    assert file.key.isalnum()
    assert len(file.key) == 32
    assert len(file.name.encode()) <= 250
    assert not shown or file.name == shown


def test_x5_a_picture_tells_nothing_of_where_it_was_taken_and_a_bomb_stays_shut(desk: Desk) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (52.0, 22.0, 0.0)
    exif[0x010E] = "canary"
    picture, bomb = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(picture, "JPEG", exif=exif)
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 1_000_000
    files = []
    for data in (picture.getvalue(), bomb.getvalue()):
        with far_side(says(data)) as server:
            desk.receive(desk.inbox(f"Inbox {len(files)}"), event_with(desk, f"{server.url}/x.jpg", name="x.jpg"))
            files.append(fetched(desk)[-1])
    clean, shut = files
    assert clean.content_type == "image/jpeg"
    assert b"canary" not in bytes_of(clean)
    assert not Image.open(io.BytesIO(bytes_of(clean))).getexif()
    assert (shut.state, may_show_inline(shut.content_type)) == (AttachmentState.READY, False)


# ------------------------------------------------------------------------------------------------ in a mail


def packed(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return out.getvalue()


def encrypted(archive: bytes) -> bytes:
    """The same archive with the mark of encryption set in both of its headers."""
    at, directory = archive.index(b"PK\x03\x04") + 6, archive.index(b"PK\x01\x02") + 8
    marked = bytearray(archive)
    marked[at] |= 1
    marked[directory] |= 1
    return bytes(marked)


INVITATION = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
WRAPPED = {
    "winmail.dat": ("application/ms-tnef", b"\x78\x9f\x3e\x22" + bytes(range(200))),
    "zip-in-zip.zip": ("application/zip", packed("binnen.zip", packed("nog-een.zip", b"x" * 1000))),
    "bomb.zip": ("application/zip", packed("nul", bytes(10_000_000))),
    "geheim.zip": ("application/zip", encrypted(packed("a.txt", b"geheim"))),
    "uitnodiging.ics": ("text/calendar", INVITATION),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_e23_what_wraps_other_things_is_kept_as_the_one_file_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    http = AnsweringHttp(lambda _: Response(404, {}, b""))
    monkeypatch.setattr(
        "klankbord.flows.connect.wires", lambda: Wires(http=http, mail=MailFarSide(), now=lambda: desk.now)
    )
    post = desk.inbox(
        "Post", kind="email", address="service@wolk.example", imap_host="imap.example", imap_user="x",
        imap_password="x", smtp_host="smtp.example",
    )  # fmt: skip
    kind, data = WRAPPED[name]
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "anouk@klant.example", "service@wolk.example", "Zie bijlage"
    mail.set_content("Alsjeblieft.")
    main, _, sub = kind.partition("/")
    mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
    desk.receive(post, mail.as_bytes())
    assert [message.text for message in desk.messages()] == ["Alsjeblieft."]
    [file] = fetched(desk)
    assert (file.state, file.name) == (AttachmentState.READY, name)
    assert bytes_of(file) == data
    assert not may_show_inline(file.content_type)
