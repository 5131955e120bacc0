"""What goes out arrives at most once, in order, whatever is killed or ill on either side."""

from __future__ import annotations

import os
import signal
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from klankbord.plumbing.postgres import EmbeddedPostgres
from klankbord_simulator.fakes.loop import LoopThread
from klankbord_simulator.fakes.partner import Partner
from klankbord_simulator.fakes.telegram import Telegram
from klankbord_simulator.faults import Mischief
from klankbord_simulator.record import Entry, Log
from klankbord_simulator.stage import Actor
from klankbord_simulator.stories.volume import Number

from .checker import check_delivery, check_nothing_waits
from .generator import Generator
from .house import KILLS, REPLIES, SECRET, House, Target, wait_until
from .test_intake_faults import is_answering, postmaster_of

SENDERS_PER_INBOX = 6  # what one worker hands over to one inbox at the same time
LANES = 20


def number(lane: int, place: int) -> str:
    return f"We zoeken het uit. {Number('r', lane, place, REPLIES // LANES)}"


def api_inbox(house: House, partner: Partner, *, lanes: int = LANES, name: str = "Webshop") -> Target:
    """An inbox of the partner with one conversation in each lane."""
    target = house.inbox(name, reply_url=f"{partner.url}/replies")
    load = Generator(house, target, total=lanes, each=1, run=f"in{partner.web.port}").start()
    load.finish()
    wait_until(house.is_settled, "the conversations")
    return target


def telegram_inbox(house: House, telegram: Telegram, *, lanes: int = LANES) -> Target:
    target = house.inbox(
        "Telegram", kind="telegram", token=telegram.token, server=telegram.url, is_polling=True,
        facts={"bot_id": "700000001", "username": "wolk_bot", "delivery": "poll"},
    )  # fmt: skip
    for lane in range(lanes):
        person = Actor(name=f"Klant {lane}", username=f"klant_{lane:03}", email=f"klant{lane}@post.example")
        telegram.say(person, "Waar blijft mijn pakket?", public=False)
    wait_until(lambda: house.one("SELECT count(*) FROM conversations_thread") == lanes, "the chats")
    return target


def sent_by(log: Log) -> list[Entry]:
    return log.entries(kind="sent")


def wait_for_share(log: Log, share: float, queued: int) -> None:
    wait_until(lambda: len(sent_by(log)) >= share * queued, f"{share:.0%} sent")


