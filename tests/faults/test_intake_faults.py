"""What comes in survives what kills the processes and the database that take it in."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from klankbord.plumbing.postgres import EmbeddedPostgres
from klankbord_simulator.stories.volume import Number

from .checker import check_intake
from .generator import Generator, message, post
from .house import KILLS, MESSAGES, House, wait_until


def settle_and_check(house: House, target: object, load: Generator) -> None:
    load.finish()
    wait_until(house.is_settled, "settling everything", seconds=60 if MESSAGES < 10_000 else 600)
    check_intake(house, target, load.accepted)  # type: ignore[arg-type]


@pytest.mark.parametrize("victims", [("web",), ("worker",), ("web", "worker")], ids=["F1-web", "F2-worker", "F5-all"])
def test_what_was_answered_2xx_is_stored_once_though_processes_are_killed(house: House, victims: tuple[str]) -> None:
    target = house.inbox()
    house.start("web", "worker")
    load = Generator(house, target, total=MESSAGES).start()
    for kill in range(KILLS):
        load.wait_for((kill + 0.5) / KILLS)
        house.kill(*victims)
        house.start(*victims)
    settle_and_check(house, target, load)
    assert len(load.accepted) == load.total


@pytest.mark.parametrize("how", ["immediate", "kill"], ids=["F7-immediate", "F7-kill-9"])
def test_a_database_that_dies_in_the_middle_of_batches_loses_and_doubles_nothing(
    house: House, engine: EmbeddedPostgres, how: str
) -> None:
    target = house.inbox()
    house.start("web", "worker")
    load = Generator(house, target, total=MESSAGES).start()
    for kill in range(2):
        load.wait_for((kill + 0.5) / 2)
        postmaster = postmaster_of(engine)
        os.kill(postmaster, signal.SIGQUIT if how == "immediate" else signal.SIGKILL)
        wait_until(lambda dead=postmaster: is_answering(house, dead, engine), "the database's return")  # type: ignore[misc]
    settle_and_check(house, target, load)


def test_f8_without_a_database_the_door_says_503_and_never_2xx_and_all_comes_in_afterwards(
    house: House, engine: EmbeddedPostgres
) -> None:
    target = house.inbox()
    house.start("web", "worker")
    assert post(fresh_connection(house), target, body_of(Number("before", 0, 1, 1))) == 200
    postmaster = postmaster_of(engine)
    gone = [postmaster, *backends_of(postmaster)]
    tell_all(gone, signal.SIGSTOP)  # lets nobody in, and answers nobody who is in
    try:
        assert post(fresh_connection(house), target, body_of(Number("during", 0, 1, 1))) == 503
    finally:
        tell_all(gone, signal.SIGCONT)
    load = Generator(house, target, total=100).start()
    settle_and_check(house, target, load)


def test_f9_when_no_connection_is_left_the_door_says_503_and_recovers(house: House) -> None:
    target = house.inbox()
    house.start("web", "worker")
    assert post(fresh_connection(house), target, body_of(Number("before", 0, 1, 1))) == 200
    hoard: list[psycopg.Connection] = []
    try:
        take_all_connections(house, hoard)
        hoard[0].execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND NOT pid = ANY(%s)",
            [[each.info.backend_pid for each in hoard]],
        )
        take_all_connections(house, hoard)  # the places that just became free
        assert post(fresh_connection(house), target, body_of(Number("during", 0, 1, 1))) == 503
        assert httpx.get(f"{house.url}/readyz", trust_env=False, timeout=20).status_code == 503
    finally:
        for each in hoard:
            each.close()
    load = Generator(house, target, total=100).start()
    settle_and_check(house, target, load)


def tell_all(processes: list[int], what: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):  # a connection may end on its own meanwhile
            os.kill(process, what)


def take_all_connections(house: House, hoard: list[psycopg.Connection]) -> None:
    for _ in range(1000):
        try:
            hoard.append(psycopg.connect(house.address, autocommit=True))
        except psycopg.OperationalError:
            return
    pytest.fail("the server lets in more than a thousand")


@pytest.mark.parametrize("code", ["40P01", "40001"], ids=["F10-deadlock", "F10-serialisation"])
def test_a_transaction_that_the_database_refuses_by_chance_is_tried_again(house: House, code: str) -> None:
    target = house.inbox()
    house.rows(
        "CREATE FUNCTION mishap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF random() < 0.25 THEN"
        f" RAISE EXCEPTION 'by chance' USING ERRCODE = '{code}'; END IF; RETURN NULL; END $$"
    )
    house.rows("CREATE TRIGGER mishap AFTER INSERT ON conversations_event FOR EACH STATEMENT EXECUTE FUNCTION mishap()")
    house.start("web", "worker")
    settle_and_check(house, target, Generator(house, target, total=MESSAGES // 4).start())
    assert house.one("SELECT count(*) FROM inboxes_deadletter") == 0


def test_f18_duplicates_and_shuffled_messages_stand_once_and_in_the_platforms_order(house: House) -> None:
    target = house.inbox()
    house.start("web", "worker")
    load = Generator(house, target, total=MESSAGES, duplicates=0.05, shuffled=50).start()
    settle_and_check(house, target, load)
    assert house.one("SELECT sum(count) FROM inboxes_ledgerline WHERE outcome = 'duplicate'") > 0


def test_w6_the_same_delivery_fifty_times_at_once_is_one_message(house: House) -> None:
    target = house.inbox()
    house.start("web", "worker", "worker-2")
    body = body_of(Number("f", 0, 1, 1))
    statuses: list[int] = []
    start = threading.Barrier(50)

    def press() -> None:
        connection = fresh_connection(house)
        start.wait()
        statuses.append(post(connection, target, body))

    threads = [threading.Thread(target=press) for _ in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert statuses == [200] * 50
    wait_until(house.is_settled, "settling")
    check_intake(house, target, {Number("f", 0, 1, 1)})
    assert house.one("SELECT count(*) FROM conversations_message") == 1


def body_of(number: Number) -> bytes:
    return json.dumps(message(number, at=datetime.now(UTC))).encode()


def fresh_connection(house: House) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)


def postmaster_of(engine: EmbeddedPostgres) -> int:
    with psycopg.connect(str(engine.dsn("postgres"))) as connection:
        [folder] = connection.execute("SHOW data_directory").fetchone() or [""]
    with open(f"{folder}/postmaster.pid") as file:
        return int(file.readline())


def backends_of(postmaster: int) -> list[int]:
    with open(f"/proc/{postmaster}/task/{postmaster}/children") as file:
        return [int(each) for each in file.read().split()]


def is_answering(house: House, dead: int, engine: EmbeddedPostgres) -> bool:
    try:
        return house.one("SELECT 1") == 1 and postmaster_of(engine) != dead
    except psycopg.Error:
        return False
