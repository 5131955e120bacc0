from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fake_people import OMAR, PNG, SANNE

from klankbord_simulator.fakes.loop import LoopThread
from klankbord_simulator.fakes.mastodon import Mastodon
from klankbord_simulator.platforms import SHOP, Platforms
from klankbord_simulator.stage import Attachment, StageError


def mentions(toots: httpx.Client, **more: object) -> httpx.Response:
    return toots.get("/api/v1/notifications", params={"types[]": "mention", **more})


def test_a_public_complaint_arrives_as_a_mention_with_html_as_mastodon_writes_it(platforms, toots):
    ref = platforms.mastodon.say(
        SANNE, "Waar is mijn kast?\n\n<3 https://voorbeeld.example/een/heel/lang/adres/zonder/eind #wolk", public=True
    )
    [notice] = mentions(toots).json()
    status = notice["status"]
    assert (notice["type"], status["id"], status["visibility"]) == ("mention", ref, "public")
    assert notice["account"]["acct"] == "sanne@klets.example"
    assert status["content"].startswith('<p><span class="h-card" translate="no"><a href="')
    assert "</p><p>&lt;3 <a href=" in status["content"]
    assert '<span class="ellipsis">voorbeeld.example/een/heel/lan</span>' in status["content"]
    assert 'class="mention hashtag" rel="tag">#<span>wolk</span></a>' in status["content"]
    assert [each["acct"] for each in status["mentions"]] == [SHOP.username]


def test_a_post_about_the_shop_that_does_not_name_it_is_no_mention_but_stands_under_its_hashtag(platforms, toots):
    ref = platforms.mastodon.say(SANNE, "Wachten op #wolk", public=True, addressed=False)
    assert mentions(toots).json() == []
    assert [post["id"] for post in toots.get("/api/v1/timelines/tag/Wolk").json()] == [ref]


def test_min_id_pages_upwards_from_the_oldest_and_link_names_the_neighbours(platforms, toots):
    refs = [platforms.mastodon.say(SANNE, f"nummer {number}", public=True) for number in range(5)]
    first = mentions(toots).json()[-1]["id"]
    page = mentions(toots, min_id=first, limit=2)
    assert [notice["status"]["id"] for notice in page.json()] == [refs[2], refs[1]]
    later = toots.get(page.links["prev"]["url"])
    assert [notice["status"]["id"] for notice in later.json()] == [refs[4], refs[3]]
    assert "types%5B%5D=mention" in page.links["prev"]["url"]
    newest = mentions(toots, since_id=first, limit=2)
    assert [notice["status"]["id"] for notice in newest.json()] == [refs[4], refs[3]]
    assert toots.get(later.links["prev"]["url"]).json() == []


def test_the_same_idempotency_key_gives_the_same_post_whether_form_or_json(platforms, toots):
    ref = platforms.mastodon.say(SANNE, "hallo?", public=True)
    fields = {"status": "@sanne@klets.example dag!", "in_reply_to_id": ref, "visibility": "direct"}
    first = toots.post("/api/v1/statuses", json=fields, headers={"Idempotency-Key": "k1"}).json()
    second = toots.post("/api/v1/statuses", data=fields, headers={"Idempotency-Key": "k1"}).json()
    other = toots.post("/api/v1/statuses", data=fields, headers={"Idempotency-Key": "k2"}).json()
    assert first["id"] == second["id"] != other["id"]
    assert [entry.key for entry in platforms.mastodon.sent_to("sanne@klets.example")] == ["k1", "k2"]
    assert [entry.key for entry in platforms.log.entries(kind="repeated")] == ["k1"]
    heard = list(platforms.mastodon.replies_to(SANNE))
    assert [(each.text, each.public, each.in_reply_to) for each in heard] == [(fields["status"], False, ref)] * 2
    assert list(platforms.mastodon.replies_to(SANNE, after=heard[0].ref)) == heard[1:]


def test_an_idempotency_key_is_forgotten_after_an_hour():
    loop, clock = LoopThread(), [datetime(2026, 11, 2, 9, tzinfo=UTC)]
    mastodon = Mastodon(shop=SHOP, token="t", loop=loop, now=lambda: clock[0])
    mastodon.start()
    headers = {"Authorization": "Bearer t", "Idempotency-Key": "k"}
    ids = []
    for minutes in (0, 59, 2):
        clock[0] += timedelta(minutes=minutes)
        post = httpx.post(f"{mastodon.url}/api/v1/statuses", data={"status": "dag"}, headers=headers, trust_env=False)
        ids.append(post.json()["id"])
    mastodon.stop()
    loop.stop()
    assert ids[0] == ids[1] != ids[2]


