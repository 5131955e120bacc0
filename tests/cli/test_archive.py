"""Archives of conversations: what is read, what is left out and why, and which messages belong together."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from klankbord.doors.cli.archive import NO_BRAND, Archive, NotAnArchive, read_archive

HEAD = "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id"
MORNING = "Tue Oct 31 09:{:02}:00 +0000 2017"


def row(number: int | str, author: str, text: str, *, answers: str = "", at: str = "", ours: bool = False) -> str:
    moment = at or MORNING.format(int(number) if str(number).isdigit() else 0)
    return f'{number},{author},{not ours},{moment},"{text}",,{answers}'


@pytest.fixture
def read(tmp_path: Path):
    def reading(
        *rows: str, head: str = HEAD, encoding: str = "utf-8", packed: bool = False
    ) -> tuple[Archive, list[str]]:
        path, complaints = tmp_path / "archive.csv", []
        content = "\n".join((head, *rows)).encode(encoding)
        path.write_bytes(gzip.compress(content) if packed else content)
        return read_archive(path, lambda number, why: complaints.append(f"{number}: {why}")), complaints

    return reading


@pytest.mark.parametrize("packed", [False, True])
def test_customers_and_brands_are_told_apart_and_ordered_in_time(read, packed):
    archive, complaints = read(
        row(2, "WolkHelp", "@901 Sorry, we look into it.", answers="1", ours=True),
        row(1, "901", "@WolkHelp Where is my lamp?"),
        row(3, "901", "@WolkHelp Thanks", answers="2"),
        packed=packed,
    )
    assert complaints == []
    assert [(post.id, post.is_ours, post.brand, post.person, post.root) for post in archive.posts] == [
        ("1", False, "WolkHelp", "901", "1"),
        ("2", True, "WolkHelp", "901", "1"),
        ("3", False, "WolkHelp", "901", "1"),
    ]
    assert archive.posts[0].at.isoformat() == "2017-10-31T09:01:00+00:00"


def test_a_link_to_a_message_outside_the_file_starts_a_thread(read):
    archive, _ = read(row(7, "901", "And now?", answers="6"), row(8, "Wolk", "@901 Soon.", answers="7", ours=True))
    assert {(post.id, post.root, post.parent) for post in archive.posts} == {("7", "7", ""), ("8", "7", "7")}


def test_links_that_go_round_in_a_ring_end_in_one_thread(read):
    archive, _ = read(
        row(1, "901", "a", answers="3"), row(2, "Wolk", "b", answers="1", ours=True), row(3, "901", "c", answers="2")
    )
    assert {post.root for post in archive.posts} == {"1"}
    archive, _ = read(row(4, "901", "to myself", answers="4"))
    assert [(post.root, post.parent) for post in archive.posts] == [("4", "")]


def test_a_customer_who_speaks_with_two_brands_is_heard_by_each(read):
    archive, _ = read(
        row(1, "901", "@Wolk @Post where is it?"),
        row(2, "Wolk", "@901 With @Post.", answers="1", ours=True),
        row(3, "Post", "@901 In Gouda.", answers="1", ours=True),
        row(4, "901", "@Post Thanks", answers="3"),
    )
    assert {post.id: post.brand for post in archive.posts} == {"1": "Wolk", "2": "Wolk", "3": "Post", "4": "Post"}


def test_a_message_that_nobody_answered_goes_to_the_brand_it_names(read):
    archive, _ = read(
        row(1, "901", "hey @wolk, nice lamp"), row(2, "902", "hello?"), row(3, "Wolk", "@903 Hi", ours=True)
    )
    assert {post.id: (post.brand, post.person) for post in archive.posts} == {
        "1": ("Wolk", "901"),
        "2": (NO_BRAND, "902"),
        "3": ("Wolk", "903"),
    }


def test_entities_are_decoded_and_characters_that_no_database_holds_are_left_out(read):
    archive, _ = read(row(1, "901", "tables &amp; chairs &lt;3 \x07☁️"))
    assert archive.posts[0].text == "tables & chairs <3 ☁️"


def test_bad_rows_are_left_out_with_their_number_and_the_reason(read):
    archive, complaints = read(
        row(1, "901", "fine"),
        row("", "901", "no id"),
        row(3, "901", "when?", at="yesterday"),
        '4,901,perhaps,Tue Oct 31 09:04:00 +0000 2017,"in or out?",,',
        "5,901",
        row(6, "901", "&nbsp; "),
        row("7\x1b[2J", "901", "an id that clears a screen"),
        row(8, "901", "fine too"),
    )
    assert [post.id for post in archive.posts] == ["1", "8"]
    assert (archive.rows, archive.skipped) == (8, 6)
    assert complaints == [
        "3: tweet_id is empty",
        "4: created_at is 'yesterday', which is no moment",
        "5: inbound is 'perhaps', not True or False",
        "6: inbound is empty",
        "7: text is empty",
        "8: tweet_id is '7[2J', which is no id",
    ]


def test_a_text_of_several_lines_and_with_quotes_is_one_row(read):
    archive, complaints = read(row(1, "901", 'first\nsecond, ""really""'), "2,901,True,never,x,,")
    assert archive.posts[0].text == 'first\nsecond, "really"'
    assert complaints == ["3: created_at is 'never', which is no moment"]


def test_ids_that_a_table_turned_into_fractions_are_whole_again(read):
    archive, _ = read(row(1, "901", "a"), row(2, "Wolk", "b", answers="1.0", ours=True))
    assert archive.posts[1].root == "1"


def test_other_moments_and_words_for_yes_and_no_are_understood(read):
    archive, complaints = read(
        "1,901,1,2017-10-31 09:00:00,no zone,,",
        "2,901,true,2017-10-31T10:00:00+01:00,an hour on,,",
        "3,W,0,2017-11-01,b,,",
    )
    assert complaints == []
    assert [post.at.isoformat() for post in archive.posts[:2]] == ["2017-10-31T09:00:00+00:00"] * 2


@pytest.mark.parametrize(
    ("encoding", "remarks"),
    [("utf-8-sig", 0), ("utf-16", 0), ("cp1252", 1)],
)
def test_encodings_are_recognised(read, encoding, remarks):
    archive, _ = read(row(1, "901", "één café"), encoding=encoding)
    assert archive.posts[0].text == "één café"
    assert len(archive.remarks) == remarks


def test_missing_columns_are_named(read):
    with pytest.raises(
        NotAnArchive, match=r"has no column inbound, created_at\. Its columns are: tweet_id, author_id, text"
    ):
        read("1,2,3", head="tweet_id,author_id,text")
    with pytest.raises(NotAnArchive, match="none at all"):
        read(head="")


def test_a_file_that_is_cut_off_or_absent_is_named(read, tmp_path):
    read(row(1, "901", "a" * 5000), packed=True)
    path = tmp_path / "archive.csv"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(NotAnArchive, match="ends too early"):
        read_archive(path, lambda number, why: None)
    with pytest.raises(NotAnArchive, match="No such file"):
        read_archive(tmp_path / "nothing.csv", lambda number, why: None)


def test_a_monstrous_cell_does_not_stop_the_rows_after_it(read):
    archive, complaints = read(row(1, "901", "x" * 1_100_000), row(2, "901", "still here"))
    assert [post.id for post in archive.posts] == ["2"]
    assert complaints[0].startswith("2: it is not CSV")
