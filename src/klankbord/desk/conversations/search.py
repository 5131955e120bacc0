"""Finding conversations by what was said in them, newest first.

The function in the database must be called alone (the wall's own conditions would keep its index from being used), so
a page is a few statements: the stems of the words, ids of messages, what those messages say, their conversations.
Nothing from an inbox that a person may not see counts, is shown or is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from klankbord.kernel.text import fold

from .. import access, rows
from ..inboxes.models import Inbox
from ..organisations.models import Membership
from ..wall import current_organisation_id
from . import vocabulary
from .asking import Question
from .index import STEMMERS, sender
from .listing import Listed, by_ids, by_numbers
from .models import Label
from .snippets import Snippet, cut_out, spoken_words

CONVERSATIONS = 20  # on a page
_HITS = 50  # messages read for a page
_EACH = 3  # messages shown of one conversation
_LONGEST_SHOWN = 6000  # characters of a message in which a place to show is looked for

Position = tuple[datetime, UUID]  # of a document


class Hit(NamedTuple):
    """A message in which the words stand. kind: inbound, outbound, note, context."""

    message: UUID
    at: datetime
    kind: str
    visibility: str
    author: str
    snippet: Snippet


class Result(NamedTuple):
    """more: how many further hits were seen and not shown."""

    conversation: Listed
    hits: list[Hit]
    more: int


@dataclass(frozen=True, slots=True)
class Results:
    """numbered: the conversation whose number was typed. rest: where the next page goes on, None at the end.
    unknown: filters that name nothing this person may see. meant: other words that do find something, "" for none."""

    numbered: Listed | None
    found: list[Result]
    rest: Position | None
    unknown: list[str]
    meant: str = ""


class _Message(NamedTuple):
    id: UUID
    conversation_id: UUID
    kind: str
    visibility: str
    author: str
    text: str


class _Narrowed(NamedTuple):
    """A question's filters as ids."""

    inboxes: list[UUID]
    labels: list[UUID] | None
    unknown: list[str]


def find(question: Question, *, by: Membership, after: Position | None = None) -> Results:
    """A page of conversations in which all words of a question occur, and of the filters' messages without words."""
    visible = access.inboxes_of(by)
    numbered = None
    if question.number is not None and after is None:
        numbered = by_numbers([question.number], inboxes=visible).get(question.number)
    narrowed = _narrowed(question, visible)
    unknown = [*question.unread, *narrowed.unknown]
    if question.is_empty or unknown or not narrowed.inboxes:
        return Results(numbered, [], None, unknown)
    stems = stems_of(question.all_words)
    hits = _hits(question, narrowed, stems, after, _HITS)
    shown, rest = _by_conversation(hits, after)
    if after is not None:
        for gone in _shown_before(question, narrowed, _tsquery(question, stems), list(shown), after):
            del shown[gone]
    if numbered is not None:
        shown.pop(numbered.id, None)
    found = _results(question, shown, stems, visible)
    meant = "" if found or numbered or after else _meant(question, narrowed, stems)
    return Results(numbered, found, rest, [], meant)


def people(beginning: str, *, by: Membership, limit: int = 6) -> list[tuple[UUID, str, int]]:
    """Those who wrote and have a name that begins like this, the last to write first: contact, name, number of their
    newest conversation."""
    visible = list(access.visible_inboxes(by))
    words = [word for word in fold(beginning).split() if word][:4]
    if not words or not visible:
        return []
    asked = Question(senders=tuple(words))
    hits = _hits(asked, _Narrowed(visible, None, []), {}, None, 60)
    found = rows.run(
        """SELECT p.id, p.name, c.number FROM conversations_message m
             JOIN conversations_conversation c ON c.organisation_id = m.organisation_id AND c.id = m.conversation_id
             JOIN contacts_contact p ON p.organisation_id = c.organisation_id AND p.id = c.contact_id
            WHERE m.organisation_id = %s AND m.id = ANY(%s) AND m.kind = 'inbound' AND c.inbox_id = ANY(%s)
            ORDER BY m.at DESC""",
        [current_organisation_id(), [message for message, _at, _id in hits], visible],
    )
    first: dict[UUID, tuple[UUID, str, int]] = {}
    for contact, name, number in found:
        first.setdefault(contact, (contact, name, number))
    return list(first.values())[:limit]


