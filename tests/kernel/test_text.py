"""Text that people see is never broken inside what they see as one character (attack U14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klankbord.kernel import text

FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}\N{ZERO WIDTH JOINER}\N{BOY}"
UNITS = ["characters", "graphemes", "utf-16 units", "bytes"]


@given(st.text(), st.integers(2, 60))
def test_u14_a_cut_text_fits_its_column_and_begins_as_the_whole(whole: str, limit: int) -> None:
    short = text.cut(whole, limit)
    assert len(short) <= limit
    assert short == whole or whole.startswith(short.removesuffix("…"))


@pytest.mark.parametrize("limit", range(len(FAMILY) + 1, 40))
def test_u14_a_family_is_kept_whole_or_left_out(limit: int) -> None:
    short = text.cut(FAMILY * 6, limit)
    assert short.removesuffix("…").replace(FAMILY, "") == ""


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.integers(8, 60), st.sampled_from(UNITS))
def test_o5_the_parts_of_a_split_text_fit_and_lose_nothing_visible(whole: str, limit: int, unit: str) -> None:
    parts = text.split(whole, limit, unit=unit)
    assert "".join("".join(parts).split()) == "".join(whole.split())
    assert all(text.length(part, unit=unit) <= limit or len(text.graphemes(part)) == 1 for part in parts)


@given(st.text())
def test_w15_cleaned_text_can_be_stored(dirty: str) -> None:
    clean = text.clean(dirty + "\x00\ud83d")
    assert "\x00" not in clean
    clean.encode()


def test_links_weigh_alike_where_the_platform_says_so() -> None:
    long_link = "https://winkel.example/" + "a" * 200
    assert text.length(f"Kijk {long_link} eens", unit="characters", per_link=23) == len("Kijk  eens") + 23


def test_folding_makes_accents_and_case_equal() -> None:
    assert text.fold("  Łucja  CAFÉ\n") == text.fold("łucja café")
