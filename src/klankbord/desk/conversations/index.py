"""Writing the index of words: what a message is found by. Everything here runs inside `with organisation(id):`.

A document holds three kinds of entries. Words as they stand, with their places, for phrases and beginnings. Their stems
in every language of the desk (Dutch and English, and the message's own), without places. And who said it, each word
after "from:", so that a sender is found by the same index. All words are folded by us: the embedded database has no
extension for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from ..rows import packed, run
from ..wall import current_organisation_id
from .asking import words_of

VERSION = 2  # raise it when documents are made another way: old ones are then made anew, in the background
STEMMERS = ("dutch", "english", "german", "french")
_ALSO = {"de": "german", "fr": "french"}
_LONGEST = 100_000  # characters of a message that are indexed

# Of a row with words and senders (folded), and also: one more language or NULL.
DOCUMENT = """to_tsvector('simple', words)
    || strip(to_tsvector('dutch', words) || to_tsvector('english', words)
             || coalesce(to_tsvector(also::regconfig, words), ''))
    || array_to_tsvector(senders)"""


def add_search_documents(rows: Sequence[Mapping[str, Any]]) -> None:
    """dicts with message_id, conversation_id, inbox_id, at, language, words (plain text), sender (their names).

    A message that has a document gets a new one.
    """
    if rows:
        run(
            f"""INSERT INTO conversations_searchdocument
                      (id, organisation_id, message_id, conversation_id, inbox_id, at, document)
               SELECT gen_random_uuid(), %s, message_id, conversation_id, inbox_id, at, {DOCUMENT}
                 FROM json_to_recordset(%s::json) AS r(message_id uuid, conversation_id uuid, inbox_id uuid,
                      at timestamptz, also text, words text, senders text[])
               ON CONFLICT (organisation_id, message_id) DO UPDATE SET document = EXCLUDED.document,
                      conversation_id = EXCLUDED.conversation_id, inbox_id = EXCLUDED.inbox_id, at = EXCLUDED.at""",
            [current_organisation_id(), packed(_document(row) for row in rows)],
        )


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    # Divided as a question divides its words: PostgreSQL would keep an address or a link as one word.
    return {
        **{key: row[key] for key in ("message_id", "conversation_id", "inbox_id", "at")},
        "also": _ALSO.get(row["language"]),
        "words": " ".join(words_of(row["words"][:_LONGEST])),
        "senders": sorted({sender(word) for word in words_of(row["sender"])}),
    }


def sender(word: str) -> str:
    """How a document says that one of its sender's names is this word; no word of a text looks like it."""
    return f"from:{word[:100]}"


def index_again(messages: Sequence[UUID]) -> None:
    """Messages that say something else now, or whose documents were made another way."""
    if not messages:
        return
    organisation_id = current_organisation_id()
    found = run(
        """SELECT m.id, m.conversation_id, m.inbox_id, m.at, m.language,
                  concat_ws(' ', t.title, m.author_name, CASE m.kind WHEN 'inbound' THEN h.username END, m.text),
                  concat_ws(' ', m.author_name,
                            CASE m.kind WHEN 'inbound' THEN concat_ws(' ', h.name, h.username, h.email) END)
             FROM conversations_message m
             JOIN conversations_thread t ON t.organisation_id = m.organisation_id AND t.id = m.thread_id
             LEFT JOIN contacts_handle h ON h.organisation_id = m.organisation_id AND h.id = m.handle_id
            WHERE m.organisation_id = %s AND m.id = ANY(%s) AND m.deleted_at IS NULL AND m.state <> 'taken back'""",
        [organisation_id, sorted(messages)],
    )
    names = ("message_id", "conversation_id", "inbox_id", "at", "language", "words", "sender")
    add_search_documents([dict(zip(names, row, strict=True)) for row in found])


def forget_search_documents(messages: Iterable[UUID]) -> None:
    """Nobody finds these messages by their words any more."""
    run(
        "DELETE FROM conversations_searchdocument WHERE organisation_id = %s AND message_id = ANY(%s)",
        [current_organisation_id(), sorted(messages)],
    )