def test_f3_a_killed_worker_sends_nothing_twice_and_doubts_no_more_than_was_under_way(
    house: House, telegram: Telegram
) -> None:
    house.start("web", "worker")
    target = telegram_inbox(house, telegram)
    telegram.mischief.set(delay=0.05)
    queued = house.reply(target, number, each=REPLIES // LANES, lanes=LANES)
    in_doubt = 0
    for kill in range(KILLS):
        # A lane stops at what is uncertain, so fewer and fewer can be reached.
        wait_until(lambda: len(sent_by(telegram.log)) >= (kill + 0.5) * 8, "some more")  # noqa: B023
        house.kill("worker")
        under_way = house.one("SELECT count(*) FROM conversations_outbox WHERE state = 'sending'")
        assert under_way <= SENDERS_PER_INBOX
        in_doubt += under_way
        house.let_leases_run_out()
        house.start("worker")
    wait_until(lambda: is_at_rest(house), "what can still be sent")
    counts = check_delivery(house, target, sent_by(telegram.log), queued=queued, most_uncertain=in_doubt)
    assert counts["uncertain"] == in_doubt
    settle_as_they_are(house, telegram)
    wait_until(house.is_sent, "the rest, once a person has decided")
    counts = check_delivery(house, target, sent_by(telegram.log), queued=queued)
    assert counts["sent"] == queued


def is_at_rest(house: House) -> bool:
    """No reply can leave: all that is left stands behind one that is uncertain."""
    return house.one(
        "SELECT count(*) FROM conversations_outbox o WHERE o.state <> 'uncertain' AND NOT EXISTS"
        " (SELECT 1 FROM conversations_outbox u WHERE u.thread_id = o.thread_id AND u.state = 'uncertain')"
    ) == 0  # fmt: skip


def settle_as_they_are(house: House, telegram: Telegram) -> None:
    """A person looks at the platform and decides about each uncertain reply."""
    from klankbord.desk.wall import organisation
    from klankbord.flows.reply import settle

    arrived = {entry.text for entry in sent_by(telegram.log)}
    rows = house.rows("SELECT id, text FROM conversations_message WHERE state = 'uncertain'")
    with house.hands(), organisation(house.organisation):  # type: ignore[arg-type]
        for message, text in rows:
            settle(message=message, arrived=text in arrived, by=house.noor, now=datetime.now(UTC))


def test_f3_an_answer_that_never_came_is_uncertain_and_its_lane_waits(house: House, telegram: Telegram) -> None:
    house.start("web", "worker")
    target = telegram_inbox(house, telegram, lanes=4)
    telegram.mischief.next("cut_after", times=2, only="sendMessage")
    queued = house.reply(target, number, each=3, lanes=4)
    wait_until(lambda: is_at_rest(house), "what can still be sent")
    counts = check_delivery(house, target, sent_by(telegram.log), queued=queued, most_uncertain=2)
    assert counts == Counter(sent=6, uncertain=2, queued=4)


def test_f15_where_the_platform_knows_our_key_a_lost_answer_is_asked_for_again(house: House, partner: Partner) -> None:
    house.start("web", "worker")
    target = api_inbox(house, partner)
    partner.mischief.set(cut_after=0.2, only="/replies")
    queued = house.reply(target, number, each=3, lanes=LANES)
    wait_until(house.is_sent, "sending all", seconds=100)
    counts = check_delivery(house, target, sent_by(partner.log), queued=queued)
    assert counts["sent"] == queued
    assert partner.log.entries(kind="repeated")


def test_f6_a_worker_that_is_asked_to_end_leaves_nothing_uncertain(house: House, telegram: Telegram) -> None:
    house.start("web", "worker")
    target = telegram_inbox(house, telegram)
    telegram.mischief.set(delay=0.3)
    queued = house.reply(target, number, each=4, lanes=LANES)
    for round_ in range(2):
        wait_for_share(telegram.log, 0.3 * (round_ + 1), queued)
        assert house.terminate("worker") < 30
        assert house.one("SELECT count(*) FROM conversations_outbox WHERE state <> 'queued'") == 0
        house.start("worker")
    wait_until(house.is_sent, "sending all")
    assert check_delivery(house, target, sent_by(telegram.log), queued=queued)["sent"] == queued


def test_f7_a_database_that_dies_while_replies_are_under_way_leaves_no_doubt(
    house: House, engine: EmbeddedPostgres, telegram: Telegram
) -> None:
    house.start("web", "worker")
    target = telegram_inbox(house, telegram)
    telegram.mischief.set(delay=0.3)
    queued = house.reply(target, number, each=3, lanes=LANES)
    wait_for_share(telegram.log, 0.3, queued)
    postmaster = postmaster_of(engine)
    os.kill(postmaster, signal.SIGQUIT)
    wait_until(lambda: is_answering(house, postmaster, engine), "the database's return")
    wait_until(house.is_sent, "sending all")
    assert check_delivery(house, target, sent_by(telegram.log), queued=queued)["sent"] == queued


def test_f10_a_receipt_that_the_database_refuses_by_chance_is_written_again(house: House, telegram: Telegram) -> None:
    house.start("web", "worker")
    target = telegram_inbox(house, telegram, lanes=10)
    house.rows(
        "CREATE FUNCTION mishap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF random() < 0.3 THEN"
        " RAISE EXCEPTION 'by chance' USING ERRCODE = '40P01'; END IF; RETURN NULL; END $$"
    )
    house.rows(
        "CREATE TRIGGER mishap AFTER DELETE ON conversations_outbox FOR EACH STATEMENT EXECUTE FUNCTION mishap()"
    )
    queued = house.reply(target, number, each=3, lanes=10)
    wait_until(house.is_sent, "sending all")
    assert check_delivery(house, target, sent_by(telegram.log), queued=queued)["sent"] == queued


@pytest.mark.parametrize("retry_after", [1, 4], ids=["F13-one-second", "F13-four-seconds"])
def test_a_platform_that_asks_for_a_pause_gets_it_and_the_order_stays(
    house: House, partner: Partner, retry_after: int
) -> None:
    house.start("web", "worker")
    target = api_inbox(house, partner, lanes=5)
    partner.mischief.next("too_many", times=1, only="/replies", retry_after=retry_after)
    queued = house.reply(target, number, each=6, lanes=5)
    asked = datetime.now(UTC)
    wait_until(house.is_sent, "sending all")
    moments = [datetime.fromisoformat(entry.at) for entry in sent_by(partner.log)]
    assert check_delivery(house, target, sent_by(partner.log), queued=queued)["sent"] == queued
    pause = max(later - earlier for earlier, later in zip([asked, *moments], moments, strict=False))
    assert timedelta(seconds=retry_after - 1) <= pause <= timedelta(seconds=retry_after + 1)


def test_f14_a_platform_that_breaks_down_now_and_then_gets_everything_once(house: House, partner: Partner) -> None:
    house.start("web", "worker")
    target = api_inbox(house, partner)
    partner.mischief.set(broken=0.3, only="/replies")
    queued = house.reply(target, number, each=1, lanes=LANES)
    wait_until(house.is_sent, "sending all", seconds=120)
    assert check_delivery(house, target, sent_by(partner.log), queued=queued)["sent"] == queued


def test_f16_a_platform_that_answers_byte_by_byte_does_not_slow_its_neighbours(
    house: House, partner: Partner, loop: LoopThread
) -> None:
    slow = Partner(secret=SECRET, loop=loop, log=Log(), mischief=Mischief(seed=8))
    slow.start()
    house.start("web", "worker")
    fine, ill = api_inbox(house, partner), api_inbox(house, slow, name="Trage winkel")
    before = handing_over_times(house, fine, partner, place=1)
    slow.mischief.set(slow=1.0, bytes_per_second=2.0, only="/replies")
    house.reply(ill, number, each=2, lanes=LANES)
    wait_until(lambda: len(sent_by(slow.log)) >= SENDERS_PER_INBOX, "the slow platform taking its first")
    during = handing_over_times(house, fine, partner, place=2)
    house.kill("worker")
    slow.stop()
    assert statistics.quantiles(during, n=20)[-1] < statistics.quantiles(before, n=20)[-1] + 1.0


def handing_over_times(house: House, target: Target, partner: Partner, *, place: int) -> list[float]:
    """Seconds from a reply in the database to the platform, of one more reply in each lane."""
    known = {entry.key for entry in sent_by(partner.log)}
    queue_more(house, target, place)
    wait_until(lambda: len(sent_by(partner.log)) >= len(known) + LANES, "the fine platform")
    written = dict(house.rows("SELECT id::text, at FROM conversations_message WHERE kind = 'outbound'"))
    fresh = [entry for entry in sent_by(partner.log) if entry.key not in known]
    return [(datetime.fromisoformat(entry.at) - written[entry.key]).total_seconds() for entry in fresh]


def queue_more(house: House, target: Target, place: int) -> None:
    from klankbord.desk.conversations.models import Thread
    from klankbord.desk.wall import organisation
    from klankbord.flows.reply import send_reply

    with house.hands(), organisation(house.organisation):  # type: ignore[arg-type]
        threads = list(Thread.objects.filter(inbox_id=target.inbox).order_by("place_key"))
    for lane, thread in enumerate(threads):
        with house.hands(), organisation(house.organisation):  # type: ignore[arg-type]
            send_reply(
                conversation=thread.conversation_id, thread=thread.id, text=number(lane, place), by=house.noor,
                now=datetime.now(UTC), client_key=f"more-{place}-{lane}", confirmed=True,
            )  # fmt: skip


@pytest.mark.parametrize("is_killed", [False, True], ids=["F38-two-clocks", "F4-killed-clock"])
def test_each_timer_goes_off_once(house: House, is_killed: bool) -> None:
    house.start("web")
    target = house.inbox()
    house.start("worker")
    Generator(house, target, total=300, each=1).start().finish()
    wait_until(house.is_settled, "the conversations")
    house.kill("worker")
    snooze_all(house)
    house.start("worker", "worker-2")
    if is_killed:
        wait_until(lambda: woken(house) > 0, "the first timer")
        house.kill("worker", "worker-2")
        house.start("worker")
    wait_until(lambda: house.one("SELECT count(*) FROM conversations_timer") == 0, "all timers")
    wait_until(lambda: woken(house) == 300, "all woken")
    told = "SELECT count(DISTINCT conversation_id) FROM conversations_event WHERE kind = 'conversation woken'"
    assert house.one(told) == 300
    check_nothing_waits(house)


def woken(house: House) -> int:
    return int(house.one("SELECT count(*) FROM conversations_event WHERE kind = 'conversation woken'"))


def snooze_all(house: House) -> None:
    """All conversations put aside until just now, with a timer each, as the desk does it."""
    from klankbord.desk.wall import organisation
    from klankbord.flows import casework

    moment = datetime.now(UTC) + timedelta(minutes=5)
    ids = [key for (key,) in house.rows("SELECT id FROM conversations_conversation")]
    with house.hands(), organisation(house.organisation):  # type: ignore[arg-type]
        for each in ids:
            casework.snooze(conversation=each, until=moment, by=house.noor, now=datetime.now(UTC))
    with psycopg.connect(house.address) as connection:
        connection.execute("UPDATE conversations_timer SET due_at = now()")
        connection.execute("UPDATE conversations_conversation SET snoozed_until = now()")
