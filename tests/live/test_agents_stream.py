"""The agents' stream: who hears what, what happens after a break, and what it costs."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from desk_builder import Desk
from klankbord.desk.conversations.cases import tell
from klankbord.desk.conversations.models import LiveEvent
from klankbord.desk.inboxes.models import Inbox, InboxMember
from klankbord.desk.organisations.models import DeskSession, Membership, Role, User
from klankbord.doors.live.stream import LiveStream
from klankbord.plumbing import eventstream

from .listening import Browser, browser, hub

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return Desk()


def signed_in(member: Membership) -> str:
    """The session cookie of somebody at the desk."""
    client = Client()
    client.force_login(member.user)
    session = client.session
    session["has_two_factor"] = True
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def happens(desk: Desk, inbox: Inbox, what: str = "message") -> str:
    """Something changes in a conversation; gives the conversation's id."""
    conversation = uuid.uuid4()
    with desk.open():
        tell([{"conversation": conversation, "inbox": inbox.id, "thread": None, "what": what}], now=desk.now)
    return str(conversation)


in_database = sync_to_async(thread_sensitive=True)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


async def connected(made: Browser) -> None:
    await made.until(lambda: made.status != 0)
    if made.status == 200:
        await made.until(lambda: bool(made.told and made.told[-1].event in {"hello", "refresh", "changes", "retry"}))


def test_an_open_screen_hears_what_changed_and_no_words_of_customers(desk: Desk) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie) as bram:
            await bram.hears("hello")
            conversation = await sync_to_async(happens)(desk, inbox)
            heard = await bram.hears("changes")
            assert heard.data == [
                {"conversation": conversation, "inbox": str(inbox.id), "thread": None, "what": "message"}
            ]
            assert int(heard.id) > 0
            assert bram.headers["content-type"].startswith("text/event-stream")
            assert bram.headers["cache-control"] == "no-store"

    run(test)


def test_typing_and_viewing_come_the_same_way(desk: Desk) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie) as bram:
            await bram.hears("hello")
            await sync_to_async(happens)(desk, inbox, "typing")
            await sync_to_async(happens)(desk, inbox, "viewing")
            await bram.until(lambda: {each["what"] for each in bram.changes} == {"typing", "viewing"})

    run(test)


def test_r1_nobody_hears_another_organisation(desk: Desk) -> None:
    other = Desk("avondster")
    ours, theirs = desk.inbox(), other.inbox()
    cookies = [signed_in(desk.person("Bram")), signed_in(other.person("Piet", Role.ADMINISTRATOR))]

    async def test() -> None:
        async with hub() as live:
            app = LiveStream(live)
            async with browser(app, cookie=cookies[0]) as bram, browser(app, cookie=cookies[1]) as piet:
                await bram.hears("hello")
                await piet.hears("hello")
                for _ in range(5):
                    await sync_to_async(happens)(desk, ours)
                    await sync_to_async(happens)(other, theirs)
                await bram.until(lambda: len(bram.changes) == 5)
                await piet.until(lambda: len(piet.changes) == 5)
                assert {each["inbox"] for each in bram.changes} == {str(ours.id)}
                assert {each["inbox"] for each in piet.changes} == {str(theirs.id)}

    run(test)


def test_r1_a_replay_asked_with_another_organisations_number_gives_only_ones_own(desk: Desk) -> None:
    other = Desk("avondster")
    ours, theirs = desk.inbox(), other.inbox()
    cookie = signed_in(desk.person("Bram"))
    happens(other, theirs)
    number = LiveEvent.objects.latest("number").number
    happens(other, theirs)
    happens(desk, ours)

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie, last_event_id=str(number)) as bram:
            await bram.hears("changes")
            assert {each["inbox"] for each in bram.changes} == {str(ours.id)}

    run(test)


