"""What every address of the screens owes: headers, a person who signed in, and nothing for who may not."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLResolver, get_resolver

from klankbord.desk.conversations.models import Attachment, AttachmentState
from klankbord.desk.organisations.models import Role
from klankbord.doors.web import urls
from klankbord.flows.store import file_store

from .pages import FRAGMENT, text_of

_EXAMPLES = {"slug": "all", "number": "1", "deed": "retry", "kind": "mastodon", "uidb36": "0193"}
_NOBODY = "0193b3a0-0000-7000-8000-000000000000"  # fixed: two processes must collect tests of the same names


def _addresses() -> list[str]:
    """Every address of this door with examples filled in."""
    return [
        "/" + re.sub(r"<(\w+):(\w+)>", lambda m: _NOBODY if m[1] == "uuid" else _EXAMPLES.get(m[2], "geraden"), route)
        for route in _routes(urls.urlpatterns)
    ]


def _routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, route)
        else:
            yield route


_SIGNING_IN = ("/accounts/",)


@pytest.mark.parametrize("address", [each for each in _addresses() if not each.startswith(_SIGNING_IN)])
def test_every_address_needs_somebody_who_signed_in(client, db, address):  # A1 class: no unlisted route
    opened = client.get(address)
    assert opened.status_code == 302
    assert opened.headers["location"].startswith("/accounts/login/")
    assert client.post(address).status_code == 401


@pytest.mark.parametrize("address", _addresses())
@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "part"])
def test_every_answer_carries_the_policy_also_a_part_opened_in_a_tab(desk, sign_in, address, headers):  # U12
    answer = sign_in(desk.person("Noor", Role.ADMINISTRATOR)).get(address, headers=headers)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.status_code < 500


def test_there_is_no_way_to_sign_up_and_no_helper_page(client, db):  # T8, T10
    for address in (
        "/accounts/signup/",
        "/setup",
        "/admin/",
        "/debug",
        "/__debug__/",
        "/.env",
    ):
        assert client.get("/" + address.lstrip("/")).status_code == 404
    assert get_resolver().reverse_dict.getlist("account_signup") == []


def test_another_organisation_sees_nothing_of_ours(desk, sign_in):  # T3 class
    from desk_builder import Desk

    inbox = desk.inbox()
    desk.receive(inbox, desk.event(text="Van ons"))
    other = Desk("buren")
    client = sign_in(other.person("Buur", Role.ADMINISTRATOR))
    assert client.get("/inbox/all/1").status_code == 404
    assert client.get(f"/settings/inboxes/{inbox.id}").status_code == 404
    assert "Van ons" not in text_of(client.get("/search", {"q": "ons"}))


@pytest.fixture
def file_of(desk):
    """A file that came with a customer's message."""
    inbox = desk.inbox()
    [conversation] = desk.receive(inbox, desk.event())

    def _store(name: str, data: bytes, content_type: str = "") -> Attachment:
        with desk.open():
            message = desk.messages(conversation)[0]
            stored = file_store().save(str(desk.organisation.id), [data], limit_bytes=10**6)
            made: Attachment = Attachment.objects.create(
                message=message, conversation=conversation, kind="file", name=name, key=stored.name, size=len(data),
                content_type=content_type or stored.content_type, state=AttachmentState.READY, created_at=desk.now,
            )  # fmt: skip
            return made

    return _store


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image/svg+xml"),
        ("brief.html", b"<html><script>alert(1)</script></html>", "text/html"),
        ("brief.xhtml", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "application/xhtml+xml"),
        ("folder.pdf", b"%PDF-1.4 /JS (app.alert(1))", "application/pdf"),
    ],
)
def test_files_are_downloads_in_which_nothing_can_act(desk, sign_in, file_of, name, data, told):  # X1
    answer = sign_in(desk.person("Noor")).get(f"/attachments/{file_of(name, data, told).id}")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert b"".join(answer.streaming_content) == data


@pytest.mark.parametrize("name", ["../../x", "C:\\x.exe", 'a"; filename="b.html', "x\r\nSet-Cookie: a=b", "é" * 250])
def test_file_names_cannot_leave_their_header(desk, sign_in, file_of, name):  # X2
    answer = sign_in(desk.person("Noor")).get(f"/attachments/{file_of(name, b'x').id}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert not set(answer.headers["content-disposition"]) & {"\r", "\n"}
    assert "a=b" not in answer.headers.get("set-cookie", "")


def test_a_file_is_gone_with_the_right_to_see_its_conversation_or_when_it_is_not_ready(desk, sign_in, file_of):  # X3
    from klankbord.desk.inboxes.models import Inbox

    file, client = file_of("a.txt", b"hallo"), sign_in(desk.person("Noor"))
    assert client.get(f"/attachments/{file.id}").status_code == 200
    assert client.get(f"/attachments/{uuid4()}").status_code == 404
    with desk.open():
        Attachment.objects.filter(id=file.id).update(state="refused")
    assert client.get(f"/attachments/{file.id}").status_code == 404
    with desk.open():
        Attachment.objects.filter(id=file.id).update(state="ready")
        Inbox.objects.update(is_open_to_all=False)
    assert client.get(f"/attachments/{file.id}").status_code == 404


def test_a_failing_view_rolls_back_and_shows_a_page_without_asking_the_database(desk, sign_in, monkeypatch):
    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, desk.event())
    client = sign_in(noor, raise_request_exception=False)
    monkeypatch.setattr("klankbord.doors.web.views.parts.head", lambda *args, **more: 1 / 0)
    answer = client.post(f"/conversations/{conversation.number}/do/resolve")
    assert answer.status_code in {302, 500}
    broken = client.post(f"/conversations/{conversation.number}/do/claim", headers=FRAGMENT)
    assert broken.status_code == 500
    assert "Er ging bij ons iets stuk" in text_of(broken) or "niet bewaard" in text_of(broken)
    assert desk.conversations()[0].owner_id is None


def test_an_upload_that_is_too_large_is_refused_with_its_limit(desk, sign_in, settings):
    inbox, noor = desk.inbox(), desk.person("Noor")
    [conversation] = desk.receive(inbox, desk.event())
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"max_upload_mb": 1})
    file = io.BytesIO(b"x" * 1_000_001)
    file.name = "groot.bin"
    answer = sign_in(noor).post(f"/conversations/{conversation.number}/uploads", {"files": file}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "1 MB" in text_of(answer)
