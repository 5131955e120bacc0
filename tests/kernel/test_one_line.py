"""Names and titles: one line that does nothing to the words around it."""

from __future__ import annotations

import pytest

from klankbord.kernel.text import one_line


@pytest.mark.parametrize("turn", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_u13_a_name_cannot_turn_the_words_behind_it_around(turn: str) -> None:
    assert one_line(f"foto{turn}gpj.exe") == "fotogpj.exe"


@pytest.mark.parametrize("name", ["שלום עולם", "محمد", "Zoë", "👨‍👩‍👧‍👦", "a\u200fb"])
def test_names_in_any_script_stay_what_they_are(name: str) -> None:
    assert one_line(name) == name


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\x85", "\v", "\t\t"])
def test_a_line_end_of_any_kind_is_a_space(end: str) -> None:
    assert one_line(f"een{end}twee") in {"een twee", "eentwee"}
