"""The audit log: what people did with inboxes and with their own way in, and who read what."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from klankbord.desk import access
from klankbord.desk.contacts import queries as contacts
from klankbord.desk.organisations import audit as log
from klankbord.desk.organisations import queries as organisations
from klankbord.desk.organisations.audit import Keyset

from ..deeds import deed_words
from ..desk import member_of
from ..frame import frame
from . import parts


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    access.require(member_of(request), "see audit")
    kinds = [
        ("", _("All deeds")), ("entry", _("Signing in")), ("people", _("People")), ("inboxes", _("Inboxes")),
        ("contacts", _("Contacts")),
        ("systems", _("Other systems")), ("reading", _("Reading")),
    ]  # fmt: skip
    kind = request.GET.get("kind", "")
    kind = kind if kind in dict(kinds) else ""
    by, contact = parts.uuid_of(request.GET.get("by")), parts.uuid_of(request.GET.get("contact"))
    before = _keyset(request.GET.get("before", ""))
    context: dict[str, Any] = {
        "frame": frame(request), "page": "settings", "section": "audit", "now": timezone.now(), "kinds": kinds,
        "kind": kind, "by": by, "people": organisations.everybody(),
    }  # fmt: skip
    if kind == "reading":
        lines, rest = log.readings(by=by, contact=contact, before=before)
        names = contacts.names_of({line.contact_id for line in lines} | ({contact} if contact else set()))
        context["readings"] = [(line, names.get(line.contact_id, "")) for line in lines]
        context["contact"], context["contact_name"] = contact, names.get(contact, "") if contact else ""
    else:
        deeds, rest = log.deeds(kind=kind, by=by, before=before)
        context["deeds"] = [(line, deed_words(line.deed), line.facts.get("origin", "")) for line in deeds]
    kept = {"kind": kind, "by": by or "", "contact": contact or "", "before": _written(rest) if rest else ""}
    context["older"] = f"?{urlencode({name: value for name, value in kept.items() if value})}" if rest else ""
    return render(request, "web/settings/audit.html", context)


def _written(keyset: Keyset) -> str:
    return f"{keyset[0].isoformat()}_{keyset[1].hex}"


def _keyset(text: str) -> Keyset | None:
    moment, _, last = text.partition("_")
    try:
        at, found = parse_datetime(moment), parts.uuid_of(last)
    except ValueError:
        return None
    return (at, found) if at is not None and at.tzinfo is not None and found is not None else None