@pytest.mark.parametrize(
    "query", ["topic=%25", "organisation=*", "inbox=%25", "channel=klankbord_live", "after=0'%20OR%201=1"]
)
def test_r1_nothing_in_the_address_opens_more(desk: Desk, query: str) -> None:
    hidden, seen = desk.inbox("Directie"), desk.inbox("Webshop")
    with desk.open():
        Inbox.objects.filter(id=hidden.id).update(is_open_to_all=False)
    cookie = signed_in(desk.person("Bram"))

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie, query=query) as bram:
            await bram.until(lambda: len(bram.told) >= 2)
            await sync_to_async(happens)(desk, hidden)
            await sync_to_async(happens)(desk, seen)
            await bram.hears("changes")
            assert {each["inbox"] for each in bram.changes} == {str(seen.id)}

    run(test)


@pytest.mark.parametrize(
    ("role", "is_member", "hears"),
    [(Role.AGENT, False, False), (Role.AGENT, True, True), (Role.LEAD, False, True), (Role.ANALYST, False, True)],
)
def test_r1_an_inbox_for_some_is_heard_by_those_only(desk: Desk, role: Role, is_member: bool, hears: bool) -> None:
    hidden, seen = desk.inbox("Directie"), desk.inbox("Webshop")
    person = desk.person("Bram", role)
    with desk.open():
        Inbox.objects.filter(id=hidden.id).update(is_open_to_all=False)
        if is_member:
            InboxMember.objects.create(inbox=hidden, member=person)
    cookie = signed_in(person)

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie) as bram:
            await bram.hears("hello")
            await sync_to_async(happens)(desk, hidden)
            await sync_to_async(happens)(desk, seen)
            await bram.until(lambda: any(each["inbox"] == str(seen.id) for each in bram.changes))
            assert any(each["inbox"] == str(hidden.id) for each in bram.changes) is hears

    run(test)


# ------------------------------------------------------------------------------------------------ who may listen


@pytest.mark.parametrize(
    "cookie", ["", "x=1", "klankbord_session=", "klankbord_session=guess", "klankbord_session=%00"]
)
def test_without_a_session_there_is_no_stream(desk: Desk, cookie: str) -> None:
    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie) as nobody:
            await nobody.ends()
            assert nobody.status == 401

    run(test)


def test_somebody_who_has_not_shown_a_second_factor_hears_nothing(desk: Desk) -> None:
    client = Client()
    client.force_login(desk.person("Bram").user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie) as bram:
            await bram.ends()
            assert bram.status == 401

    run(test)


def remove(person: Membership) -> None:
    Membership.objects.filter(id=person.id).update(is_active=False)


def block(person: Membership) -> None:
    User.objects.filter(id=person.user_id).update(is_active=False)


def sign_out(person: Membership) -> None:
    DeskSession.objects.all().delete()


def change_password(person: Membership) -> None:
    person.user.set_password("een-heel-nieuw-wachtwoord")
    person.user.save(update_fields=["password"])


@pytest.mark.parametrize("lose", [remove, block, sign_out, change_password])
def test_t7_who_may_no_longer_listen_stops_hearing(desk: Desk, lose: Callable[[Membership], None]) -> None:
    person = desk.person("Bram")
    cookie = signed_in(person)

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live, look_again_seconds=0.3), cookie=cookie) as bram:
            await bram.hears("hello")
            await sync_to_async(lose)(person)
            await bram.ends()

    run(test)


def test_t7_looking_again_takes_less_than_ten_seconds(desk: Desk) -> None:
    async def test() -> None:
        async with hub() as live:
            doorkeeper = LiveStream(live)._doorkeeper
            assert doorkeeper.every_seconds * 1.5 < 10

    run(test)


