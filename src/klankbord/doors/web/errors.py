"""Pages for when something is not right. None of them asks the database anything."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from klankbord.desk.errors import DeskError


def refusal(request: HttpRequest, error: DeskError) -> HttpResponse:
    """An expected error: beside the work when a part of the page asked, as a page of its own otherwise."""
    if is_fragment(request):
        return notice(request, error.sentence, status=error.status)
    titles = {403: _("You may not do this"), 404: _("Not found")}
    return page(request, error.status, titles.get(error.status, _("That did not work")), error.sentence)


def notice(request: HttpRequest, sentence: str, *, status: int = 200, tone: str = "bad") -> HttpResponse:
    """One sentence in the corner, without touching what the person was doing."""
    response = HttpResponse(
        render_to_string("web/_notice.html", {"sentence": sentence, "tone": tone}, request), status=status
    )
    response.headers["HX-Retarget"] = "#notices"
    response.headers["HX-Reswap"] = "beforeend"
    response.headers["HX-Push-Url"] = "false"
    return response


def page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    return HttpResponse(
        render_to_string("look/error.html", {"status": status, "title": title, "sentence": sentence}, request),
        status=status,
    )


def is_fragment(request: HttpRequest) -> bool:
    """Whether a part of a page is asked for, rather than a page. Works before htmx' middleware has run."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def _answer(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    return notice(request, sentence, status=status) if is_fragment(request) else page(request, status, title, sentence)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _answer(
        request,
        400,
        _("We did not understand that"),
        _("Something in the address or form is not right. Go back and try again."),
    )


def permission_denied(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _answer(
        request,
        403,
        _("You may not do this"),
        _("Your role does not allow this. Ask an administrator of your organisation."),
    )


def page_not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _answer(request, 404, _("Not found"), _("This does not exist, or you may not see it."))


def too_many(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _answer(
        request,
        429,
        _("Too often, too fast"),
        _("This was tried too many times in a short while. Wait a minute, and try again."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(
        request,
        500,
        _("Something broke on our side"),
        _("Nothing of what you did just now was saved. Your text is kept on this device. Try again in a moment."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(
        request,
        403,
        _("This page was open too long"),
        _("For your safety nothing was done. Reload the page and try again; your text is kept on this device."),
    )
