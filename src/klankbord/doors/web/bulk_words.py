"""Deeds on many conversations as sentences: before, after, and what was left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from klankbord.desk.conversations.listing import Listed
from klankbord.desk.conversations.models import Status
from klankbord.desk.organisations.models import Membership
from klankbord.flows.bulk import Chosen, Outcome

_NAMED = 5  # of many; the others are a number


@dataclass(frozen=True, slots=True)
class Sheet:
    """title: what would happen. remark: what one should know of it, "" for nothing. button: the words to do it."""

    title: str
    remark: str
    names: str
    button: str


def sheet(deed: str, chosen: Sequence[Chosen], by: Membership) -> Sheet:
    count = len(chosen)
    titles = {
        "resolve": ngettext("Resolve %(count)d conversation", "Resolve %(count)d conversations", count),
        "spam": ngettext("Put %(count)d conversation with spam", "Put %(count)d conversations with spam", count),
        "snooze": ngettext("Snooze %(count)d conversation", "Snooze %(count)d conversations", count),
        "label": ngettext("Label %(count)d conversation", "Label %(count)d conversations", count),
        "assign": ngettext("Give %(count)d conversation away", "Give %(count)d conversations away", count),
        "reply": ngettext("Answer %(count)d conversation", "Answer %(count)d conversations with the same words", count),
    }
    buttons = {
        "resolve": _("Resolve"),
        "spam": _("Put with spam"),
        "snooze": _("Snooze"),
        "label": _("Add the label"),
        "assign": _("Give"),
        "reply": _("Send"),
    }
    remarks = _remarks(deed, chosen, by)
    return Sheet(
        title=titles[deed] % {"count": count},
        remark=_("Of these, %(remarks)s.") % {"remarks": ", ".join(remarks)} if remarks else "",
        names=_names([_name(each.listed) for each in chosen]),
        button=buttons[deed],
    )


def _remarks(deed: str, chosen: Sequence[Chosen], by: Membership) -> list[str]:
    rows = [each.listed for each in chosen]
    waiting = sum(row.status == Status.OPEN and row.waiting_since is not None for row in rows)
    public = sum(row.visibility == "public" for row in rows)
    theirs = sum(row.owner_id not in (None, by.id) for row in rows)
    done = sum(row.status == (Status.SPAM if deed == "spam" else Status.RESOLVED) for row in rows)
    found = []
    if deed in {"resolve", "spam", "snooze"} and waiting:
        found.append(
            ngettext("%(count)d waits for an answer", "%(count)d wait for an answer", waiting) % {"count": waiting}
        )
    if deed in {"resolve", "spam"} and done:
        found.append(ngettext("%(count)d is so already", "%(count)d are so already", done) % {"count": done})
    if deed == "reply" and public:
        words = ngettext("%(count)d is answered in public", "%(count)d are answered in public", public)
        found.append(words % {"count": public})
    if deed != "label" and theirs:
        words = ngettext("%(count)d is a colleague's", "%(count)d are colleagues'", theirs)
        found.append(words % {"count": theirs})
    return found


def done(deed: str, outcome: Outcome) -> str:
    count = len(outcome.done)
    if not count:
        return _("Nothing was changed.")
    words = {
        "resolve": ngettext("%(count)d resolved", "%(count)d resolved", count),
        "spam": ngettext("%(count)d put with spam", "%(count)d put with spam", count),
        "snooze": ngettext("%(count)d snoozed", "%(count)d snoozed", count),
        "label": ngettext("%(count)d labelled", "%(count)d labelled", count),
        "assign": ngettext("%(count)d given", "%(count)d given", count),
        "reply": ngettext("%(count)d answered", "%(count)d answered", count),
    }
    return words[deed] % {"count": count}


def undone(outcome: Outcome) -> str:
    count = len(outcome.done)
    words = ngettext("Put back: %(count)d conversation.", "Put back: %(count)d conversations.", count)
    return words % {"count": count} if count else _("Nothing was put back.")


def left_alone(outcome: Outcome) -> str:
    """Which conversations were left as they are, and why; "" when none was."""
    by_reason: dict[str, list[str]] = {}
    for each in outcome.left_alone:
        by_reason.setdefault(each.reason.rstrip("."), []).append(_name(each.listed))
    sentence = _("Left alone: %(names)s (%(reason)s).")
    return " ".join(sentence % {"names": _names(names), "reason": reason} for reason, names in by_reason.items())


def _name(row: Listed) -> str:
    return f"#{row.number} {row.contact_name}"


def _names(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(more)d more", "%(names)s and %(more)d more", more) % {"names": shown, "more": more}
