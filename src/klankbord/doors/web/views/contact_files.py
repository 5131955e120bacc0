"""Contacts in and out as files, and the fields that administrators define for them."""

from __future__ import annotations

import csv
import io
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from klankbord.desk import access
from klankbord.desk.contacts import queries
from klankbord.desk.contacts.models import ImportState
from klankbord.desk.contacts.sheets import harmless
from klankbord.desk.errors import DeskError, Invalid
from klankbord.flows.people import exporting, fields, importing

from ..contact_words import kind_words
from ..desk import member_of
from ..errors import is_fragment
from ..frame import frame
from ..import_words import shown, sums, why
from . import parts


@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """Earlier files, and a form for a new one."""
    by, sentence = member_of(request), ""
    access.require(by, "import contacts")
    upload = request.FILES.get("file")
    if request.method == "POST":
        try:
            if upload is None or (upload.size or 0) > importing.LARGEST_FILE:
                raise Invalid(
                    _("Choose a file of at most %(limit)d MB.") % {"limit": importing.LARGEST_FILE // 1_000_000}
                )
            found = importing.check(name=upload.name or "", data=upload.read(), by=by, now=timezone.now())
            return redirect("contact_import", batch=found.id)
        except Invalid as error:
            sentence = error.sentence
    context = {
        "frame": frame(request),
        "page": "contacts",
        "imports": importing.imports(by),
        "fields": queries.fields(),
        "sentence": sentence,
        "now": timezone.now(),
    }
    return render(request, "web/contacts/imports.html", context, status=422 if sentence else 200)


@require_http_methods(["GET", "POST"])
def contact_import(request: HttpRequest, batch: UUID) -> HttpResponse:
    """What a file would do, how far it is, or what it did."""
    by = member_of(request)
    found = importing.import_for(by, batch)
    if request.method == "POST":
        importing.start(contact_import=found.id, by=by, now=timezone.now())
        return redirect("contact_import", batch=found.id)
    is_checked = found.state == ImportState.CHECKED
    columns, plans = importing.preview(found) if is_checked and not is_fragment(request) else (None, [])
    context = {
        "batch": found,
        "is_busy": found.state in (ImportState.WAITING, ImportState.RUNNING),
        "is_checked": is_checked,
        "sums": sums(found.counts),
        "troubles": [(line, why(trouble, detail)) for line, trouble, detail, _cells in found.troubles[:20]],
        "more_troubles": found.counts.get("wrong", 0) > 20,
        "columns": columns,
        "rows": shown(plans),
        "now": timezone.now(),
    }
    if is_fragment(request):
        return render(request, "web/contacts/_import_state.html", context)
    return render(request, "web/contacts/import.html", context | {"frame": frame(request), "page": "contacts"})


@require_GET
def troubles(request: HttpRequest, batch: UUID) -> HttpResponse:
    """The rows that were not taken in, each with its reason, to be mended and brought again."""
    found = importing.import_for(member_of(request), batch)
    sheet = io.StringIO()
    write = csv.writer(sheet).writerow
    write([_("Line"), _("Reason")])
    for line, trouble, detail, cells in found.troubles:
        write([str(line), *map(harmless, (why(trouble, detail), *cells))])
    response = HttpResponse("\N{BYTE ORDER MARK}" + sheet.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.id.hex}.csv"'
    return response


@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    response = StreamingHttpResponse(
        exporting.export(by=member_of(request), now=now), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="contacts-{timezone.localtime(now):%Y-%m-%d}.csv"'
    return response


@require_http_methods(["GET", "POST"])
def contact_fields(request: HttpRequest) -> HttpResponse:
    """The facts that this organisation keeps of its contacts."""
    by, form, sentence = member_of(request), request.POST, ""
    access.require(by, "define contact fields")
    if request.method == "POST":
        try:
            chosen = parts.uuid_of(form.get("field"))
            if chosen and form.get("deed") == "remove":
                fields.remove(field=chosen, by=by)
            elif chosen:
                fields.rename(field=chosen, name=form.get("name", ""), by=by)
            else:
                fields.define(
                    name=form.get("name", ""), kind=form.get("kind", ""), choices=form.get("choices", ""), by=by
                )
            return redirect("contact_fields")
        except DeskError as error:
            sentence = error.sentence
    words = kind_words()
    context = {
        "frame": frame(request),
        "page": "settings",
        "section": "contact_fields",
        "fields": [(each, words[each.kind]) for each in queries.fields()],
        "kinds": words.items(),
        "sentence": sentence,
    }
    return render(request, "web/contacts/fields.html", context, status=422 if sentence else 200)
