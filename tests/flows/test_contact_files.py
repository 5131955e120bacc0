"""Contacts from a file and into one."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import pytest

from desk_builder import Desk
from klankbord.desk.contacts.models import Company, Contact, ContactField, ContactImport, ContactNote, Handle
from klankbord.desk.contacts.sheets import harmless, plain
from klankbord.desk.errors import DeskError, Invalid
from klankbord.desk.organisations.models import AuditLine, Membership, Role
from klankbord.flows.people import exporting, fields, importing
from roles import become_within

pytestmark = pytest.mark.django_db

SHEET = """name,e-mail,phone,language,company,VIP,note,Klantnummer,Sinds
Anouk de Wit,Anouk@Wolk.example,06-1234 5678,nl,Bakkerij Zoet,ja,Belt liever.,"1.250,50",3-5-2021
Zoë Ångström,zoe@wolk.example,,,bakkerij zoet,,,,
"""


@pytest.fixture
def lead(desk: Desk) -> Membership:
    boss = desk.person("Baas", Role.ADMINISTRATOR)
    with desk.open():
        fields.define(name="Klantnummer", kind="number", choices="", by=boss)
        fields.define(name="Sinds", kind="date", choices="", by=boss)
    return desk.person("Lea", Role.LEAD)


def bring(desk: Desk, lead: Membership, sheet: str | bytes) -> tuple[dict[str, int], ContactImport]:
    """Check a file, then let the worker take it in. Gives the sums of the check, and the import as it became."""
    data = sheet.encode() if isinstance(sheet, str) else sheet
    with desk.open():
        checked = importing.check(name="klanten.csv", data=data, by=lead, now=desk.now)
        importing.start(contact_import=checked.id, by=lead, now=desk.now)
    work(desk, checked.id)
    with desk.open():
        return dict(checked.counts), ContactImport.objects.get(id=checked.id)


def work(desk: Desk, contact_import: UUID) -> None:
    become_within("worker")
    try:
        importing.run(organisation_id=desk.organisation.id, ids=[contact_import], now=desk.now)
    finally:
        become_within("app")


def all_rows(desk: Desk) -> list[Any]:
    with desk.open():
        return [
            sorted(map(str, model.objects.values_list()))
            for model in (Contact, Handle, Company, ContactNote, ContactField)
        ]


def test_a_file_makes_contacts_with_all_that_it_says(desk, lead):
    sums, done = bring(desk, lead, SHEET)
    assert (sums, done.counts, done.state, done.text) == ({"new": 2}, {"new": 2}, "done", "")
    with desk.open():
        anouk = Contact.objects.get(name="Anouk de Wit")
        assert (anouk.language, anouk.company.name, anouk.is_vip) == ("nl", "Bakkerij Zoet", True)
        assert sorted(anouk.values.values()) == ["1250.5", "2021-05-03"]
        assert {each.email or each.phone for each in anouk.handles.all()} == {"anouk@wolk.example", "06-1234 5678"}
        assert [(note.text, note.by_id) for note in ContactNote.objects.all()] == [("Belt liever.", lead.id)]
        assert Company.objects.count() == 1


def test_the_same_file_twice_changes_nothing(desk, lead):
    bring(desk, lead, SHEET)
    before = all_rows(desk)
    sums, done = bring(desk, lead, SHEET)
    assert (sums, done.counts) == ({"same": 2}, {"same": 2})
    assert all_rows(desk) == before


def test_looking_at_a_file_changes_nothing(desk, lead):
    before = all_rows(desk)
    with desk.open():
        importing.preview(importing.check(name="x.csv", data=SHEET.encode(), by=lead, now=desk.now))
    assert all_rows(desk) == before


def test_who_was_brought_in_is_known_when_they_write(desk, lead):
    bring(desk, lead, SHEET)
    with desk.open():
        handle = Handle.objects.get(email="anouk@wolk.example")
        assert (handle.kind, handle.realm, handle.external_id) == ("email", "", "anouk@wolk.example")


def test_a_second_file_changes_only_what_it_says(desk, lead):
    bring(desk, lead, SHEET)
    sums, _ = bring(desk, lead, "e-mail;taal;telefoon\nanouk@wolk.example;en;+31 6 12345678\nzoe@wolk.example;;\n")
    assert sums == {"changes": 1, "same": 1}
    with desk.open():
        anouk = Contact.objects.get(name="Anouk de Wit")
        assert (anouk.language, anouk.company.name, anouk.is_vip) == ("en", "Bakkerij Zoet", True)
        assert anouk.handles.count() == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Iemand,,,", "nobody"),
        ("Iemand,geen adres,,", "not an address"),
        ("Iemand,a@b.example\0<script>,,", "not an address"),
        ("Iemand,,bel mij,", "not a number"),
        ("Iemand,,12,", "not a number"),
        ("Iemand,iemand@wolk.example,,Nederlands", "not a language"),
        ("Zelfde,goed@wolk.example,,", "twice"),
        (f"{'x' * 6000},iemand@wolk.example,,", "too long"),
    ],
)
def test_a_row_that_cannot_be_taken_in_says_why_and_the_others_go_in(desk, lead, row, reason):
    sums, done = bring(
        desk, lead, f"name,e-mail,phone,language\nGoed,goed@wolk.example,,\n{row}\nOok,ook@wolk.example,,\n"
    )
    assert sums == done.counts == {"new": 2, "wrong": 1}
    assert [(line, why) for line, why, _detail, _cells in done.troubles] == [(3, reason)]
    with desk.open():
        assert set(Contact.objects.values_list("name", flat=True)) == {"Goed", "Ook"}


def test_a_value_that_does_not_fit_its_field_is_a_reason(desk, lead):
    _, done = bring(desk, lead, "e-mail,Sinds\na@wolk.example,gisteren\n")
    assert done.troubles[0][1:3] == ["not readable", "Sinds: gisteren"]


def test_a_typed_address_does_not_make_somebody_the_owner_of_what_a_file_says(desk, lead):
    with desk.open():
        fraud = Contact.objects.create(name="Boef", created_at=desk.now)
        Handle.objects.create(contact=fraud, kind="webchat", external_id="v", email="anouk@wolk.example")
    bring(desk, lead, SHEET)
    with desk.open():
        assert Contact.objects.get(id=fraud.id).name == "Boef"
        assert Contact.objects.filter(name="Anouk de Wit").exists()


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffnaam,e-mail\nZoë,z@wolk.example\n".encode(),
        "naam;e-mail\nZoë;z@wolk.example\n".encode("latin-1"),
        "naam\te-mail\nZoë\tz@wolk.example\n".encode("utf-16"),
        "\r\n\r\nnaam;E-MAIL\r\nZoë;z@wolk.example\r\n".encode(),
        'naam;e-mail\r"Zoë";"z@wolk.example"\r'.encode("cp1252"),
    ],
    ids=["utf-8 with a mark", "latin-1 with semicolons", "utf-16 with tabs", "empty lines first", "old line ends"],
)
def test_files_of_any_make_are_read(desk, lead, data):
    sums, _ = bring(desk, lead, data)
    assert sums == {"new": 1}
    with desk.open():
        assert Contact.objects.get().name == "Zoë"


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"name,colour\nAnouk,red\n", b"e-mail\n", b"\x89PNG\r\n\x1a\n\0\0"],
    ids=["nothing", "empty lines", "no address", "only a heading", "a picture"],
)  # fmt: skip
def test_what_is_not_a_list_of_people_is_refused_as_a_whole(desk, lead, data):
    with desk.open(), pytest.raises(Invalid):
        importing.check(name="x.csv", data=data, by=lead, now=desk.now)


def test_limits_on_size_and_rows(desk, lead):
    with desk.open():
        for data in (b"e-mail\n" + b"x" * importing.LARGEST_FILE, b"e-mail\n" + b"a@b.example\n" * 50_001):
            with pytest.raises(Invalid):
                importing.check(name="x.csv", data=data, by=lead, now=desk.now)


def test_a_long_file_goes_on_where_it_stopped(desk, lead, monkeypatch):
    sheet = "e-mail\n" + "".join(f"mens{number}@wolk.example\n" for number in range(1200)) + "mens3@wolk.example\n"
    with desk.open():
        checked = importing.check(name="x.csv", data=sheet.encode(), by=lead, now=desk.now)
        importing.start(contact_import=checked.id, by=lead, now=desk.now)
    taken = []
    original = importing.take_in

    def stumble(plans: Any, **more: Any) -> None:
        taken.append(len(plans))
        if len(taken) == 3:
            raise ConnectionError
        original(plans, **more)

    monkeypatch.setattr(importing, "take_in", stumble)
    with pytest.raises(ConnectionError):
        work(desk, checked.id)
    with desk.open():
        assert ContactImport.objects.get().rows_done == 1000
    work(desk, checked.id)
    work(desk, checked.id)  # a job that runs twice
    with desk.open():
        assert Contact.objects.count() == 1200
        assert ContactImport.objects.get().counts == {"new": 1200, "wrong": 1}


# ------------------------------------------------------------------------------------------ export


def exported(desk: Desk, by: Membership) -> str:
    with desk.open():
        parts = exporting.export(by=by, now=desk.now)
    return b"".join(parts).decode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", ";=", "|", "%"])
def test_x7_no_cell_is_a_formula_and_every_cell_can_be_read_back(start):
    cell = f"{start}cmd|' /C calc'!A0"
    assert harmless(cell).startswith("'")
    assert plain(harmless(cell)) == cell
    assert harmless("gewoon") == "gewoon"


def test_x7_a_hostile_name_is_neutralised_in_the_file(desk, lead):
    bring(desk, lead, "name,e-mail,phone\n=HYPERLINK(1),a@wolk.example,+31612345678\n")
    [_, row] = csv.reader(io.StringIO(exported(desk, lead).removeprefix("\ufeff")))
    assert row[:3] == ["'=HYPERLINK(1)", "a@wolk.example", "'+31612345678"]


def test_what_goes_out_comes_in_again_and_changes_nothing(desk, lead):
    bring(desk, lead, SHEET + "=1+1,formule@wolk.example,,,,,,,\n")
    before = all_rows(desk)
    sums, done = bring(desk, lead, exported(desk, lead))
    assert (sums, done.troubles) == ({"same": 3}, [])
    assert all_rows(desk) == before


def test_an_export_is_written_down_and_has_a_limit(desk, lead):
    for _ in range(5):
        exported(desk, lead)
    with pytest.raises(DeskError):
        exported(desk, lead)
    with desk.open():
        assert AuditLine.objects.filter(deed="contacts exported", by=lead).count() == 5


def test_an_export_of_many_goes_page_by_page(desk, lead):
    sheet = "name,e-mail\n" + "".join(f"Mens {number},m{number}@wolk.example\n" for number in range(2300))
    bring(desk, lead, sheet)
    with desk.open():
        parts = list(exporting.export(by=lead, now=desk.now))
    assert len(parts) == 4
    assert b"".join(parts).count(b"\r\n") == 2301


# ------------------------------------------------------------------------------------------ fields


def test_a_field_that_goes_takes_what_it_held_along(desk, lead):
    bring(desk, lead, SHEET)
    with desk.open():
        boss = Membership.objects.get(user__name="Baas")
        gone = ContactField.objects.get(name="Sinds")
        assert fields.remove(field=gone.id, by=boss) == 1
        assert list(Contact.objects.get(name="Anouk de Wit").values.values()) == ["1250.5"]


@pytest.mark.parametrize(
    ("name", "kind", "choices"),
    [
        ("", "text", ""),
        ("Klantnummer", "text", ""),
        ("E-mail", "text", ""),
        ("Keuze", "choice", "een"),
        ("X", "soort", ""),
    ],
)
def test_a_field_needs_a_name_of_its_own_and_a_kind(desk, lead, name, kind, choices):
    with desk.open(), pytest.raises(Invalid):
        fields.define(name=name, kind=kind, choices=choices, by=Membership.objects.get(user__name="Baas"))
