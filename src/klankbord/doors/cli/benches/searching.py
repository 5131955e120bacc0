"""How long a search takes in a long history: its answer over HTTP, as the page asks for it while somebody types."""

from __future__ import annotations

import asyncio
import bisect
import itertools
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import psycopg

from . import load
from .figures import Figure, milliseconds, quantile
from .place import Place, place
from .seed import seed

_EACH = 10  # messages of a conversation
_WORDS_OF_A_MESSAGE = 30
_VOCABULARY = 60_000
_YEARS = 2
_QUESTIONS = 25  # different ones of a kind
_TIMES = 2  # each: the first finds less in memory
# In how many of a thousand messages such a word stands.
_COMMON, _MID, _RARE = (40.0, 80.0), (8.0, 25.0), (0.02, 0.2)
_FRAGMENT = {"HX-Request": "true", "HX-Target": "results"}

_TEXTS = "CREATE TEMP TABLE said (number bigint, at timestamptz, words text)"
_ROWS = (
    """CREATE TEMP TABLE spoken AS
       SELECT gen_random_uuid() AS id, t.conversation_id, t.id AS thread, t.inbox_id, t.handle_id, s.at, s.words
         FROM said s JOIN conversations_conversation c ON c.organisation_id = %(organisation)s AND c.number = s.number
         JOIN conversations_thread t ON t.organisation_id = c.organisation_id AND t.conversation_id = c.id""",
    """INSERT INTO conversations_message (id, organisation_id, conversation_id, thread_id, inbox_id, kind, visibility,
              author_kind, author_name, handle_id, text, html, quoted, at, received_at, in_reply_to, state,
              state_reason, language, is_automatic, is_history, keeps_open, remarks, also_to, facts)
       SELECT id, %(organisation)s, conversation_id, thread, inbox_id, 'inbound', 'private', 'contact', 'Klant',
              handle_id, words, '', '', at, at, '', 'received', '', 'nl', false, false, false, '[]', '[]', '{}'
         FROM spoken""",
    """INSERT INTO conversations_searchdocument (id, organisation_id, message_id, conversation_id, inbox_id, at,
              document)
       SELECT gen_random_uuid(), %(organisation)s, id, conversation_id, inbox_id, at, {document}
         FROM (SELECT *, NULL::text AS also, ARRAY['from:klant'] AS senders FROM spoken) s""",
)


def search(seconds: float, *, size: int) -> list[Figure]:
    """size: messages. seconds is of no use here: the questions decide how long it takes."""
    with place() as desk:
        words = _fill(desk, size)
        cookie = desk.cookie()
        figures: list[Figure] = []
        for name, questions, median, slow in (
            ("rare word", words.of(_RARE), 20.0, 60.0),
            ("two words", words.pairs(_MID), 20.0, 60.0),
            ("common word", words.of(_COMMON), None, 100.0),
            ("no such word", [f"{word}qx" for word in words.of(_MID)], None, None),
        ):
            figures += _asked(desk, cookie, name, questions, size, median, slow)
    return figures


def _asked(
    desk: Place, cookie: str, name: str, questions: list[str], size: int, median: float | None, slow: float | None
) -> list[Figure]:
    took: list[float] = []
    for question in questions:
        path = f"/search?q={quote(question)}"
        took += asyncio.run(load.ask(desk.port, path, headers={"cookie": cookie, **_FRAGMENT}, times=_TIMES))[0]
    conditions = {"messages": size, "questions": len(questions), "times": len(took)}
    return [
        Figure(f"search, {name} p50", milliseconds(statistics.median(took)), "ms", conditions, at_most=median),
        Figure(f"search, {name} p95", milliseconds(quantile(took, 0.95)), "ms", conditions, at_most=slow),
    ]


# ------------------------------------------------------------------------------------------ a history to search


class _Words:
    """Made-up words that occur as unevenly as those of a language (Zipf), and in how many messages each stands."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        syllables = [
            a + b for a in "bdfghjklmnprstvwz" for b in ("a", "aa", "e", "ee", "i", "ie", "o", "oe", "u", "ui")
        ]
        made = ("".join(chance.choices(syllables, k=chance.choice((2, 2, 3, 3, 4)))) for _ in itertools.count())
        self._known = list(itertools.islice(dict.fromkeys(itertools.islice(made, _VOCABULARY * 2)), _VOCABULARY))
        self._shares = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(self._known))))
        self._found: Counter[str] = Counter()
        self._messages = 0

    def message(self) -> str:
        draw, most = self._chance.random, self._shares[-1]
        said = [self._known[bisect.bisect_left(self._shares, draw() * most)] for _ in range(_WORDS_OF_A_MESSAGE)]
        self._found.update(set(said))
        self._messages += 1
        return " ".join(said)

    def of(self, share: tuple[float, float]) -> list[str]:
        """Words that stand in so many of a thousand messages (from, to)."""
        low, high = (each * self._messages / 1000 for each in share)
        fitting = sorted(word for word, count in self._found.items() if low <= count <= high and len(word) > 3)
        return self._chance.sample(fitting, min(_QUESTIONS, len(fitting)))

    def pairs(self, share: tuple[float, float]) -> list[str]:
        words = self.of(share)
        return [f"{one} {other}" for one, other in zip(words, [*words[1:], *words[:1]], strict=True)]


def _fill(desk: Place, size: int) -> _Words:
    """So many messages, ten in each conversation, over two years; as the owner, with the index made at the end."""
    from klankbord.desk.conversations.index import DOCUMENT

    assert desk.organisation is not None
    inbox, _target = desk.inbox()
    seed(desk.address, organisation=desk.organisation, inbox=inbox, count=size // _EACH, each=2)
    words = _Words(random.Random(7))  # noqa: S311 (the same history each time)
    with psycopg.connect(desk.address, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # rows that fit need no check of their keys
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute(_TEXTS)
        with connection.cursor() as cursor, cursor.copy("COPY said FROM STDIN") as copy:
            for row in _said(words, size):
                copy.write_row(row)
        connection.execute("DROP INDEX search_words")
        with psycopg.ClientCursor(connection) as statements:
            for statement in _ROWS:
                filled: dict[str, UUID] = {"organisation": desk.organisation}
                statements.execute(statement.replace("{document}", DOCUMENT).encode(), filled)
        connection.execute("CREATE INDEX search_words ON conversations_searchdocument USING gin (document)")
        connection.execute("VACUUM ANALYZE")
    return words


def _said(words: _Words, size: int) -> Iterator[tuple[int, datetime, str]]:
    """Number of the conversation, moment, words; oldest first."""
    began = datetime.now(UTC) - timedelta(days=365 * _YEARS)
    step = timedelta(days=365 * _YEARS) / size
    for number in range(size):
        yield number // _EACH + 1, began + step * number, words.message()
