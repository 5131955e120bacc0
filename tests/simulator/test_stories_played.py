"""Every story, played to its end on stages in memory: with an agent who answers, and with one who never does."""

from __future__ import annotations

import threading
from itertools import pairwise
from random import Random

import pytest
from rehearsal import Agent, MemoryStage, Said, all_stages, polite_agent

from klankbord_simulator.customers import Customers, VirtualClock
from klankbord_simulator.stories import ALL_STORIES, find_story
from klankbord_simulator.stories.cast import cast
from klankbord_simulator.stories.filler import make_filler
from klankbord_simulator.stories.habits import Tempo
from klankbord_simulator.stories.model import Spot, Story
from klankbord_simulator.stories.performance import Ending, Performance

every_story = pytest.mark.parametrize("story", ALL_STORIES, ids=lambda story: story.id)
CALM = Tempo(listens_every=30)


def play(
    story: Story, agent: Agent | None, *, spot: Spot | None = None, seed: int = 1
) -> tuple[Performance, dict[str, MemoryStage]]:
    """The story from its first word to its end, on its best spot unless said otherwise."""
    stages = {stage.kind: stage for stage in all_stages(agent)}
    draw = Random(f"{seed}:{story.id}")
    role = cast(story, number=1, draw=draw)
    performance = Performance(story, role, spot or story.spots[0], stages, draw=draw, tempo=CALM, now=0.0)
    moment: float | None = 0.0
    for _ in range(200_000):
        if moment is None:
            return performance, stages
        moment = performance.step(moment)
    raise AssertionError(f"{story.id} does not end")


def said_by_customer(performance: Performance) -> list[str]:
    return [line.text for line in performance.transcript if line.speaker == "customer"]


def an_agent_who_says(*answers: str) -> Agent:
    """Answers the first messages of each person with these, in order, then keeps silent."""

    def answer(stage: MemoryStage, message: Said) -> None:
        so_far = len(stage.heard.get(message.actor.username, []))
        if so_far < len(answers):
            stage.answer(message, answers[so_far])

    return answer


@every_story
def test_with_a_polite_agent_every_story_ends_in_thanks(story):
    performance, _ = play(story, polite_agent)
    assert performance.ending is Ending.THANKED
    assert not [line for line in performance.transcript if line.failed and story.id != "edits-post"]


@every_story
def test_with_a_silent_agent_every_story_ends_too(story):
    performance, _ = play(story, None)
    assert performance.ending is (Ending.GAVE_UP if story.wants_answer else Ending.LEFT)
    silences = sum(len(silence.acts) for silence in story.silences)
    assert len(performance.transcript) == len(story.opening) + silences


@every_story
def test_every_story_can_be_played_on_each_of_its_spots(story):
    for spot in story.spots:
        performance, _ = play(story, polite_agent, spot=spot)
        assert performance.ending is Ending.THANKED


@pytest.mark.parametrize("number", range(30))
def test_filler_ends_like_any_story(number):
    story = make_filler(number=number, draw=Random(number))
    assert play(story, polite_agent)[0].ending is Ending.THANKED
    assert play(story, None)[0].ending is not None


def test_the_same_seed_tells_a_story_with_the_same_words_and_waits():
    first, second, other = (play(find_story("broken-lamp"), polite_agent, seed=seed)[0] for seed in (5, 5, 6))
    assert first.transcript == second.transcript
    assert first.transcript != other.transcript


def test_an_order_number_is_given_when_asked_for():
    performance, _ = play(find_story("late-lamp"), an_agent_who_says("Hoi! Wat is je ordernummer?"))
    assert performance.role.facts["order"] in said_by_customer(performance)


def test_details_asked_for_in_private_are_told_where_nobody_else_reads():
    performance, stages = play(find_story("late-parcel-public"), polite_agent)
    order = performance.role.facts["order"]
    with_order = [message for message in stages["mastodon"].said if order in message.text]
    assert with_order
    assert not any(message.public for message in with_order)


def test_someone_who_hears_nothing_asks_again_after_some_minutes_and_not_before():
    performance, _ = play(find_story("late-lamp"), None)
    times = {line.text: line.at for line in performance.transcript}
    last_of_the_opening = performance.transcript[2].at
    assert 12 * 60 <= times["?"] - last_of_the_opening <= 14 * 60


def test_a_mail_that_stays_unanswered_becomes_an_angry_public_post_by_the_same_person():
    _, stages = play(find_story("double-direct-debit"), None)
    (post,) = stages["mastodon"].said
    assert post.public
    assert post.actor == stages["email"].said[0].actor


def test_one_person_writes_on_two_channels_at_once():
    _, stages = play(find_story("mail-and-mastodon"), None)
    assert stages["email"].said[0].actor == stages["mastodon"].said[0].actor


