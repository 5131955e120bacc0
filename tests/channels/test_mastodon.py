"""What is particular to Mastodon; what holds for every channel is tested in the common suite."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from benches_of import bench_of
from worlds import NOW, Request, World, http_world

from klankbord.channels.mastodon.adapter import Mastodon
from klankbord.channels.mastodon.content import text_of_html
from klankbord.channels.mastodon.server import Credentials, base_url
from klankbord.contract import (
    Account,
    Arrived,
    CredentialsRejected,
    Deleted,
    Edited,
    HealthState,
    Item,
    Outgoing,
    Polled,
    Refused,
    Response,
    TooLong,
    Unavailable,
    Upload,
    Visibility,
)

bench = bench_of("mastodon")
said = bench.said
ACCOUNT: Account[Credentials] = bench.account()
PERSONS = {
    "sanne": {"id": "5", "acct": "sanne@fiets.example", "username": "sanne", "display_name": "Sanne"},
    "joris": {"id": "6", "acct": "joris", "username": "joris", "display_name": "Joris"},
    "regiobus": {"id": "1001", "acct": "regiobus", "username": "regiobus", "display_name": "Regiobus"},
}


@pytest.fixture
def server() -> Any:
    return bench.SmallServer()


@pytest.fixture
def world(server: Any) -> World:
    return http_world(server.answer)


@pytest.fixture
def mastodon() -> Mastodon:
    return Mastodon(pause=lambda seconds: None)


def write(server: Any, status_id: str, by: str, text: str, *, under: str = "", visibility: str = "public") -> Any:
    """Somebody writes a status on the server."""
    above = server.statuses.get(under)
    status = {
        "id": status_id,
        "created_at": "2026-11-02T08:00:00.000Z",
        "account": PERSONS[by],
        "content": f"<p>{text}</p>",
        "visibility": visibility,
        "in_reply_to_id": under or None,
        "in_reply_to_account_id": above["account"]["id"] if above else None,
        "mentions": [above["account"]] if above else [],
        "edited_at": None,
    }
    server.statuses[status_id] = status
    return status


def notify(server: Any, status: Any, number: int = 0) -> Any:
    """The server tells us of a status that mentions us."""
    notification = {
        "id": str(number or 100 + len(server.notifications)),
        "type": "mention",
        "created_at": status["created_at"],
        "account": status["account"],
        "status": status,
    }
    server.notifications.append(notification)
    return notification


def items(mastodon: Mastodon, polled: Polled) -> list[Item]:
    return [item for delivery in polled.deliveries for item in mastodon.parse(delivery, ACCOUNT)]


# ------------------------------------------------------------------------------------------------ connecting


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("mastodon.example", "https://mastodon.example"),
        (" https://mastodon.example/@regiobus ", "https://mastodon.example"),
        ("@regiobus@mastodon.example", "https://mastodon.example"),
        ("http://mastodon.example", "https://mastodon.example"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("Mastodon.Example:8443", "https://mastodon.example:8443"),
    ],
)
def test_a_server_is_understood_however_it_is_typed(typed: str, address: str) -> None:
    assert base_url(typed) == address


@pytest.mark.parametrize("typed", ["", "   ", "mijn server", "https://", "https://[", "a.example:haven"])
def test_what_is_no_server_is_refused(typed: str) -> None:
    with pytest.raises(CredentialsRejected):
        base_url(typed)


def test_connecting_learns_who_we_are_and_what_the_server_allows(mastodon: Mastodon, world: World) -> None:
    facts = mastodon.connect(bench.account(), world.wires)
    assert facts["account_id"] == "1001"
    assert facts["max_characters"] == 500
    assert facts["streaming_url"] == "https://stroom.toot.example"
    assert facts["has_requests"] is True


def test_a_server_of_the_first_version_connects_and_works_without_what_it_lacks(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    server.answers["/api/v2/instance"] = bench.GONE
    server.answers["/api/v1/instance"] = said({"version": "0.11", "max_toot_chars": 1500})
    server.answers["/api/v1/notifications/requests"] = bench.GONE
    facts = mastodon.connect(bench.account(), world.wires)
    assert facts["has_requests"] is False
    account = replace(ACCOUNT, facts=facts)
    assert mastodon.text_limit(account).maximum == 1500 - 32
    assert mastodon.poll(account, {}, world.wires).cursor["last"] == "0"


def test_w3_a_token_that_the_server_does_not_know_connects_nothing(mastodon: Mastodon, world: World) -> None:
    account = replace(ACCOUNT, credentials=Credentials("toot.example", "verkeerd"))
    with pytest.raises(CredentialsRejected) as refusal:
        mastodon.connect(account, world.wires)
    assert "verkeerd" not in str(refusal.value)


# ------------------------------------------------------------------------------------------------ polling


def test_the_first_poll_begins_from_now(mastodon: Mastodon, server: Any, world: World) -> None:
    notify(server, write(server, "1", "sanne", "van vroeger"))
    first = mastodon.poll(ACCOUNT, {}, world.wires)
    assert first.deliveries == ()
    notify(server, write(server, "2", "sanne", "nieuw"))
    second = mastodon.poll(ACCOUNT, first.cursor, world.wires)
    assert [item.external_id for item in items(mastodon, second) if isinstance(item, Arrived)] == ["2"]


def test_f23_everything_missed_comes_page_by_page_in_order_and_once(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    for number in range(70):
        notify(server, write(server, str(1000 + number), "sanne", f"bericht {number}"), number=200 + number)
    found: list[str] = []
    for _ in range(20):
        polled = mastodon.poll(ACCOUNT, cursor, world.wires)
        cursor = json.loads(json.dumps(dict(polled.cursor)))
        found += [item.external_id for item in items(mastodon, polled) if isinstance(item, Arrived)]
        if not polled.has_more:
            break
    assert found == [str(1000 + number) for number in range(70)]
    assert mastodon.poll(ACCOUNT, cursor, world.wires).deliveries == ()


def test_a_delivery_is_the_notification_as_the_server_gave_it(mastodon: Mastodon, server: Any, world: World) -> None:
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    notification = notify(server, write(server, "1", "sanne", "hallo"))
    polled = mastodon.poll(ACCOUNT, cursor, world.wires)
    assert [json.loads(each.body) for each in polled.deliveries] == [notification]


def test_a_server_that_repeats_itself_does_not_keep_us_busy(mastodon: Mastodon, server: Any, world: World) -> None:
    page = [notify(server, write(server, "1", "sanne", "hallo"))]
    server.answers["/api/v1/notifications"] = said(page)
    polled = mastodon.poll(ACCOUNT, {"last": "50"}, world.wires)
    assert len(polled.deliveries) == 1
    assert not polled.has_more


def test_a_held_back_mention_is_delivered_once_and_marked(mastodon: Mastodon, server: Any, world: World) -> None:
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    held = notify(server, write(server, "1", "joris", "ik ben hier nieuw"))
    server.notifications.remove(held)
    server.held_back.append(held)
    polled = mastodon.poll(ACCOUNT, cursor, world.wires)
    (message,) = items(mastodon, polled)
    assert isinstance(message, Arrived)
    assert message.remarks == ("filtered-by-server",)
    assert mastodon.poll(ACCOUNT, polled.cursor, world.wires).deliveries == ()


def test_a_server_that_lists_no_held_back_mentions_still_shows_the_last(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    held = notify(server, write(server, "1", "joris", "ik ben hier nieuw"))
    server.notifications.remove(held)
    server.answers["/api/v1/notifications/requests"] = said([bench.request_of(held)])
    (message,) = items(mastodon, mastodon.poll(ACCOUNT, {"last": "0"}, world.wires))
    assert isinstance(message, Arrived)
    assert (message.external_id, message.remarks) == ("1", ("filtered-by-server",))


def test_a_mention_is_delivered_also_when_its_thread_cannot_be_had(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    write(server, "1", "regiobus", "Lijn 12 rijdt om.")
    notify(server, write(server, "2", "sanne", "hoe lang?", under="1"))
    server.answers["/api/v1/statuses/2/context"] = said({"error": "trouble"}, status=503)
    (message,) = items(mastodon, mastodon.poll(ACCOUNT, {"last": "0"}, world.wires))
    assert isinstance(message, Arrived)
    assert message.thread_ids == ("1",)


def test_what_was_fetched_before_trouble_is_kept(mastodon: Mastodon, server: Any) -> None:
    for number in range(7):
        notify(server, write(server, str(number), "sanne", "hallo"))
    calls = 0

    def ill_after_one_page(request: Request) -> Response:
        nonlocal calls
        calls += 1
        answer: Response = server.answer(request) if calls == 1 else said({"error": "trouble"}, status=503)
        return answer

    polled = mastodon.poll(ACCOUNT, {"last": "0"}, http_world(ill_after_one_page).wires)
    assert len(polled.deliveries) == 3
    again = mastodon.poll(ACCOUNT, polled.cursor, http_world(server.answer).wires)
    assert len(again.deliveries) == 4


def test_mentions_held_back_before_connecting_stay_history(mastodon: Mastodon, server: Any, world: World) -> None:
    server.held_back.append(notify(server, write(server, "1", "joris", "van vroeger")))
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    assert mastodon.poll(ACCOUNT, cursor, world.wires).deliveries == ()


def test_a_reply_under_our_post_shows_that_post_and_is_a_thread_of_its_own(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    write(server, "1", "regiobus", "Lijn 12 rijdt om.")
    notify(server, write(server, "2", "sanne", "hoe lang?", under="1"))
    notify(server, write(server, "3", "joris", "en lijn 13?", under="1"))
    sanne, joris = items(mastodon, mastodon.poll(ACCOUNT, cursor, world.wires))
    assert isinstance(sanne, Arrived)
    assert isinstance(joris, Arrived)
    assert sanne.place.context is not None
    assert sanne.place.context.text == "Lijn 12 rijdt om."
    assert (sanne.place.key, joris.place.key) == ("status:1:5", "status:1:6")
    assert sanne.thread_ids == joris.thread_ids == ()


def test_an_answer_typed_on_the_server_comes_in_before_the_reaction_to_it(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    notify(server, write(server, "1", "sanne", "mijn bus kwam niet"))
    cursor = mastodon.poll(ACCOUNT, cursor, world.wires).cursor
    write(server, "2", "regiobus", "welke lijn?", under="1")
    notify(server, write(server, "3", "sanne", "lijn 12", under="2"))
    polled = mastodon.poll(ACCOUNT, cursor, world.wires)
    ours, theirs = items(mastodon, polled)
    assert isinstance(ours, Arrived)
    assert isinstance(theirs, Arrived)
    assert (ours.is_own, ours.person.external_id, ours.thread_ids) == (True, "5", ("1",))
    assert (theirs.is_own, theirs.thread_ids) == (False, ("2", "1"))
    assert ours.place.key == theirs.place.key == "status:1:5"
    notify(server, write(server, "4", "sanne", "nog iemand?", under="3"))
    assert len(mastodon.poll(ACCOUNT, polled.cursor, world.wires).deliveries) == 1  # our answer is not told again


def test_a_direct_message_under_a_public_thread_has_its_own_place_and_names_what_it_answers(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    write(server, "1", "sanne", "openbaar")
    write(server, "2", "regiobus", "stuur het privé", under="1")
    notify(server, write(server, "3", "sanne", "mijn nummer is 4471", under="2", visibility="direct"))
    message = items(mastodon, mastodon.poll(ACCOUNT, cursor, world.wires))[-1]
    assert isinstance(message, Arrived)
    assert (message.place.visibility, message.place.key) == (Visibility.PRIVATE, "direct:5")
    assert message.thread_ids == ("2", "1")


def test_an_unheard_of_visibility_is_private(mastodon: Mastodon, server: Any) -> None:
    notification = notify(server, write(server, "1", "sanne", "hallo", visibility="local"))
    (message,) = mastodon.parse(bench.sign(json.dumps(notification).encode(), ACCOUNT), ACCOUNT)
    assert isinstance(message, Arrived)
    assert message.place.visibility == Visibility.PRIVATE


def test_w9_an_edit_and_a_deletion_are_found_by_looking_again(mastodon: Mastodon, server: Any, world: World) -> None:
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    notify(server, write(server, "1", "sanne", "lijn 12"))
    notify(server, write(server, "2", "joris", "lijn 13"))
    cursor = mastodon.poll(ACCOUNT, cursor, world.wires).cursor
    server.statuses["1"] |= {"content": "<p>lijn 21</p>", "edited_at": "2026-11-02T08:30:00.000Z"}
    del server.statuses["2"]
    polled = mastodon.poll(ACCOUNT, cursor, world.wires)
    edit, deletion = items(mastodon, polled)
    assert edit == Edited("1", "lijn 21", datetime(2026, 11, 2, 8, 30, tzinfo=UTC), html="<p>lijn 21</p>")
    assert deletion == Deleted("2", NOW)
    assert mastodon.poll(ACCOUNT, polled.cursor, world.wires).deliveries == ()


def test_a_missing_page_that_is_not_the_servers_own_word_deletes_nothing(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    server.answers["/api/v1/statuses/1"] = Response(404, {"content-type": "text/html"}, b"<h1>nginx</h1>")
    polled = mastodon.poll(ACCOUNT, {"last": "0", "watched": [["1", ""]]}, world.wires)
    assert polled.deliveries == ()
    assert [each[0] for each in polled.cursor["watched"]] == ["1"]


def test_looking_again_is_bounded_and_takes_turns(mastodon: Mastodon, server: Any, world: World) -> None:
    for number in range(25):
        write(server, str(number), "sanne", "hallo")
    cursor: Any = {"last": "0", "watched": [[str(number), ""] for number in range(25)]}
    looked_at: list[str] = []
    for _ in range(3):
        world.calls.clear()
        cursor = mastodon.poll(ACCOUNT, cursor, world.wires).cursor
        looked_at += [call.url.rpartition("/")[2] for call in world.calls if "/statuses/" in call.url]
    assert looked_at == [str(number % 25) for number in range(30)]


def test_nothing_is_looked_at_again_when_few_requests_are_left(mastodon: Mastodon, server: Any, world: World) -> None:
    server.answers["/api/v1/notifications"] = said([], x_ratelimit_remaining="12")
    mastodon.poll(ACCOUNT, {"last": "0", "watched": [["1", ""]]}, world.wires)
    assert not [call for call in world.calls if "/statuses/" in call.url]


def test_f13_too_many_requests_wait_until_the_servers_window_opens(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    server.answers["/api/v1/notifications"] = said(
        {"error": "Too many requests"}, status=429, x_ratelimit_reset="2026-11-02T09:01:30.000Z"
    )
    with pytest.raises(Unavailable) as refusal:
        mastodon.poll(ACCOUNT, {"last": "0"}, world.wires)
    assert refusal.value.retry_after == 90
    assert refusal.value.is_inbox_wide


def test_history_comes_backwards_and_silently(mastodon: Mastodon, server: Any, world: World) -> None:
    for number in range(5):
        notify(server, write(server, str(number), "sanne", "hallo"))
    cursor: Any = {}
    found: list[str] = []
    for _ in range(5):
        polled = mastodon.backfill(ACCOUNT, cursor, world.wires)
        cursor = polled.cursor
        assert all(each.is_history for each in polled.deliveries)
        found += [item.external_id for item in items(mastodon, polled) if isinstance(item, Arrived)]
        if not polled.has_more:
            break
    assert found == ["4", "3", "2", "1", "0"]


def test_the_stream_wakes_at_its_opening_and_at_news_only(mastodon: Mastodon) -> None:
    stop, woken = threading.Event(), 0
    lines = [
        ":)",
        "event: update",
        "data: {}",
        "event: notification",
        "data: {}",
        "event: delete",
        "data: 12",
        ":thump",
    ]

    def wake() -> None:
        nonlocal woken
        woken += 1
        if woken == 3:
            stop.set()

    world = http_world(bench.SmallServer().answer, lines=lines)
    mastodon.listen(bench.account(streaming_url="https://stroom.toot.example"), world.wires, wake, stop)
    assert woken == 3
    assert [call.url for call in world.calls] == ["https://stroom.toot.example/api/v1/streaming/user"]


# ------------------------------------------------------------------------------------------------ text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>een</p><p>twee<br>drie</p>", "een\n\ntwee\ndrie"),
        ('<a href="https://a.example/x"><span>a.example/…</span></a>', "https://a.example/x"),
        ('<a href="https://www.a.example/x/">https://a.example/x</a>', "https://www.a.example/x/"),
        ('<a href="https://fout.example/">www.bank.example</a>', "www.bank.example (https://fout.example/)"),
        ('<a href="https://a.example/"></a>', "https://a.example/"),
        ('<a href="https://a.example/@x" class="u-url mention">@<span>x</span></a> hoi', "@x hoi"),
        ('<a href="javascript:alert(1)">klik</a>', "klik"),
        ("1 &lt; 2 &amp; 3&nbsp;&gt; 2", "1 < 2 & 3 > 2"),
        ("<script>x</script><style>p{}</style>over", "over"),
        ("<blockquote>citaat</blockquote>daarna", "citaat\n\ndaarna"),
        (
            "<a href='https://a.example/1'>een<a href='https://a.example/2'>twee",
            "een (https://a.example/1)twee (https://a.example/2)",
        ),
        ("<" * 5000 + "a" * 10, "<" * 5000 + "a" * 10),
    ],
)
def test_u1_u3_html_becomes_the_words_a_reader_sees(html: str, text: str) -> None:
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("hallo", 5),
        ("👨‍👩‍👧‍👦", 1),
        ("zie https://voorbeeld.example/" + "x" * 300, 4 + 23),
        ("@sanne@fiets.example dag", 10),
        ("mail naar sanne@fiets.example", 29),
    ],
)
def test_o5_length_is_counted_as_the_server_counts(mastodon: Mastodon, text: str, length: int) -> None:
    assert mastodon.length(text, ACCOUNT) == length


# ------------------------------------------------------------------------------------------------ sending


def posted(world: World) -> Any:
    (call,) = [call for call in world.calls if call.method == "POST" and call.url.endswith("/statuses")]
    return call.json


def private(text: str) -> Outgoing:
    reply: Outgoing = bench.outgoing(text)
    return replace(reply, visibility=Visibility.PRIVATE)


def test_o6_a_public_reply_is_as_public_as_the_message_and_names_its_reader(mastodon: Mastodon, world: World) -> None:
    mastodon.send(bench.outgoing("We kijken het na."), ACCOUNT, world.wires)
    assert posted(world) == {
        "status": "@sanne@fiets.example We kijken het na.",
        "visibility": "public",
        "in_reply_to_id": "115480000000000001",
    }


@pytest.mark.parametrize("theirs", ["unlisted", "private", "direct", "", None])
def test_o6_a_public_reply_is_unlisted_unless_the_message_was_fully_public(
    mastodon: Mastodon, world: World, theirs: str | None
) -> None:
    mastodon.send(replace(bench.outgoing(), facts={"visibility": theirs}), ACCOUNT, world.wires)
    assert posted(world)["visibility"] == "unlisted"


def test_o6_a_private_reply_is_seen_by_its_reader_only(mastodon: Mastodon, world: World) -> None:
    mastodon.send(private("Wat is uw klantnummer?"), ACCOUNT, world.wires)
    assert posted(world)["visibility"] == "direct"
    assert posted(world)["status"] == "@sanne@fiets.example Wat is uw klantnummer?"


def test_a_public_message_tells_where_a_private_reply_and_its_answer_will_stand(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    cursor = mastodon.poll(ACCOUNT, {}, world.wires).cursor
    notify(server, write(server, "1", "sanne", "openbaar"))
    notify(server, write(server, "2", "sanne", "privé", visibility="direct"))
    public, direct = items(mastodon, mastodon.poll(ACCOUNT, cursor, world.wires))
    assert isinstance(public, Arrived)
    assert isinstance(direct, Arrived)
    assert public.place.facts["private_place_key"] == direct.place.key


@pytest.mark.parametrize("text", ["@sanne@fiets.example en @joris weten het", "cc @pers@krant.example", "@SANNE hallo"])
def test_a_private_reply_that_would_add_a_third_person_is_refused(mastodon: Mastodon, world: World, text: str) -> None:
    with pytest.raises(Refused) as refusal:
        mastodon.send(private(text), ACCOUNT, world.wires)
    assert refusal.value.code == "names-others"
    assert world.calls == []


@pytest.mark.parametrize(
    "text",
    ["mail info@regiobus.example", "zie https://toot.example/@joris/12", "@Sanne@Fiets.example dag", "van @regiobus"],
)
def test_addresses_links_and_the_reader_are_no_third_person(mastodon: Mastodon, world: World, text: str) -> None:
    mastodon.send(private(text), ACCOUNT, world.wires)
    assert posted(world)["status"].lower().count("@sanne@fiets.example") == 1


def test_a_reader_without_a_known_name_is_looked_up(mastodon: Mastodon, server: Any, world: World) -> None:
    server.answers["/api/v1/accounts/5"] = said({"id": "5", "acct": "sanne@nieuw.example"})
    nameless = replace(bench.SANNE, username="", external_id="5")
    mastodon.send(replace(bench.outgoing("Dag"), to=nameless), ACCOUNT, world.wires)
    assert posted(world)["status"] == "@sanne@nieuw.example Dag"


def test_o5_a_name_too_long_for_the_room_kept_free_is_refused_before_sending(mastodon: Mastodon, world: World) -> None:
    long_name = replace(bench.SANNE, username="s" * 60 + "@fiets.example")
    with pytest.raises(TooLong) as refusal:
        mastodon.send(replace(bench.outgoing("x" * 468), to=long_name), ACCOUNT, world.wires)
    assert refusal.value.limit == 500
    assert world.calls == []


def test_f15_the_same_key_twice_is_one_status(mastodon: Mastodon, server: Any, world: World) -> None:
    first = mastodon.send(bench.outgoing(), ACCOUNT, world.wires)
    second = mastodon.send(bench.outgoing(), ACCOUNT, world.wires)
    assert first.external_ids == second.external_ids
    assert len(server.posted) == 1


def test_o1_the_same_words_sent_earlier_in_the_thread_are_not_taken_for_this_reply(
    mastodon: Mastodon, world: World
) -> None:
    earlier = mastodon.send(bench.outgoing(), ACCOUNT, world.wires)
    again = replace(bench.outgoing(), key="0194-reply", thread_ids=("115480000000000001", *earlier.external_ids))
    assert mastodon.look_up(again, ACCOUNT, world.wires) is None


@pytest.mark.parametrize("status", [404, 410])
def test_o7_a_reply_to_a_deleted_post_ends_there(mastodon: Mastodon, server: Any, world: World, status: int) -> None:
    server.answers["/api/v1/statuses"] = said({"error": "gone"}, status=status)
    with pytest.raises(Refused) as refusal:
        mastodon.send(bench.outgoing(), ACCOUNT, world.wires)
    assert refusal.value.place_is_gone


def test_a_text_that_the_server_finds_wrong_is_refused_with_its_reason(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    server.answers["/api/v1/statuses"] = said({"error": "Validation failed: Text\u0000 is <b>odd</b>"}, status=422)
    with pytest.raises(Refused) as refusal:
        mastodon.send(bench.outgoing(), ACCOUNT, world.wires)
    assert "Validation failed: Text is" in refusal.value.sentence


@pytest.mark.parametrize("status", [401, 403])
def test_o3_f22_a_withdrawn_token_or_right_is_the_inboxs_trouble(
    mastodon: Mastodon, server: Any, world: World, status: int
) -> None:
    server.answers["/api/v1/statuses"] = said({"error": "This action is outside the authorized scopes"}, status=status)
    with pytest.raises(CredentialsRejected):
        mastodon.send(bench.outgoing(), ACCOUNT, world.wires)


def picture(content_type: str = "image/png", size: int = 3) -> Upload:
    return Upload("kaart.png", content_type, size=size, read=lambda: b"png", description="Een kaart")


def test_a_file_goes_along_once_the_server_has_worked_on_it(mastodon: Mastodon, server: Any, world: World) -> None:
    server.media_rounds = 3
    mastodon.send(replace(bench.outgoing(), uploads=(picture(),)), ACCOUNT, world.wires)
    assert posted(world)["media_ids"] == ["900"]
    (upload,) = [call for call in world.calls if call.url.endswith("/api/v2/media")]
    assert upload.data == {"description": "Een kaart"}


def test_a_file_on_which_the_server_keeps_working_is_tried_again_later(
    mastodon: Mastodon, server: Any, world: World
) -> None:
    server.media_rounds = 10_000
    with pytest.raises(Unavailable):
        mastodon.send(replace(bench.outgoing(), uploads=(picture(),)), ACCOUNT, world.wires)
    assert server.posted == {}


def test_a_kind_of_file_that_this_server_does_not_take_is_refused_before_sending(
    mastodon: Mastodon, world: World
) -> None:
    with pytest.raises(Refused):
        mastodon.send(replace(bench.outgoing(), uploads=(picture("image/tiff"),)), ACCOUNT, world.wires)
    assert world.calls == []


def test_health_tells_when_only_the_stream_is_missing(mastodon: Mastodon, server: Any, world: World) -> None:
    server.answers["/api/v1/streaming/health"] = bench.GONE
    health = mastodon.health(ACCOUNT, world.wires)
    assert health.state == HealthState.AILING
    assert [check.name for check in health.checks if not check.is_well] == ["Stream"]


def test_a_server_that_sends_us_elsewhere_gets_no_token_there(mastodon: Mastodon) -> None:
    def elsewhere(request: Request) -> Response:
        return Response(302, {"location": "https://elders.example/"}, b"")

    world = http_world(elsewhere)
    with pytest.raises(Refused):
        mastodon.send(bench.outgoing(), ACCOUNT, world.wires)
    assert all(call.url.startswith("https://toot.example/") for call in world.calls)
