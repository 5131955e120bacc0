"""The desk's own mail: off the request, tried again, and said so when there is none."""

from __future__ import annotations

import logging
import socket
import time
from email import message_from_bytes

import pytest
from aiosmtpd.controller import Controller
from pydantic import ValidationError

from errands import run_errands
from klankbord.flows import deskmail, errands
from klankbord.project.environment import Environment
from klankbord.project.postbox import BACKENDS, mail_server, road_of


class Post:
    """A mail server that keeps what it is given, and refuses as long as it is told to."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.is_shut = False

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.is_shut:
            return "451 not now"
        self.letters.append(envelope.content)
        return "250 kept"


@pytest.fixture
def post(settings):
    box = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.DESK_MAIL, settings.EMAIL_BACKEND = "server", BACKENDS["server"]
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    settings.DEFAULT_FROM_EMAIL = "Klankbord <desk@wolk.example>"
    yield box
    controller.stop()


def _post(desk, text: str = "Een lijn van tekst") -> None:
    deskmail.post(to="noor@wolk.example", subject="Dag\nBcc: boef@x.example", text=text, now=desk.now)


def test_a_mail_leaves_by_the_server_that_the_environment_names(desk, post):
    _post(desk)
    assert post.letters == []  # the page is done by now
    run_errands()
    [letter] = [message_from_bytes(each) for each in post.letters]
    assert letter["From"] == "Klankbord <desk@wolk.example>"
    assert letter["To"] == "noor@wolk.example"
    assert letter["Subject"] == "Dag Bcc: boef@x.example"
    assert letter["Bcc"] is None
    assert letter["Auto-Submitted"] == "auto-generated"


def test_a_server_that_refuses_is_tried_again_under_the_same_id(desk, post, caplog):
    _post(desk, "Heel geheime woorden")
    post.is_shut = True
    with caplog.at_level(logging.DEBUG), pytest.raises(deskmail.MailNotSent) as refusal:
        run_errands()
    ours = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("mail"))
    assert "geheim" not in ours + repr(refusal.value)
    assert "noor@" not in repr(refusal.value)
    post.is_shut = False
    run_errands()
    run_errands()
    assert len(post.letters) == 1


def test_a_mail_that_leaves_twice_shows_once_in_a_mailbox(desk, post):
    for _ in range(2):
        deskmail.send(to="noor@wolk.example", subject="Dag", text="x", errand=desk.organisation.id, now=desk.now)
    assert len({message_from_bytes(each)["Message-ID"] for each in post.letters}) == 1


def test_what_waits_is_sealed_and_its_job_carries_an_id_only(desk):
    from klankbord.desk.rows import run

    _post(desk, "Heel geheime woorden")
    [(arguments,)] = run("SELECT args::text FROM procrastinate_jobs WHERE task_name = %s", [errands.TASK])
    assert "noor" not in arguments
    assert "geheim" not in arguments


def test_a_slow_mail_server_holds_up_no_page(desk, settings, client):
    """The far side accepts connections and says nothing at all."""

    silent = socket.create_server(("127.0.0.1", 0))
    settings.DESK_MAIL, settings.EMAIL_PORT = "server", silent.getsockname()[1]
    settings.EMAIL_HOST, settings.EMAIL_BACKEND = "127.0.0.1", BACKENDS["server"]
    before = time.monotonic()
    client.post("/accounts/password/reset/", {"email": desk.person("Noor").user.email})
    assert time.monotonic() - before < 5
    silent.close()


def test_without_a_mail_server_a_desk_in_development_puts_mails_in_a_folder(desk, settings, tmp_path):
    settings.DESK_MAIL, settings.EMAIL_BACKEND = "folder", BACKENDS["folder"]
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    _post(desk)
    run_errands()
    [letter] = (tmp_path / "mail").iterdir()
    assert "Een lijn van tekst" in letter.read_text()
    assert (tmp_path / "mail").stat().st_mode & 0o044 == 0


@pytest.mark.parametrize(
    ("url", "is_development", "road"),
    [("", True, "folder"), ("", False, "none"), ("smtps://mail.example", True, "server")],
)
def test_the_road_of_a_mail(url, is_development, road):
    assert road_of(url, is_development=is_development) == road


@pytest.mark.parametrize(
    ("url", "port", "begins_secret", "is_secret"),
    [
        ("smtps://noor%40wolk.example:ge%3Aheim@mail.example", 465, True, True),
        ("smtp://noor%40wolk.example:ge%3Aheim@mail.example", 587, False, True),
        ("smtp://noor%40wolk.example:ge%3Aheim@mail.example:25?tls=no", 25, False, False),
    ],
)
def test_a_mail_server_is_read_from_its_address(url, port, begins_secret, is_secret):
    found = mail_server(url)
    assert (found.host, found.port, found.user, found.password) == (
        "mail.example",
        port,
        "noor@wolk.example",
        "ge:heim",
    )
    assert (found.begins_secret, found.is_secret) == (begins_secret, is_secret)


@pytest.mark.parametrize("url", ["mail.example", "http://noor:geheim@x", "smtp://", "smtp://x:geheim@y:poort",
                                 "smtp://noor:geheim@x/?tsl=no"])  # fmt: skip
def test_a_wrong_address_stops_the_start_without_showing_its_password(url):
    with pytest.raises(ValidationError) as refusal:
        Environment(mail_url=url, mail_from="desk@wolk.example")
    assert "smtps://" in str(refusal.value)
    assert "geheim" not in str(refusal.value)


def test_a_mail_server_without_a_sender_stops_the_start():
    with pytest.raises(ValidationError, match="KLANKBORD_MAIL_FROM"):
        Environment(mail_url="smtps://mail.example")