def stems_of(words: Iterable[str]) -> dict[str, frozenset[str]]:
    """Each word's stems in all languages of the index; a word that is left out of one (the, het) has none there."""
    wanted = sorted(set(words))
    if not wanted:
        return {}
    stems = " || ".join(f"coalesce(ts_lexize('{language}_stem', w), '{{}}')" for language in STEMMERS)
    return {
        word: frozenset(found) for word, found in rows.run(f"SELECT w, {stems} FROM unnest(%s::text[]) w", [wanted])
    }


# ------------------------------------------------------------------------------------------ asking the database


def _narrowed(question: Question, visible: dict[UUID, Inbox]) -> _Narrowed:
    unknown = []
    inboxes = list(visible)
    for said in question.inboxes:
        fitting = [key for key, inbox in visible.items() if _is_meant(said, inbox.name) or said == inbox.kind]
        if not fitting:
            unknown.append(f"inbox:{said}")
        inboxes = [key for key in inboxes if key in fitting]
    labels: list[UUID] | None = None
    if question.labels:
        known = list(Label.objects.order_by("name"))
        labels = []
        for said in question.labels:
            fitting = [label.id for label in known if fold(label.name) == said] or [
                label.id for label in known if _is_meant(said, label.name)
            ]
            labels += fitting
            if not fitting:
                unknown.append(f"label:{said}")
    return _Narrowed(inboxes, labels, unknown)


def _is_meant(said: str, name: str) -> bool:
    whole = fold(name)
    return whole.startswith(said) or any(word.startswith(said) for word in whole.split())


def _hits(
    question: Question,
    narrowed: _Narrowed,
    stems: dict[str, frozenset[str]],
    after: Position | None,
    newest: int,
) -> list[tuple[UUID, datetime, UUID]]:
    """(message, moment, document), newest first."""
    return rows.run(
        "SELECT message_id, at, id FROM klankbord_find(%s::tsquery, %s::uuid[], %s::int, %s::timestamptz, %s::uuid,"
        " %s::timestamptz, %s::timestamptz, %s::text[], %s::text, %s::uuid[])",
        [
            _tsquery(question, stems) or None,
            narrowed.inboxes,
            newest,
            *(after or (None, None)),
            question.since,
            question.until,
            list(question.statuses) or None,
            question.visibility or None,
            narrowed.labels,
        ],
    )


def _tsquery(question: Question, stems: dict[str, frozenset[str]]) -> str:
    """Words are letters and digits only, so each can stand between quotes as it is."""
    parts = [_either(word, stems) for word in question.words]
    if question.beginning:
        word = question.beginning
        others = (each for each in sorted(stems.get(word, ())) if not each.startswith(word))
        parts.append("(" + " | ".join([f"'{word}':*", *(f"'{each}'" for each in others)]) + ")")
    parts += ["(" + " <-> ".join(f"'{word}'" for word in phrase) + ")" for phrase in question.phrases]
    parts += [f"'{sender(word)}':*" for word in question.senders]
    return " & ".join(parts)


def _either(word: str, stems: dict[str, frozenset[str]]) -> str:
    return "(" + " | ".join(f"'{each}'" for each in sorted({word, *stems.get(word, ())})) + ")"


# ------------------------------------------------------------------------------------------ from hits to a page