def test_an_automatic_acknowledgement_is_waited_on_and_never_thanked():
    performance, _ = play(
        find_story("late-lamp"), an_agent_who_says(*["Automatisch bericht: we zijn er weer om 9:00."] * 9)
    )
    assert performance.ending is Ending.GAVE_UP
    assert "?" in said_by_customer(performance)


def test_who_is_told_that_it_will_be_looked_into_waits_and_thanks_for_the_outcome():
    story = find_story("opening-hours")
    performance, _ = play(story, an_agent_who_says("Ik zoek het even voor je uit.", "Ja, van twaalf tot vijf."))
    assert said_by_customer(performance)[1:] == ["Hallo?", "Dank! Tot zondag"]
    performance, _ = play(story, an_agent_who_says("Momentje, ik kom er zo op terug"))
    assert performance.ending is Ending.GAVE_UP


def test_a_mail_has_a_subject_a_signature_and_repeats_what_it_answers():
    performance, stages = play(find_story("warranty-drawer"), polite_agent)
    first, second = stages["email"].said[:2]
    assert first.title == "Garantie ladekast, aankoop maart 2024"
    assert "Hoogachtend" in first.text
    assert performance.role.name in first.text
    assert second.title == f"Re: {first.title}"
    assert "> Wat vervelend, sorry!" in second.text
    assert "schreef Wolk & Zonen:" in second.text


def test_replies_stay_in_the_thread_of_what_they_answer():
    _, stages = play(find_story("refund-not-received"), polite_agent)
    assert {message.in_reply_to for message in stages["telegram"].said} == {None}
    _, stages = play(find_story("wrong-colour"), polite_agent)
    assert [bool(message.in_reply_to) for message in stages["email"].said][:2] == [False, True]


def test_a_vacation_note_is_marked_as_written_by_a_machine():
    _, stages = play(find_story("vat-out-of-office"), polite_agent)
    assert [message.title for message in stages["email"].said if message.is_automatic] == [
        "Afwezig: Offerte 12 vergaderstoelen"
    ]


def test_pictures_voices_stickers_and_places_go_along_as_files():
    def kinds(identifier: str, stage: str) -> set[str]:
        _, stages = play(find_story(identifier), polite_agent)
        return {media.content_type for message in stages[stage].said for media in message.media}

    assert kinds("sofa-left-in-rain", "email") == {"image/png"}
    assert kinds("voice-note", "telegram") == {"audio/ogg"}
    assert kinds("sticker-and-location", "telegram") == {"image/webp", "application/geo+json"}


def test_a_post_is_put_right_and_another_is_taken_back():
    _, stages = play(find_story("edits-post"), None)
    ((ref, text),) = stages["mastodon"].edits
    assert ref == stages["mastodon"].said[0].ref
    assert text.endswith("Komt er nog wat? (edit: dinsdag, sorry)")
    _, stages = play(find_story("deletes-post"), None)
    assert stages["mastodon"].said[0].is_deleted


def test_somebody_comes_back_two_days_later_and_is_thanked_for_that_too():
    returned = [
        performance
        for performance, _ in (play(find_story("late-lamp"), polite_agent, seed=seed) for seed in range(8))
        if any("ik weer" in text for text in said_by_customer(performance))
    ]
    assert 1 <= len(returned) <= 7
    times = [line.at for line in returned[0].transcript]
    assert 48 * 3600 <= max(later - sooner for sooner, later in pairwise(times)) <= 49 * 3600
    assert returned[0].ending is Ending.THANKED


def test_a_post_names_the_shops_account_and_a_chat_does_not():
    story = find_story("compliment-but-question")
    _, stages = play(story, None, spot=Spot.MASTODON)
    assert stages["mastodon"].said[0].text.startswith("@wolkenzonen wat een plaatje")
    _, stages = play(story, None, spot=Spot.WEBCHAT)
    assert stages["webchat"].said[0].text.startswith("wat een plaatje")


def test_a_post_about_the_shop_does_not_name_its_account():
    _, stages = play(find_story("about-us-compliment"), None)
    assert not stages["mastodon"].said[0].addressed


def test_a_story_goes_on_when_a_platform_refuses_an_edit():
    performance, _ = play(find_story("edits-post"), polite_agent, spot=Spot.EMAIL)
    assert [line.failed for line in performance.transcript if line.failed] == ["a mail cannot be changed"]
    assert performance.ending is Ending.THANKED


def test_all_stories_together_end_on_a_virtual_clock():
    customers = Customers(all_stages(polite_agent), clock=VirtualClock(), lasts=len(ALL_STORIES), tempo=Tempo(filler=0))
    customers.run(threading.Event())
    assert customers.endings == {Ending.THANKED: len(ALL_STORIES)}
    assert {performance.story.id for performance in customers.finished} == {story.id for story in ALL_STORIES}
