"""What a person chooses for themselves."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.http import require_POST

from klankbord.desk import access
from klankbord.desk.conversations.listing import View
from klankbord.desk.errors import NotFound
from klankbord.desk.organisations.models import Language, Membership

from .. import desk
from ..desk import member_of
from . import parts

# Pages that every organisation has, for those that one of them has; and what a person must be allowed to see them.
_NEAREST = {
    "more": "more", "ledger": "ledger", "dead_letters": "dead_letters", "inboxes": "inboxes", "inbox": "inboxes",
    "catalogue": "catalogue", "connect": "catalogue", "audit": "audit",
}  # fmt: skip
_NEEDS = {
    "ledger": "see ledger", "dead_letters": "see ledger", "inboxes": "manage inboxes", "catalogue": "manage inboxes",
    "audit": "see audit",
}  # fmt: skip


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Theme and language."""
    by = member_of(request)
    theme, language = request.POST.get("theme", by.user.theme), request.POST.get("language", by.user.language)
    if theme not in {"system", "light", "dark"} or language not in Language.values:
        raise NotFound
    by.user.theme, by.user.language = theme, language
    by.user.save(update_fields=["theme", "language"])
    return parts.back_to(request)


@require_POST
def organisation(request: HttpRequest) -> HttpResponse:
    """Work for another of one's organisations, on the same page as far as it exists there."""
    chosen = parts.uuid_of(request.POST.get("organisation"))
    member_of(request)
    there = next((each for each in desk.desks_of(request) if each.organisation_id == chosen), None)
    if chosen is None or there is None or not desk.choose_organisation(request, chosen):
        raise NotFound
    return redirect(_same_page(request.POST.get("next", ""), there))


def _same_page(path: str, there: Membership) -> str:
    """The nearest page that both organisations have: a view but no team's, a kind of settings but no one inbox."""
    try:
        found = resolve(path)
    except Resolver404:
        return reverse("home")
    view = View.read(found.kwargs.get("slug", ""))
    if view is not None and view.team is None:
        return reverse("list", args=[view.slug])
    page = _NEAREST.get(found.url_name or "", "home")
    deed = _NEEDS.get(page)
    return reverse(page if deed is None or access.role_may(there.role, deed) else "home")
