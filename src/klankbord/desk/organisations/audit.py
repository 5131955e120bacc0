"""What the audit screen reads: deeds, and who looked at what; newest first, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from .models import AuditLine, ReadingLine

Keyset = tuple[datetime, UUID]
_Line = TypeVar("_Line", AuditLine, ReadingLine)

KINDS: dict[str, frozenset[str]] = {
    "entry": frozenset({
        "signed in", "signed out", "sign-in failed", "sign-in locked", "second step failed", "two-step added",
        "two-step removed", "recovery codes made", "password changed", "password reset", "reset link sent",
        "reset link made",
    }),
    "people": frozenset({
        "person invited", "person invited again", "invitation withdrawn", "invitation accepted", "role changed",
        "inboxes of a person changed", "person left", "person came back", "second step removed by an administrator",
        "team made", "team changed", "team removed",
    }),
    "systems": frozenset({
        "token made", "token revoked", "integration made", "integration ended", "webhook made", "webhook changed",
        "webhook secret changed", "webhook paused", "webhook resumed", "webhook removed",
    }),
    "inboxes": frozenset({
        "inbox connected", "inbox reconnected", "inbox changed", "inbox members changed", "inbox paused",
        "inbox resumed", "inbox disconnected", "inbox broke", "sending stopped by itself",
    }),
    "contacts": frozenset({
        "contact blocked", "contact unblocked", "contacts merged", "merge undone", "contacts imported",
        "contacts exported",
    }),
}  # fmt: skip


def deeds(
    *, kind: str = "", by: UUID | None = None, before: Keyset | None = None, limit: int = 50
) -> tuple[list[AuditLine], Keyset | None]:
    """kind: a key of KINDS, "" for all. Gives the page, and from where the next one goes on."""
    found = AuditLine.objects.select_related("by__user")
    if kind:
        found = found.filter(deed__in=KINDS[kind])
    return _page(found, by, before, limit)


def readings(
    *, by: UUID | None = None, contact: UUID | None = None, before: Keyset | None = None, limit: int = 50
) -> tuple[list[ReadingLine], Keyset | None]:
    found = ReadingLine.objects.select_related("by__user")
    return _page(found.filter(contact_id=contact) if contact else found, by, before, limit)


def _page(
    found: QuerySet[_Line, Any], by: UUID | None, before: Keyset | None, limit: int
) -> tuple[list[_Line], Keyset | None]:
    if by is not None:
        found = found.filter(by_id=by)
    if before is not None:
        at, last = before
        found = found.filter(Q(at__lt=at) | Q(at=at, id__lt=last))
    lines = list(found.order_by("-at", "-id")[: limit + 1])
    rest = lines[limit - 1] if len(lines) > limit else None
    return lines[:limit], (rest.at, rest.id) if rest is not None else None
