"""Which organisation a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .main import CommandError

if TYPE_CHECKING:
    from klankbord.desk.organisations.models import Organisation


def chosen_organisations(slug: str) -> list[Organisation]:
    """The one with this slug, or all of them, oldest first.   Raises: CommandError when there is none."""
    from klankbord.desk.organisations.models import Organisation

    known = list(Organisation.objects.order_by("created_at", "id"))
    if not known:
        raise CommandError("There is no organisation yet; `klankbord create-admin` makes one.")
    chosen = [each for each in known if slug in ("", each.slug)]
    if not chosen:
        raise CommandError(f"There is no organisation {slug!r}. There are: {', '.join(each.slug for each in known)}.")
    return chosen


def chosen_organisation(slug: str) -> Organisation:
    """The one with this slug, or the only one.   Raises: CommandError when that leaves none or several."""
    chosen = chosen_organisations(slug)
    if len(chosen) > 1:
        raise CommandError(f"Say which one with --organisation: {', '.join(each.slug for each in chosen)}.")
    return chosen[0]