def test_t7_who_is_demoted_hears_only_what_is_left(desk: Desk) -> None:
    hidden, seen = desk.inbox("Directie"), desk.inbox("Webshop")
    person = desk.person("Bram", Role.LEAD)
    with desk.open():
        Inbox.objects.filter(id=hidden.id).update(is_open_to_all=False)
    cookie = signed_in(person)

    async def test() -> None:
        async with hub() as live:
            app = LiveStream(live, look_again_seconds=0.2)
            async with browser(app, cookie=cookie) as bram:
                await bram.hears("hello")
                await sync_to_async(Membership.objects.filter(id=person.id).update)(role=Role.AGENT)
                [seat] = app._doorkeeper._seats[cookie.partition("=")[2]]
                async with asyncio.timeout(10):
                    while str(hidden.id) in seat.value.inboxes:
                        await asyncio.sleep(0.05)
                await sync_to_async(happens)(desk, hidden)
                await sync_to_async(happens)(desk, seen)
                await bram.hears("changes")
                assert {each["inbox"] for each in bram.changes} == {str(seen.id)}

    run(test)


def test_when_nobody_can_be_checked_nobody_listens_on(desk: Desk) -> None:
    cookie = signed_in(desk.person("Bram"))

    async def test() -> None:
        async with hub() as live:
            app = LiveStream(live, look_again_seconds=0.3)
            async with browser(app, cookie=cookie) as bram:
                await bram.hears("hello")

                async def look(keys: list[str]) -> dict[str, Any]:
                    raise psycopg.OperationalError("the database is away")

                app._doorkeeper.look = look
                await bram.ends()

    run(test)


# ------------------------------------------------------------------------------------------------ after a break


def test_r2_who_comes_back_hears_what_was_missed_once(desk: Desk) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))

    async def test() -> None:
        async with hub() as live:
            app = LiveStream(live)
            async with browser(app, cookie=cookie) as before:
                await before.hears("hello")
                await sync_to_async(happens)(desk, inbox)
                last = (await before.hears("changes")).id
            missed = [await sync_to_async(happens)(desk, inbox) for _ in range(3)]
            async with browser(app, cookie=cookie, last_event_id=last) as after:
                await after.until(lambda: set(missed) <= {each["conversation"] for each in after.changes})
                fresh = await sync_to_async(happens)(desk, inbox)
                await after.until(lambda: after.changes[-1]["conversation"] == fresh)
                told = [each["conversation"] for each in after.changes]
                assert all(told.count(each) == 1 for each in [*missed, fresh])
                assert after.events("refresh") == []

    run(test)


def test_r2_a_page_that_knows_its_number_misses_nothing_before_its_stream_opens(desk: Desk) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))
    happens(desk, inbox)
    number = LiveEvent.objects.latest("number").number
    missed = happens(desk, inbox)

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie, query=f"after={number}") as bram:
            await bram.until(lambda: any(each["conversation"] == missed for each in bram.changes))

    run(test)


@pytest.mark.parametrize("last", ["999999999", "9" * 30, "-1", "abc", "1; DROP TABLE x", "0", "²", "٣"])
def test_r2_a_number_that_was_never_given_out_or_is_too_old_means_fetch_anew(desk: Desk, last: str) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))
    for _ in range(3):
        happens(desk, inbox)
    LiveEvent.objects.filter(number=LiveEvent.objects.earliest("number").number).delete()  # upkeep took the oldest

    async def test() -> None:
        header = last.encode().decode("latin-1")
        async with hub() as live, browser(LiveStream(live), cookie=cookie, last_event_id=header) as bram:
            heard = await bram.hears("refresh")
            assert int(heard.id) == live.newest

    run(test)


def test_r2_too_much_to_tell_means_fetch_anew(desk: Desk) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))
    happens(desk, inbox)
    number = LiveEvent.objects.latest("number").number
    change = [{"conversation": str(uuid.uuid4()), "inbox": str(inbox.id), "thread": None, "what": "state"}]
    LiveEvent.objects.bulk_create(
        [LiveEvent(organisation_id=desk.organisation.id, at=desk.now, changes=change) for _ in range(501)]
    )

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie, last_event_id=str(number)) as bram:
            await bram.hears("refresh")

    run(test)


def test_a_notification_that_is_lost_costs_a_moment_and_no_event(desk: Desk) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))
    change = [{"conversation": str(uuid.uuid4()), "inbox": str(inbox.id), "thread": None, "what": "state"}]

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie) as bram:
            await bram.hears("hello")
            await LiveEvent.objects.acreate(organisation_id=desk.organisation.id, at=desk.now, changes=change)
            assert (await bram.hears("changes")).data == change

    run(test)


