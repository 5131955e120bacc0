"""Webhooks: told what happened, signed, at least once, for days; then paused, and sent afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection, transaction

from desk_builder import Desk
from klankbord.desk.conversations.models import Conversation, Message
from klankbord.desk.errors import Invalid, NotAllowed
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.integrations.models import CallState, Webhook, WebhookCall
from klankbord.desk.organisations.models import AuditLine, Errand, Membership, Role
from klankbord.flows import calling, casework, reply, webhooks
from klankbord.flows.wiring import wires
from klankbord.kernel import standardwebhooks
from roles import become

pytestmark = pytest.mark.django_db(transaction=True)  # an event counts once it is committed

EVENTS = ["conversation.opened", "message.received", "conversation.resolved", "note.written"]


class FarSide:
    """Another system that is told things. statuses: what it answers, the last one for ever."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.statuses, self.headers = [200], {}
        far = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                far.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status = far.statuses.pop(0) if len(far.statuses) > 1 else far.statuses[0]
                self.send_response(status)
                for name, value in far.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "4")
                self.end_headers()
                self.wfile.write(b"nou!")

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def told(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.calls]


class AtOnce(Executor):
    """Runs in this thread what it is given."""

    def submit(self, do: Any, /, *given: Any, **named: Any) -> Future[Any]:
        do(*given, **named)
        return Future()


def receive(desk: Desk, inbox: Inbox, *events: Any) -> list[Conversation]:
    with transaction.atomic():  # in which the builder changes roles
        return desk.receive(inbox, *events)


class Scene:
    def __init__(self, desk: Desk, far: FarSide) -> None:
        self.desk, self.far = desk, far
        self.boss = desk.person("Baas", Role.ADMINISTRATOR)
        self.inbox = desk.inbox()
        with desk.open():
            self.webhook, self.secret = webhooks.add(
                name="Winkel", url=far.url, events=EVENTS, by=self.boss, now=desk.now
            )

    def work(self) -> None:
        """The worker's turns until nothing is due."""
        become("worker")
        try:
            calling.hand_out(now=self.desk.now)
            flight = calling.Flight()
            while calling.call_due(now=self.desk.now, http=wires().http, executor=AtOnce(), flight=flight):
                pass
        finally:
            become("app")

    def calls(self) -> list[WebhookCall]:
        with self.desk.open():
            return list(WebhookCall.objects.order_by("created_at", "id"))

    def now_webhook(self) -> Webhook:
        with self.desk.open():
            return Webhook.objects.get()


@pytest.fixture
def scene(desk: Desk) -> Iterator[Scene]:
    far = FarSide()
    yield Scene(desk, far)
    far.server.shutdown()
    far.server.server_close()


def test_what_happens_is_told_once_and_signed(desk: Desk, scene: Scene) -> None:
    receive(desk, scene.inbox, desk.event(text="Waar blijft het?"))
    scene.work()
    scene.work()
    assert sorted(scene.far.told()) == ["conversation.opened", "message.received"]
    for headers, body in scene.far.calls:
        assert standardwebhooks.is_authentic(headers, body, secret=scene.secret, at=desk.now)
    [received] = [json.loads(body) for _, body in scene.far.calls if b"message.received" in body]
    assert received["data"]["message"]["text"] == "Waar blijft het?"
    assert received["data"]["conversation"]["number"] == 1


def test_only_what_it_asked_for_is_told(desk: Desk, scene: Scene) -> None:
    [case] = receive(desk, scene.inbox, desk.event())
    with desk.open():
        casework.add_label(conversation=case.id, name="klacht", by=scene.boss, now=desk.now)
        casework.resolve(conversation=case.id, by=scene.boss, now=desk.now)
    scene.work()
    assert sorted(scene.far.told()) == ["conversation.opened", "conversation.resolved", "message.received"]


def test_what_happened_before_it_was_made_is_not_told(desk: Desk, scene: Scene) -> None:
    with desk.open():
        webhooks.remove(webhook=scene.webhook.id, by=scene.boss, now=desk.now)
    receive(desk, scene.inbox, desk.event())
    with desk.open():
        webhooks.add(name="Later", url=scene.far.url, events=EVENTS, by=scene.boss, now=desk.now)
    scene.work()
    assert scene.far.told() == []


