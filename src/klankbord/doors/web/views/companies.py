"""A company: its people, and what was said with them."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from klankbord.desk import access
from klankbord.desk.contacts import queries as contacts
from klankbord.desk.conversations import listing, people
from klankbord.desk.errors import NotFound
from klankbord.flows.people import describing

from ..desk import member_of
from ..frame import frame
from .contacts import name_key, position, written_name_key


@require_http_methods(["GET", "POST"])
def company(request: HttpRequest, company: UUID) -> HttpResponse:
    by = member_of(request)
    found, visible = contacts.company(company), access.visible_inboxes(by)
    if found is None or not people.sees_company(company, by=by):
        raise NotFound
    if request.method == "POST":
        describing.rename_company(company=company, name=request.POST.get("name", ""), by=by)
        return redirect("company", company=company)
    colleagues, rest = people.page(by=by, company=company, after=name_key(request.GET.get("after", "")))
    before = position(request.GET.get("before", ""))
    numbers, older = people.numbers_of_company(company, inboxes=visible, before=before)
    conversations = listing.by_numbers(numbers, inboxes=visible)
    context = {
        "frame": frame(request),
        "page": "contacts",
        "company": found,
        "contacts": colleagues,
        "more": urlencode({"after": written_name_key(rest)}) if rest else "",
        "conversations": [conversations[number] for number in numbers if number in conversations],
        "older": f"{older[0].isoformat()}_{older[1].hex}" if older else "",
        "may_change": access.may(by, "change contacts"),
        "now": timezone.now(),
    }
    return render(request, "web/contacts/company.html", context)
