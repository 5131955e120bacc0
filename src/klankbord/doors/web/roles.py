"""Roles in words: what each is called, and what it lets somebody do."""

from __future__ import annotations

from django.utils.translation import gettext as _

from klankbord.desk.organisations.models import Role


def title(role: str) -> str:
    return _titles().get(role, role)


def choices() -> list[tuple[str, str, str]]:
    """Value, name, and what it means, from the least to the most."""
    meanings = {
        Role.AGENT: _("answers in the inboxes that they see"),
        Role.LEAD: _("sees every inbox, assigns, coaches"),
        Role.ANALYST: _("reads everything, answers nothing"),
        Role.ADMINISTRATOR: _("connects channels, manages people"),
    }
    return [(role.value, title(role), meaning) for role, meaning in meanings.items()]


def _titles() -> dict[str, str]:
    return {
        Role.AGENT: _("Agent"),
        Role.LEAD: _("Lead"),
        Role.ANALYST: _("Analyst"),
        Role.ADMINISTRATOR: _("Administrator"),
    }