def test_an_event_that_commits_late_is_not_missed(desk: Desk, scene: Scene) -> None:
    """A slow transaction began before a quick one, and ends after the worker has looked."""
    import psycopg

    slow = psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor, "context": None})
    slow.execute("SELECT pg_current_xact_id()")
    receive(desk, scene.inbox, desk.event())
    scene.work()
    assert scene.far.told() == []  # not yet: the slow one may still write something that comes before
    slow.commit()
    slow.close()
    scene.work()
    assert len(scene.far.told()) == 2


def test_a_refused_call_is_made_again_under_the_same_id(desk: Desk, scene: Scene) -> None:
    scene.far.statuses = [500, 200]
    with desk.open():
        webhooks.change(
            webhook=scene.webhook.id, name="Winkel", url=scene.far.url, events=["message.received"], by=scene.boss,
            now=desk.now,
        )  # fmt: skip
    receive(desk, scene.inbox, desk.event())
    scene.work()
    [call] = scene.calls()
    assert (call.state, call.status, call.attempts) == (CallState.WAITING, 500, 1)
    assert scene.now_webhook().failing_since == desk.now
    desk.later(seconds=10)
    scene.work()
    [call] = scene.calls()
    assert (call.state, call.attempts) == (CallState.ARRIVED, 2)
    assert scene.far.calls[0][0]["webhook-id"] == scene.far.calls[1][0]["webhook-id"] == str(call.id)
    assert scene.now_webhook().failing_since is None


def test_an_answer_that_asks_for_patience_gets_it(desk: Desk, scene: Scene) -> None:
    scene.far.statuses, scene.far.headers = [429], {"retry-after": "3600"}
    receive(desk, scene.inbox, desk.event())
    scene.work()
    assert all(each.due_at - desk.now >= timedelta(hours=1) for each in scene.calls())


def test_the_log_holds_no_words_of_people(desk: Desk, scene: Scene) -> None:
    receive(desk, scene.inbox, desk.event(text="stroopwafel", person={"id": "anouk", "name": "Anouk de Wit"}))
    scene.work()
    for call in scene.calls():
        assert "stroopwafel" not in call.asked
        assert "Anouk" not in call.asked
        assert call.answered == "nou!"
        assert (call.status, call.state) == (200, CallState.ARRIVED)


def test_days_of_failure_pause_it_and_tell_administrators(desk: Desk, scene: Scene) -> None:
    scene.far.statuses = [503]
    receive(desk, scene.inbox, desk.event())
    for _ in range(12):
        scene.work()
        desk.later(hours=12)
    webhook = scene.now_webhook()
    assert (webhook.state, webhook.state_reason) == ("paused", "days")
    with desk.open():
        assert AuditLine.objects.filter(deed="webhook paused", by=None).count() == 1
    assert count_errands() == 1
    told = len(scene.far.calls)
    desk.later(days=1)
    scene.work()
    assert len(scene.far.calls) == told


def count_errands() -> int:
    become("worker")
    try:
        return Errand.objects.filter(kind="mail").count()
    finally:
        become("app")


def test_gone_pauses_at_once(desk: Desk, scene: Scene) -> None:
    scene.far.statuses = [410]
    receive(desk, scene.inbox, desk.event())
    scene.work()
    assert scene.now_webhook().state_reason == "gone"


def test_what_happened_during_a_pause_can_be_sent_afterwards(desk: Desk, scene: Scene) -> None:
    with desk.open():
        webhooks.pause(webhook=scene.webhook.id, by=scene.boss, now=desk.now)
    receive(desk, scene.inbox, desk.event())
    scene.work()
    with desk.open():
        webhooks.resume(webhook=scene.webhook.id, by=scene.boss, now=desk.now)
    scene.work()
    assert scene.far.told() == []
    since = desk.now - timedelta(hours=1)
    for expected in (2, 0):
        with desk.open():
            count = webhooks.send_since(webhook=scene.webhook.id, since=since, by=scene.boss, now=desk.now)
        assert count == expected
    scene.work()
    assert len(scene.far.told()) == 2


