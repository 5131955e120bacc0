"""Who may bring something to `/hooks/…`: the real door, its real cache of routes and rows, without a server between."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from books import ledger_of

from desk_builder import SECRET, Desk
from klankbord import channels
from klankbord.contract import Account, Answer, BadSignature, Delivery
from klankbord.desk.inboxes.models import Delivery as Stored
from klankbord.desk.inboxes.models import Inbox, InboxRoute
from klankbord.desk.organisations.models import Role
from klankbord.doors.hooks.asgi import answer_hook
from klankbord.flows import connect
from klankbord.flows.accounts import seal, unseal
from klankbord.flows.doorway import Doorway
from klankbord.kernel import signatures
from klankbord.project.native import conninfo
from roles import become

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    made.now = datetime.now(UTC)  # the door has its own clock
    yield made
    become("app")


@dataclass
class Knock:
    """One request as the server hands it to the door, and what was answered."""

    path: str
    body: bytes = b""
    headers: dict[str, str] | None = None
    method: str = "POST"
    query: str = ""
    status: int = 0
    said: bytes = b""
    answer_headers: dict[str, str] | None = None

    async def come(self, doorway: Doorway) -> None:
        scope = {
            "type": "http", "method": self.method, "path": self.path, "query_string": self.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in (self.headers or {}).items()],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.answer_headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                self.said += message["body"]

        await answer_hook(doorway, scope, receive, send)


def knock(*knocks: Knock, at_once: bool = False) -> list[int]:
    """Let them come, one after the other or together; gives the statuses."""

    async def all_of_them() -> None:
        doorway = Doorway(conninfo())
        await doorway.open()
        try:
            if at_once:
                await asyncio.gather(*(each.come(doorway) for each in knocks))
            for each in () if at_once else knocks:
                await each.come(doorway)
        finally:
            await doorway.close()

    asyncio.run(asyncio.wait_for(all_of_them(), 60))
    return [each.status for each in knocks]


def path_of(inbox: Inbox) -> str:
    return f"/hooks/{unseal(inbox.credentials)['hook_token']}"


def signed(inbox: Inbox, event: Any, *, secret: str = SECRET, at: datetime | None = None) -> Knock:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Knock(path_of(inbox), body, {signatures.HEADER: signatures.sign(body, secret=secret, at=at or _now())})


def _now() -> datetime:
    return datetime.now(UTC)


def stored(desk: Desk) -> int:
    with desk.open():
        return int(Stored.objects.count())


def take_in(desk: Desk) -> None:
    become("worker")
    try:
        desk.take_in()
    finally:
        become("app")


# ------------------------------------------------------------------------------------------------ who is let in


def unsigned(inbox: Inbox, event: Any) -> Sequence[Knock]:
    right = signed(inbox, event)
    return [replace(right, headers={}), replace(right, headers={"content-type": "application/json"})]


def wrongly_signed(inbox: Inbox, event: Any) -> Sequence[Knock]:
    right = signed(inbox, event)
    sha1 = hmac.new(SECRET.encode(), right.body, hashlib.sha1).hexdigest()
    return [
        signed(inbox, event, secret="een-heel-ander-geheim"),
        replace(right, body=json.dumps(json.loads(right.body), indent=1).encode()),  # the same JSON in other bytes
        replace(right, headers={"x-hub-signature": f"sha1={sha1}"}),
        replace(right, headers={signatures.HEADER: f"sha1={sha1}"}),
    ]


def too_old(inbox: Inbox, event: Any) -> Sequence[Knock]:
    return [signed(inbox, event, at=_now() - timedelta(minutes=10))]


@pytest.mark.parametrize("attempt", [unsigned, wrongly_signed, too_old], ids=["W1", "W2", "W12"])
def test_what_is_not_rightly_signed_is_refused_and_leaves_nothing(desk: Desk, attempt: Any) -> None:
    attempts = attempt(desk.inbox(), desk.event())
    assert knock(*attempts) == [401] * len(attempts)
    assert stored(desk) == 0
    assert desk.organisation.name.encode() not in b"".join(each.said for each in attempts)


def test_each_refusal_is_one_line_for_the_operator_with_nothing_of_what_was_brought(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = desk.inbox()
    attempts = wrongly_signed(inbox, desk.event(text="woorden van een klant"))
    knock(*attempts)
    lines = [line for line in caplog.records if line.message == "delivery refused"]
    assert [vars(line)["inbox"] for line in lines] == [str(inbox.id)] * len(attempts)
    assert "woorden van een klant" not in str([vars(line) for line in lines])


def test_w3_an_inbox_that_lost_its_secret_lets_nobody_in(desk: Desk) -> None:
    inbox = desk.inbox()
    opened = unseal(inbox.credentials)
    bare = seal({**opened["credentials"], "secret": ""}, hook_token=opened["hook_token"], hook_secret="")
    InboxRoute.objects.filter(inbox_id=inbox.id).update(account=bare)
    event = desk.event()
    attempts = [signed(inbox, event), signed(inbox, event, secret=""), *unsigned(inbox, event)]
    assert knock(*attempts) == [401] * 4
    assert stored(desk) == 0


def test_w4_the_secret_of_another_inbox_or_organisation_opens_nothing(desk: Desk) -> None:
    other = Desk("avondster")
    ours = desk.inbox(secret="het-geheim-van-de-webshop")
    sibling = desk.inbox("Winkel", secret="het-geheim-van-de-winkel")
    theirs = other.inbox(secret="het-geheim-van-de-buren")
    event = desk.event()
    attempts = [
        signed(ours, event, secret="het-geheim-van-de-winkel"),
        signed(ours, event, secret="het-geheim-van-de-buren"),
        signed(theirs, event, secret="het-geheim-van-de-webshop"),
    ]
    assert knock(*attempts) == [401] * 3
    assert (stored(desk), stored(other)) == (0, 0)
    assert knock(signed(sibling, event, secret="het-geheim-van-de-winkel")) == [200]
    assert (stored(desk), stored(other)) == (1, 0)


def test_an_address_that_was_never_given_out_is_not_found(desk: Desk) -> None:
    desk.inbox()
    assert knock(*[Knock(f"/hooks/{token}") for token in ("", "x", "a" * 4000, "../live", "é")]) == [404] * 5


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_only_post_delivers(desk: Desk, method: str) -> None:
    assert knock(replace(signed(desk.inbox(), desk.event()), method=method)) == [405]
    assert stored(desk) == 0


# ------------------------------------------------------------------------------------------------ what is let in


@pytest.mark.parametrize("at_once", [False, True], ids=["W5-hundred-times", "W6-hundred-at-once"])
def test_a_delivery_that_comes_a_hundred_times_is_welcomed_each_time_and_is_one_message(
    desk: Desk, at_once: bool
) -> None:
    inbox, event = desk.inbox(), desk.event()
    assert knock(*[signed(inbox, event) for _ in range(100)], at_once=at_once) == [200] * 100
    take_in(desk)
    assert len(desk.messages()) == 1
    assert ledger_of(desk)["duplicate"] == 99


def test_w10_a_batch_with_one_bad_item_is_welcomed_as_a_whole(desk: Desk) -> None:
    inbox = desk.inbox()
    events = [desk.event(place=f"k-{number}", person={"id": f"k-{number}"}) for number in range(100)]
    events[50] = {"type": "message", "id": ["geen", "id"]}
    assert knock(signed(inbox, events)) == [200]
    take_in(desk)
    sums = ledger_of(desk)
    assert (sums["message"], sums["dead"], sums["waiting"]) == (99, 1, 0)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "account.updated", "version": "v99"},
        {"type": "message"},
        {"type": "message", "id": "m-1", "place": None, "person": None, "text": None},
        {"no": "type at all"},
    ],
    ids=["unknown-kind", "nothing-but-a-kind", "nulls", "no-kind"],
)
def test_w16_an_event_from_the_future_or_half_of_one_is_welcomed_counted_and_kept_as_it_came(
    desk: Desk, event: dict[str, Any]
) -> None:
    inbox = desk.inbox()
    assert knock(signed(inbox, event)) == [200]
    take_in(desk)
    sums = ledger_of(desk)
    assert (sums["accepted"], sums["waiting"], sums["ignored"] + sums["dead"]) == (1, 0, 1)
    with desk.open():
        assert json.loads(bytes(Stored.objects.get().body)) == event


def test_w18_a_platform_that_goes_on_after_the_inbox_was_disconnected_hears_yes_and_nothing_is_kept(desk: Desk) -> None:
    inbox, ada = desk.inbox(), desk.person("Ada", Role.ADMINISTRATOR)
    with desk.open():
        connect.disconnect(inbox=inbox.id, by=ada, now=desk.now)
    assert knock(signed(inbox, desk.event()), *unsigned(inbox, desk.event())) == [200] * 3
    assert stored(desk) == 0


# ------------------------------------------------------------------------------------------------ handshakes


def shake(delivery: Delivery, account: Account[Any]) -> Answer:
    """The handshake of platforms that send a word of ours and a challenge to be sent back."""
    if not account.hook_secret or delivery.query.get("hub.verify_token") != account.hook_secret:
        raise BadSignature("The verify token is not ours.")
    return Answer(200, delivery.query["hub.challenge"].encode())


CHALLENGE = "%3Cscript%3Ealert(1)%3C/script%3E"


@pytest.mark.parametrize("token", ["", "hub.verify_token=&", "hub.verify_token=geraden&"])
def test_w17_a_handshake_without_our_word_is_refused_and_echoes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr(
        type(channels.channel("api")), "handshake", lambda self, delivery, account: shake(delivery, account)
    )
    attempt = Knock(path_of(desk.inbox()), method="GET", query=f"{token}hub.challenge={CHALLENGE}")
    assert knock(attempt) == [403]
    assert b"<script>" not in attempt.said


def test_w17_a_challenge_goes_back_as_plain_text_whatever_it_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        type(channels.channel("api")), "handshake", lambda self, delivery, account: shake(delivery, account)
    )
    inbox = desk.inbox()
    ours = unseal(inbox.credentials)["hook_secret"]
    asked = Knock(path_of(inbox), method="GET", query=f"hub.verify_token={ours}&hub.challenge={CHALLENGE}")
    assert knock(asked) == [200]
    assert asked.said == b"<script>alert(1)</script>"
    told = asked.answer_headers or {}
    assert told["content-type"].startswith("text/plain")
    assert told["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in told["content-security-policy"]


def test_w17_where_a_platform_shakes_no_hands_nothing_is_echoed(desk: Desk) -> None:
    asked = Knock(path_of(desk.inbox()), method="GET", query=f"hub.challenge={CHALLENGE}")
    assert knock(asked) == [405]
    assert b"script" not in asked.said


def test_an_inbox_that_was_disconnected_and_taken_up_again_lets_deliveries_in_as_before(desk: Desk) -> None:
    inbox, ada = desk.inbox(), desk.person("Ada", Role.ADMINISTRATOR)
    with desk.open():
        connect.disconnect(inbox=inbox.id, by=ada, now=desk.now)
        connect.resume(inbox=inbox.id, by=ada, now=desk.now)
    assert knock(signed(inbox, desk.event())) == [200]
    assert stored(desk) == 1
