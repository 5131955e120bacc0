"""The index is renewed and the organisation's words are learned by jobs, a few thousand messages at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from klankbord.desk.conversations import index, vocabulary
from klankbord.desk.conversations.models import IndexProgress, KnownWord
from klankbord.flows import finding
from klankbord.kernel.spelling import slips
from roles import become_within


def learn(desk, *, minutes=5):
    become_within("worker")
    try:
        finding.learn_words(organisation_id=desk.organisation.id, ids=[], now=desk.now + timedelta(minutes=minutes))
    finally:
        become_within("app")


def waiting_jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE args->>'work' = 'learn words'")
        return int(cursor.fetchone()[0])


def renewals():
    """As the doctor asks, in the owner's role."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
    try:
        return finding.renewals()
    finally:
        become_within("app")


@pytest.fixture
def now_is_then(desk):
    """Ids carry the clock of this machine, so the desk's time has to be later."""
    desk.later(days=4000)


def test_a_job_leaves_the_rest_to_the_next_one(desk, now_is_then, monkeypatch):
    monkeypatch.setattr(vocabulary, "_AT_ONCE", 2)
    monkeypatch.setattr(finding, "_BATCHES", 2)
    inbox = desk.inbox()
    desk.receive(
        inbox, [desk.event(place=f"p{each}", person={"id": f"p{each}"}, text="Stroopwafels") for each in range(7)]
    )
    assert [(each.done, each.total) for each in renewals()] == [(0, 7)]
    learn(desk)
    assert [(each.done, each.total) for each in renewals()] == [(4, 7)]
    assert waiting_jobs() == 1
    learn(desk)
    assert renewals() == []
    with desk.open():
        assert KnownWord.objects.get(word="stroopwafels").count == 7


def test_a_new_way_of_indexing_begins_again_and_words_are_not_counted_twice(desk, now_is_then, monkeypatch):
    desk.receive(desk.inbox(), desk.event(text="Stroopwafels voor nummer 12345678"))
    learn(desk)
    monkeypatch.setattr(index, "VERSION", index.VERSION + 1)
    assert [(each.done, each.total) for each in renewals()] == [(0, 1)]
    learn(desk)
    assert renewals() == []
    with desk.open():
        assert IndexProgress.objects.get().version == index.VERSION
        assert sorted(KnownWord.objects.values_list("word", "count")) == [
            ("nummer", 1),
            ("stroopwafels", 1),
            ("voor", 1),
        ]


def test_an_hour_begins_one_job_for_each_organisation(desk):
    become_within("worker")
    finding.begin()
    become_within("app")
    assert waiting_jobs() == 1


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("pakket", "pakket", 0), ("pakekt", "pakket", 1), ("paket", "pakket", 1), ("pakkett", "pakket", 1),
     ("bakket", "pakket", 1), ("bakekt", "pakket", 2), ("kast", "fiets", 3), ("", "ab", 2), ("abc", "", 3)],
)  # fmt: skip
def test_slips_of_the_keyboard_are_counted(one, other, count):
    assert slips(one, other, most=2) == min(count, 3)
    assert slips(other, one, most=2) == min(count, 3)
