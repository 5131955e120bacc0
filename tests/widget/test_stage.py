"""The simulator's visitors, against our real door on a real port."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from klankbord.desk.conversations.models import MessageState
from klankbord_simulator.stage import Actor, Attachment, Stage, StageError
from klankbord_simulator.webchat_stage import WebchatStage

from .widget_site import ORIGIN, Site

SANNE = Actor("Sanne Bos", "sanne", "sanne@example.nl")
PIET = Actor("Piet Smit", "piet", "piet@example.nl")


@pytest.fixture
def stage(site: Site, monkeypatch: pytest.MonkeyPatch) -> WebchatStage:
    """A stage whose requests reach the test's own transaction instead of a port."""
    made = WebchatStage("http://testserver", site.key, ORIGIN)
    monkeypatch.setattr(made, "_open", Wire(site))
    return made


class Wire:
    """Carries the stage's requests to Django's test client: same bytes, no socket."""

    def __init__(self, site: Site) -> None:
        from django.test import Client

        self.client, self.lock = Client(), threading.Lock()

    def __call__(self, method: str, path: str, body: bytes | None, headers: Any) -> bytes:
        names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        content_type = names.pop("HTTP_CONTENT_TYPE", "")
        with self.lock:
            answer = self.client.generic(method, f"/widget/v1/{path}", body or b"", content_type, **names)
        assert answer.status_code < 400, answer.content
        return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_visitor_of_the_simulator_is_heard_and_hears(site: Site, stage: WebchatStage, hurried: None) -> None:
    assert isinstance(stage, Stage)
    ref = stage.say(SANNE, "Is hij op voorraad?", public=False, media=[Attachment("a.txt", "text/plain", b"7781")])
    site.desk.take_in()
    assert site.desk.messages()[0].text == "Is hij op voorraad?"
    site.answer("Ja, nog drie.", site.desk.person("Bram"))
    [heard] = stage.replies_to(SANNE)
    assert (heard.text, heard.public, heard.stage) == ("Ja, nog drie.", False, "webchat")
    assert list(stage.replies_to(SANNE, after=heard.ref)) == []
    assert [each.ref for each in stage.replies_to(SANNE, after=ref)] == [heard.ref]
    site.desk.take_in()
    assert [each.state for each in site.desk.messages() if each.kind == "outbound"] == [MessageState.READ]


def test_people_of_the_simulator_do_not_hear_each_other(site: Site, stage: WebchatStage, hurried: None) -> None:
    stage.say(SANNE, "Van Sanne", public=False)
    stage.say(PIET, "Van Piet", public=False)
    site.desk.take_in()
    site.answer("Dag", site.desk.person("Bram"))
    assert sorted(len(list(stage.replies_to(each))) for each in (SANNE, PIET)) == [0, 1]
    assert list(stage.replies_to(Actor("Nieuw", "nieuw", "n@example.nl"))) == []


def test_a_chat_has_no_public_side_and_keeps_what_was_said(stage: WebchatStage) -> None:
    with pytest.raises(StageError):
        stage.say(SANNE, "Hoort iedereen dit?", public=True)
    with pytest.raises(StageError):
        stage.edit("x", "y")
    with pytest.raises(StageError):
        stage.delete("x")


@pytest.fixture
def hurried(site: Site, stage: WebchatStage) -> None:
    """Somebody who opened the chat a while ago."""
    stage._stamp = site.stamp()
