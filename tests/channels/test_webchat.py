"""What is special about the chat widget's channel: origins, signed identity, and a format that only our door writes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from benches_of import bench_of

from klankbord.channels.webchat.adapter import Webchat
from klankbord.channels.webchat.events import (
    StoredFile,
    client_id_of,
    message_id_of,
    write_message,
    write_read,
)
from klankbord.channels.webchat.identity import is_proven, sign_identity
from klankbord.channels.webchat.origins import origin_of, origins_in
from klankbord.contract import Arrived, CredentialsRejected, Delivery, Malformed, ReceiptArrived

NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
LATER = int((NOW + timedelta(hours=4)).timestamp())
SECRET = "een-heel-lang-geheim-van-de-webwinkel-zelf"


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        ("https://www.example.nl", "https://www.example.nl"),
        (" HTTPS://WWW.Example.nl/winkel?x=1 ", "https://www.example.nl"),
        ("https://example.nl:443", "https://example.nl"),
        ("http://localhost:8010", "http://localhost:8010"),
        ("http://[::1]:8010/", "http://[::1]:8010"),
        ("www.example.nl", ""),
        ("*", ""),
        ("https://*.example.nl", ""),
        ("null", ""),
        ("javascript:alert(1)", ""),
        ("https://example.nl@evil.example", ""),
        ("https://example.nl:port", ""),
        ("https://example.nl; script-src *", ""),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_c5_only_a_plain_web_address_names_an_allowed_site(line: str, origin: str) -> None:
    assert origin_of(line) == origin


def test_c5_no_line_means_no_site() -> None:
    assert origins_in("\n *\nhttps://a.example\nhttps://a.example/x\n") == ("https://a.example",)
    assert origins_in("") == ()
    with pytest.raises(CredentialsRejected):
        Webchat().connect(bench_of("webchat").account(origins="ergens"), bench_of("webchat").world().wires)


def test_a_short_secret_is_refused_when_connecting() -> None:
    with pytest.raises(CredentialsRejected):
        Webchat().connect(bench_of("webchat").account(identity_secret="kort"), bench_of("webchat").world().wires)


def test_who_is_logged_in_on_the_site_is_known_by_its_signature() -> None:
    by_the_readme = hmac.new(SECRET.encode(), f"4711.{LATER}".encode(), hashlib.sha256).hexdigest()
    assert is_proven("4711", LATER, by_the_readme, secret=SECRET, now=NOW)


def unsigned_token(user: str) -> str:
    def part(document: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'sub': user, 'exp': LATER})}."


@pytest.mark.parametrize(
    ("user", "expires", "signature", "secret"),
    [
        pytest.param("4712", LATER, sign_identity("4711", LATER, secret=SECRET), SECRET, id="another user's"),
        pytest.param("4711", LATER + 1, sign_identity("4711", LATER, secret=SECRET), SECRET, id="prolonged"),
        pytest.param("4711", 1_762_000_000, sign_identity("4711", 1_762_000_000, secret=SECRET), SECRET, id="expired"),
        pytest.param("4711", LATER, sign_identity("4711", LATER, secret="x" * 40), SECRET, id="other inbox"),
        pytest.param("4711", LATER, unsigned_token("4711"), SECRET, id="alg none"),
        pytest.param("4711", LATER, "", SECRET, id="no signature"),
        pytest.param("4711", LATER, None, SECRET, id="null"),
        pytest.param("4711", LATER, "é" * 64, SECRET, id="not ascii"),
        pytest.param("4711", LATER, sign_identity("4711", LATER, secret=""), "", id="no secret, empty key"),
        pytest.param("4711", LATER, sign_identity("4711", LATER, secret="kort"), "kort", id="short secret"),
        pytest.param(4711, LATER, sign_identity("4711", LATER, secret=SECRET), SECRET, id="user is a number"),
        pytest.param("4711", str(LATER), sign_identity("4711", LATER, secret=SECRET), SECRET, id="expiry is text"),
        pytest.param("4711", True, sign_identity("4711", 1, secret=SECRET), SECRET, id="expiry is true"),
        pytest.param("", LATER, sign_identity("", LATER, secret=SECRET), SECRET, id="empty user"),
        pytest.param("a\nb", LATER, sign_identity("a\nb", LATER, secret=SECRET), SECRET, id="line break"),
        # "471" + "11795…" signed must not pass for "4711" + "1795…": the full stop keeps the two apart.
        pytest.param("471", int(f"1{LATER}"), sign_identity("4711", LATER, secret=SECRET), SECRET, id="moved border"),
    ],
)
def test_c4_any_other_signature_proves_nothing(user: Any, expires: Any, signature: Any, secret: str) -> None:
    assert not is_proven(user, expires, signature, secret=secret, now=NOW)


def parsed(body: bytes) -> Any:
    [item] = Webchat().parse(Delivery(body, NOW), bench_of("webchat").account())
    return item


def test_what_the_door_writes_is_what_the_channel_reads() -> None:
    item = parsed(
        write_message(
            message_id=message_id_of("anon:k3v9", "5f1c2a"),
            visitor="anon:k3v9",
            is_proven=False,
            text="Hoi\x00 daar",
            at=NOW,
            name="Anouk\n",
            email="anouk@example.nl",
            language="nl",
            page_url="https://morgenster.example/tafels",
            page_title="Tafels",
            files=[StoredFile("f/1", "trap.jpg", "image/jpeg", 12)],
        )
    )
    assert isinstance(item, Arrived)
    assert (item.text, item.at, item.place.key) == ("Hoi daar", NOW, "anon:k3v9")
    assert (item.person.name, item.person.email, item.person.is_proven) == ("Anouk", "anouk@example.nl", False)
    assert item.place.context is not None
    assert (item.place.context.text, item.place.url) == ("Tafels", "https://morgenster.example/tafels")
    assert [(each.stored_key, each.name, each.size) for each in item.media] == [("f/1", "trap.jpg", 12)]
    receipt = parsed(write_read(visitor="anon:k3v9", up_to=NOW, at=NOW))
    assert isinstance(receipt, ReceiptArrived)
    assert (receipt.state, receipt.place_key, receipt.up_to) == ("read", "anon:k3v9", NOW)


def test_a_visitor_chooses_ids_only_among_their_own_messages() -> None:
    assert message_id_of("anon:a", "1") != message_id_of("anon:b", "1")
    assert client_id_of(message_id_of("anon:a", "1"), "anon:a") == "1"
    assert client_id_of(message_id_of("anon:b", "1"), "anon:a") == ""


def test_the_same_user_id_on_two_sites_is_two_people() -> None:
    body = write_message(message_id="user:1/a", visitor="user:1", is_proven=True, text="Hoi", at=NOW)
    [here] = Webchat().parse(Delivery(body, NOW), bench_of("webchat").account())
    [there] = Webchat().parse(Delivery(body, NOW), bench_of("webchat").other_account())
    assert isinstance(here, Arrived)
    assert isinstance(there, Arrived)
    assert here.person.realm != there.person.realm


def test_a_page_address_that_is_no_web_address_is_left_out() -> None:
    item = parsed(
        write_message(
            message_id="a/1", visitor="a", is_proven=False, text="Hoi", at=NOW, page_url="javascript:alert(1)"
        )
    )
    assert isinstance(item, Arrived)
    assert (item.place.url, item.place.context) == ("", None)


def test_an_empty_message_is_malformed() -> None:
    assert isinstance(
        parsed(write_message(message_id="a/1", visitor="a", is_proven=False, text=" ", at=NOW)), Malformed
    )