def test_rows_that_commit_out_of_order_are_all_heard(desk: Desk, owner: str) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))

    async def insert(connection: psycopg.AsyncConnection[Any]) -> str:
        conversation = str(uuid.uuid4())
        change = psycopg.types.json.Jsonb([{"conversation": conversation, "inbox": str(inbox.id), "what": "state"}])
        await connection.execute(
            "INSERT INTO conversations_liveevent (organisation_id, at, changes) VALUES (%s, now(), %s)",
            [desk.organisation.id, change],
        )
        return conversation

    async def test() -> None:
        async with (
            hub() as live,
            browser(LiveStream(live), cookie=cookie) as bram,
            await psycopg.AsyncConnection.connect(owner) as slow,
            await psycopg.AsyncConnection.connect(owner) as quick,
        ):
            await bram.hears("hello")
            first = await insert(slow)  # takes the lower number, and commits last
            second = await insert(quick)
            await quick.commit()
            await bram.until(lambda: [each["conversation"] for each in bram.changes] == [second])
            await slow.commit()
            await bram.until(lambda: [each["conversation"] for each in bram.changes] == [second, first])

    run(test)


def test_a_lost_connection_to_the_database_loses_no_event(desk: Desk, owner: str) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))

    async def test() -> None:
        async with (
            hub() as live,
            browser(LiveStream(live), cookie=cookie) as bram,
            await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection,
        ):
            await bram.hears("hello")
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query LIKE"
                " 'SELECT number, \"organisation_id\"%'"
            )
            conversation = await sync_to_async(happens)(desk, inbox)
            await bram.until(lambda: any(each["conversation"] == conversation for each in bram.changes))

    run(test)


# ------------------------------------------------------------------------------------------------ what it costs


def test_r3_a_client_that_stops_reading_is_dropped_with_what_waited_for_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventstream, "_SEND_SECONDS", 1.0)
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))
    other = signed_in(desk.person("Noor"))
    change = [{"conversation": str(uuid.uuid4()), "inbox": str(inbox.id), "thread": None, "what": "message"}] * 50

    async def test() -> None:
        async with hub(most_bytes=20_000, poll_seconds=0.05) as live:
            app = LiveStream(live)
            async with browser(app, cookie=cookie) as bram, browser(app, cookie=other) as noor:
                await bram.hears("hello")
                await noor.hears("hello")
                bram.is_reading = False
                organisation_id = str(desk.organisation.id)
                [waiting] = [each for each in live._subscriptions[organisation_id] if each is not None][:1]
                for number in range(1, 9):
                    await LiveEvent.objects.acreate(organisation_id=desk.organisation.id, at=desk.now, changes=change)
                    await noor.hears("changes", number=number)  # who reads is not held up by who does not
                await bram.ends()
                assert waiting._bytes <= 20_000
                assert len(live._subscriptions[organisation_id]) == 1

    run(test)


def test_r3_who_reads_slowly_is_told_to_fetch_anew_and_goes_on(desk: Desk) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))

    async def test() -> None:
        async with hub(most_bytes=600) as live, browser(LiveStream(live), cookie=cookie) as bram:
            await bram.hears("hello")
            change = [{"conversation": str(uuid.uuid4()), "inbox": str(inbox.id), "thread": None, "what": "message"}]
            rows = [LiveEvent(organisation_id=desk.organisation.id, at=desk.now, changes=change) for _ in range(20)]
            await LiveEvent.objects.abulk_create(rows)  # one reading of the tail brings them all
            await bram.hears("refresh")
            conversation = await sync_to_async(happens)(desk, inbox)
            await bram.until(lambda: any(each["conversation"] == conversation for each in bram.changes))

    run(test)


