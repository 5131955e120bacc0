"""How the desk is: what waits too long, which inboxes need a person, whether stored secrets can be opened.

Figures only, read by the owner's connection across organisations; `klankbord doctor` judges them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from klankbord.contract import ChannelError, Health, HealthCheck, HealthState
from klankbord.desk.inboxes.models import Inbox, InboxRoute
from klankbord.desk.organisations.models import Organisation
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id, organisation
from klankbord.plumbing.secrets import SecretError

from .accounts import open_account
from .wiring import wires


@dataclass(frozen=True, slots=True)
class Backlog:
    """oldest: when the oldest of them came or was due, None when there is none."""

    count: int
    oldest: datetime | None


def waiting_deliveries() -> Backlog:
    """What the doors took in and no worker has settled. Deliveries that were put off until later do not count."""
    return _backlog(
        "SELECT count(*), min(received_at) FROM inboxes_delivery"
        " WHERE is_waiting AND (not_before IS NULL OR not_before <= now())"
    )


def waiting_errands() -> Backlog:
    """Mails of the desk's own, and whatever else requests left to be done, that no job has done yet."""
    return _backlog("SELECT count(*), min(created_at) FROM organisations_errand WHERE created_at <= now()")


def waiting_replies() -> Backlog:
    """Replies that should have left already. Those of inboxes that a person must mend wait rightly."""
    return _backlog(
        "SELECT count(*), min(o.due_at) FROM conversations_outbox o JOIN inboxes_sendgate g ON g.inbox_id = o.inbox_id"
        " JOIN organisations_organisation p ON p.id = o.organisation_id"
        " WHERE o.state = 'queued' AND o.due_at <= now() AND g.is_open AND NOT p.sends_are_held"
        " AND NOT (g.by_hand_only AND o.is_automatic)"
        " AND (g.closed_until IS NULL OR g.closed_until <= now())"
    )


def uncertain_replies() -> Backlog:
    """Replies of which nobody knows whether they arrived: a person decides."""
    return _backlog("SELECT count(*), min(queued_at) FROM conversations_outbox WHERE state = 'uncertain'")


def late_polls() -> Backlog:
    """Connected inboxes that should have been asked for news and were not."""
    return _backlog(
        "SELECT count(*), min(p.due_at) FROM inboxes_poll p JOIN inboxes_inbox i ON i.id = p.inbox_id"
        " WHERE i.state IN ('connected', 'paused') AND p.due_at <= now()"
    )


def dead_letters() -> Backlog:
    """Items that could not be processed and that nobody settled."""
    return _backlog("SELECT count(*), min(failed_at) FROM inboxes_deadletter WHERE settled_at IS NULL")


def _backlog(statement: str) -> Backlog:
    [(count, oldest)] = run(statement)
    return Backlog(count, oldest)


@dataclass(frozen=True, slots=True)
class InboxTrouble:
    organisation: str
    inbox: str
    state: str
    reason: str


def troubled_inboxes() -> list[InboxTrouble]:
    """Inboxes that are broken or paused, or whose platform keeps failing."""
    rows = run(
        "SELECT o.name, i.name, i.state, i.state_reason, coalesce(p.failures, 0) FROM inboxes_inbox i"
        " JOIN organisations_organisation o ON o.id = i.organisation_id LEFT JOIN inboxes_poll p ON p.inbox_id = i.id"
        " WHERE i.state IN ('broken', 'paused') OR (i.state = 'connected' AND p.failures >= 5)"
        " ORDER BY o.name, i.name"
    )
    return [
        InboxTrouble(ours, inbox, state, reason or (f"{failures} polls in a row failed" if failures else ""))
        for ours, inbox, state, reason, failures in rows
    ]


def sealed_by_lost_keys() -> list[str]:
    """What is stored under a key that this machine does not have: "credentials of …", "reply key of …"."""
    lost: list[str] = []
    for ours in Organisation.objects.order_by("name"):
        if not _opens(ours.reply_key):
            lost.append(f"reply key of {ours.name}")
        with organisation(ours.id):
            found = Inbox.objects.order_by("name").only("name", "credentials")
            lost += [f"credentials of {inbox.name}" for inbox in found if not _opens(inbox.credentials)]
    routes = [route for route in InboxRoute.objects.order_by("inbox_id") if not _opens(route.account)]
    return lost + ([f"{len(routes)} webhook addresses"] if routes else [])


def _opens(sealed: Any) -> bool:
    try:
        settings.VAULT.open(bytes(sealed))
    except SecretError:
        return False
    return True


def health_of(inbox: Inbox) -> Health:
    """Ask the platform how this account is. Runs inside `with organisation(id):`."""
    connected = open_account(inbox, Organisation.objects.get(id=current_organisation_id()))
    try:
        return connected.channel.health(connected.account, wires())
    except ChannelError as error:
        return Health(HealthState.BROKEN, (HealthCheck("Access", False, error.sentence),))
