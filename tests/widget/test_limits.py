"""C6, C7: what one network or visitor may do holds for all web processes together, and costs the database little."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from klankbord.desk.inboxes.models import Knock
from klankbord.doors.widget.limits import ADDRESSES, FILES, MESSAGES, NEW_VISITS, limiter
from klankbord.flows import clockwork, visitors
from klankbord.flows.visitors import Rate, knock
from roles import become_within

from .widget_site import Site

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TWICE = Rate("twice", burst=2, per_minute=6)
OFTEN = Rate("often", burst=100, per_minute=100)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_bucket_is_emptied_says_when_and_fills_again(db: None) -> None:
    assert [knock((TWICE, "a"), now=NOON) for _ in range(3)] == [0, 0, 10]
    assert knock((TWICE, "a"), now=after(4)) == 6  # knocking on makes the wait no longer
    assert knock((TWICE, "b"), now=NOON) == 0
    assert knock((TWICE, "a"), now=after(10)) == 0
    assert knock((TWICE, "a"), now=after(10)) == 10
    assert [knock((TWICE, "a"), now=after(600)) for _ in range(3)] == [0, 0, 10]  # full, and no fuller


def test_the_emptiest_of_several_buckets_decides(db: None) -> None:
    assert [knock((OFTEN, "network"), (TWICE, "visitor"), now=NOON) for _ in range(3)] == [0, 0, 10]
    assert knock((OFTEN, "network"), (TWICE, "another"), now=NOON) == 0


def test_the_table_costs_no_disk_and_holds_no_address(db: None) -> None:
    knock((OFTEN, "192.0.2.0/24"), (TWICE, "visitor"), now=NOON)
    assert [len(each.who) for each in Knock.objects.all()] == [64, 64]
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'inboxes_knock'")
        assert cursor.fetchone() == ("u",)


def test_the_hourly_upkeep_keeps_only_what_still_says_something(db: None) -> None:
    knock((TWICE, "past"), now=NOON)
    knock((TWICE, "present"), now=after(3_600))
    become_within("worker")
    clockwork.keep_house(now=after(3_600), delivery_days=30)
    become_within("app")
    assert Knock.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_c6_many_processes_at_once_give_out_no_more_than_one_would() -> None:
    """Threads with connections of their own are to the database what processes are."""

    def flood(_: int) -> int:
        try:
            return sum(knock((Rate("flood", burst=40, per_minute=1), "192.0.2.0/24"), now=NOON) == 0 for _ in range(20))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as processes:
        assert sum(processes.map(flood, range(6))) == 40


def refused(answers: list[Any], most: int) -> None:
    """Exactly so many were taken, and the others heard when to come back."""
    taken = [each for each in answers if each.status_code < 300]
    late = [each for each in answers if each.status_code == 429]
    assert (len(taken), len(late)) == (most, len(answers) - most)
    assert all(each.json() == {"error": "too-fast"} and 1 <= int(each["Retry-After"]) <= 60 for each in late)


def in_a_fresh_process(do: Any) -> Any:
    """As another web process would answer it: nothing of the former requests is remembered here."""
    limiter.forget()
    return do()


def test_c6_new_visitors_of_one_address_are_counted_over_all_processes(site: Site) -> None:
    refused([in_a_fresh_process(lambda: site.visitor().begun) for _ in range(NEW_VISITS.burst + 3)], NEW_VISITS.burst)


def test_c6_messages_of_one_visitor_are_counted_over_all_processes(site: Site) -> None:
    anouk = site.visitor()
    refused([in_a_fresh_process(lambda: anouk.say("Hallo?")) for _ in range(MESSAGES.burst + 3)], MESSAGES.burst)
    assert site.visitor().say("Ik ook").status_code == 202  # a neighbour behind the same address goes on


def test_c7_files_of_one_visitor_are_counted_over_all_processes(site: Site) -> None:
    anouk = site.visitor()

    def attach() -> Any:
        answer = anouk.attach("a.txt", b"x")
        anouk.say("Kijk", files=[answer.json()["id"]]) if answer.status_code == 201 else None
        return answer

    refused([in_a_fresh_process(attach) for _ in range(FILES.burst + 2)], FILES.burst)


def test_c7_new_visitors_of_one_address_share_what_their_network_may_upload(site: Site, monkeypatch: Any) -> None:
    monkeypatch.setattr("klankbord.doors.widget.views.NETWORK_FILES", Rate("few", burst=3, per_minute=1))
    refused([site.visitor().attach("a.txt", b"x") for _ in range(5)], 3)


def test_addresses_are_not_tried_in_numbers(site: Site) -> None:
    anouk = site.visitor()
    answers = [anouk.post("email", {"email": f"a{number}@example.nl"}) for number in range(ADDRESSES.burst + 2)]
    refused(answers, ADDRESSES.burst)


def test_a_clock_that_runs_behind_does_not_open_the_door(db: None) -> None:
    """Web processes on two machines: the moments they name differ a little."""
    assert [knock((TWICE, "a"), now=NOON) for _ in range(2)] == [0, 0]
    assert knock((TWICE, "a"), now=after(-2)) == 12


def test_a_site_that_calls_us_itself_can_read_when_to_come_back(site: Site) -> None:
    anouk = site.visitor()
    last = [anouk.say("Hallo?") for _ in range(MESSAGES.burst + 1)][-1]
    assert last.status_code == 429
    assert "Retry-After" in last["Access-Control-Expose-Headers"]
    assert Client().get(f"/widget/v1/frame?key={site.key}").status_code == 200  # the window itself still opens


def test_what_is_swept_is_free_again(db: None) -> None:
    knock((TWICE, "a"), now=NOON)
    become_within("worker")
    assert visitors.forget_knocks(now=after(11)) == 1
    become_within("app")
    assert [knock((TWICE, "a"), now=after(11)) for _ in range(2)] == [0, 0]
