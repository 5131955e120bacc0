"""The crowd: its pace, its bounds, its seed, its stop, and its numbered messages."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from rehearsal import MemoryStage, all_stages, polite_agent

from klankbord_simulator.customers import Customers, RealClock, VirtualClock
from klankbord_simulator.stage import StageError
from klankbord_simulator.stories import ALL_STORIES, FIRST_STORIES, find_story
from klankbord_simulator.stories.habits import Tempo
from klankbord_simulator.stories.performance import Ending
from klankbord_simulator.stories.volume import Load, Number, drive, judge, read_number


class ClockUntil(VirtualClock):
    """A virtual clock that stops the crowd at a moment."""

    def __init__(self, end: float) -> None:
        super().__init__()
        self.end = end

    def wait_until(self, moment: float, stop: threading.Event) -> None:
        super().wait_until(moment, stop)
        if self.now() >= self.end:
            stop.set()


def people_on(stages: list[MemoryStage]) -> set[str]:
    return {message.actor.username for stage in stages for message in stage.said}


def test_six_people_write_within_the_first_minute_so_that_the_inbox_is_not_empty():
    stages = all_stages()
    customers = Customers(stages, clock=ClockUntil(60))
    customers.run(threading.Event())
    assert 6 <= len(people_on(stages)) <= 9
    assert customers.open_count >= 6


def test_after_that_a_new_story_begins_every_twenty_to_forty_seconds():
    customers = Customers(all_stages(polite_agent), clock=ClockUntil(3600), tempo=Tempo(at_once=0, most_open=10_000))
    customers.run(threading.Event())
    begun = len(customers.finished) + customers.open_count
    assert 3600 / 40 <= begun <= 3600 / 20 + 1


def test_no_new_story_begins_while_the_desk_is_full():
    stages = all_stages()
    customers = Customers(stages, clock=ClockUntil(1200), tempo=Tempo(most_open=10, filler=0))
    customers.run(threading.Event())
    assert customers.open_count <= 10
    assert len(people_on(stages)) <= 10 + customers.endings.total()


def test_the_first_stories_are_the_ones_chosen_for_a_first_look():
    customers = Customers(all_stages(polite_agent), clock=VirtualClock(), lasts=6)
    customers.run(threading.Event())
    assert {performance.story.id for performance in customers.finished} == set(FIRST_STORIES)


def test_the_same_seed_brings_the_same_crowd_and_another_seed_another():
    def said(seed: int) -> list[tuple[str, str, str]]:
        stages = all_stages(polite_agent)
        Customers(stages, clock=VirtualClock(), seed=seed, lasts=90).run(threading.Event())
        return [(stage.kind, message.actor.username, message.text) for stage in stages for message in stage.said]

    assert said(3) == said(3)
    assert said(3) != said(4)


def test_a_long_day_without_answers_ends_and_with_filler_there_is_no_end_of_new_people():
    customers = Customers(all_stages(), clock=VirtualClock(), lasts=200, tempo=Tempo(listens_every=60))
    customers.run(threading.Event())
    assert customers.endings[Ending.THANKED] == 0
    assert customers.endings.total() == 200


def test_only_stories_that_a_platform_can_carry_are_told():
    stages = [MemoryStage("email", polite_agent)]
    customers = Customers(stages, clock=VirtualClock(), lasts=40)
    customers.run(threading.Event())
    assert customers.endings.total() == 40
    assert customers.broken == 0
    with pytest.raises(LookupError):
        customers.begin(find_story("voice-note"), now=0.0)


def test_a_platform_that_falls_over_ends_one_story_and_not_the_crowd():
    class Falling(MemoryStage):
        def edit(self, ref: str, text: str) -> None:
            raise ConnectionResetError("gone")

    stages = [Falling("mastodon", polite_agent), MemoryStage("telegram", polite_agent)]
    customers = Customers(
        stages, clock=VirtualClock(), stories=[find_story("edits-post"), find_story("missing-screws")], lasts=2, seed=4
    )
    customers.run(threading.Event())
    assert customers.endings.total() + customers.broken == 2
    assert customers.endings[Ending.THANKED] >= 1


def test_two_days_later_comes_within_a_demonstration_when_pauses_are_shortened():
    clock = VirtualClock()
    tempo = Tempo(longest_pause=600, filler=0)
    stories = [
        replace(find_story("refund-not-received"), reopening=replace(find_story("late-lamp").reopening, chance=1.0))
    ]
    customers = Customers(all_stages(polite_agent), clock=clock, stories=stories, lasts=1, tempo=tempo)
    customers.run(threading.Event())
    assert any("ik weer" in line.text for line in customers.finished[0].transcript)
    assert clock.now() < 3600


def test_at_a_thousand_times_the_pace_people_are_answered_in_real_time_and_a_stop_is_clean():
    customers = Customers(all_stages(polite_agent), clock=RealClock(pace=2000), tempo=Tempo(filler=0))
    stop = threading.Event()
    thread = threading.Thread(target=customers.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 20
    while customers.endings.total() < 5 and time.monotonic() < deadline:
        stop.wait(0.02)
    stop.set()
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert customers.endings[Ending.THANKED] >= 5


def test_a_pace_of_nothing_is_refused():
    with pytest.raises(ValueError, match="above zero"):
        RealClock(pace=0)


# ---------------------------------------------------------------------------------------------- numbered messages


def numbered(stage: MemoryStage) -> list[list[str]]:
    threads: dict[str, list[str]] = {}
    for message in stage.said:
        threads.setdefault(message.actor.username, []).append(message.text)
    return list(threads.values())


def test_a_load_is_written_whole_and_in_order_in_each_conversation():
    stage = MemoryStage("telegram")
    driven = drive(stage, Load("bench", conversations=40, messages_each=5), stop=threading.Event())
    assert len(driven.sent) == len(stage.said) == 200
    assert judge(driven.sent, numbered(stage), run="bench").is_clean
    assert len(numbered(stage)) == 40


def test_loss_doubles_and_disorder_are_each_seen():
    stage = MemoryStage("email")
    driven = drive(stage, Load("bench", conversations=1, messages_each=5, writers=1), stop=threading.Event())
    one, two, three, four, five = (message.text for message in stage.said)
    verdict = judge(driven.sent, [[one, three, two, five, five, "hallo"]], run="bench")
    assert verdict.lost == {read_number(four)}
    assert verdict.doubled == {read_number(five)}
    assert verdict.out_of_order == {read_number(two)}
    assert verdict.strangers == 1


def test_a_conversation_split_over_two_threads_is_judged_thread_by_thread():
    sent = [Number("bench", 1, place, 4) for place in (1, 2, 3, 4)]
    assert judge(sent, [[f"a {sent[0]}", f"b {sent[2]}"], [f"c {sent[1]}", f"d {sent[3]}"]], run="bench").is_clean


def test_what_a_platform_refused_is_reported_and_not_counted_as_sent():
    class Refusing(MemoryStage):
        def say(self, *args, **more):
            if len(self.said) == 3:
                self.said.append(self.said[-1])
                raise StageError("full")
            return super().say(*args, **more)

    driven = drive(Refusing("telegram"), Load("bench", 2, 3, writers=1), stop=threading.Event())
    assert len(driven.sent) == 5
    assert list(driven.failed.values()) == ["StageError: full"]


def test_a_load_with_a_rate_takes_its_time_and_can_be_stopped():
    stop = threading.Event()
    stage = MemoryStage("telegram")
    threading.Timer(0.2, stop.set).start()
    driven = drive(stage, Load("bench", conversations=100, messages_each=100, per_second=50), stop=stop)
    assert len(driven.sent) < 60
    assert driven.seconds < 5


def test_a_text_without_a_tag_has_no_number():
    assert read_number("Waar blijft mijn lamp? [1/3]") is None


def test_no_story_is_left_out_of_the_first_round():
    customers = Customers(
        all_stages(polite_agent), clock=VirtualClock(), lasts=len(ALL_STORIES), tempo=Tempo(filler=0.9)
    )
    customers.run(threading.Event())
    assert len({performance.story.id for performance in customers.finished}) == len(ALL_STORIES)