def test_a_direct_post_is_seen_by_those_it_names_and_by_nobody_else(platforms, toots):
    platforms.mastodon.enrol(SANNE)
    toots.post("/api/v1/statuses", data={"status": "@sanne@klets.example geheim", "visibility": "direct"})
    assert list(platforms.mastodon.replies_to(OMAR)) == []
    [heard] = platforms.mastodon.replies_to(SANNE)
    with pytest.raises(StageError):
        platforms.mastodon.say(OMAR, "ik lees mee", public=True, in_reply_to=heard.ref)


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"status": ""}, 422, "Text can't be blank"),
        ({"status": "x" * 501}, 422, "character limit of 500"),
        ({"status": "x", "visibility": "secret"}, 422, "Visibility"),
        ({"status": "x", "in_reply_to_id": "123"}, 404, "does not appear to exist"),
        ({"status": "x", "media_ids[]": "123"}, 404, "Record not found"),
    ],
)
def test_a_post_that_mastodon_would_not_take_is_refused_in_its_words(platforms, toots, fields, status, sentence):
    answer = toots.post("/api/v1/statuses", data=fields)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]
    assert platforms.mastodon.sent == []


def test_a_link_counts_for_23_and_the_server_of_a_mention_for_nothing(toots):
    text = "@sanne@klets.example https://voorbeeld.example/" + "a" * 400 + " "
    counted = len("@sanne ") + 23 + 1
    assert toots.post("/api/v1/statuses", data={"status": text + "x" * (500 - counted)}).status_code == 200
    assert toots.post("/api/v1/statuses", data={"status": text + "x" * (501 - counted)}).status_code == 422


def test_a_wrong_token_is_401_and_an_unknown_post_404(platforms, toots):
    bare = httpx.get(f"{platforms.mastodon.url}/api/v1/notifications", trust_env=False)
    assert (bare.status_code, bare.json()) == (401, {"error": "The access token is invalid"})
    lost = toots.get("/api/v1/statuses/1")
    assert (lost.status_code, lost.json()) == (404, {"error": "Record not found"})


def test_an_upload_is_202_then_206_then_200_and_cannot_be_posted_before(platforms, toots):
    platforms.mastodon.looks_until_ready = 2
    upload = toots.post("/api/v2/media", files={"file": ("kaart.png", PNG, "image/png")}, data={"description": "kaart"})
    identity = upload.json()["id"]
    assert (upload.status_code, upload.json()["url"]) == (202, None)
    fields = {"status": "@sanne@klets.example kijk", "media_ids": [identity]}
    platforms.mastodon.say(SANNE, "hoi", public=True)
    assert toots.post("/api/v1/statuses", json=fields).status_code == 422
    assert toots.get(f"/api/v1/media/{identity}").status_code == 206
    ready = toots.get(f"/api/v1/media/{identity}")
    assert ready.status_code == 200
    assert httpx.get(ready.json()["url"], trust_env=False).content == PNG
    assert toots.post("/api/v1/statuses", json=fields).status_code == 200
    [heard] = platforms.mastodon.replies_to(SANNE)
    assert heard.media == (Attachment("kaart.png", "image/png", PNG, "kaart"),)


def test_the_thread_of_a_post_has_what_came_before_and_after_without_what_was_deleted(platforms, toots):
    first = platforms.mastodon.say(SANNE, "een", public=True)
    second = platforms.mastodon.say(OMAR, "twee", public=True, in_reply_to=first)
    third = platforms.mastodon.say(SANNE, "drie", public=True, in_reply_to=second)
    gone = platforms.mastodon.say(SANNE, "vier", public=True, in_reply_to=second)
    platforms.mastodon.delete(gone)
    around = toots.get(f"/api/v1/statuses/{second}/context").json()
    assert [post["id"] for post in around["ancestors"]] == [first]
    assert [post["id"] for post in around["descendants"]] == [third]


