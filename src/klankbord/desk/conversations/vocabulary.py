"""The organisation's own words: learned from its messages, offered when a question finds nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from klankbord.kernel.ids import first_of, uuid7
from klankbord.kernel.spelling import slips

from ..rows import insert, run
from ..wall import current_organisation_id
from . import index
from .asking import words_of
from .known_words import IndexProgress, KnownWord

MANY = 50  # a count that does not grow: a common word would otherwise be written with every batch
_AT_ONCE = 500
_SHORTEST, _LONGEST = 4, 24
_MOST_CANDIDATES = 4000
_SETTLED = timedelta(minutes=1)  # ids go by time, commits nearly so: what is younger may still get older neighbours


def advance(*, now: datetime) -> bool:
    """Learn the words of the next messages, and make their documents anew where that is due. Gives whether more wait.

    May run twice or side by side: who comes second waits for the row and goes on behind the first.
    """
    progress = _progress(now)
    found = run(
        """SELECT id, inbox_id, text FROM conversations_message
            WHERE organisation_id = %s AND id > %s AND id < %s AND deleted_at IS NULL AND state <> 'taken back'
            ORDER BY id LIMIT %s""",
        [current_organisation_id(), progress.reached, first_of(now - _SETTLED), _AT_ONCE],
    )
    if not found:
        return False
    index.index_again([message for message, _inbox, _text in found if message <= progress.until])
    _learn((inbox, text) for _message, inbox, text in found)
    progress.reached = found[-1][0]
    progress.save(update_fields=["reached"])
    return len(found) == _AT_ONCE


def _progress(now: datetime) -> IndexProgress:
    """Locked. Begins again when documents are made another way than they were."""
    begun = {"version": index.VERSION, "until": first_of(now)}
    progress: IndexProgress
    progress, _made = IndexProgress.objects.select_for_update().get_or_create(defaults=begun)
    if progress.version != index.VERSION:
        KnownWord.objects.all().delete()
        progress.version, progress.until, progress.reached = index.VERSION, first_of(now), UUID(int=0)
        progress.save(update_fields=["version", "until", "reached"])
    return progress


def _learn(texts: Iterable[tuple[UUID, str]]) -> None:
    """(inbox, text) of messages."""
    counts: Counter[tuple[UUID, str]] = Counter()
    for inbox, text in texts:
        counts.update((inbox, word) for word in set(words_of(text)) if _SHORTEST <= len(word) <= _LONGEST)
    rows = [
        {
            "id": uuid7(),
            "organisation_id": current_organisation_id(),
            "inbox_id": inbox,
            "word": word,
            "head": word[:2],
            "tail": word[-2:],
            "count": min(count, MANY),
        }
        for (inbox, word), count in sorted(counts.items())
        if not any(letter.isdecimal() for letter in word)  # order numbers and the like are nobody's vocabulary
    ]
    insert(
        KnownWord,
        rows,
        on_conflict="(organisation_id, inbox_id, word) DO UPDATE SET"
        f" count = least({MANY}, conversations_knownword.count + EXCLUDED.count)"
        f" WHERE conversations_knownword.count < {MANY}",
    )


def nearest(word: str, *, inboxes: Collection[UUID]) -> str:
    """The known word that this one most likely was meant to be, from inboxes that may be seen; "" when none is near."""
    if not _SHORTEST <= len(word) <= _LONGEST:
        return ""
    most = 1 if len(word) < 6 else 2
    found = run(
        """SELECT word, sum(count) FROM conversations_knownword
            WHERE organisation_id = %s AND inbox_id = ANY(%s) AND (head = %s OR tail = %s) AND word <> %s
            GROUP BY word ORDER BY 2 DESC LIMIT %s""",
        [current_organisation_id(), list(inboxes), word[:2], word[-2:], word, _MOST_CANDIDATES],
    )
    near = [
        (distance, -count, known)
        for known, count in found
        if abs(len(known) - len(word)) <= most and (distance := slips(word, known, most=most)) <= most
    ]
    return min(near)[2] if near else ""