def _by_conversation(
    hits: Sequence[tuple[UUID, datetime, UUID]], after: Position | None
) -> tuple[dict[UUID, list[tuple[_Message, datetime]]], Position | None]:
    """The messages of as many conversations as fit a page, and where the next page goes on."""
    said = _messages([message for message, _at, _document in hits])
    shown: dict[UUID, list[tuple[_Message, datetime]]] = {}
    last = after
    for message, at, document in hits:
        found = said.get(message)
        if found is not None:
            # By the message's own row: a merge may have moved it since it was indexed.
            if found.conversation_id not in shown and len(shown) == CONVERSATIONS:
                return shown, last
            shown.setdefault(found.conversation_id, []).append((found, at))
        last = (at, document)
    return shown, last if len(hits) == _HITS else None


def _results(
    question: Question,
    shown: dict[UUID, list[tuple[_Message, datetime]]],
    stems: dict[str, frozenset[str]],
    visible: Collection[UUID],
) -> list[Result]:
    listed = by_ids(shown, inboxes=visible)
    kept = {key: messages for key, messages in shown.items() if key in listed}
    mark = _marker(question, stems, [message for messages in kept.values() for message, _at in messages[:_EACH]])
    return [
        Result(
            listed[key],
            [
                Hit(message.id, at, message.kind, message.visibility, message.author, mark(message.text))
                for message, at in messages[:_EACH]
            ],
            max(len(messages) - _EACH, 0),
        )
        for key, messages in kept.items()
    ]


def _messages(ids: Sequence[UUID]) -> dict[UUID, _Message]:
    found = rows.run(
        f"""SELECT id, conversation_id, kind, visibility, author_name, left(text, {_LONGEST_SHOWN})
              FROM conversations_message WHERE organisation_id = %s AND id = ANY(%s)""",
        [current_organisation_id(), list(ids)],
    )
    return {each[0]: _Message(*each) for each in found}


def _shown_before(
    question: Question, narrowed: _Narrowed, words: str, conversations: list[UUID], after: Position
) -> set[UUID]:
    """Those among these conversations that stood on an earlier page already, for a newer message."""
    found = rows.run(
        f"""SELECT DISTINCT m.conversation_id FROM conversations_message m
              JOIN conversations_searchdocument s ON s.organisation_id = m.organisation_id AND s.message_id = m.id
             WHERE m.organisation_id = %s AND m.conversation_id = ANY(%s) AND m.at >= %s AND s.inbox_id = ANY(%s)
               AND (s.at, s.id) >= (%s, %s)
               {"AND s.document @@ %s::tsquery" if words else ""}
               {"AND s.at < %s" if question.until else ""}
               {"AND m.visibility = %s" if question.visibility else ""}""",
        [
            current_organisation_id(),
            conversations,
            after[0],
            narrowed.inboxes,
            *after,
            *([words] if words else []),
            *([question.until] if question.until else []),
            *([question.visibility] if question.visibility else []),
        ],
    )
    return {conversation for (conversation,) in found}


def _marker(
    question: Question, stems: dict[str, frozenset[str]], messages: Sequence[_Message]
) -> Callable[[str], Snippet]:
    asked = {*question.all_words, *(stem for word in question.all_words for stem in stems.get(word, ()))}
    spoken = {word for message in messages for word in spoken_words(message.text)} if asked else set()
    beginning = question.beginning
    marked = {
        word
        for word, found in stems_of(spoken).items()
        if word in asked or (beginning and word.startswith(beginning)) or not asked.isdisjoint(found)
    }
    return lambda text: cut_out(text, marked)


def _meant(question: Question, narrowed: _Narrowed, stems: dict[str, frozenset[str]]) -> str:
    """The question with one word put right, when that finds something this person may see."""
    singles = [*question.words, *([question.beginning] if question.beginning else [])]
    if not singles or question.phrases:
        return ""
    alone = [_hits(Question(words=(word,)), narrowed, stems, None, 1) for word in singles]
    put_right = [
        word if found else vocabulary.nearest(word, inboxes=narrowed.inboxes) or word
        for word, found in zip(singles, alone, strict=True)
    ]
    if put_right == singles:
        return ""
    other = replace(question, words=tuple(put_right), beginning="")
    return " ".join(put_right) if _hits(other, narrowed, stems_of(put_right), None, 1) else ""
