from __future__ import annotations

import hashlib
import hmac
import json
import time

import httpx
import pytest
from fake_people import OMAR, PNG, SANNE

from klankbord_simulator.stage import Attachment

REPLY = {
    "type": "reply",
    "id": "0193-a",
    "at": "2026-11-02T09:00:00Z",
    "place": {"id": "box-sanne", "target": "box-sanne", "visibility": "private"},
    "to": {"id": "c-sanne", "name": "Sanne Bos", "email": ""},
    "title": "",
    "text": "Goedemorgen!",
    "html": "",
    "author": "Noor",
    "author_kind": "agent",
    "is_automatic": False,
    "in_reply_to": "",
    "thread_ids": [],
    "attachments": [{"name": "map.png", "type": "image/png", "description": "", "data": "iVBORw=="}],
}


def stamp(body: bytes, secret: str, at: float) -> str:
    return f"t={int(at)},v1={hmac.new(secret.encode(), b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def post(platforms, value: object, *, path: str = "/replies", age: float = 0, secret: str = "") -> httpx.Response:
    body = json.dumps(value).encode()
    signature = stamp(body, secret or platforms.partner.secret, time.time() - age)
    headers = {"X-Klankbord-Signature": signature}
    return httpx.post(f"{platforms.partner.url}{path}", content=body, headers=headers, trust_env=False)


def test_a_message_is_posted_signed_over_its_exact_bytes(platforms, desk, until):
    ref = platforms.partner.say(SANNE, "Waar is mijn kast? €", public=False, title="Kast")
    platforms.partner.connect(desk.url)  # what was said before is not lost
    [(headers, body)] = until(lambda: desk.taken)
    moment = headers["x-klankbord-signature"].split(",")[0].removeprefix("t=")
    assert headers["x-klankbord-signature"] == stamp(body, platforms.partner.secret, int(moment))
    event = json.loads(body)
    assert (event["type"], event["id"], event["text"]) == ("message", ref, "Waar is mijn kast? €")
    assert event["place"] == {"id": "box-sanne", "visibility": "private", "title": "Kast"}
    assert event["person"]["id"] == "c-sanne"


def test_a_refused_event_comes_again_with_a_fresh_signature_before_the_next_one(platforms, desk, until):
    desk.statuses = [503, 401]
    platforms.partner.connect(desk.url)
    refs = [platforms.partner.say(SANNE, f"nummer {number}", public=False) for number in range(2)]
    until(lambda: len(desk.taken) == 4)
    assert [json.loads(body)["id"] for _, body in desk.taken] == [refs[0]] * 3 + [refs[1]]


def test_public_messages_stand_on_a_wall_and_answers_stay_in_their_thread(platforms, desk, until):
    platforms.partner.connect(desk.url)
    first = platforms.partner.say(SANNE, "Slecht!", public=True)
    platforms.partner.say(OMAR, "Same here", public=True, in_reply_to=first)
    until(lambda: len(desk.taken) == 2)
    one, two = (json.loads(body) for _, body in desk.taken)
    assert one["place"]["id"] == two["place"]["id"]
    assert (two["place"]["visibility"], two["in_reply_to"]) == ("public", first)


def test_an_attachment_can_be_fetched_from_its_link(platforms, desk, until):
    platforms.partner.connect(desk.url)
    platforms.partner.say(SANNE, "foto", public=False, media=[Attachment("kast.png", "image/png", PNG)])
    [(_, body)] = until(lambda: desk.taken)
    [offer] = json.loads(body)["attachments"]
    assert (offer["name"], offer["size"]) == ("kast.png", len(PNG))
    assert httpx.get(offer["url"], trust_env=False).content == PNG


def test_edits_deletions_receipts_and_answers_given_elsewhere_are_told(platforms, desk, until):
    platforms.partner.connect(desk.url)
    ref = platforms.partner.say(SANNE, "slegt", public=False)
    platforms.partner.edit(ref, "slecht")
    platforms.partner.delete(ref)
    ours = post(platforms, REPLY).json()["id"]
    platforms.partner.confirm(ours, "read")
    platforms.partner.answer_here(SANNE, "Ik bel even", author="Kees")
    until(lambda: len(desk.taken) == 5)
    events = [json.loads(body) for _, body in desk.taken]
    assert [event["type"] for event in events] == ["message", "edit", "delete", "receipt", "message"]
    assert (events[3]["id"], events[3]["state"]) == (ours, "read")
    assert (events[4]["is_own"], events[4]["author"]) == (True, "Kees")


def test_a_batch_goes_as_one_list(platforms, desk, until):
    platforms.partner.connect(desk.url)
    platforms.partner.post("batch", [{"id": str(number)} for number in range(3)])
    [(_, body)] = until(lambda: desk.taken)
    assert [event["id"] for event in json.loads(body)] == ["0", "1", "2"]


def test_a_signed_reply_is_heard_once_however_often_it_is_posted(platforms):
    first, second = post(platforms, REPLY).json(), post(platforms, REPLY).json()
    assert first == second
    [heard] = platforms.partner.replies_to(SANNE)
    assert (heard.text, heard.media[0].content, heard.public) == ("Goedemorgen!", b"\x89PNG", False)
    assert [entry.key for entry in platforms.partner.sent_to("box-sanne")] == ["0193-a"]
    assert len(platforms.log.entries(kind="repeated")) == 1


@pytest.mark.parametrize("how", [{"secret": "another-secret-of-some-length"}, {"age": 301}, {"age": -301}])
def test_a_reply_that_is_wrongly_signed_or_stale_is_refused(platforms, how):
    assert post(platforms, REPLY, **how).status_code == 401
    assert list(platforms.partner.replies_to(SANNE)) == []


def test_a_conversation_that_is_gone_and_one_that_is_closed_refuse_replies(platforms):
    platforms.partner.gone.add("box-sanne")
    assert post(platforms, REPLY).status_code == 410
    platforms.partner.gone.clear()
    platforms.partner.refusals["box-sanne"] = "te laat"
    refused = post(platforms, REPLY)
    assert (refused.status_code, refused.json()) == (422, {"error": "te laat"})
    assert platforms.partner.sent == []


def test_a_greeting_is_answered(platforms):
    assert post(platforms, {"type": "ping"}).status_code == 200


def test_the_desks_own_events_are_checked_and_counted_once(platforms):
    event = {"id": "e1", "type": "conversation.opened"}
    assert [post(platforms, event, path="/events").status_code for _ in range(2)] == [200, 200]
    assert post(platforms, event, path="/events", secret="x" * 20).status_code == 401
    assert [entry.key for entry in platforms.log.entries(kind="noticed")] == ["e1"]
