"""What an import would do, did, and did not take in, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from klankbord.desk.contacts.imports import Plan


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the file with what will happen to it. tone: of the mark beside it."""

    line: int
    who: str
    reach: str
    outcome: str
    tone: str
    detail: str


def sums(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The outcomes that occur, in words."""
    words = {
        "new": _("new contacts"), "changes": _("contacts that change"), "same": _("already as in the file"),
        "wrong": _("rows that are not taken in"),
    }  # fmt: skip
    return [(words[key], counts[key]) for key in words if counts.get(key)]


def shown(plans: Sequence[Plan]) -> list[Shown]:
    return [_shown(each) for each in plans]


def _shown(each: Plan) -> Shown:
    row = each.row
    who = row.name or (each.known.name if each.known else "") or "–"
    outcome, tone = {
        "new": (_("new"), "good"), "changes": (_("changes"), "soon"), "same": (_("stays as it is"), ""),
        "wrong": (_("not taken in"), "bad"),
    }[each.outcome]  # fmt: skip
    detail = why(row.trouble, row.detail) if row.trouble else ", ".join(_parts()[name] for name in each.changed)
    return Shown(row.line, who, " · ".join(filter(None, (row.email, row.phone))), outcome, tone, detail)


def why(trouble: str, detail: str) -> str:
    """Why a row is not taken in."""
    said = {
        "nobody": _("no e-mail address and no phone number"),
        "not an address": _("this is not an e-mail address"),
        "not a number": _("this is not a phone number"),
        "not a language": _("this is not a language, such as nl or en"),
        "not yes or no": _("VIP is neither yes nor no"),
        "not readable": _("this value does not fit its field"),
        "too long": _("a cell is too long"),
        "twice": _("the same person as on an earlier line"),
        "several": _("the address and the number belong to different contacts"),
    }.get(trouble, trouble)
    return f"{said}: {detail}" if detail else said


def _parts() -> dict[str, str]:
    return {
        "name": _("name"), "email": _("e-mail"), "phone": _("phone"), "language": _("language"),
        "company": _("company"), "vip": "VIP", "note": _("note"), "fields": _("own fields"),
    }  # fmt: skip
