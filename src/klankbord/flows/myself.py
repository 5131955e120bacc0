"""What people say about themselves: their name, how they sign, what their screens look like."""

from __future__ import annotations

from django.utils.translation import gettext as _

from klankbord.desk.errors import Invalid
from klankbord.desk.organisations.models import Language, Membership
from klankbord.kernel.text import graphemes, one_line

THEMES = ("system", "light", "dark")
_LONGEST_INITIALS = 4


def change_myself(*, by: Membership, name: str, initials: str, language: str, theme: str) -> None:
    """The name is the person's in all their organisations, the initials are of this one. Raises Invalid."""
    name, initials = one_line(name, limit=120), one_line(initials)
    if not name:
        raise Invalid(_("Write your name."))
    if len(initials) > _LONGEST_INITIALS or len(graphemes(initials)) > _LONGEST_INITIALS:
        raise Invalid(_("Initials have four letters at most."))
    if language not in Language.values or theme not in THEMES:
        raise Invalid
    by.user.name, by.user.language, by.user.theme = name, language, theme
    by.user.save(update_fields=["name", "language", "theme"])
    by.initials = initials
    by.save(update_fields=["initials"])
