"""What a person chooses for themselves."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from klankbord.desk import access
from klankbord.desk.conversations.listing import View
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.notices import queries as notice_queries
from klankbord.desk.notices.models import NoticeKind
from klankbord.desk.organisations import queries as organisations
from klankbord.desk.organisations.models import Language, Membership
from klankbord.flows import myself, notices, presence, shifts

from .. import desk
from ..desk import member_of
from ..frame import frame
from . import parts

# Pages that every organisation has, for those that one of them has; and what a person must be allowed to see them.
_NEAREST = {
    "more": "more", "ledger": "ledger", "dead_letters": "dead_letters", "inboxes": "inboxes", "inbox": "inboxes",
    "catalogue": "catalogue", "connect": "catalogue", "audit": "audit", "notices": "notices",
    "my_settings": "my_settings",
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


@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """All that somebody chooses for themselves."""
    by = member_of(request)
    refusal = _change(request, by) if request.method == "POST" else ""
    if request.method == "POST" and not refusal:
        with translation.override(by.user.language):
            messages.success(request, _("Kept."), extra_tags="good")
        return redirect("my_settings")
    choices = notice_queries.choices_of(by.id)
    kinds = [(kind, _kind_words(kind), kind not in choices.unwanted) for kind in notices.OPTIONAL]
    context = {"frame": frame(request), "page": "me", "choices": choices, "kinds": kinds, "refusal": refusal}
    return render(request, "web/me/settings.html", context, status=422 if refusal else 200)


def _change(request: HttpRequest, by: Membership) -> str:
    """Gives why it was refused, or nothing."""
    given = request.POST
    try:
        with transaction.atomic():
            myself.change_myself(
                by=by, name=given.get("name", ""), initials=given.get("initials", ""),
                language=given.get("language", ""), theme=given.get("theme", ""),
            )  # fmt: skip
            notices.choose(
                by=by, wanted=given.getlist("wanted"), digest=given.get("digest", ""),
                has_previews="has_previews" in given,
            )  # fmt: skip
    except Invalid as error:
        return error.sentence
    return ""


def _kind_words(kind: NoticeKind) -> str:
    return {
        NoticeKind.ANSWERED: _("A customer answers in a conversation of mine"),
        NoticeKind.ASSIGNED: _("Somebody gives me a conversation"),
        NoticeKind.MENTIONED: _("Somebody names me in a note"),
        NoticeKind.FAILED: _("A reply of mine does not arrive"),
        NoticeKind.RETURNED: _("A reply I proposed comes back"),
    }[kind]


@require_GET
def shift(request: HttpRequest) -> HttpResponse:
    """To whom, and what exactly would change hands."""
    by, now = member_of(request), timezone.now()
    chosen = request.GET.get("to", "")
    to = _receiver(chosen) if chosen else None
    context = {
        "frame": frame(request),
        "page": "me",
        "chosen": chosen,
        "to": to,
        "found": shifts.preview(by=by, to=to or shifts.Receiver()),
        "colleagues": [each for each in organisations.colleagues() if each.id != by.id and access.may(each, "answer")],
        "teams": organisations.teams(),
        "last": shifts.last_shift(by=by, now=now),
        "states": presence.states(now=now),
        "now": now,
    }
    return render(request, "web/me/shift.html", context)


@require_POST
def hand_over(request: HttpRequest) -> HttpResponse:
    by = member_of(request)
    to = _receiver(request.POST.get("to", ""))
    done = shifts.hand_over(to=to, note=request.POST.get("note", ""), by=by, now=timezone.now())
    count = len(done.moved)
    said = ngettext("%(count)d conversation changed hands.", "%(count)d conversations changed hands.", count)
    messages.success(request, said % {"count": count}, extra_tags="good")
    return redirect("shift")


@require_POST
def take_shift_back(request: HttpRequest) -> HttpResponse:
    found = parts.uuid_of(request.POST.get("shift"))
    if found is None:
        raise NotFound
    count = shifts.take_back(shift=found, by=member_of(request), now=timezone.now())
    said = ngettext("%(count)d conversation is yours again.", "%(count)d conversations are yours again.", count)
    messages.success(request, said % {"count": count}, extra_tags="good")
    return redirect("shift")


def _receiver(chosen: str) -> shifts.Receiver:
    """ "nobody", "person-…" or "team-…". Raises Invalid."""
    kind, _separator, key = chosen.partition("-")
    found = parts.uuid_of(key)
    if chosen == "nobody":
        return shifts.receiver()
    if found is None or kind not in {"person", "team"}:
        raise Invalid
    return shifts.receiver(owner=found) if kind == "person" else shifts.receiver(team=found)


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
