"""The embedded server: real servers in scratch folders, really killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from klankbord.plumbing.folders import can_reach
from klankbord.plumbing.postgres import EmbeddedPostgres, EmbeddedPostgresError, find_binaries
from klankbord.plumbing.postgres.binaries import copy_for

from .conftest import NOBODY, lives, python, python_for_others, wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a server under another account")

START_AND_WAIT = """
import sys
from pathlib import Path
from klankbord.plumbing.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="module")
def folder(lasting_scratch: Path) -> Path:
    """One data folder for all tests that leave a sound one behind: making it takes a second."""
    return lasting_scratch / "pg"


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(folder) as running:
        yield running


def ask(server: EmbeddedPostgres, question: str, *, dbname: str = "klankbord") -> list[tuple[object, ...]]:
    with psycopg.connect(str(server.dsn(dbname)), autocommit=True) as connection:
        cursor = connection.execute(question)
        return cursor.fetchall() if cursor.description else []


def postmaster_pid(folder: Path) -> int:
    return int((folder / "cluster" / "postmaster.pid").read_text().split()[0])


def try_to_ask(server: EmbeddedPostgres, question: str) -> list[tuple[object, ...]] | None:
    try:
        return ask(server, question)
    except psycopg.OperationalError:
        return None


# ------------------------------------------------------------------------------------------------ a quiet day