def test_given_up_calls_are_sent_again_one_or_all(desk: Desk, scene: Scene) -> None:
    receive(desk, scene.inbox, desk.event())
    scene.work()
    with desk.open():
        WebhookCall.objects.update(state=CallState.GIVEN_UP)
        assert webhooks.send_failed_again(webhook=scene.webhook.id, by=scene.boss, now=desk.now) == 2
    scene.work()
    assert len(scene.far.calls) == 4
    with desk.open():
        webhooks.send_again(webhook=scene.webhook.id, call=scene.calls()[0].id, by=scene.boss, now=desk.now)
    scene.work()
    assert len(scene.far.calls) == 5


def test_a_changed_secret_and_the_former_one_both_sign_for_a_day(desk: Desk, scene: Scene) -> None:
    with desk.open():
        fresh = webhooks.rotate(webhook=scene.webhook.id, by=scene.boss, now=desk.now)
        webhooks.send_test(webhook=scene.webhook.id, by=scene.boss, now=desk.now)
    scene.work()
    headers, body = scene.far.calls[-1]
    for secret in (fresh, scene.secret):
        assert standardwebhooks.is_authentic(headers, body, secret=secret, at=desk.now)
    desk.later(hours=25)
    with desk.open():
        webhooks.send_test(webhook=scene.webhook.id, by=scene.boss, now=desk.now)
    scene.work()
    headers, body = scene.far.calls[-1]
    assert standardwebhooks.is_authentic(headers, body, secret=fresh, at=desk.now)
    assert not standardwebhooks.is_authentic(headers, body, secret=scene.secret, at=desk.now)


def test_a_deleted_message_is_told_without_its_words(desk: Desk, scene: Scene) -> None:
    receive(desk, scene.inbox, desk.event(text="stroopwafel"))
    with desk.open():
        Message.objects.update(deleted_at=desk.now)
    scene.work()
    assert not any(b"stroopwafel" in body for _, body in scene.far.calls)


def test_a_worker_that_died_in_a_call_leaves_it_to_the_next(desk: Desk, scene: Scene) -> None:
    receive(desk, scene.inbox, desk.event())
    become("worker")
    try:
        calling.hand_out(now=desk.now)
        assert len(calling.claim(now=desk.now, most=8, besides=[])) == 2
        assert calling.claim(now=desk.now, most=8, besides=[]) == []
    finally:
        become("app")
    desk.later(minutes=2)
    scene.work()
    assert len(scene.far.told()) == 2


@pytest.mark.parametrize(
    "url", ["", "ftp://a.example/x", "https://u:p@a.example/", "https:///x", "http://[::1", "x" * 1100]
)
def test_an_address_that_is_none_is_refused(desk: Desk, scene: Scene, url: str) -> None:
    with desk.open(), pytest.raises(Invalid):
        webhooks.add(name="x", url=url, events=EVENTS, by=scene.boss, now=desk.now)


def test_a_private_address_is_not_called(desk: Desk, scene: Scene) -> None:
    with desk.open():
        made, _ = webhooks.add(
            name="Binnen", url="http://169.254.169.254/latest", events=EVENTS, by=scene.boss, now=desk.now
        )
        webhooks.send_test(webhook=made.id, by=scene.boss, now=desk.now)
    scene.work()
    [call] = [each for each in scene.calls() if each.webhook_id == made.id]
    assert (call.state, call.status) == (CallState.GIVEN_UP, None)
    assert "public" in call.reason


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.ANALYST])
def test_only_administrators_look_after_webhooks(desk: Desk, scene: Scene, role: Role) -> None:
    other: Membership = desk.person("Ander", role)
    with desk.open():
        for deed in (webhooks.pause, webhooks.resume, webhooks.remove, webhooks.rotate, webhooks.send_test):
            with pytest.raises(NotAllowed):
                deed(webhook=scene.webhook.id, by=other, now=desk.now)
        with pytest.raises(NotAllowed):
            webhooks.webhooks(other)


def test_another_organisation_is_told_nothing(desk: Desk, scene: Scene) -> None:
    other = Desk("ander")
    receive(other, other.inbox(), other.event())
    scene.work()
    assert scene.far.told() == []


def test_a_note_is_told(desk: Desk, scene: Scene) -> None:
    [case] = receive(desk, scene.inbox, desk.event())
    with desk.open():
        reply.write_note(conversation=case.id, text="Let op", by=scene.boss, now=desk.now, client_key="n")
    scene.work()
    assert "note.written" in scene.far.told()