def test_a_burst_is_one_word_to_fetch_anew(desk: Desk) -> None:
    inbox, cookie = desk.inbox(), signed_in(desk.person("Bram"))
    changes = [
        {"conversation": str(uuid.uuid4()), "inbox": str(inbox.id), "thread": None, "what": "message"}
        for _ in range(500)
    ]

    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), cookie=cookie) as bram:
            await bram.hears("hello")
            await LiveEvent.objects.acreate(organisation_id=desk.organisation.id, at=desk.now, changes=changes)
            await bram.hears("refresh")
            assert bram.changes == []

    run(test)


def test_r4_two_hundred_streams_share_a_handful_of_connections(desk: Desk, owner: str) -> None:
    inbox = desk.inbox()
    cookies = [signed_in(desk.person(f"P{number}")) for number in range(10)]

    async def test() -> None:
        async with (
            hub() as live,
            await psycopg.AsyncConnection.connect(owner, autocommit=True) as watcher,
            contexts() as enter,
        ):
            app = LiveStream(live)
            everybody = await asyncio.gather(
                *(enter(browser(app, cookie=cookie)) for cookie in itertools.chain(*[cookies] * 20))
            )
            await asyncio.gather(*(each.hears("hello") for each in everybody))
            await sync_to_async(happens)(desk, inbox)
            await asyncio.gather(*(each.hears("changes") for each in everybody))
            cursor = await watcher.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            [used] = await cursor.fetchone() or [0]
            # One that follows the tail, the small pool, this watcher, and the test's own threads.
            assert used <= 1 + live.pool_size + 1 + 4
            assert len({each.told[0].event for each in everybody}) == 1

    run(test)


def test_r4_nobody_can_take_all_streams(desk: Desk) -> None:
    cookie = signed_in(desk.person("Bram"))

    async def test() -> None:
        async with hub() as live, contexts() as enter:
            app = LiveStream(live)
            tabs = [await enter(browser(app, cookie=cookie)) for _ in range(31)]
            await asyncio.gather(*(connected(each) for each in tabs))
            assert sorted(each.status for each in tabs) == [200] * 30 + [401]

    run(test)


def test_r4_browsers_come_back_at_different_moments(desk: Desk) -> None:
    cookie = signed_in(desk.person("Bram"))

    async def test() -> None:
        waits = set()
        async with hub() as live:
            app = LiveStream(live)
            for _ in range(8):
                async with browser(app, cookie=cookie) as bram:
                    await bram.hears("hello")
                    waits.add(bram.told[0].event)
                    assert bram.told[0].event == "retry"

    run(test)


def test_r5_a_quiet_stream_beats_and_one_whose_client_is_gone_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = signed_in(desk.person("Bram"))
    assert eventstream.HEARTBEAT_SECONDS * 2 <= 30

    async def test() -> None:
        async with hub() as live:
            calls: list[Any] = []

            async def app(scope: Any, receive: Any, send: Any) -> None:
                async def choose(changes: Any) -> Any:
                    return changes

                await eventstream.serve(
                    live, str(desk.organisation.id), last_event_id="", choose=choose, receive=receive, send=send,
                    heartbeat_seconds=0.1,
                )  # fmt: skip
                calls.append("ended")

            async with browser(app, cookie=cookie) as bram:
                await bram.hears("heartbeat", number=3)
                bram.send = broken  # type: ignore[method-assign]
                bram.leave()
                await bram.ends()
            assert calls == ["ended"]
            assert live._subscriptions == {}

    async def broken(message: Any) -> None:
        raise ConnectionResetError

    run(test)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_only_get_is_answered(desk: Desk, method: str) -> None:
    async def test() -> None:
        async with hub() as live, browser(LiveStream(live), method=method) as nobody:
            await nobody.ends()
            assert nobody.status == 405

    run(test)


class contexts:  # noqa: N801 (reads as a word)
    """Enter many context managers and leave them all together."""

    def __init__(self) -> None:
        from contextlib import AsyncExitStack

        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Callable[[Any], Coroutine[Any, Any, Browser]]:
        await self._stack.__aenter__()
        return self._stack.enter_async_context

    async def __aexit__(self, *failure: Any) -> None:
        await self._stack.aclose()
