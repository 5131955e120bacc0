"""Contacts: the list, one person with everything said over all channels, and what colleagues write down."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from klankbord.desk import access
from klankbord.desk.contacts import queries as contacts
from klankbord.desk.contacts.models import Contact
from klankbord.desk.conversations import people
from klankbord.desk.conversations.people import NameKey, Position
from klankbord.desk.errors import NotFound
from klankbord.flows.people import blocking, describing, merging

from ..contact_words import consent_lines, field_lines
from ..desk import member_of
from ..errors import is_fragment
from ..frame import frame
from . import parts


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    by, words = member_of(request), request.GET.get("q", "").strip()[:200]
    found, rest = people.page(by=by, words=words, after=name_key(request.GET.get("after", "")))
    context: dict[str, Any] = {
        "contacts": found,
        "words": words,
        "now": timezone.now(),
        "more": "?" + urlencode({"q": words, "after": written_name_key(rest)}) if rest else "",
    }
    if is_fragment(request) and request.headers.get("HX-Target") != "contacts":
        return render(request, "web/contacts/_rows.html", context)
    if is_fragment(request):
        return render(request, "web/contacts/_list.html", context)
    context |= {"frame": frame(request), "page": "contacts"}
    context |= {f"may_{each}": access.may(by, f"{each} contacts") for each in ("import", "export")}
    return render(request, "web/contacts/list.html", context)


@require_GET
def contact(request: HttpRequest, contact: UUID) -> HttpResponse:
    found = access.contact_for(member_of(request), contact)
    if found.id != contact:
        return redirect("contact", contact=found.id)
    before = position(request.GET.get("before", ""))
    if is_fragment(request) and before is not None:
        return render(request, "web/contacts/_said.html", _said(request, found, before))
    return render(request, "web/contacts/contact.html", page_of(request, found, before))


@require_POST
def act(request: HttpRequest, contact: UUID, deed: str) -> HttpResponse:
    """What colleagues write down, one deed each."""
    by, now, form = member_of(request), timezone.now(), request.POST
    if deed == "profile":
        values = {name.removeprefix("field-"): form[name] for name in form if name.startswith("field-")}
        describing.change_profile(
            contact=contact, name=form.get("name", ""), language=form.get("language", ""),
            company=form.get("company", ""), values=values, by=by, now=now,
        )  # fmt: skip
    elif deed in ("vip", "no-vip"):
        describing.set_vip(contact=contact, is_vip=deed == "vip", by=by, now=now)
    elif deed == "note":
        describing.add_note(contact=contact, text=form.get("text", ""), by=by, now=now)
    elif deed == "drop-note":
        describing.remove_note(contact=contact, note=parts.uuid_of(form.get("note")) or contact, by=by)
    elif deed == "consent":
        describing.record_consent(
            contact=contact, purpose=form.get("purpose", ""), is_given=form.get("given") == "1",
            source=form.get("source", ""), by=by, now=now,
        )  # fmt: skip
    elif deed == "block":
        blocking.block(contact=contact, by=by, now=now)
    elif deed == "unblock":
        blocking.unblock(contact=contact, by=by, now=now)
    elif deed == "merge":
        merging.merge(kept=contact, gone=parts.uuid_of(form.get("gone")) or contact, by=by, now=now)
    elif deed == "part":
        merging.undo(merge=parts.uuid_of(form.get("merge")) or contact, by=by, now=now)
    elif deed == "tell-apart":
        merging.tell_apart(one=contact, other=parts.uuid_of(form.get("other")) or contact, by=by)
    else:
        access.contact_for(by, contact)
        raise NotFound
    return redirect("contact", contact=contact)


@require_GET
def merge(request: HttpRequest, contact: UUID) -> HttpResponse:
    """Who else this is: a search first, then what a merge would do."""
    by, words = member_of(request), request.GET.get("q", "").strip()[:200]
    access.require(by, "change contacts")
    found, other = access.contact_for(by, contact), parts.uuid_of(request.GET.get("with"))
    hits = people.page(by=by, words=words)[0] if words and other is None else []
    context = {
        "frame": frame(request),
        "page": "contacts",
        "contact": found,
        "words": words,
        "contacts": [each for each in hits if each.id != found.id],
        "preview": merging.preview(kept=found.id, gone=other, by=by) if other else None,
        "now": timezone.now(),
    }
    return render(request, "web/contacts/merge.html", context)


def page_of(request: HttpRequest, found: Contact, before: Position | None = None) -> dict[str, Any]:
    """All that a contact's page shows."""
    by = member_of(request)
    around = frame(request)
    return {
        **_said(request, found, before),
        "frame": around,
        "page": "contacts",
        "handles": contacts.handles_of(found.id),
        "notes": contacts.notes_of(found.id),
        "consents": consent_lines(contacts.consents_of(found.id)),
        "fields": field_lines(contacts.fields(), found.values),
        "companies": contacts.company_names(),
        "alike": people.alike(found.id, by=by),
        "merges": contacts.merges_of(found.id),
        "may_change": access.may(by, "change contacts"),
        "leads": access.may(by, "import contacts"),
    }


def _said(request: HttpRequest, found: Contact, before: Position | None) -> dict[str, Any]:
    said, rest = people.timeline(found.id, inboxes=access.visible_inboxes(member_of(request)), before=before)
    older = f"{rest[0].isoformat()}_{rest[1].hex}" if rest else ""
    return {"contact": found, "said": said, "older": older, "now": timezone.now()}


def position(text: str) -> Position | None:
    """A moment and an id, as they stand in addresses."""
    moment, _, last = text.partition("_")
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    found = parts.uuid_of(last)
    return (at, found) if at is not None and at.tzinfo is not None and found is not None else None


def written_name_key(key: NameKey) -> str:
    return f"{key[1].hex}_{key[0]}"


def name_key(text: str) -> NameKey | None:
    last, mark, key = text.partition("_")
    found = parts.uuid_of(last)
    return (key[:300].replace("\0", ""), found) if mark and found else None
