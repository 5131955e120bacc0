"""The stories themselves: enough of them, of every kind, and nothing in them that could hurt a real person."""

from __future__ import annotations

import io
import re
from collections import Counter
from random import Random

import pytest
from PIL import Image

from klankbord_simulator.stories import ALL_STORIES, FIRST_STORIES, find_story
from klankbord_simulator.stories.cast import cast, fill
from klankbord_simulator.stories.drawings import DESCRIPTIONS, draw_picture, draw_sticker
from klankbord_simulator.stories.filler import make_filler
from klankbord_simulator.stories.habits import misspell
from klankbord_simulator.stories.hearing import hears, is_automatic
from klankbord_simulator.stories.model import (
    Edit,
    Hears,
    Location,
    Say,
    Spot,
    Sticker,
    Story,
    VoiceNote,
    Withdraw,
    acts_of,
    texts_of,
)
from klankbord_simulator.stories.sounds import record_voice

every_story = pytest.mark.parametrize("story", ALL_STORIES, ids=lambda story: story.id)

ASKED_FOR = {
    "late parcel", "not-home card", "broken product", "missing screws", "wrong colour", "refund not received",
    "return label", "compliment", "angry public post", "moves to private", "hard billing question",
    "VAT number on invoice", "warranty", "stock question", "assembly photo", "opening hours", "gift card",
    "address change", "data-protection request", "cancel order", "spam", "emoji only", "500 emoji", "flemish",
    "formal letter", "mail with attachment", "very long complaint", "right-to-left text", "frisian",
    "english tourist", "journalist", "person in distress", "child's drawing", "job applicant", "sarcasm", "swearing",
    "edits post", "deletes post", "out-of-office", "bounce-prone address", "two channels", "thanks only",
    "personal data in public", "named employee", "influencer", "order number only", "voice note", "sticker",
    "location", "turkish-dutch name", "german", "french", "mention",
}  # fmt: skip

# Carriers, payment firms, platforms, shops and banks that a Dutch text easily names.
REAL_COMPANIES = (
    "postnl|dhl|dpd|bpost|fedex|gls|ideal|klarna|paypal|tikkie|bancontact|ikea|bol\\.com|coolblue|wehkamp|leen bakker|"
    "kwantum|jysk|amazon|zalando|action|hema|blokker|gamma|praxis|hornbach|google|facebook|instagram|whatsapp|twitter|"
    "youtube|linkedin|tiktok|telegram|mastodon|rabobank|abn|ing bank|sns|asn|kpn|odido|vodafone|ziggo|apple|samsung|"
    "philips|trustpilot|marktplaats|bitcoin"
)


def words_of(story: Story) -> list[str]:
    """All that the story can say, filled in for one person."""
    role = cast(story, number=1, draw=Random(story.id))
    facts = {**role.facts, "us": "Wolk & Zonen"}
    said = [*texts_of(acts_of(story)), story.subject, story.signature]
    return [*(fill(text, facts) for text in said), role.name, role.email]


def passes_iban_check(text: str) -> bool:
    found = re.search(r"\b([A-Z]{2}\d{2})\s?((?:[A-Z0-9]{4}\s?){2,7}[A-Z0-9]{1,4})\b", text)
    if not found:
        return False
    digits = "".join(str(int(sign, 36)) for sign in re.sub(r"\s", "", found[2] + found[1]))
    return int(digits) % 97 == 1


def test_there_are_stories_of_every_kind_that_was_asked_for():
    told = {theme for story in ALL_STORIES for theme in story.themes}
    assert len(ALL_STORIES) >= 44
    assert ASKED_FOR - told == set()


def test_every_story_has_an_id_of_its_own_and_can_be_found_by_it():
    assert [identifier for identifier, times in Counter(each.id for each in ALL_STORIES).items() if times > 1] == []
    assert all(find_story(story.id) is story for story in ALL_STORIES)
    assert [find_story(identifier).id for identifier in FIRST_STORIES] == list(FIRST_STORIES)
    with pytest.raises(LookupError):
        find_story("no-such-story")


def test_most_stories_are_dutch_and_the_neighbours_are_heard_too():
    languages = Counter(story.language for story in ALL_STORIES)
    assert languages["nl"] > len(ALL_STORIES) / 2
    assert languages["nl-BE"] >= 4
    assert languages["en"] >= 6
    assert {"de", "fr", "fy", "ar"} <= set(languages)


def test_every_spot_is_home_to_stories():
    homes = Counter(story.spots[0] for story in ALL_STORIES)
    assert min(homes[spot] for spot in (Spot.MASTODON, Spot.TELEGRAM, Spot.EMAIL, Spot.WEBCHAT)) >= 10
    assert sum(Spot.API in story.spots for story in ALL_STORIES) >= 5


def test_there_is_a_burst_of_three_short_messages():
    bursts = [story for story in ALL_STORIES if sum(isinstance(act, Say) for act in story.opening) >= 3]
    assert len(bursts) >= 8


@every_story
def test_every_word_of_a_story_can_be_filled_in(story):
    assert not [text for text in words_of(story) if re.search(r"\{\w+\}", text)]


@every_story
def test_no_story_names_a_real_company(story):
    assert not [text for text in words_of(story) if re.search(rf"\b({REAL_COMPANIES})\b", text, re.IGNORECASE)]


