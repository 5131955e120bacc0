"""Saved replies and business facts: who may write which, and what one says in a given conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.models import Conversation
from klankbord.desk.errors import Invalid, NotAllowed, NotFound
from klankbord.desk.library import filling, queries
from klankbord.desk.library.models import BusinessFact, SavedReply
from klankbord.desk.organisations.models import Membership
from klankbord.desk.organisations.queries import teams_of
from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import clean, fold, one_line

_LONGEST, _LONGEST_FACT = 20_000, 2_000  # characters
_OFFERED = 8
_FACT_NAME = re.compile(r"[^\W\d_][\w-]{1,39}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A saved reply as it would read here. language: of these words. missing: blanks for which nothing is known."""

    reply: SavedReply
    text: str
    language: str
    missing: tuple[str, ...]


def save_reply(
    *,
    reply: UUID | None,
    name: str,
    text_nl: str,
    text_en: str,
    audience: str,
    by: Membership,
    now: datetime,
) -> SavedReply:
    """Write a saved reply, or change one. audience: "me", "all", or a team's id. Raises Invalid, NotAllowed."""
    access.require(by, "answer")
    found = reply_to_change(reply=reply, by=by) if reply else SavedReply(id=uuid7())
    found.owner, found.team = None, None
    if audience == "me":
        found.owner = by
    elif audience != "all":
        found.team = next((team for team in teams_of(by) if str(team.id) == audience), None)
        if found.team is None:
            raise Invalid(_("Choose for whom this is."))
    elif not access.may(by, "manage library"):
        raise NotAllowed
    found.name = one_line(name, limit=80)
    found.text_nl, found.text_en = clean(text_nl).strip()[:_LONGEST], clean(text_en).strip()[:_LONGEST]
    if not found.name or not (found.text_nl or found.text_en):
        raise Invalid(_("Give it a name, and words in at least one language."))
    found.changed_by, found.changed_at = by, now
    found.save()
    return found


def remove_reply(*, reply: UUID, by: Membership) -> None:
    reply_to_change(reply=reply, by=by).delete()


def reply_to_change(*, reply: UUID, by: Membership) -> SavedReply:
    """One's own, one's team's, or (for who keeps the library) everybody's. Raises NotFound, NotAllowed."""
    access.require(by, "answer")
    found = queries.reply_for(by, reply)
    if found is None:
        raise NotFound
    if not may_change(found, by):
        raise NotAllowed
    return found


def may_change(reply: SavedReply, by: Membership) -> bool:
    """Of a reply that this person can use."""
    return reply.owner_id == by.id or reply.team_id is not None or access.may(by, "manage library")


def save_fact(*, name: str, value_nl: str, value_en: str, by: Membership) -> BusinessFact:
    """Write a fact, or change the one of that name. Raises Invalid."""
    access.require(by, "manage library")
    name = filling.known_as(name.strip().strip("{}"))
    if not _FACT_NAME.fullmatch(name):
        raise Invalid(_("The name of a fact is one word: letters, digits and dashes."))
    if name in filling.ALWAYS:
        raise Invalid(_("{%(name)s} is filled by the desk itself.") % {"name": name})
    values = {"value_nl": clean(value_nl).strip()[:_LONGEST_FACT], "value_en": clean(value_en).strip()[:_LONGEST_FACT]}
    if not any(values.values()):
        raise Invalid(_("Say what it is, in at least one language."))
    fact: BusinessFact
    fact, _made = BusinessFact.objects.update_or_create(name=name, defaults=values)
    return fact


def remove_fact(*, fact: UUID, by: Membership) -> None:
    access.require(by, "manage library")
    if not BusinessFact.objects.filter(id=fact).delete()[0]:
        raise NotFound


def phrases(
    *, conversation: Conversation, words: str, by: Membership, language: str = "", limit: int = _OFFERED
) -> list[Phrase]:
    """Saved replies in which all words occur, those first that are named so; filled for this conversation.

    conversation: as `access` gave it to this person. language: "" for the contact's.
    """
    language = language or language_of(conversation, by)
    wanted = fold(words).split()
    hits = [(rank, each) for each in queries.replies_for(by) if (rank := _rank(each, wanted)) is not None]
    hits.sort(key=lambda hit: hit[0])
    if not hits:
        return []
    values = values_for(conversation=conversation, by=by, language=language)
    return [_phrase(each, language, values) for _rank_of_it, each in hits[:limit]]


def note_use(*, reply: UUID, by: Membership) -> None:
    """The ones used most come first."""
    if queries.reply_for(by, reply) is None:
        raise NotFound
    SavedReply.objects.filter(id=reply).update(uses=F("uses") + 1)


def values_for(*, conversation: Conversation, by: Membership, language: str) -> dict[str, str]:
    """What blanks say in this conversation."""
    name = one_line(conversation.contact.name, limit=100)
    return {
        **queries.facts_in(language),
        "voornaam": name.split(" ")[0],
        "naam": name,
        "ticket": str(conversation.number),
        "agent": by.name,
        "bedrijf": by.organisation.name,
    }


def language_of(conversation: Conversation, by: Membership) -> str:
    """In which of our two languages to write: the contact's where we know it, else the organisation's."""
    for each in (conversation.language, conversation.contact.language, by.organisation.language):
        if each[:2] in ("nl", "en"):
            return each[:2]
    return "nl"


def _phrase(reply: SavedReply, language: str, values: Mapping[str, str]) -> Phrase:
    text, spoken = reply.text_in(language)
    filled = filling.fill(text, values)
    return Phrase(reply, filled.text, spoken, filled.missing)


def _rank(reply: SavedReply, wanted: list[str]) -> int | None:
    """Lower is better: the name begins so, a word of the name does, the name holds it, the text does. None: no hit."""
    name = fold(reply.name)
    if not wanted or name.startswith(" ".join(wanted)):
        return 0
    if all(any(part.startswith(word) for part in name.split()) for word in wanted):
        return 1
    if all(word in name for word in wanted):
        return 2
    text = fold(f"{reply.name} {reply.text_nl} {reply.text_en}")
    return 3 if all(word in text for word in wanted) else None
