"""Words, times, icons and templates: what can be checked without a page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polib
import pytest
from django.utils import timezone, translation

from klankbord.doors.web import faces, markdown, times
from klankbord.plumbing.look import icons, translations

from .strings import SOURCE, all_strings

NOW = datetime(2026, 11, 24, 13, 8, tzinfo=UTC)  # Tuesday, eight past two in Amsterdam
TEMPLATES = [path for path in SOURCE.rglob("templates/**/*.html") if path.name != "letter.html"]


def test_every_sentence_has_a_dutch_translation_with_the_same_blanks():
    catalogue = {
        (entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""): entry
        for entry in polib.pofile(str(translations.LOCALE / "nl/LC_MESSAGES/django.po"))
    }
    untranslated = {key: places for key, places in all_strings().items() if key not in catalogue}
    assert untranslated == {}
    blanks = re.compile(r"%\(\w+\)[sd0-9]*|\{\w+\}")
    for (_context, msgid, plural), entry in catalogue.items():
        ours = [(entry.msgstr, [msgid]), *((said, [msgid, plural][number == 1 :]) for number, said in
                                           entry.msgstr_plural.items())]  # fmt: skip
        for said, theirs in ours:  # where there is one of something, the number may be left out
            if said:
                assert sorted(blanks.findall(said)) in [sorted(blanks.findall(each)) for each in theirs], msgid


def test_catalogues_are_compiled_when_they_are_older_than_their_source(tmp_path, monkeypatch):
    folder = tmp_path / "nl" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid "Send"\nmsgstr "Verstuur"\n', encoding="utf-8")
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    assert translations.compile_all() == [folder / "django.mo"]
    assert translations.compile_all() == []


def test_the_sprite_is_what_the_table_of_icons_makes():
    assert icons.SPRITE.read_text(encoding="utf-8") == icons.sprite()


def test_every_icon_that_a_template_names_exists():
    known = set(icons.OUTLINES) | set(icons.OWN)
    for template in [*TEMPLATES, *(SOURCE / "doors" / "web").glob("*.py")]:
        assert set(re.findall(r'\{% icon "(\w+)"', template.read_text(encoding="utf-8"))) <= known, template


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_carries_a_style_or_script_of_its_own(template: Path):
    code = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=|hx-on|javascript:", code)


@pytest.mark.parametrize(
    ("moment", "dutch", "english"),
    [
        (NOW, "14:08", "14:08"),
        (NOW - timedelta(days=1), "gisteren 14:08", "yesterday 14:08"),
        (NOW + timedelta(hours=19), "morgen 9:08", "tomorrow 9:08"),
        (NOW - timedelta(days=3), "za 14:08", "Sat 14:08"),
        (NOW - timedelta(days=165), "12 jun", "12 Jun"),
        (NOW - timedelta(days=400), "20 okt 2025", "20 Oct 2025"),
    ],
)
def test_moments_are_told_as_people_say_them(moment, dutch, english):
    for language, words in (("nl", dutch), ("en", english)):
        with translation.override(language), timezone.override("Europe/Amsterdam"):
            assert times.say(moment, NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "nog geen minuut"), (59, "nog geen minuut"), (720, "12 min"), (3600, "1 u 00"), (11_400, "3 u 10"),
     (86_400, "1 dag"), (260_000, "3 dagen")],
)  # fmt: skip
def test_spans_are_rounded_down(seconds, words):
    with translation.override("nl"):
        assert times.span(seconds) == words


def test_next_morning_is_nine_oclock_there_also_when_the_clock_changes():
    with timezone.override("Europe/Amsterdam"):
        saturday = datetime(2027, 3, 27, 12, tzinfo=UTC)  # the night in which summer time begins
        assert times.next_morning(saturday).isoformat() == "2027-03-28T09:00:00+02:00"
        assert times.next_morning(saturday, weekday=0).isoformat() == "2027-03-29T09:00:00+02:00"


_FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Marloes van den Berg", "MB"), ("Anouk", "AN"), ("@wolk", "WO"), ("", "?"), (_FAMILY, _FAMILY), ("ß", "SS")],
)
def test_faces_have_initials(name, letters):
    assert faces.initials(name) == letters


@pytest.mark.parametrize(
    ("own", "name", "letters"), [("MDW", "Mirjam de Wit", "MW"), ("", "Mirjam de Wit", "MW"), ("NO", "Noor", "NO")]
)
def test_a_colleague_has_two_letters_at_most(own, name, letters):
    assert faces.of_colleague(own, name) == letters


def test_guides_become_html_and_nothing_in_them_can_act():
    html = markdown.to_html(
        "# Title\n\nHello *you*, **you** and `code`.\n\n## Steps\n\n1. One\n   more\n2. [Site](https://a.example/)\n\n"
        "- <script>x</script>\n\n```\na  <b>\n\nc\n```\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n[bad](javascript:x)"
    )
    assert "Title" not in html
    assert "<h2>Steps</h2>" in html
    assert "<li>One more</li>" in html
    assert 'href="https://a.example/"' in html
    assert "<pre>a  &lt;b&gt;\n \nc</pre>" in html
    assert "<td>2</td>" in html
    assert "<script>" not in html
    assert 'href="javascript' not in html


def test_a_table_without_a_head_keeps_all_its_rows_as_rows():
    html = markdown.to_html("| | |\n|---|---|\n| Server | imap.wolk.example |\n| Port | |")
    assert "<th" not in html
    assert html.count("<tr>") == 2
    assert "<td>imap.wolk.example</td>" in html
    assert html.count("<td>") == 4
