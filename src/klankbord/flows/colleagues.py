"""The people of an organisation: their roles and inboxes, leaving and coming back, and a lost second step.

Somebody who leaves hands over first: no conversation may belong to a person who will never look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.handover import hand_over, held_by
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.inboxes.models import Inbox, InboxMember
from klankbord.desk.organisations.models import AuditLine, Invitation, Membership, Role, Team
from klankbord.desk.wall import current_organisation_id

from . import deskmail, devices, letters


def person(member: UUID, *, by: Membership) -> Membership:
    """Somebody who works here or did. Raises NotFound."""
    access.require(by, "manage people")
    found = Membership.objects.select_related("user").filter(id=member, organisation_id=by.organisation_id).first()
    if found is None:
        raise NotFound
    return found


def change_role(*, member: UUID, role: str, by: Membership, now: datetime) -> Membership:
    """Raises Invalid when nobody would be left who manages people."""
    found = person(member, by=by)
    if role not in Role.values:
        raise Invalid
    if role == found.role:
        return found
    with transaction.atomic():
        if role != Role.ADMINISTRATOR:
            _keep_an_administrator(found)
        former, found.role = found.role, role
        found.save(update_fields=["role"])
        write_down("role changed", found, by=by, now=now, was=former, role=role)
    return found


def set_inboxes(*, member: UUID, inboxes: Collection[UUID], by: Membership, now: datetime) -> Membership:
    """Which inboxes somebody sees beside those that are open to all."""
    found = person(member, by=by)
    ours = Inbox.objects.filter(id__in=inboxes, is_open_to_all=False)
    closed = InboxMember.objects.filter(member=found, inbox__is_open_to_all=False)
    before = set(closed.values_list("inbox_id", flat=True))
    wanted = set(ours.values_list("id", flat=True))
    if before != wanted:
        closed.exclude(inbox_id__in=wanted).delete()
        for inbox in sorted(wanted - before):
            InboxMember.objects.get_or_create(inbox_id=inbox, member=found)
        write_down("inboxes of a person changed", found, by=by, now=now)
    return found


def inboxes_of(member: UUID) -> frozenset[UUID]:
    return frozenset(InboxMember.objects.filter(member_id=member).values_list("inbox_id", flat=True))


def holdings(member: UUID, *, by: Membership, now: datetime) -> dict[str, int]:
    """What somebody would hand over, by status."""
    found = person(member, by=by)
    return dict(Counter(status for _id, status in held_by(owner=found.id, now=now)))


def leave(
    *, member: UUID, to_member: UUID | None, to_team: UUID | None, by: Membership, now: datetime
) -> tuple[Membership, int]:
    """Somebody works here no longer. What is theirs goes to a person, a team, or back to nobody; gives how many."""
    found = person(member, by=by)
    if not found.is_active:
        return found, 0
    with transaction.atomic():
        _keep_an_administrator(found)
        _check_takers(found, to_member, to_team)
        handed = hand_over(owner=found.id, to_owner=to_member, to_team=to_team, by=by, now=now)
        found.is_active = False
        found.save(update_fields=["is_active"])
        Invitation.objects.filter(organisation_id=by.organisation_id, by=found).delete()
        if not Membership.objects.filter(user=found.user, is_active=True).exists():
            devices.end_all(user=found.user_id)
        write_down("person left", found, by=by, now=now, conversations=handed)
    return found, handed


def come_back(*, member: UUID, by: Membership, now: datetime) -> Membership:
    """With the role and the inboxes from before; what they handed over stays where it is."""
    found = person(member, by=by)
    if not found.is_active:
        found.is_active = True
        found.save(update_fields=["is_active"])
        write_down("person came back", found, by=by, now=now)
    return found


def remove_second_step(*, member: UUID, by: Membership, now: datetime) -> Membership:
    """A phone or key is lost: they set up another at their next sign-in. Told to the person, by mail."""
    found = person(member, by=by)
    if found.id == by.id:
        raise Invalid(_("For yourself you do this under Two-step sign-in."))
    with transaction.atomic():
        Authenticator.objects.filter(user=found.user).delete()
        devices.end_all(user=found.user_id)
        write_down("second step removed by an administrator", found, by=by, now=now)
        subject, text = letters.second_step_removed(found.user, by)
        deskmail.post(to=found.user.email, subject=subject, text=text, now=now)
    return found


def with_second_step(users: Collection[UUID]) -> frozenset[UUID]:
    """Those who sign in with an app or a key."""
    strong = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    found = Authenticator.objects.filter(user_id__in=users, type__in=strong)
    return frozenset(found.values_list("user_id", flat=True))


def write_down(deed: str, member: Membership, *, by: Membership, now: datetime, **facts: Any) -> None:
    AuditLine.objects.create(
        at=now, by=by, deed=deed, subject="person", subject_id=member.id, facts={"name": member.name, **facts}
    )


def _keep_an_administrator(leaving: Membership) -> None:
    """Locked, so that two of them cannot make way for each other. Raises Invalid."""
    ours = Membership.objects.select_for_update().filter(
        organisation_id=current_organisation_id(), role=Role.ADMINISTRATOR, is_active=True, user__is_active=True
    )
    administrators = set(ours.order_by("id").values_list("id", flat=True))
    if leaving.id in administrators and len(administrators) == 1:
        raise Invalid(_("%(name)s is the only administrator. Make somebody else one first.") % {"name": leaving.name})


def _check_takers(leaving: Membership, to_member: UUID | None, to_team: UUID | None) -> None:
    if to_member is not None:
        taker = Membership.objects.filter(
            id=to_member, organisation_id=current_organisation_id(), is_active=True
        ).first()
        if taker is None or taker.id == leaving.id or not access.may(taker, "answer"):
            raise Invalid(_("Choose somebody who works here and answers."))
    if to_team is not None and not Team.objects.filter(id=to_team, is_gone=False).exists():
        raise Invalid