@every_story
def test_no_story_holds_an_address_on_the_net_that_could_be_somebodys(story):
    addresses = [
        found for text in words_of(story) for found in re.findall(r"[\w.-]+@([\w.-]+)|https?://([\w.-]+)", text)
    ]
    assert all((mail or web).rstrip(".").endswith(".example") for mail, web in addresses)


@every_story
def test_only_stories_about_personal_data_hold_numbers_that_pass_a_check(story):
    has_iban = any(passes_iban_check(text) for text in words_of(story))
    phones = {
        found for text in words_of(story) for found in re.findall(r"\b06 \d\d \d\d \d\d \d\d|\b0400 [\d ]+", text)
    }
    if not story.has_personal_data:
        assert not has_iban
        assert all(phone.startswith(("06 00", "0400")) for phone in phones)


def test_the_public_slip_holds_an_account_number_that_passes_the_check_at_a_bank_that_does_not_exist():
    said = "\n".join(words_of(find_story("personal-data-in-public")))
    assert passes_iban_check(said)
    assert " WOLK " in said
    assert "06 12 34 56 78" in said


def test_the_data_request_holds_a_citizen_number_that_passes_the_eleven_test_and_is_kept_for_tests():
    number = re.search(r"\b9999\d{5}\b", "\n".join(words_of(find_story("data-request"))))
    assert number
    digits = [int(digit) for digit in number[0]]
    weights = [9, 8, 7, 6, 5, 4, 3, 2, -1]
    assert sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 11 == 0


@every_story
def test_what_is_said_in_public_fits_a_post_of_five_hundred_characters(story):
    if Spot.MASTODON in story.spots or Spot.MASTODON_DIRECT in story.spots:
        role = cast(story, number=1, draw=Random(1))
        said = [fill(text, {**role.facts, "us": "Wolk & Zonen"}) for text in texts_of(acts_of(story))]
        assert max(map(len, said), default=0) <= 500


def test_the_long_complaint_is_about_nine_hundred_words():
    assert 850 <= len(words_of(find_story("long-complaint"))[0].split()) <= 980


def test_odd_acts_are_there_a_voice_a_sticker_a_place_an_edit_and_a_withdrawal():
    acts = {type(act) for story in ALL_STORIES for act in acts_of(story)}
    assert {VoiceNote, Sticker, Location, Edit, Withdraw} <= acts


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_picture_is_a_small_png(name):
    content = draw_picture(name)
    assert Image.open(io.BytesIO(content)).format == "PNG"
    assert len(content) < 60_000


def test_every_picture_a_story_sends_can_be_drawn():
    sent = {name for story in ALL_STORIES for act in acts_of(story) if isinstance(act, Say) for name in act.pictures}
    assert sent <= set(DESCRIPTIONS)
    assert Image.open(io.BytesIO(draw_sticker("😩"))).size == (512, 512)


def test_a_voice_note_is_an_ogg_file_that_says_how_long_it_is():
    pages = record_voice(31).split(b"OggS")[1:]
    assert b"OpusHead" in pages[0]
    assert int.from_bytes(pages[-1][2:10], "little") == 31 * 48_000
    assert pages[-1][1] == 4  # the last page says that it is the last


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Wat is je bestelnummer?", Hears.ORDER_QUESTION),
        ("Could you give us your order number?", Hears.ORDER_QUESTION),
        ("Klopt het adres nog?", Hears.ADDRESS_QUESTION),
        ("Stuur ons gerust een privébericht", Hears.INVITATION),
        ("Sorry, wat vervelend!", Hears.APOLOGY),
        ("Heb je een foto?", Hears.PHOTO_QUESTION),
        ("متى كان ذلك؟", Hears.QUESTION),
    ],
)
def test_a_customer_understands_an_answer(text, what):
    assert hears(text, what=what, is_private=False, began_in_public=True)


def test_a_private_answer_to_a_public_post_is_an_invitation_and_a_public_one_is_not():
    assert hears("Dag Sanne", what=Hears.INVITATION, is_private=True, began_in_public=True)
    assert not hears("Dag Sanne", what=Hears.INVITATION, is_private=False, began_in_public=True)


def test_an_automatic_answer_is_known_as_one():
    assert is_automatic("Dit is een automatisch bericht: morgen vanaf negen uur antwoordt een mens.")
    assert not is_automatic("Hoi, met Noor. Ik zoek het uit.")


def test_typing_errors_change_one_word_and_leave_placeholders_whole():
    text = "waar blijft mijn bestelling {order} eigenlijk"
    slips = {misspell(text, draw=Random(seed), chance=1.0) for seed in range(50)}
    assert text not in slips
    assert len(slips) > 20
    assert all("{order}" in slip and abs(len(slip) - len(text)) <= 1 for slip in slips)


def test_filler_is_endless_and_different():
    made = [make_filler(number=number, draw=Random(number)) for number in range(400)]
    assert len({story.id for story in made}) == 400
    assert len({texts_of(story.opening)[0] for story in made}) > 200
    assert {story.language for story in made} == {"nl", "nl-BE", "en"}
    said = "\n".join(text for story in made for text in words_of(story))
    assert not re.search(rf"\b({REAL_COMPANIES})\b", said, re.IGNORECASE)


def test_two_performances_never_share_a_username():
    roles = [cast(find_story("mail-and-mastodon"), number=number, draw=Random(7)) for number in range(20)]
    assert len({role.username for role in roles}) == 20
    assert len({role.email for role in roles}) == 20