def test_a_new_folder_becomes_a_durable_server_without_a_network(server: EmbeddedPostgres) -> None:
    names = ("data_checksums", "fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "server_encoding")
    answer = ask(server, "SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
    assert answer == [("on", "on", "on", "on", "", "UTF8")]


def test_only_the_server_s_account_may_enter_data_and_socket(server: EmbeddedPostgres, folder: Path) -> None:
    assert (folder / "cluster").stat().st_mode & 0o777 == 0o700
    assert (folder / "socket").stat().st_mode & 0o777 == 0o700


def test_capitals_outside_ascii_fold_without_help_from_the_system(server: EmbeddedPostgres) -> None:
    assert ask(server, "SELECT lower('ÉÉN Ĳ ŠÀ')") == [("één ĳ šà",)]


def test_a_second_start_attaches_and_its_stop_leaves_the_server_alone(server: EmbeddedPostgres, folder: Path) -> None:
    second = EmbeddedPostgres(folder)
    assert second.start() == server.dsn()
    before = postmaster_pid(folder)
    second.stop()
    assert second.is_running()
    assert postmaster_pid(folder) == before


def test_what_was_committed_is_there_after_a_stop_and_a_start(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
    assert not server.is_running()
    with server:
        assert ask(server, "SELECT n FROM kept") == [(7,)]


def test_a_database_is_made_once_copied_from_another_and_dropped(server: EmbeddedPostgres) -> None:
    server.create_database("pattern")
    ask(server, "CREATE TABLE shape (n int)", dbname="pattern")
    assert server.create_database("pattern") == server.dsn("pattern")
    server.create_database("copy", template="pattern")
    assert ask(server, "SELECT count(*) FROM shape", dbname="copy") == [(0,)]
    server.drop_database("copy")
    server.drop_database("copy")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        ask(server, "SELECT 1", dbname="copy")


def test_the_dump_program_of_the_same_version_is_at_hand(server: EmbeddedPostgres) -> None:
    ask(server, "CREATE TABLE dumped_table (n int)")
    dump = subprocess.run([server.binary("pg_dump"), str(server.dsn())], capture_output=True, text=True, check=True)
    assert "dumped_table" in dump.stdout


def test_the_server_does_not_see_the_secrets_in_our_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLANKBORD_SECRET_KEY", "very-secret")
    with EmbeddedPostgres(folder):
        environment = Path(f"/proc/{postmaster_pid(folder)}/environ").read_bytes()
    assert b"very-secret" not in environment
    assert b"TZ=UTC" in environment


def test_a_wrong_own_setting_ends_the_start_with_the_server_s_own_words(folder: Path) -> None:
    own = folder / "local.conf"
    EmbeddedPostgres(folder).__enter__().stop()
    kept = own.read_text()
    own.write_text("work_mem = 'plenty'\n")
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"could not start.*exit code 1"):
            EmbeddedPostgres(folder).start()
    finally:
        own.write_text(kept)


def test_the_operator_s_own_settings_win(folder: Path) -> None:
    EmbeddedPostgres(folder).__enter__().stop()
    own = folder / "local.conf"
    kept = own.read_text()
    own.write_text(kept + "work_mem = '5MB'\n")
    try:
        with EmbeddedPostgres(folder) as server:
            assert ask(server, "SHOW work_mem") == [("5MB",)]
    finally:
        own.write_text(kept)


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder_for_it(scratch: Path) -> None:
    folder = scratch / ("deep" * 15) / ("deeper" * 15)
    with EmbeddedPostgres(folder) as server:
        assert ask(server, "SELECT 1") == [(1,)]
        sockets = Path(server.dsn().host)
        assert len(str(sockets)) < 60
        assert sockets.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(sockets)


def test_a_foreign_folder_in_the_place_of_the_socket_s_is_refused(scratch: Path) -> None:
    server = EmbeddedPostgres(scratch / ("deep" * 15) / ("deeper" * 15))
    sockets = Path(server.dsn().host)
    sockets.mkdir(mode=0o777)
    sockets.chmod(0o777)
    try:
        with pytest.raises(EmbeddedPostgresError, match="alone"):
            server.start()
    finally:
        sockets.rmdir()


def test_an_interrupted_making_of_the_folder_is_begun_again(scratch: Path) -> None:
    half = scratch / "pg" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    (scratch / "pg").chmod(0o711)
    with EmbeddedPostgres(scratch / "pg") as server:
        assert ask(server, "SELECT 1") == [(1,)]
    assert not half.exists()


# ------------------------------------------------------------------------------------------------ accounts


@as_root
def test_as_root_the_server_runs_under_an_account_without_rights(server: EmbeddedPostgres, folder: Path) -> None:
    status = Path(f"/proc/{postmaster_pid(folder)}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in fields["Uid"].split() + fields["Gid"].split() + fields["Groups"].split()
    assert int(fields["CapEff"], 16) == 0


@as_root
def test_as_root_a_folder_behind_a_closed_one_is_refused_and_nothing_is_opened(scratch: Path) -> None:
    scratch.chmod(0o700)
    with pytest.raises(EmbeddedPostgresError, match="cannot reach"):
        EmbeddedPostgres(scratch / "pg").start()
    assert scratch.stat().st_mode & 0o777 == 0o700


@as_root
def test_as_root_another_account_s_folder_is_left_to_that_account(scratch: Path) -> None:
    os.chown(scratch, NOBODY, NOBODY)
    with pytest.raises(EmbeddedPostgresError, match="belongs to another account"):
        EmbeddedPostgres(scratch).start()


@as_root
def test_programs_in_a_private_home_are_copied_to_where_the_account_can_read_them(scratch: Path) -> None:
    home = scratch / "home"
    original = find_binaries()
    private = home / original.parent.name / original.name
    shutil.copytree(original, private, ignore=shutil.ignore_patterns("include"))
    libraries = original.parent.parent / f"{original.parent.name}.libs"
    shutil.copytree(libraries, home / libraries.name)
    home.chmod(0o700)
    copy = copy_for(private, uid=NOBODY, home=scratch / "copies")
    assert copy != private
    assert can_reach(copy / "bin", uid=NOBODY)
    assert copy_for(private, uid=NOBODY, home=scratch / "copies") == copy
    answer = subprocess.run(
        [copy / "bin" / "initdb", "--version"], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, cwd="/"
    )
    assert b"PostgreSQL" in answer.stdout
    assert home.stat().st_mode & 0o777 == 0o700


@as_root
@pytest.mark.skipif(python_for_others() is None, reason="no Python here that another account can start")
def test_an_ordinary_user_starts_is_killed_and_starts_again(scratch: Path) -> None:
    os.chown(scratch, NOBODY, NOBODY)
    first = python(START_AND_WAIT, scratch / "pg", user=NOBODY)
    assert first.stdout is not None
    assert "dbname=klankbord" in first.stdout.readline()
    pid = postmaster_pid(scratch / "pg")
    assert Path(f"/proc/{pid}").stat().st_uid == NOBODY
    first.kill()
    first.communicate()
    second = python(START_AND_WAIT, scratch / "pg", user=NOBODY)
    assert second.stdout is not None
    assert "dbname=klankbord" in second.stdout.readline()
    assert postmaster_pid(scratch / "pg") != pid
    second.communicate("")
    assert second.returncode == 0


# ------------------------------------------------------------------------------------------------ bad days


def test_of_several_processes_that_start_at_once_one_starts_the_server(scratch: Path) -> None:
    crowd = [python(START_AND_WAIT, scratch / "pg") for _ in range(4)]
    answers = [one.stdout.readline() for one in crowd if one.stdout is not None]
    assert len(set(answers)) == 1
    assert "dbname=klankbord" in answers[0]
    assert EmbeddedPostgres(scratch / "pg").is_running()
    for one in crowd:
        one.communicate("")
    assert [one.returncode for one in crowd] == [0] * 4
    assert not EmbeddedPostgres(scratch / "pg").is_running()


@pytest.mark.faults
def test_f7_a_killed_server_is_started_again_with_all_that_was_committed(folder: Path) -> None:
    heard: list[str] = []
    server = EmbeddedPostgres(folder)
    server.start(heard.append)
    try:
        ask(server, "CREATE TABLE survives AS SELECT generate_series(1, 1000) AS n")
        os.kill(postmaster_pid(folder), signal.SIGKILL)
        wait_until(lambda: try_to_ask(server, "SELECT count(*) FROM survives") == [(1000,)])
        assert any("ended unexpectedly (signal 9)" in sentence for sentence in heard)
    finally:
        server.stop()


@pytest.mark.faults
def test_a_busy_process_left_behind_by_a_killed_server_is_ended_first(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server, psycopg.connect(str(server.dsn())) as connection:
        pid = connection.info.backend_pid
        endless = "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$"

        def work() -> None:
            with pytest.raises(psycopg.OperationalError):
                connection.execute(endless)

        worker = threading.Thread(target=work)
        worker.start()
        busy = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND state = 'active'"
        wait_until(lambda: ask(server, busy) == [(1,)])
        os.kill(postmaster_pid(folder), signal.SIGKILL)
        wait_until(lambda: try_to_ask(server, "SELECT 1") == [(1,)])
        worker.join(timeout=10)
        assert not lives(pid)


@pytest.mark.faults
def test_f5_the_server_ends_with_a_killed_owner_and_the_next_start_finds_everything(folder: Path) -> None:
    owner = python(START_AND_WAIT, folder)
    assert owner.stdout is not None
    assert "dbname" in owner.stdout.readline()
    ask(EmbeddedPostgres(folder), "CREATE TABLE outlives AS SELECT 5 AS n")
    pid = postmaster_pid(folder)
    owner.kill()
    owner.communicate()
    wait_until(lambda: not lives(pid))
    with EmbeddedPostgres(folder) as server:
        assert ask(server, "SELECT n FROM outlives") == [(5,)]


@pytest.mark.faults
def test_f5_owner_and_server_killed_together_still_start_again(folder: Path) -> None:
    owner = python(START_AND_WAIT, folder)
    assert owner.stdout is not None
    assert "dbname" in owner.stdout.readline()
    ask(EmbeddedPostgres(folder), "CREATE TABLE still_here AS SELECT 6 AS n")
    owner.send_signal(signal.SIGSTOP)  # so that it cannot start the server again in between
    os.kill(postmaster_pid(folder), signal.SIGKILL)
    owner.kill()
    owner.communicate()
    assert (folder / "cluster" / "postmaster.pid").exists()
    with EmbeddedPostgres(folder) as server:
        assert ask(server, "SELECT n FROM still_here") == [(6,)]


def test_a_pid_that_now_belongs_to_a_stranger_is_not_trusted(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        text = (folder / "cluster" / "postmaster.pid").read_text()
        old = postmaster_pid(folder)
        uid = (folder / "cluster").stat().st_uid
    account = {"user": uid, "group": uid, "extra_groups": []} if os.geteuid() == 0 else {}
    stranger = subprocess.Popen(["sleep", "60"], **account)  # type: ignore[call-overload]
    try:
        (folder / "cluster" / "postmaster.pid").write_text(text.replace(str(old), str(stranger.pid), 1))
        os.chown(folder / "cluster" / "postmaster.pid", uid, -1)
        (folder / "socket" / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
        (folder / "socket" / ".s.PGSQL.5432").touch()
        assert "ready" in text
        assert not EmbeddedPostgres(folder).is_running()
        with EmbeddedPostgres(folder) as server:
            assert ask(server, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
