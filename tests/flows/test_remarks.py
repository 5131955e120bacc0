"""What makes a message doubtful is told to people in words of their own language, not in a machine's."""

from __future__ import annotations

import pytest
from benches_of import bench_of, fixtures_of
from django.utils import translation

from klankbord import channels
from klankbord.doors.web.sentences import REMARKS, remark_words

# Those that no fixture shows: what the desk itself adds, and what only sizes or servers bring about.
OTHERS = {"new-participant", "odd-time", "unsupported", "characters-removed", "text-cut", "too-large", "parts-refused"}


def remarked() -> set[str]:
    """Every remark that a fixture of any channel leads to."""
    found = set(OTHERS)
    for kind in channels.kinds():
        bench, account = bench_of(kind), bench_of(kind).account()
        for _name, body in fixtures_of(kind):
            for item in channels.channel(kind).parse(bench.sign(body, account), account):
                found |= set(getattr(item, "remarks", ()))
    return found


def test_u5_every_doubt_about_a_message_has_words_of_its_own() -> None:
    assert {"remote-images-removed", "hidden-text-removed", "unverified-sender", "forged-reply-tag"} <= remarked()
    assert remarked() - set(REMARKS) == set()


@pytest.mark.parametrize("language", ["nl", "en"])
def test_u5_and_they_are_said_in_the_readers_language(language: str) -> None:
    with translation.override(language):
        [words] = remark_words(["remote-images-removed"])
    assert words == {
        "nl": "plaatjes van elders zijn niet opgehaald", "en": "pictures from elsewhere were not fetched",
    }[language]  # fmt: skip
