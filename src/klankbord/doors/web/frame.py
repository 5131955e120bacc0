"""What stands around every page of the desk: views with their counts, teams, ailing inboxes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations import listing, shelf
from klankbord.desk.conversations.filters import Filters
from klankbord.desk.conversations.listing import Counts, View
from klankbord.desk.inboxes import queries as inboxes
from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.organisations import queries as organisations
from klankbord.desk.organisations.models import Membership, Team

from .desk import member_of
from .sections import Section, sections_of


@dataclass(frozen=True, slots=True)
class ViewLink:
    view: View
    title: str
    icon: str
    count: int | None  # None: not shown, nobody acts on it
    url: str


@dataclass(frozen=True, slots=True)
class SavedLink:
    """A list under a name. team: whose it is, "" for one's own."""

    id: UUID
    view: View
    filters: Filters
    title: str
    team: str
    url: str


@dataclass(frozen=True, slots=True)
class Frame:
    inboxes: dict[UUID, Inbox]
    teams: list[Team]
    counts: Counts
    links: list[ViewLink]
    saved: list[SavedLink]
    ailing: list[Inbox]
    sees_ledger: bool
    manages_inboxes: bool
    may_answer: bool
    hears_alarms: bool
    approves: bool
    settings: list[Section]

    @property
    def alarms(self) -> list[Inbox]:
        """What only a person can mend, for those who see to it."""
        return self.ailing if self.hears_alarms else []

    @property
    def visible(self) -> frozenset[UUID]:
        return frozenset(self.inboxes)

    def link_of(self, view: View) -> ViewLink | None:
        return next((link for link in self.links if link.view == view), None)

    def saved_as(self, view: View, filters: Filters) -> SavedLink | None:
        """The name under which this very list is kept."""
        return next((link for link in self.saved if (link.view, link.filters) == (view, filters)), None)


def frame(request: HttpRequest) -> Frame:
    by = member_of(request)
    found = access.inboxes_of(by)
    teams = organisations.teams_of(by)
    counts = listing.counts(by=by, inboxes=found)
    return Frame(
        inboxes=found,
        teams=teams,
        counts=counts,
        links=_links(teams, counts),
        saved=_saved(by, teams),
        ailing=[inbox for inbox in found.values() if inboxes.is_unwell(inbox)],
        sees_ledger=access.may(by, "see ledger"),
        manages_inboxes=access.may(by, "manage inboxes"),
        may_answer=access.may(by, "answer"),
        hears_alarms=access.may(by, "hear alarms"),
        approves=access.may(by, "approve replies"),
        settings=sections_of(by),
    )


def _links(teams: list[Team], counts: Counts) -> list[ViewLink]:
    rows = [
        (View("mine"), _("Mine"), "person"),
        (View("unassigned"), _("Nobody's yet"), "unassigned"),
        *((View("team", team.id), _("Team %(name)s") % {"name": team.name}, "people") for team in teams),
        (View("all"), _("All open"), "all"),
        (View("mentioned"), _("Mentioned"), "at"),
        (View("pending"), _("Waits for the customer"), "wait"),
        (View("snoozed"), _("Snoozed"), "sleep"),
        (View("resolved"), _("Resolved"), "check"),
        (View("spam"), _("Spam"), "spam"),
    ]
    return [
        ViewLink(view, title, icon, None if view.name in {"resolved", "spam"} else counts.of(view), view_url(view))
        for view, title, icon in rows
    ]


def _saved(by: Membership, teams: list[Team]) -> list[SavedLink]:
    names = {team.id: team.name for team in teams}
    found = []
    for each in shelf.views_of(by, teams=names):
        view, filters = View.read(each.slug), Filters.of_query(each.query)
        if view is not None:
            url = view_url(view) + (f"?{each.query}" if each.query else "")
            found.append(SavedLink(each.id, view, filters, each.name, names[each.team_id] if each.team_id else "", url))
    return found


def view_url(view: View) -> str:
    return reverse("list", args=[view.slug])
