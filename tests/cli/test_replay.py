"""`klankbord replay`, `ledger` and `doctor` as people run them: child processes on a data folder of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from klankbord.plumbing.postgres import EmbeddedPostgres

from .conftest import Machine

ARCHIVE = """\ufefftweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id,conversation_id
11,WolkHelp,False,Tue Oct 31 09:10:00 +0000 2017,"@901 Sorry! We look into it &amp; write back.",12,10,10
10,901,True,Tue Oct 31 09:00:00 +0000 2017,@WolkHelp Where is my lamp?,11,,10
12,901,True,Tue Oct 31 09:20:00 +0000 2017,"@WolkHelp Thanks,
I wait.",,11,10
13,902,True,Tue Oct 31 09:15:00 +0000 2017,@WolkHelp me too,,11,10
20,903,True,Tue Oct 31 08:00:00 +0000 2017,@PostNu is it true?,,5,20
21,PostNu,False,Tue Oct 31 08:01:00 +0000 2017,@903 It is.,,20,20
22,904,True,soon,@PostNu and now?,,,22
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "archive.csv"
    path.write_text(ARCHIVE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def replayed(machine: Machine, archive: Path) -> Machine:
    """A machine on which the archive was replayed once, on an empty data folder."""
    done = machine.types("replay", str(archive))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "file      7 rows = 6 messages + 1 left out" in done.stdout
    assert "posted    6 messages to 2 inboxes" in done.stdout
    assert "6 accepted = 6 messages + 0 changes + 0 duplicates + 0 ignored + 0 dead + 0 waiting" in done.stdout
    assert "6 of 6 different ids" in done.stdout
    assert done.stdout.endswith("It adds up.\n")
    assert "row 8 left out: created_at is 'soon', which is no moment" in done.stderr
    return machine


@contextmanager
def database(machine: Machine) -> Iterator[psycopg.Connection[Any]]:
    """The owner's view of the machine's database."""
    with EmbeddedPostgres(machine.folder / "postgres") as server, psycopg.connect(str(server.dsn())) as connection:
        yield connection


def test_an_archive_becomes_conversations_with_their_own_times_and_nothing_to_do(replayed: Machine) -> None:
    with database(replayed) as desk:
        messages = desk.execute(
            "SELECT i.name, t.place_key, m.external_id, m.kind, m.visibility, m.text, m.at, m.is_history, m.author_name"
            " FROM conversations_message m JOIN conversations_thread t ON t.id = m.thread_id"
            " JOIN inboxes_inbox i ON i.id = m.inbox_id ORDER BY m.at"
        ).fetchall()
        assert [(row[0], row[1], row[2], row[3]) for row in messages] == [
            ("PostNu", "20", "20", "inbound"),
            ("PostNu", "20", "21", "outbound"),
            ("WolkHelp", "10", "10", "inbound"),
            ("WolkHelp", "10", "11", "outbound"),
            ("WolkHelp", "10", "13", "inbound"),
            ("WolkHelp", "10", "12", "inbound"),
        ]
        assert all(row[4] == "public" and row[7] for row in messages)
        assert messages[3][5] == "@901 Sorry! We look into it & write back."
        assert messages[3][6].isoformat() == "2017-10-31T09:10:00+00:00"
        assert (messages[3][8], messages[2][8]) == ("WolkHelp", "901")
        waiting = desk.execute(
            "SELECT status, count(*), count(waiting_since) FROM conversations_conversation GROUP BY status"
        ).fetchall()
        assert waiting == [("pending", 2, 0)]
        assert desk.execute("SELECT count(*) FROM conversations_outbox").fetchone() == (0,)
        assert desk.execute("SELECT name FROM contacts_contact ORDER BY name").fetchall() == [
            ("901",),
            ("902",),
            ("903",),
        ]


def test_a_second_run_yields_duplicates_only(replayed: Machine, archive: Path) -> None:
    again = replayed.types("replay", str(archive), "--speed", "100000")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "6 accepted = 0 messages + 0 changes + 6 duplicates + 0 ignored" in again.stdout
    with database(replayed) as desk:
        assert desk.execute("SELECT count(*) FROM inboxes_inbox").fetchone() == (2,)
        assert desk.execute("SELECT count(*) FROM conversations_message").fetchone() == (6,)


def test_the_ledger_adds_up_and_says_so_when_it_does_not(replayed: Machine) -> None:
    whole = replayed.types("ledger")
    assert whole.returncode == 0, whole.stderr
    assert "WolkHelp" in whole.stdout
    assert "PostNu" in whole.stdout
    assert " NO" not in whole.stdout
    [book] = json.loads(replayed.types("ledger", "--inbox", "PostNu", "--json").stdout)
    assert book["totals"]["message"] == 2
    assert [row["inbox"] for row in book["rows"]] == ["PostNu"]
    with database(replayed) as desk:
        desk.execute("UPDATE inboxes_ledgerline SET count = count + 1 WHERE outcome = 'accepted'")
    short = replayed.types("ledger")
    assert short.returncode == 1
    assert " NO" in short.stdout
    with database(replayed) as desk:
        desk.execute("UPDATE inboxes_ledgerline SET count = count - 1 WHERE outcome = 'accepted'")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ledger", "--inbox", "Nowhere"), "There is no inbox called 'Nowhere'."),
        (("ledger", "--organisation", "elsewhere"), "There is no organisation 'elsewhere'. There are: archive."),
        (("channel", "verify", "Nowhere"), "There is no inbox 'Nowhere'. There are: PostNu, WolkHelp."),
        (("replay", "nothing-here.csv"), "nothing-here.csv cannot be read: No such file or directory."),
    ],
)
def test_what_is_not_there_is_said_in_one_line(replayed: Machine, words: tuple[str, ...], sentence: str) -> None:
    done = replayed.types(*words)
    assert done.returncode == 1
    assert done.stderr.strip() == f"klankbord {words[0]}: {sentence}"


