"""An organisation's labels: their names, colours and headings; two that mean the same become one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from klankbord.desk import access
from klankbord.desk.conversations.models import ConversationLabel, Label
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.organisations.models import AuditLine, Membership
from klankbord.kernel.text import one_line

COLOURS = range(1, 8)


@dataclass(frozen=True, slots=True)
class Heading:
    """Labels that stand together; the one without a name comes first."""

    name: str
    labels: list[Label]  # each with `uses`, on how many conversations it stands


def headings(*, by: Membership) -> list[Heading]:
    access.require(by, "manage labels")
    uses = ConversationLabel.objects.filter(label_id=OuterRef("id")).order_by().values("label_id")
    counted = Subquery(uses.annotate(uses=Count("id")).values("uses"))
    found: dict[str, list[Label]] = {}
    for label in Label.objects.annotate(uses=Coalesce(counted, 0)).order_by("group", "name"):
        found.setdefault(label.group, []).append(label)
    return [Heading(name, labels) for name, labels in found.items()]


def make(*, name: str, colour: int, group: str, by: Membership, now: datetime) -> Label:
    """Raises Invalid."""
    access.require(by, "manage labels")
    made: Label = Label.objects.create(
        name=_free_name(name), colour=_colour(colour), group=one_line(group, limit=40)
    )  # fmt: skip
    _write_down("label made", made.name, made.id, by=by, now=now)
    return made


def change(*, label: UUID, name: str, colour: int, group: str, by: Membership, now: datetime) -> Label:
    """Raises Invalid, NotFound."""
    found = _label(label, by)
    former = found.name
    if one_line(name, limit=60) != former:
        found.name = _free_name(name)
    found.colour, found.group = _colour(colour), one_line(group, limit=40)
    found.save(update_fields=["name", "colour", "group"])
    _write_down("label changed", found.name, found.id, by=by, now=now, was=former)
    return found


def merge(*, label: UUID, into: UUID, by: Membership, now: datetime) -> Label:
    """What carries the one carries the other from now on; the one is gone. Gives the other."""
    gone, kept = _label(label, by), _label(into, by)
    if gone.id == kept.id:
        raise Invalid(_("Choose another label."))
    with transaction.atomic():
        has_both = ConversationLabel.objects.filter(label=kept).values("conversation_id")
        links = ConversationLabel.objects.filter(label=gone)
        links.filter(conversation_id__in=has_both).delete()
        links.update(label=kept)
        gone.delete()
        _write_down("labels merged", kept.name, kept.id, by=by, now=now, was=gone.name)
    return kept


def remove(*, label: UUID, by: Membership, now: datetime) -> str:
    """From all conversations. Gives its name."""
    gone = _label(label, by)
    with transaction.atomic():
        ConversationLabel.objects.filter(label=gone).delete()
        Label.objects.filter(id=label).delete()
        _write_down("label removed", gone.name, label, by=by, now=now)
    return gone.name


def _label(label: UUID, by: Membership) -> Label:
    access.require(by, "manage labels")
    found = Label.objects.filter(id=label).first()
    if found is None:
        raise NotFound
    return found


def _colour(colour: int) -> int:
    if colour not in COLOURS:
        raise Invalid
    return colour


def _free_name(name: str) -> str:
    name = one_line(name, limit=60)
    if not name:
        raise Invalid(_("Give the label a name."))
    if Label.objects.filter(name=name).exists():
        raise Invalid(_("There is already a label called %(name)s.") % {"name": name})
    return name


def _write_down(deed: str, name: str, subject: UUID, *, by: Membership, now: datetime, **facts: Any) -> None:
    AuditLine.objects.create(
        at=now, by=by, deed=deed, subject="label", subject_id=subject, facts={"name": name, **facts}
    )
