"""The doctor's look at a machine and its settings, without a database."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest

from klankbord.doors.cli.doctor_machine import look_at_machine, look_at_settings
from klankbord.plumbing.secrets import load_vault
from klankbord.project.environment import Environment

from .conftest import Machine


def wrong_with_settings(**values: object) -> dict[str, str]:
    found = look_at_settings(Environment(_env_file=None, **values))
    return {each.name: each.what for each in found if not each.is_well}


def wrong_with_machine(folder: Path) -> dict[str, str]:
    return {each.name: each.what for each in look_at_machine(folder) if not each.is_well}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KLANKBORD_SECRET_KEY", "KLANKBORD_SECRET_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    load_vault(made)
    return made


def test_a_sound_machine_with_a_local_desk_has_nothing_wrong(folder: Path) -> None:
    assert wrong_with_machine(folder) == {}
    assert wrong_with_settings(public_url="http://localhost:8000", debug=True, allow_loopback=True) == {}
    assert wrong_with_settings(public_url="https://desk.example.nl", allow_loopback=False) == {}


def test_a_machine_where_nothing_was_started_yet_is_no_reason_to_worry(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("KLANKBORD_SECRET_KEY", raising=False)
    assert wrong_with_machine(tmp_path / "not-there") == {}


def test_what_is_fine_on_a_laptop_is_not_on_a_public_address() -> None:
    wrong = wrong_with_settings(
        public_url="http://desk.example.nl", debug=True, allow_loopback=True, allowed_hosts="desk.example.nl,*"
    )
    assert set(wrong) == {"Public address", "Debugging", "Loopback", "Allowed hosts"}


@pytest.mark.parametrize("address", ["", "desk.example.nl", "ftp://localhost"])
def test_an_address_that_browsers_cannot_use_is_named(address: str) -> None:
    assert wrong_with_settings(public_url=address, allow_loopback=False) == {"Public address": address or "empty"}


def test_a_key_or_folder_that_others_can_read_is_named(folder: Path) -> None:
    (folder / "secret.key").chmod(0o640)
    folder.chmod(0o755)
    wrong = wrong_with_machine(folder)
    assert "can be listed by other accounts" in wrong["Data folder"]
    assert "can be read by others" in wrong["Secret key"]


def test_a_lost_key_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLANKBORD_SECRET_KEY_FILE", str(folder / "gone.key"))
    assert "cannot be read" in wrong_with_machine(folder)["Secret key"]


def test_f12_a_nearly_full_disk_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**11, 10**11 - 10**8, 10**8))
    assert wrong_with_machine(folder)["Disk space"].startswith("0.1 GB free")


def test_without_a_database_the_doctor_says_how_to_get_one(new_folder: Path) -> None:
    done = Machine(new_folder / "nothing-yet").types("doctor")
    assert done.returncode == 1
    assert "!!  Database               is not there yet" in done.stdout
    assert done.stdout.endswith("1 needs attention.\n")
    assert not (new_folder / "nothing-yet").exists()


def test_a_wrong_setting_is_named_by_its_variable(new_folder: Path) -> None:
    done = Machine(new_folder / "nothing-yet").types("doctor", KLANKBORD_LANES="9999")
    assert done.returncode == 1
    assert "KLANKBORD_LANES: Input should be less than or equal to 256" in done.stdout


def test_a_database_that_is_away_is_named(new_folder: Path) -> None:
    away = Machine(new_folder / "away").types("doctor", DATABASE_URL="host=/nowhere dbname=x")
    assert away.returncode == 1
    assert "does not answer" in away.stdout
