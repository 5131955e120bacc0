"""The pages of the settings, in the order in which they are shown. A new page is a line here, with the permission that
it asks for; its view gives `section` with the same name."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from klankbord.desk import access
from klankbord.desk.organisations.models import Membership


@dataclass(frozen=True, slots=True)
class Section:
    """name: also that of its address."""

    name: str
    title: str | Promise
    deed: str

    @property
    def url(self) -> str:
        return reverse(self.name)


SECTIONS = (
    Section("inboxes", _("Inboxes"), "manage inboxes"),
    Section("saved_replies", _("Saved replies"), "answer"),
    Section("colleagues", _("People"), "manage people"),
    Section("teams", _("Teams"), "manage people"),
    Section("label_list", _("Labels"), "manage labels"),
    Section("organisation_settings", _("Organisation"), "manage organisation"),
    Section("tokens", _("API"), "manage integrations"),
    Section("webhooks", _("Webhooks"), "manage integrations"),
    Section("contact_fields", _("Contact fields"), "define contact fields"),
    Section("audit", _("Audit log"), "see audit"),
)


def sections_of(by: Membership) -> list[Section]:
    """The settings that somebody may see; empty for most people."""
    return [section for section in SECTIONS if access.may(by, section.deed)]
