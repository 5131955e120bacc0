"""Files that customers send: fetched in spite of passing troubles, given up with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from far_platform import FarPlatform
from worlds import Request

from desk_builder import Desk
from klankbord.contract import CredentialsRejected, Response, Unavailable, Uncertain
from klankbord.desk.conversations.models import Attachment
from klankbord.desk.rows import run
from klankbord.flows import media
from klankbord.flows.works import WORKS

pytestmark = pytest.mark.django_db

FILE = Response(200, {}, b"%PDF-1.4 de factuur")


@pytest.fixture
def photo(desk: Desk, platform: FarPlatform, monkeypatch: pytest.MonkeyPatch) -> Attachment:
    """A file of a customer that lies on the platform and still waits to be fetched."""
    monkeypatch.setattr(media, "wires", lambda: platform.wires)
    file = {"kind": "file", "url": "https://files.example/factuur.pdf", "name": "factuur.pdf"}
    desk.receive(platform.inbox(), desk.event(attachments=[file]))
    with desk.open():
        found: Attachment = Attachment.objects.get()
    assert found.state == "waiting"
    return found


def say(platform: FarPlatform, *answers: Response | Exception) -> None:
    """What the platform says when the file is asked for, in order; the last for ever."""
    left = list(answers)

    def answer(request: Request) -> Response:
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, Exception):
            raise said
        return said

    platform.http.answer = answer


def jobs() -> list[tuple[list[UUID], float]]:
    """The work that waits: ids, and seconds until it may begin. It is taken out of the queue."""
    found = run(
        "DELETE FROM procrastinate_jobs WHERE status = 'todo' RETURNING args, extract(epoch FROM scheduled_at - now())"
    )
    return [([UUID(each) for each in args["ids"]], float(wait or 0)) for args, wait in found]


def fetch(desk: Desk, photo: Attachment) -> list[float]:
    """Do the fetching that is queued, and what it queues in turn; gives how long each try was put off."""
    waits: list[float] = []
    while queued := jobs():
        for ids, wait in queued:
            waits.append(wait)
            WORKS["fetch files"](organisation_id=desk.organisation.id, ids=ids, now=desk.now + timedelta(seconds=wait))
        assert len(waits) < 20
    return waits


def now_of(desk: Desk, photo: Attachment) -> tuple[Any, str]:
    with desk.open():
        found = Attachment.objects.get(id=photo.id)
    return found.state, found.reason


PASSING = {
    "no-connection": Unavailable("No connection."),
    "cut": Uncertain("The answer was lost."),
    "503": Response(503, {}, b""),
    "429": Response(429, {}, b""),
    "token-expired": CredentialsRejected("The token has expired."),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING.keys())
def test_a_file_is_fetched_after_a_passing_trouble(
    desk: Desk, platform: FarPlatform, photo: Attachment, trouble: Response | Exception
) -> None:
    say(platform, trouble, trouble, FILE)
    waits = fetch(desk, photo)
    assert now_of(desk, photo) == ("ready", "")
    assert len(waits) == 3
    assert waits[0] < 1 < waits[1] < waits[2]


def test_while_it_is_tried_the_message_says_that_it_is_being_fetched(
    desk: Desk, platform: FarPlatform, photo: Attachment
) -> None:
    say(platform, Unavailable("No connection."))
    [(ids, _wait)] = jobs()
    media.fetch_files(organisation_id=desk.organisation.id, ids=ids, now=desk.now)
    assert now_of(desk, photo) == ("waiting", "")


def test_a_file_that_cannot_be_had_is_given_up_with_the_reason(
    desk: Desk, platform: FarPlatform, photo: Attachment
) -> None:
    say(platform, Unavailable("No connection."))
    waits = fetch(desk, photo)
    assert now_of(desk, photo) == ("missing", "No connection.")
    assert 5 <= len(waits) <= 10
    assert timedelta(minutes=10) < timedelta(seconds=sum(waits)) < timedelta(hours=2)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_plain_no_is_final_at_once(desk: Desk, platform: FarPlatform, photo: Attachment, status: int) -> None:
    say(platform, Response(status, {}, b""), FILE)
    assert len(fetch(desk, photo)) == 1
    state, reason = now_of(desk, photo)
    assert state == "refused"
    assert str(status) in reason


@pytest.mark.parametrize("code", ["address-refused", "too-large"])
def test_what_we_refuse_ourselves_is_final_at_once(
    desk: Desk, platform: FarPlatform, photo: Attachment, code: str
) -> None:
    say(platform, Unavailable("No.", code=code), FILE)
    assert len(fetch(desk, photo)) == 1
    assert now_of(desk, photo)[0] == "refused"
