"""What a person chooses for themselves."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from klankbord.desk.errors import NotFound
from klankbord.desk.organisations.models import Language

from .. import desk
from ..desk import member_of
from . import parts


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
    chosen = parts.uuid_of(request.POST.get("organisation"))
    if chosen is None or not desk.choose_organisation(request, chosen):
        raise NotFound
    return parts.back_to(request)