def test_an_inbox_says_how_it_is(replayed: Machine) -> None:
    done = replayed.types("channel", "verify", "WolkHelp")
    assert done.returncode == 1
    assert "WolkHelp (api) is connected; its platform says: ailing." in done.stdout
    assert "!!  Replies  There is no address for replies: this inbox only receives." in done.stdout


def test_the_doctor_names_what_is_wrong_why_and_what_to_do(replayed: Machine) -> None:
    with database(replayed) as desk:
        desk.execute("ALTER TABLE contacts_contact DISABLE ROW LEVEL SECURITY")
        desk.execute(
            "UPDATE inboxes_inbox SET state = 'broken', state_reason = 'The token was withdrawn.' WHERE name = 'PostNu'"
        )
        desk.execute("UPDATE inboxes_inbox SET credentials = credentials || 'x'::bytea WHERE name = 'PostNu'")
    done = replayed.types("doctor", "--json")
    assert done.returncode == 1, done.stderr
    found = {each["name"]: each for each in json.loads(done.stdout)}
    wrong = {name for name, each in found.items() if not each["is_well"]}
    assert wrong == {"Wall, klankbord_app", "Wall, klankbord_worker", "Stored secrets", "Workers", "Inboxes"}
    assert all(each["why"] and each["advice"] for name, each in found.items() if name in wrong)
    assert "contacts_contact" in found["Wall, klankbord_app"]["what"]
    assert found["Stored secrets"]["what"] == "cannot be opened: credentials of PostNu"
    assert found["Inboxes"]["what"] == "PostNu is broken: The token was withdrawn."
    assert found["Tables"]["what"] == "up to date"


def test_the_doctor_finds_that_others_may_see_the_key(replayed: Machine) -> None:
    key = replayed.folder / "secret.key"
    key.chmod(0o644)
    try:
        done = replayed.types("doctor")
    finally:
        key.chmod(0o600)
    assert done.returncode == 1
    assert "secret.key can be read by others" in done.stdout
    assert "Tables" not in done.stdout