def test_an_edit_shows_in_the_post_and_its_history_and_a_deletion_takes_the_mention_along(platforms, toots):
    ref = platforms.mastodon.say(SANNE, "slegt", public=True)
    platforms.mastodon.edit(ref, "slecht")
    post = toots.get(f"/api/v1/statuses/{ref}").json()
    assert "slecht" in post["content"]
    assert post["edited_at"]
    assert len(toots.get(f"/api/v1/statuses/{ref}/history").json()) == 2
    platforms.mastodon.delete(ref)
    assert toots.get(f"/api/v1/statuses/{ref}").status_code == 404
    assert mentions(toots).json() == []


def test_the_shop_edits_and_deletes_its_own_posts_only(platforms, toots):
    theirs = platforms.mastodon.say(SANNE, "hoi", public=True)
    ours = toots.post("/api/v1/statuses", data={"status": "@sanne@klets.example dag"}).json()["id"]
    assert toots.put(f"/api/v1/statuses/{ours}", data={"status": "@sanne@klets.example hallo"}).status_code == 200
    assert [heard.text for heard in platforms.mastodon.replies_to(SANNE)] == ["@sanne@klets.example hallo"]
    assert toots.delete(f"/api/v1/statuses/{ours}").json()["text"] == "@sanne@klets.example hallo"
    assert list(platforms.mastodon.replies_to(SANNE)) == []
    assert toots.delete(f"/api/v1/statuses/{theirs}").status_code == 404


def test_the_mention_of_a_limited_person_waits_in_the_requests_until_it_is_accepted(platforms, toots):
    platforms.mastodon.limit(OMAR)
    ref = platforms.mastodon.say(OMAR, "hallo", public=True)
    assert mentions(toots).json() == []
    [request] = toots.get("/api/v1/notifications/requests").json()
    assert (request["last_status"]["id"], request["notifications_count"]) == (ref, "1")
    assert toots.post(f"/api/v1/notifications/requests/{request['id']}/accept").status_code == 200
    assert [notice["status"]["id"] for notice in mentions(toots).json()] == [ref]
    assert toots.get("/api/v1/notifications/requests").json() == []


def test_a_stream_beats_its_heart_and_tells_of_a_mention_an_edit_and_a_deletion(platforms, toots):
    platforms.mastodon.heartbeat = 0.05
    with toots.stream("GET", "/api/v1/streaming/user") as stream:
        lines = stream.iter_lines()
        assert next(lines) == ":)"
        assert next(lines) == ":thump"
        ref = platforms.mastodon.say(SANNE, "hoi", public=True)
        platforms.mastodon.edit(ref, "hoi!")
        platforms.mastodon.delete(ref)
        told = []
        while len(told) < 6:
            line = next(lines)
            if line and not line.startswith(":"):
                told.append(line)
    assert told[0::2] == ["event: notification", "event: status.update", "event: delete"]
    assert json.loads(told[1].removeprefix("data: "))["status"]["id"] == ref
    assert told[5] == f"data: {ref}"


def test_the_quota_is_told_in_headers_and_then_enforced(platforms, toots):
    platforms.mastodon.quota = 2
    assert [toots.get("/api/v1/notifications").headers["x-ratelimit-remaining"] for _ in range(2)] == ["1", "0"]
    refused = toots.get("/api/v1/notifications")
    assert refused.status_code == 429
    assert datetime.fromisoformat(refused.headers["x-ratelimit-reset"]) > datetime.now(UTC)


def test_the_instance_tells_its_limits_without_a_token(platforms):
    facts = httpx.get(f"{platforms.mastodon.url}/api/v2/instance", trust_env=False).json()
    assert facts["configuration"]["statuses"]["characters_reserved_per_url"] == 23
    assert facts["configuration"]["urls"]["streaming"] == platforms.mastodon.url.replace("http", "ws")
    old = httpx.get(f"{platforms.mastodon.url}/api/v1/instance/", trust_env=False).json()  # as Mastodon.py asks
    assert old["uri"] == platforms.mastodon.server.domain


def test_after_a_new_start_no_number_is_lower_than_one_given_before(platforms, toots):
    platforms.mastodon.say(SANNE, "voor", public=True)
    before = mentions(toots).json()[0]
    with Platforms(seed=7) as again:
        again.mastodon.say(SANNE, "na", public=True)
        headers = {"Authorization": f"Bearer {again.mastodon.token}"}
        url = f"{again.mastodon.url}/api/v1/notifications"
        [after] = httpx.get(url, params={"min_id": before["id"]}, headers=headers, trust_env=False).json()
    assert int(after["status"]["id"]) > int(before["status"]["id"])
