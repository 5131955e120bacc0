"""What agents do with a case: each checks access, makes one change, and the desk records it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations import services
from klankbord.desk.conversations.models import Conversation, Priority, Timer
from klankbord.desk.errors import Invalid, Merged
from klankbord.desk.notices.models import NoticeKind
from klankbord.desk.notices.services import settle_mentions
from klankbord.desk.organisations.models import Membership, Team
from klankbord.desk.wall import current_organisation_id

from .notices import notify


def claim(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    """Take it. Raises NotWaiting when a colleague took it first."""
    return services.claim_conversation(conversation=_mine_to_change(conversation, by).id, by=by, now=now)


def release(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    found = _mine_to_change(conversation, by)
    return services.assign_conversation(conversation=found.id, owner=None, team=found.team_id, by=by, now=now)


def assign(*, conversation: UUID, owner: UUID | None, team: UUID | None, by: Membership, now: datetime) -> Conversation:
    """Give it to a person, a team, both or nobody. The person must be able to see and answer it."""
    found = _mine_to_change(conversation, by)
    if owner is not None and owner != by.id:
        access.require(by, "assign others")
        member = Membership.objects.filter(id=owner, organisation_id=current_organisation_id(), is_active=True).first()
        if member is None or not access.may(member, "answer") or found.inbox_id not in access.visible_inboxes(member):
            raise Invalid(_("This person cannot answer in this inbox."))
    if team is not None and not Team.objects.filter(id=team, is_gone=False).exists():
        raise Invalid
    changed = services.assign_conversation(conversation=found.id, owner=owner, team=team, by=by, now=now)
    if owner is not None and owner != found.owner_id:
        notify(kind=NoticeKind.ASSIGNED, conversation=found.id, members=[owner], by=by, now=now)
    return changed


def resolve(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    resolved = services.resolve_conversation(conversation=_mine_to_change(conversation, by).id, by=by, now=now)
    settle_mentions(conversation=resolved.id, member=None, now=now)
    return resolved


def reopen(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    return services.reopen_conversation(conversation=_mine_to_change(conversation, by).id, by=by, now=now)


def wait_for_contact(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    return services.wait_for_contact(conversation=_mine_to_change(conversation, by).id, by=by, now=now)


def snooze(*, conversation: UUID, until: datetime, by: Membership, now: datetime) -> Conversation:
    """until: aware. Raises SnoozeInPast."""
    found = _mine_to_change(conversation, by)
    snoozed = services.snooze_conversation(conversation=found.id, until=until, by=by, now=now)
    Timer.objects.update_or_create(
        organisation_id=current_organisation_id(),
        kind="snooze",
        subject_id=found.id,
        key="",
        defaults={"due_at": until},
    )
    return snoozed


def mark_spam(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    return services.mark_spam(conversation=_mine_to_change(conversation, by).id, by=by, now=now)


def clear_spam(*, conversation: UUID, by: Membership, now: datetime) -> Conversation:
    return services.clear_spam(conversation=_mine_to_change(conversation, by).id, by=by, now=now)


def add_label(*, conversation: UUID, name: str, by: Membership, now: datetime) -> Conversation:
    name = " ".join(name.split())[:60]
    if not name:
        raise Invalid
    found = _mine_to_change(conversation, by)
    services.add_label(conversation=found.id, name=name, by=by, now=now)
    return found


def remove_label(*, conversation: UUID, label: UUID, by: Membership, now: datetime) -> Conversation:
    found = _mine_to_change(conversation, by)
    services.remove_label(conversation=found.id, label=label, by=by, now=now)
    return found


def prioritise(*, conversation: UUID, priority: int, by: Membership, now: datetime) -> Conversation:
    """priority: one of `Priority`."""
    if priority not in Priority.values:
        raise Invalid
    found = _mine_to_change(conversation, by)
    return services.set_priority(conversation=found.id, priority=priority, by=by, now=now)


def link(*, conversation: UUID, other: UUID, by: Membership, now: datetime) -> Conversation:
    """Remember that two conversations have to do with each other. This person must see both."""
    found, with_ = _mine_to_change(conversation, by), access.conversation_for(by, other)
    if with_.id == found.id:
        raise Invalid(_("Choose another conversation than this one."))
    services.link_conversations(conversation=found, other=with_, by=by, now=now)
    return found


def unlink(*, conversation: UUID, other: UUID, by: Membership, now: datetime) -> Conversation:
    found, with_ = _mine_to_change(conversation, by), access.conversation_for(by, other)
    services.unlink_conversations(conversation=found, other=with_, by=by, now=now)
    return found


def _mine_to_change(conversation: UUID, by: Membership) -> Conversation:
    access.require(by, "answer")
    found = access.conversation_for(by, conversation)
    if found.merged_into_id:
        raise Merged
    return found
