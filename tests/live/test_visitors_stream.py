"""A visitor's stream: hears of their own place only, and nothing that names anything."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from desk_builder import Desk
from klankbord.desk.contacts.models import Contact, Handle
from klankbord.desk.conversations.cases import tell
from klankbord.desk.conversations.models import Conversation, Thread
from klankbord.desk.inboxes.models import Inbox, InboxRoute, VisitorSession
from klankbord.doors.widget.stream import VisitorStream
from klankbord.flows import visitors
from klankbord.flows.accounts import unseal
from klankbord.flows.visitors import Visit

from .listening import browser, hub

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return Desk()


@pytest.fixture
def chat(desk: Desk) -> Inbox:
    return desk.inbox("Site", kind="webchat", site_name="Morgenster", origins="https://morgenster.example")


def arrives(desk: Desk, chat: Inbox) -> tuple[str, Visit]:
    widget = visitors.find_widget(unseal(chat.credentials)["hook_token"])
    assert widget is not None
    return visitors.start_visit(widget=widget, identity=None, now=desk.now)


def has_thread(desk: Desk, chat: Inbox, visit: Visit, conversation: Conversation | None = None) -> Thread:
    with desk.open():
        contact = Contact.objects.create(name="Anouk", created_at=desk.now)
        handle = Handle.objects.create(contact=contact, kind="webchat", realm=str(chat.id), external_id=visit.visitor)
        number = Conversation.objects.count() + 1
        conversation = conversation or Conversation.objects.create(
            number=number, contact=contact, inbox=chat, visibility="private", is_idle=True, sort_at=desk.now,
            last_message_at=desk.now, created_at=desk.now,
        )  # fmt: skip
        thread: Thread = Thread.objects.create(
            conversation=conversation, inbox=chat, handle=handle, place_key=visit.visitor, visibility="private",
            token=uuid.uuid4().hex, created_at=desk.now,
        )  # fmt: skip
        return thread


def happens(desk: Desk, thread: Thread, what: str = "message", *, names_thread: bool = True) -> None:
    change = {
        "conversation": thread.conversation_id, "inbox": thread.inbox_id,
        "thread": thread.id if names_thread else None, "what": what,
    }  # fmt: skip
    with desk.open():
        tell([change], now=desk.now)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def test_a_visitor_hears_that_there_is_an_answer_and_nothing_about_it(desk: Desk, chat: Inbox) -> None:
    token, visit = arrives(desk, chat)
    thread = has_thread(desk, chat, visit)

    async def test() -> None:
        async with hub() as live, browser(VisitorStream(live), authorization=f"Bearer {token}") as anouk:
            await anouk.hears("hello")
            await sync_to_async(happens)(desk, thread)
            assert (await anouk.hears("changes")).data == [{"what": "message"}]
            await sync_to_async(happens)(desk, thread, "typing", names_thread=False)
            assert (await anouk.hears("changes", number=2)).data == [{"what": "typing"}]

    run(test)


def test_r1_a_visitor_hears_nothing_of_other_visitors(desk: Desk, chat: Inbox) -> None:
    (mine, me), (_, other) = arrives(desk, chat), arrives(desk, chat)
    theirs, ours = has_thread(desk, chat, other), has_thread(desk, chat, me)

    async def test() -> None:
        async with hub() as live, browser(VisitorStream(live), authorization=f"Bearer {mine}") as anouk:
            await anouk.hears("hello")
            await sync_to_async(happens)(desk, theirs)
            await sync_to_async(happens)(desk, theirs, "typing", names_thread=False)
            await sync_to_async(happens)(desk, ours)
            await anouk.hears("changes")
            assert anouk.changes == [{"what": "message"}]

    run(test)


def test_a_first_message_that_opens_the_thread_is_heard(desk: Desk, chat: Inbox) -> None:
    token, visit = arrives(desk, chat)

    async def test() -> None:
        async with hub() as live, browser(VisitorStream(live), authorization=f"Bearer {token}") as anouk:
            await anouk.hears("hello")
            thread = await sync_to_async(has_thread)(desk, chat, visit)
            await sync_to_async(happens)(desk, thread)
            await anouk.hears("changes")

    run(test)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer guess", "Basic eDp5", "Bearer \x00"])
def test_c1_without_a_known_token_there_is_no_stream(desk: Desk, chat: Inbox, authorization: str) -> None:
    async def test() -> None:
        async with hub() as live, browser(VisitorStream(live), authorization=authorization) as nobody:
            await nobody.ends()
            assert nobody.status == 404

    run(test)


def end_session() -> None:
    VisitorSession.objects.all().delete()


def disconnect() -> None:
    InboxRoute.objects.update(is_connected=False)


@pytest.mark.parametrize("lose", [end_session, disconnect])
def test_c10_a_chat_that_ends_closes_its_stream(desk: Desk, chat: Inbox, lose: Callable[[], None]) -> None:
    token, _ = arrives(desk, chat)

    async def test() -> None:
        async with (
            hub() as live,
            browser(VisitorStream(live, look_again_seconds=0.3), authorization=f"Bearer {token}") as anouk,
        ):
            await anouk.hears("hello")
            await sync_to_async(lose)()
            await anouk.ends()

    run(test)


def test_r2_a_visitor_who_comes_back_hears_what_was_missed(desk: Desk, chat: Inbox) -> None:
    token, visit = arrives(desk, chat)
    thread = has_thread(desk, chat, visit)

    async def test() -> None:
        async with hub() as live:
            app, authorization = VisitorStream(live), f"Bearer {token}"
            await sync_to_async(happens)(desk, thread)
            async with browser(app, authorization=authorization) as before:
                last = (await before.hears("hello")).id
            await sync_to_async(happens)(desk, thread)
            async with browser(app, authorization=authorization, last_event_id=last) as after:
                assert (await after.hears("changes")).data == [{"what": "message"}]
            async with browser(app, authorization=authorization, last_event_id="99999999") as forged:
                await forged.hears("refresh")

    run(test)
