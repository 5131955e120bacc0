"""What strangers try at the widget's door. Ids in the names are rows of the list of attacks."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from desk_builder import Desk
from klankbord.channels.webchat.identity import sign_identity
from klankbord.desk.contacts.models import Contact
from klankbord.desk.conversations.models import Attachment
from klankbord.desk.inboxes.models import Delivery, VisitorSession, VisitorUpload
from klankbord.desk.organisations.models import Role
from klankbord.doors.widget.limits import MESSAGES, NEW_VISITS, Limiter
from klankbord.flows import connect, visitors
from klankbord.flows.store import file_store
from klankbord.flows.visitors import Rate

from .widget_site import ORIGIN, SECRET, Site, Visitor

LATER = int(time.time()) + 3600


def signed(user: str, *, expires: int = LATER, secret: str = SECRET) -> dict[str, Any]:
    return {"user_id": user, "expires": expires, "signature": sign_identity(user, expires, secret=secret)}


def chat_with_file(site: Site) -> tuple[Visitor, str]:
    visitor = site.visitor()
    upload = visitor.attach("bon.txt", b"Bestelling 7781")
    visitor.say("Mijn bon", files=[upload.json()["id"]])
    site.desk.take_in()
    return visitor, visitor.read()[-1]["files"][0]["id"]


# ------------------------------------------------------------------------------------------------ C1


@pytest.mark.parametrize("token", ["", "x", "a" * 32, "é", "' OR 1=1 --"])
@pytest.mark.parametrize("path", ["history", "attachments/0193f0a0-0000-7000-8000-000000000000"])
def test_c1_a_guessed_token_finds_nothing(site: Site, token: str, path: str) -> None:
    answer = Client().get(f"/widget/v1/{path}", HTTP_AUTHORIZATION=f"Bearer {token}".encode().decode("latin-1"))
    assert (answer.status_code, answer.json()) == (404, {"error": "not-found"})


def test_c1_somebody_elses_file_and_one_that_never_was_are_the_same_answer(site: Site) -> None:
    _, theirs = chat_with_file(site)
    thief = site.visitor()
    answers = [thief.get(f"attachments/{each}") for each in (theirs, uuid.uuid4())]
    assert [(each.status_code, each.content) for each in answers] == [(404, b'{"error": "not-found"}')] * 2
    assert {name for name, _ in answers[0].items()} == {name for name, _ in answers[1].items()}


def test_c1_an_upload_of_somebody_else_cannot_be_sent_along(site: Site) -> None:
    anouk, thief = site.visitor(), site.visitor()
    theirs = anouk.attach("bon.txt", b"Bestelling 7781").json()["id"]
    for wanted in (theirs, str(uuid.uuid4())):
        assert thief.say("geef hier", files=[wanted]).status_code == 404
    with site.desk.open():
        assert Delivery.objects.count() == 0


def test_c1_the_token_is_not_in_the_database(site: Site) -> None:
    anouk = site.visitor()
    assert len(anouk.token) >= 26
    row = VisitorSession.objects.get()
    assert anouk.token not in {str(value) for value in vars(row).values()}


def test_c1_another_organisations_chat_is_another_world(site: Site) -> None:
    other = Site(Desk("avondster"), "Avondster")
    anouk, piet = site.visitor(), other.visitor()
    anouk.say("Van Morgenster")
    piet.say("Van Avondster")
    site.desk.take_in()
    assert [each["text"] for each in anouk.read()] == ["Van Morgenster"]
    assert [each["text"] for each in piet.read()] == ["Van Avondster"]


# ------------------------------------------------------------------------------------------------ C2, C3, C4


def test_c2_an_address_that_is_typed_shows_no_history(site: Site) -> None:
    anouk = site.visitor(identity=signed("4711"))
    anouk.post("email", {"email": "anouk@example.nl"})
    anouk.say("Mijn geheime bestelling")
    site.desk.take_in()
    thief = site.visitor()
    thief.post("email", {"email": "anouk@example.nl"})
    thief.say("Waar is mijn bestelling?")
    site.desk.take_in()
    assert [each["text"] for each in thief.read()] == ["Waar is mijn bestelling?"]
    with site.desk.open():
        assert Contact.objects.count() == 2


def test_a_person_who_is_logged_in_finds_the_chat_on_another_device(site: Site) -> None:
    phone = site.visitor(identity=signed("4711"))
    phone.say("Vanaf mijn telefoon")
    site.desk.take_in()
    laptop = site.visitor(identity=signed("4711"))
    assert laptop.begun.json()["is_known"] is True
    assert [each["text"] for each in laptop.read()] == ["Vanaf mijn telefoon"]


def test_c3_who_comes_after_on_a_shared_computer_finds_nothing(site: Site) -> None:
    first = site.visitor(identity=signed("4711"))
    first.say("Van de eerste")
    site.desk.take_in()
    assert site.visitor().read() == []
    assert site.visitor(identity=signed("4712")).read() == []


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param({**signed("4711"), "user_id": "4712"}, id="another user"),
        pytest.param(signed("4711", expires=1_700_000_000), id="expired"),
        pytest.param(signed("4711", secret="het-geheim-van-een-andere-inbox-hier"), id="other inbox"),
        pytest.param({"user_id": "4711", "expires": LATER, "signature": "", "alg": "none"}, id="alg none"),
        pytest.param({"user_id": ["4711"], "expires": {}, "signature": 1}, id="wrong types"),
        pytest.param({"user_id": "4711"}, id="nothing else"),
        pytest.param("4711", id="a string"),
    ],
)
def test_c4_a_wrong_signature_is_an_anonymous_newcomer(site: Site, identity: Any) -> None:
    owner = site.visitor(identity=signed("4711"))
    owner.say("Alleen voor mij")
    site.desk.take_in()
    stranger = site.visitor(identity=identity)
    assert stranger.begun.status_code == 201
    assert stranger.begun.json()["is_known"] is False
    assert stranger.read() == []


# ------------------------------------------------------------------------------------------------ C5


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", f"{ORIGIN}.evil.example", "http://morgenster.example", f"{ORIGIN}:444", None],
)
def test_c5_a_site_that_is_not_allowed_is_refused(site: Site, origin: str | None) -> None:
    stranger = site.visitor(origin=origin)
    assert (stranger.begun.status_code, stranger.begun.json()) == (403, {"error": "origin"})
    assert "Access-Control-Allow-Origin" not in stranger.begun
    stranger.token = site.visitor().token  # even with a token that is good elsewhere
    assert stranger.say("Hallo").status_code == 403
    if origin is not None:
        assert stranger.get("history").status_code == 403


def test_c5_the_allowed_site_is_named_exactly_and_gets_no_credentials(site: Site) -> None:
    begun = site.visitor().begun
    assert begun["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in begun
    assert "Origin" in begun["Vary"]
    assert begun.cookies == {}


def test_c5_a_preflight_is_answered_for_the_widgets_own_site_only(site: Site) -> None:
    def preflight(origin: str, key: str) -> Any:
        return Client().options(
            f"/widget/v1/messages?key={key}", HTTP_ORIGIN=origin, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST"
        )

    assert preflight(ORIGIN, site.key)["Access-Control-Allow-Origin"] == ORIGIN
    for origin, key in (("https://evil.example", site.key), (ORIGIN, "unknown"), ("*", site.key)):
        refused = preflight(origin, key)
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused


def test_c5_only_the_widgets_sites_may_frame_the_chat(site: Site) -> None:
    page = Client().get(f"/widget/v1/frame?key={site.key}", HTTP_REFERER=f"{ORIGIN}/tafels")
    assert page.status_code == 200
    policy = page["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {ORIGIN}" in policy
    assert "unsafe" not in policy
    assert "X-Frame-Options" not in page
    assert page.cookies == {}
    refused = Client().get(f"/widget/v1/frame?key={site.key}", HTTP_REFERER="https://evil.example/")
    assert refused.status_code == 403
    assert Client().get("/widget/v1/frame?key=unknown").status_code == 404


def test_the_page_of_a_chat_cannot_be_broken_by_the_name_of_the_site(site: Site) -> None:
    other = Site(site.desk, "</script><script>alert(1)</script>", welcome="<img src=x onerror=alert(1)>")
    page = Client().get(f"/widget/v1/frame?key={other.key}").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# ------------------------------------------------------------------------------------------------ C6


def test_c6_a_thousand_conversations_from_one_address_are_slowed_down(site: Site) -> None:
    answers = [site.visitor().begun for _ in range(NEW_VISITS.burst + 5)]
    refused = [each for each in answers if each.status_code == 429]
    assert len(refused) == 5
    assert all(int(each["Retry-After"]) >= 1 for each in refused)
    assert VisitorSession.objects.count() == NEW_VISITS.burst
    with site.desk.open():
        assert Delivery.objects.count() == 0  # a begun chat is no ticket


def test_c6_one_visitor_cannot_flood_the_desk(site: Site) -> None:
    anouk = site.visitor()
    statuses = [anouk.say(f"Bericht {number}").status_code for number in range(MESSAGES.burst + 3)]
    assert statuses == [202] * MESSAGES.burst + [429] * 3


def test_c6_a_message_of_a_megabyte_is_refused_unread(site: Site) -> None:
    anouk = site.visitor()
    assert anouk.say("x" * 1_000_000).status_code == 413
    assert anouk.say("x" * 4_001).status_code == 413
    assert anouk.say("x" * 4_000).status_code == 202
    assert anouk.say("🙏🏽" * 2_000).status_code == 202


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"null", 400), (b"[1]", 400), (b"{", 400), (b'{"text": 1}', 400), (b'{"text": null}', 400),
        (b"\xff\xfe", 400), (b"[" * 60_000, 400), (b'{"text": "x", "files": "all"}', 400),
        (b'{"text": "x", "files": ["../../etc/passwd"]}', 404), (b'{"text": " \\u0000 "}', 422), (b"{}", 422),
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused(site: Site, body: bytes, status: int) -> None:
    assert site.visitor().post("messages", body, HTTP_IDEMPOTENCY_KEY="abcdefgh-1").status_code == status


@pytest.mark.parametrize("key", ["", "kort", "x" * 65, "a/b-c-d-e", "é" * 9, "../../../.."])
def test_an_attempt_without_a_usable_key_is_refused(site: Site, key: str) -> None:
    answer = site.visitor().post("messages", {"text": "x"}, HTTP_IDEMPOTENCY_KEY=key.encode().decode("latin-1"))
    assert answer.status_code == 400


def test_a_page_elsewhere_is_not_believed(site: Site) -> None:
    anouk = site.visitor()
    for url in ("https://evil.example/x", "javascript:alert(1)", f"{ORIGIN}.evil.example/"):
        anouk.say("Hallo", page={"url": url, "title": "Bank"})
    with site.desk.open():
        assert not [
            each for each in Delivery.objects.all() if b"evil" in bytes(each.body) or b"Bank" in bytes(each.body)
        ]


def test_a_machine_that_fills_in_everything_or_is_too_fast_gets_nowhere(site: Site) -> None:
    visitor = site.visitor()
    visitor.token = ""
    assert visitor.begin(website="https://spam.example").status_code == 403
    assert visitor.begin(stamp="").status_code == 403
    assert visitor.begin(stamp=site.stamp()[:-2]).status_code == 403
    assert visitor.begin(stamp=Site(site.desk, "Andere").stamp()).status_code == 403
    assert visitor.begin(stamp=site.stamp(seconds_ago=40 * 86_400)).status_code == 403
    too_fast = visitor.begin(stamp=site.stamp(seconds_ago=0.2))
    assert (too_fast.status_code, too_fast["Retry-After"]) == (429, "1")


def test_a_bucket_of_a_process_fills_again() -> None:
    limiter, rate = Limiter(), Rate("x", burst=2, per_minute=6)
    assert [limiter.wait_for(rate, "a", now=0) for _ in range(3)] == [0, 0, 10]
    assert limiter.wait_for(rate, "b", now=0) == 0
    assert limiter.wait_for(rate, "a", now=10) == 0
    assert limiter.wait_for(rate, "a", now=10) == 10


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_the_methods_that_exist_are_answered(site: Site, method: str) -> None:
    for path in ("conversations", "messages", "attachments", "typing", "read", "email"):
        assert getattr(Client(), method)(f"/widget/v1/{path}").status_code == 405


def test_an_agents_cookie_opens_nothing_here(site: Site, settings: Any) -> None:
    """The chat reads no cookie: one that came along belongs to another wall."""
    agent, anouk = site.desk.person("Bram", role=Role.ADMINISTRATOR), site.visitor()
    before = anouk.get("history").json()
    anouk.client.force_login(agent.user)
    session = anouk.client.session
    session["has_two_factor"] = True
    session.save()
    assert anouk.get("history").json() == before


# ------------------------------------------------------------------------------------------------ C7


def test_c7_a_file_without_a_conversation_is_refused(site: Site) -> None:
    stranger = site.visitor()
    stranger.token = ""
    assert stranger.attach("a.txt", b"x").status_code == 404
    with site.desk.open():
        assert VisitorUpload.objects.count() == 0


def test_c7_files_that_are_never_sent_are_few_and_go_after_a_day(site: Site) -> None:
    anouk = site.visitor()
    statuses = [anouk.attach(f"{number}.txt", b"x").status_code for number in range(12)]
    assert statuses == [201] * 10 + [429] * 2
    with site.desk.open():
        [kept, *others] = VisitorUpload.objects.order_by("id")
    anouk.say("Eentje", files=[str(kept.id)])
    shelf = str(site.desk.organisation.id)
    assert visitors.forget_unsent_files(now=datetime.now(UTC) + timedelta(days=1, minutes=1)) == 9
    assert file_store().exists(shelf, kept.key)
    assert not any(file_store().exists(shelf, each.key) for each in others)
    site.desk.take_in()
    assert [file["name"] for file in anouk.read()[0]["files"]] == ["0.txt"]


@pytest.mark.parametrize(("size", "status"), [(0, 422), (10_000_001, 413)])
def test_c7_a_file_of_the_wrong_size_is_refused(site: Site, size: int, status: int) -> None:
    assert site.visitor().attach("groot.bin", b"\x00" * size).status_code == status


def test_c7_one_upload_belongs_to_one_message(site: Site) -> None:
    anouk = site.visitor()
    upload = anouk.attach("a.txt", b"x").json()["id"]
    assert anouk.say("Een", files=[upload]).status_code == 202
    assert anouk.say("Twee", files=[upload]).status_code == 404


# ------------------------------------------------------------------------------------------------ C10


def test_c10_a_chat_that_is_disconnected_is_dead_with_all_its_links(site: Site) -> None:
    admin = site.desk.person("Noor", role=Role.ADMINISTRATOR)
    anouk, file = chat_with_file(site)
    with site.desk.open():
        connect.disconnect(inbox=site.inbox.id, by=admin, now=site.desk.now)
    assert anouk.get(f"attachments/{file}").status_code == 404
    assert anouk.get("history").status_code == 404
    assert anouk.say("Nog iemand?").status_code == 404
    assert site.visitor().begun.status_code == 404
    assert Client().get(f"/widget/v1/frame?key={site.key}").status_code == 404


def test_a_file_of_a_withdrawn_message_is_gone(site: Site) -> None:
    anouk, file = chat_with_file(site)
    with site.desk.open():
        message = Attachment.objects.get(id=file).message
        message.deleted_at = site.desk.now
        message.save(update_fields=["deleted_at"])
    assert anouk.get(f"attachments/{file}").status_code == 404
    assert anouk.read()[0]["withdrawn"] is True


def test_idle_sessions_end_and_their_conversations_stay(site: Site) -> None:
    anouk = site.visitor()
    anouk.say("Hallo?")
    site.desk.take_in()
    assert visitors.forget_idle_visitors(now=datetime.now(UTC) + timedelta(days=89)) == 0
    assert visitors.forget_idle_visitors(now=datetime.now(UTC) + timedelta(days=91)) == 1
    assert anouk.get("history").status_code == 404
    assert len(site.desk.conversations()) == 1
