"""Our own `api` channel: the signature, and the replies to other systems. (Events: test_api_events.py.)"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from benches_of import bench_of
from worlds import NOW, Request, World, http_world

from klankbord import channels
from klankbord.contract import (
    Arrived,
    BadSignature,
    CredentialsRejected,
    Delivery,
    Refused,
    Response,
    Unavailable,
    Upload,
    Visibility,
)
from klankbord.kernel import signatures

api = channels.channel("api")
bench = bench_of("api")

# ------------------------------------------------------------------------------------------------ the signature


def delivered(body: bytes, header: str, at: datetime = NOW) -> Delivery:
    return Delivery(body, at, {signatures.HEADER: header})


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_commands_on_the_page_post_a_message_that_is_let_in(language: str) -> None:
    received: list[Delivery] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(Delivery(body, datetime.now(UTC), {k.lower(): v for k, v in self.headers.items()}))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *values: object) -> None:
            """The server is quiet."""

    commands = channels.readme("api", language).partition("```sh\n")[2].partition("```")[0].splitlines()
    assert [line.split("=")[0] for line in commands[:2]] == ["SECRET", "URL"]
    with HTTPServer(("127.0.0.1", 0), Door) as door:
        threading.Thread(target=door.handle_request).start()
        ours = [f"SECRET={bench.account().credentials.secret}", f"URL=http://127.0.0.1:{door.server_port}/"]
        done = subprocess.run(["sh", "-c", "\n".join([*ours, *commands[2:]])], capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    api.verify(received[0], bench.account())
    (item,) = api.parse(received[0], bench.account())
    assert isinstance(item, Arrived)
    assert item.person.name == "Anouk"


@pytest.mark.parametrize("minutes", [-4.9, 0, 4.9])
def test_clocks_may_differ_by_five_minutes(minutes: float) -> None:
    signed = signatures.sign(b"{}", secret=bench.account().credentials.secret, at=NOW)
    api.verify(delivered(b"{}", signed, NOW + timedelta(minutes=minutes)), bench.account())


@pytest.mark.parametrize("minutes", [-10, -5.1, 5.1, 10, 60 * 24 * 365])
def test_w12_a_replay_after_more_than_five_minutes_is_refused(minutes: float) -> None:
    signed = signatures.sign(b"{}", secret=bench.account().credentials.secret, at=NOW)
    with pytest.raises(BadSignature):
        api.verify(delivered(b"{}", signed, NOW + timedelta(minutes=minutes)), bench.account())


def test_w12_the_moment_of_a_captured_signature_cannot_be_moved() -> None:
    signed = signatures.sign(b"{}", secret=bench.account().credentials.secret, at=NOW)
    later = NOW + timedelta(hours=1)
    moved = signed.replace(str(int(NOW.timestamp())), str(int(later.timestamp())))
    with pytest.raises(BadSignature):
        api.verify(delivered(b"{}", moved, later), bench.account())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=",
        "t=,v1=",
        "t=1",
        "t=nan,v1=00",
        "t=-1,v1=" + "0" * 64,
        "t=1e9,v1=" + "0" * 64,
        "t=" + "9" * 5000,
        "t=١٢٣,v1=" + "0" * 64,
        "v1=" + "0" * 64 + ",t=1",
        "t=1,v1=" + "é" * 64,
        "sha1=" + "0" * 40,
        "\ud800",
    ],
)
def test_w2_a_header_in_any_other_form_is_refused(header: str) -> None:
    with pytest.raises(BadSignature):
        api.verify(delivered(b"{}", header), bench.account())


def test_w2_the_signature_holds_for_the_very_bytes_and_not_for_the_same_json() -> None:
    signed = signatures.sign(b'{"text": "h\\u00e9"}', secret=bench.account().credentials.secret, at=NOW)
    with pytest.raises(BadSignature):
        api.verify(delivered('{"text": "hé"}'.encode(), signed), bench.account())


@pytest.mark.parametrize("secret", ["", "short", "x" * 15])
def test_w3_a_short_secret_can_neither_connect_nor_let_anything_in(secret: str) -> None:
    account = bench.account(secret=secret)
    with pytest.raises(CredentialsRejected):
        api.connect(account, bench.world().wires)
    with pytest.raises(BadSignature):
        api.verify(delivered(b"{}", signatures.sign(b"{}", secret=secret, at=NOW)), account)


# ------------------------------------------------------------------------------------------------ replies


def answering(response: Response) -> World:
    return http_world(lambda request: response)


def test_a_reply_is_posted_signed_with_all_that_the_other_system_needs() -> None:
    world = bench.world()
    upload = Upload("kaart.png", "image/png", 4, lambda: b"\x89PNG", "Plattegrond")
    receipt = api.send(replace(bench.outgoing(), uploads=(upload,)), bench.account(), world.wires)
    (request,) = world.calls
    assert isinstance(request, Request)
    assert (request.method, request.url) == ("POST", "https://shop.example/hook")
    assert request.content is not None
    arrived = Delivery(request.content, NOW, request.headers)
    api.verify(arrived, bench.account())  # the other system checks as we do
    reply = json.loads(request.content)
    assert (reply["id"], request.headers["idempotency-key"]) == ("0193-reply", "0193-reply")
    assert (reply["place"], reply["author"]) == (
        {"id": "chat-42", "target": "chat-42", "visibility": "private"},
        "Noor",
    )
    assert reply["attachments"] == [
        {"name": "kaart.png", "type": "image/png", "description": "Plattegrond", "data": "iVBORw=="}
    ]
    assert receipt.external_ids == ("shop-0193-reply",)


def test_o6_a_public_reply_is_posted_as_public() -> None:
    world = bench.world()
    api.send(replace(bench.outgoing(), visibility=Visibility.PUBLIC), bench.account(), world.wires)
    assert json.loads(world.calls[0].content)["place"]["visibility"] == "public"


@pytest.mark.parametrize(
    ("body", "external_id"),
    [
        (b"", "0193-reply"),
        (b"{}", "0193-reply"),
        (b'{"id": 7}', "7"),
        (b'{"id": ""}', "0193-reply"),
        (b'{"id": ["x"]}', "0193-reply"),
        (b'{"id": "a\\u0000b"}', "ab"),
        (b'"ok"', "0193-reply"),
    ],
)
def test_an_answer_without_id_makes_our_key_the_id(body: bytes, external_id: str) -> None:
    receipt = api.send(bench.outgoing(), bench.account(), answering(Response(200, {}, body)).wires)
    assert receipt.external_ids == (external_id,)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7),
        ("Mon, 02 Nov 2026 09:01:00 GMT", 60),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("9" * 30, 86_400),
        ("Mon, 02 Nov 2020 09:01:00 GMT", 0),
    ],
)
def test_o2_the_wait_that_is_asked_for_is_obeyed(retry_after: str, seconds: float | None) -> None:
    for status in (429, 503):
        world = answering(Response(status, {"retry-after": retry_after}, b""))
        with pytest.raises(Unavailable) as raised:
            api.send(bench.outgoing(), bench.account(), world.wires)
        assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "error", "is_gone"),
    [
        (400, Refused, False),
        (404, Refused, False),
        (410, Refused, True),
        (302, Refused, False),
        (401, CredentialsRejected, False),
        (403, CredentialsRejected, False),
        (422, Refused, False),
    ],
)
def test_o3_o7_a_no_is_told_to_the_agent_in_the_other_systems_words(
    status: int, error: type[Refused], is_gone: bool
) -> None:
    world = answering(Response(status, {}, b'{"error": "De bestelling\\u0000 is\\n gesloten."}'))
    with pytest.raises(error) as raised:
        api.send(bench.outgoing(), bench.account(), world.wires)
    assert raised.value.place_is_gone == is_gone
    assert ("De bestelling is gesloten." in raised.value.sentence) == (error is Refused)


def test_a_system_that_only_sends_gets_no_replies_and_its_inbox_says_so() -> None:
    world, account = bench.world(), bench.account(reply_url="")
    assert api.connect(account, world.wires) == {}
    assert api.health(account, world.wires).state == "ailing"
    with pytest.raises(Refused, match="only receives"):
        api.send(bench.outgoing(), account, world.wires)
    assert world.calls == []
