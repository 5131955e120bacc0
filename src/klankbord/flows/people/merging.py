"""Joining two contacts that are one person, and parting them again.

preview → merge: all rows of the one go to the other, and are remembered → undo: the same rows go back, and with them
the conversations that the parted handles opened meanwhile. A contact that itself went into another comes back first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.contacts import merges, queries, services
from klankbord.desk.contacts.models import Contact, ContactMerge, Handle
from klankbord.desk.conversations import people
from klankbord.desk.conversations.cases import give_to_contact
from klankbord.desk.errors import DeskError, Invalid, NotFound
from klankbord.desk.organisations.models import AuditLine, Membership

_CONVERSATIONS = "conversations_conversation"


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do: who stays, who goes into them, and how much moves."""

    kept: Contact
    gone: Contact
    kept_handles: list[Handle]
    gone_handles: list[Handle]
    conversations: int
    notes: int


def preview(*, kept: UUID, gone: UUID, by: Membership) -> MergePreview:
    """Raises Invalid when both are the same person already."""
    access.require(by, "change contacts")
    one, other = access.contact_for(by, kept), access.contact_for(by, gone)
    if one.id == other.id:
        raise Invalid(_("These are the same contact already."))
    return MergePreview(
        kept=one,
        gone=other,
        kept_handles=queries.handles_of(one.id),
        gone_handles=queries.handles_of(other.id),
        conversations=len(people.of_contact(other.id)),
        notes=len(queries.notes_of(other.id)),
    )


def merge(*, kept: UUID, gone: UUID, by: Membership, now: datetime) -> ContactMerge:
    """Raises Invalid when both are the same person already."""
    found = preview(kept=kept, gone=gone, by=by)
    pair = merges.lock_pair(found.kept.id, found.gone.id)
    one, other = pair[found.kept.id], pair[found.gone.id]
    if one.merged_into_id or other.merged_into_id:
        raise DeskError  # a colleague was first
    moved = merges.move_rows(source=other.id, target=one.id)
    moved[_CONVERSATIONS] = [str(each) for each in give_to_contact(people.of_contact(other.id), contact=one.id)]
    filled = merges.fill(one, other)
    merges.stand_aside(other, kept=one)
    record = merges.remember(kept=one, gone=other, moved=moved, filled=filled, by=by, now=now)
    _write_down("contacts merged", record, by=by, now=now)
    return record


def undo(*, merge: UUID, by: Membership, now: datetime) -> ContactMerge:
    """Part them again. Raises DeskError when who stayed went into somebody else since: that is undone first."""
    access.require(by, "change contacts")
    record = ContactMerge.objects.filter(id=merge).first()
    if record is None:
        raise NotFound
    access.contact_for(by, record.kept_id)
    pair = merges.lock_pair(record.kept_id, record.gone_id)
    record = ContactMerge.objects.select_for_update().get(id=merge)
    kept, gone = pair[record.kept_id], pair[record.gone_id]
    if record.undone_at is not None:
        return record
    if kept.merged_into_id is not None:
        raise DeskError(_("This contact was merged into another since. Undo that first."))
    since = people.opened_since_by(
        kept.id, handles=[UUID(each) for each in record.moved["contacts_handle"]], since=record.at
    )
    ours = set(people.of_contact(kept.id))
    back = {each for each in map(UUID, record.moved[_CONVERSATIONS]) if each in ours} | set(since)
    merges.move_rows(source=kept.id, target=gone.id, only=record.moved)
    give_to_contact(sorted(back), contact=gone.id)
    merges.unfill(kept, record.filled)
    merges.stand_aside(gone, kept=None)
    record.undone_at = now
    record.save(update_fields=["undone_at"])
    _write_down("merge undone", record, by=by, now=now)
    return record


def tell_apart(*, one: UUID, other: UUID, by: Membership) -> None:
    """They are not the same person: not suggested again."""
    access.require(by, "change contacts")
    first, second = access.contact_for(by, one), access.contact_for(by, other)
    if first.id != second.id:
        services.tell_apart(first.id, second.id)


def _write_down(deed: str, record: ContactMerge, *, by: Membership, now: datetime) -> None:
    AuditLine.objects.create(
        at=now, by=by, deed=deed, subject="contact", subject_id=record.kept_id,
        facts={"name": f"{record.gone.name} → {record.kept.name}"},
    )  # fmt: skip
