"""`@name` in a note: who is meant, and letting them know.

Only colleagues who may see the conversation can be named; to anybody else the words are just words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from klankbord.desk import access
from klankbord.desk.conversations.models import Conversation, Message
from klankbord.desk.notices.models import NoticeKind
from klankbord.desk.notices.services import mention_people
from klankbord.desk.organisations.models import Membership
from klankbord.kernel.text import fold

from .notices import notify

_AT = re.compile(r"(?<![\w@.])@(?=\w)")


def mentionable(*, conversation: Conversation, by: Membership) -> list[Membership]:
    """Who can be named here, by name."""
    return [each for each in access.people_who_see(conversation.inbox_id) if each.id != by.id]


def people_named(text: str, *, conversation: Conversation, by: Membership) -> list[Membership]:
    """Those whose name stands behind an @; a first name will do when only one person has it."""
    return named_in(text, mentionable(conversation=conversation, by=by)) if _AT.search(text) else []


def named_in(text: str, people: Sequence[Membership]) -> list[Membership]:
    """The longest name that fits counts: "@Anna Bos" is not Anna."""
    names = _names(people)
    longest_first = sorted(names, key=len, reverse=True)
    found: dict[Membership, None] = {}
    for at in _AT.finditer(text):
        # The words as typed, and no further than the longest name goes: folding may change how long they are.
        rest = fold(text[at.end() : at.end() + 130])
        name = next((name for name in longest_first if _begins(rest, name)), None)
        if name is not None:
            found[names[name]] = None
    return list(found)


def keep_mentions(named: Sequence[Membership], note: Message, *, by: Membership, now: datetime) -> None:
    members = [each.id for each in named]
    if members:
        mention_people(members, conversation=note.conversation_id, message=note.id, now=now)
        notify(
            kind=NoticeKind.MENTIONED, conversation=note.conversation_id, members=members, by=by, message=note.id,
            now=now,
        )  # fmt: skip


def _names(people: Sequence[Membership]) -> dict[str, Membership]:
    """What somebody may be called, folded; a name that two people have names neither."""
    full = [(fold(" ".join(each.name.split())), each) for each in people]
    first = [(name.split(" ")[0], each) for name, each in full]
    firsts, fulls = Counter(name for name, _each in first), Counter(name for name, _each in full)
    return {name: each for name, each in first if firsts[name] == 1} | {
        name: each for name, each in full if fulls[name] == 1
    }


def _begins(rest: str, name: str) -> bool:
    return rest.startswith(name) and not re.match(r"\w", rest[len(name) :])
